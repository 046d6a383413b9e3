"""Promises: what was promised, kept and broken, by name, team or channel; broken ones explain themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from nicegui import ui

from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.fields import button
from truenorth.console.filling import fill
from truenorth.console.pages.now import CSS
from truenorth.console.periods import Days
from truenorth.console.registry import Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Words, heading, link, muted, notice
from truenorth.server.api.promise_ledger import Broken, Group, Ledger, explain_broken, read_promise_ledger
from truenorth.spec.wording import name_in_words

N_EXPLAINED = 3
"""Broken promises that are explained at once: the last ones; others when it is asked for."""
NOBODY = {"promise": "", "team": "(nobody yet)", "channel": "(not recorded)"}
"""What stands for a group without a name."""


class Filters(msgspec.Struct, frozen=True):
    """Which journey, by what, and promises of how many days."""

    journey: str = ""
    by: Literal["promise", "team", "channel"] = "promise"
    days: Days = "28"


async def _read(sight: Sight, filters: Filters) -> Ledger | None:
    journey = await chosen_journey(sight)
    if journey is None:
        return None
    asked = {"journey": journey, "by": filters.by, "days": int(filters.days)}
    return await sight.ask(read_promise_ledger, **asked)


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    ui.add_head_html(CSS)
    ledger = await _read(sight, filters)
    if ledger is None:
        nothing_live()
        return
    Tiles(_tiles(sight, ledger))
    if ledger.more:
        muted("More were made: the newest 50,000 are counted.")
    heading(f"By {'name' if filters.by == 'promise' else filters.by}")
    TableElement(_table(ledger), sight.writing)
    heading("Broken lately")
    if not ledger.broken:
        notice("None of the promises made in this time was broken.", "good")
        return
    await _explained(sight, ledger.journey, ledger.broken[:N_EXPLAINED])
    others = ledger.broken[N_EXPLAINED:]
    if others:

        async def explain() -> None:
            place.clear()
            with place:
                await _explained(sight, ledger.journey, others)

        with Words("div", "") as place:
            button(f"Explain {len(others)} more", sight.doing(explain))


async def _explained(sight: Sight, journey: str, broken: Sequence[Broken]) -> None:
    zone = str(sight.writing.zone)
    told = sight.ask(explain_broken, journey=journey, broken=broken, timezone=zone)
    await fill(sight, "Looking at why ...", told, lambda sentences: _broken(sight, journey, broken, sentences))


def _broken(sight: Sight, journey: str, broken: Sequence[Broken], sentences: Sequence[str | None]) -> None:
    for one, sentence in zip(broken, sentences, strict=True):
        with Words("p", ""):
            link(one.case, address_of("/now", {"journey": journey, "case": one.case}))
            name = name_in_words(one.promise)
            told = sentence.replace(one.promise, name, 1) if sentence else None
            Words("bdi", f": {told or f'{name}, broken {sight.writing.instant(one.decided)}.'}")


def _tiles(sight: Sight, ledger: Ledger) -> list[Tile]:
    n = sight.writing.number
    made, kept, broken, waiting = (
        sum(getattr(one, name) for one in ledger.groups) for name in ("made", "kept", "broken", "open")
    )
    judged = kept + broken
    share = sight.writing.percent(kept / judged if judged else None, 1)
    return [
        Tile("Kept", share, f"{n(kept)} of {n(judged)} judged"),
        Tile("Made", n(made)),
        Tile("Broken", n(broken), tone="bad" if broken else "plain"),
        Tile("Under way", n(waiting)),
    ]


def _table(ledger: Ledger) -> Table:
    columns = (
        Column("group", "Promise" if ledger.by == "promise" else ledger.by.capitalize()),
        Column("made", "Made", "number"),
        Column("kept", "Kept", "number"),
        Column("broken", "Broken", "number"),
        Column("lapsed", "Owed no more", "number"),
        Column("open", "Under way", "number"),
        Column("broken_share", "Broken of judged", "percent", 1),
        Column("low", "From", "percent", 1),
        Column("high", "To (95 %)", "percent", 1),
    )
    rows = [Row((name_in_words(one.group) if one.group else NOBODY[ledger.by], *_counts(one))) for one in ledger.groups]
    return Table(caption=f"Promises by {ledger.by}", columns=columns, rows=rows, empty="Nothing was promised.")


def _counts(one: Group) -> tuple[float | None, ...]:
    return one.made, one.kept, one.broken, one.lapsed, one.open, one.broken_share, one.low, one.high


async def table(sight: Sight, filters: Filters) -> Table:
    """The ledger."""
    ledger = await _read(sight, filters)
    return _table(ledger) if ledger else Table(caption="Promises", columns=(), rows=())


PAGES = (
    Page(
        path="/promises",
        title="Promises",
        group="Act",
        role="agent",
        filters=Filters,
        choices={"journey": journeys},
        how=(
            "Promises that were made in these days, by the verdict that they have now. Broken of judged: broken / "
            "(kept + broken), with its 95 % Wilson interval.",
            "Team: the last one that the case's events name up to the verdict, or up to now: whoever had the case. "
            "Channel: the last one that they name up to the instant the promise was made. Never by person.",
        ),
        twin=lambda filters: address_of("/api/v1/promises/ledger", msgspec.structs.asdict(filters)),
        table=table,
        build=build,
    ),
)
