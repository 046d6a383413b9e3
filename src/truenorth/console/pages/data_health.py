"""Desk: how data arrive, and what could not be an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from truenorth.console.fields import Field, button
from truenorth.console.listing import all_pages, first_page, link_on
from truenorth.console.naming import titles_of
from truenorth.console.registry import NoFilters, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Act, Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Words, heading, muted, notice
from truenorth.server.api.arrivals import Arrivals, read_arrivals
from truenorth.server.api.quarantine import RefusedShown, RetryAsked, dismiss_refused, list_refused, retry_refused

REFRESH_S = 3.0
QUARANTINE = "/desk/quarantine"


async def sources(sight: Sight, filters: NoFilters) -> Table:
    """The sources among the newest events."""
    del filters
    return _sources(await sight.ask(read_arrivals))


async def build_health(sight: Sight, filters: NoFilters) -> None:
    """How data arrive."""
    del filters
    found, titles = await sight.ask(read_arrivals), await titles_of(sight)
    tiles = Tiles(_tiles(sight, found))
    heading("Sources")
    looked_at = muted(_looked_at(sight, found))
    shown = TableElement(_sources(found), sight.writing)
    heading("Judging")
    judged = TableElement(_judged(found, titles), sight.writing)

    async def refresh() -> None:
        now = await sight.ask(read_arrivals)
        tiles.show(_tiles(sight, now))
        looked_at.set_text(_looked_at(sight, now))
        shown.show(_sources(now))
        judged.show(_judged(now, titles))

    sight.every(REFRESH_S, refresh)


def _tiles(sight: Sight, found: Arrivals) -> list[Tile]:
    number = sight.writing.number
    lag = max((one.lag_positions for one in found.journeys), default=0)
    return [
        Tile("Events", number(found.last_position), "that came and were kept"),
        Tile("Duplicates", number(found.duplicates), "came again, changed nothing"),
        Tile("Quarantined", number(found.refused), "could not be an event", QUARANTINE),
        Tile("Of erased people", number(found.suppressed), "came, and were not taken"),
        Tile("Not judged yet", number(lag), "events, of the slowest journey"),
    ]


def _looked_at(sight: Sight, found: Arrivals) -> str:
    if not found.looked_at:
        return "Nothing has come yet: Connect says how clients are set up."
    since = sight.writing.instant(found.since)
    return f"The newest {sight.writing.number(found.looked_at)} events, which came since {since}."


def _sources(found: Arrivals) -> Table:
    columns = (
        Column("source", "Source"),
        Column("n", "Events", "number"),
        Column("n_last_hour", "In the last hour", "number"),
        Column("per_minute", "A minute", "number", 2),
        Column("delay_seconds", "Came after", "span"),
        Column("last_received", "Last came", "instant"),
    )
    rows = [
        Row((one.source, one.n, one.n_last_hour, one.per_minute, one.delay_seconds, one.last_received))
        for one in found.sources
    ]
    return Table(caption="Sources of events", columns=columns, rows=rows, empty="No event has come yet.")


def _judged(found: Arrivals, titles: Mapping[str, str]) -> Table:
    columns = (
        Column("journey", "Journey"),
        Column("lag_positions", "Not judged yet", "number"),
        Column("watermark", "Judged up to", "instant"),
        Column("watermark_age_seconds", "Behind", "span"),
    )
    rows = [
        Row((titles.get(one.journey, one.journey), one.lag_positions, one.watermark, one.watermark_age_seconds))
        for one in found.journeys
    ]
    return Table(caption="How far journeys are judged", columns=columns, rows=rows, empty="No journey is live yet.")


class QuarantineFilters(msgspec.Struct, frozen=True):
    """Where the list begins; which item is put right."""

    after: str = ""


async def quarantine(sight: Sight, filters: QuarantineFilters) -> Table:
    """What was refused, as far as CSV goes."""
    del filters
    return _quarantine(await all_pages(sight, list_refused))


async def build_quarantine(sight: Sight, filters: QuarantineFilters) -> None:
    """What was refused, to be tried again, put right, or dismissed."""
    del filters

    async def acted(act: str, row: int) -> None:
        one = items[row]
        if act == "retry":
            await retry(one.number, None)
        elif act == "dismiss":
            await sight.ask(dismiss_refused, number=one.number)
            await again("Dismissed.")
        else:
            number[0], text.value = one.number, one.raw
            reason.set_text(one.reason)
            card.set_visibility(True)
            text.focus()  # the card may be below what is seen

    async def retry(chosen: int, put_right: str | None) -> None:
        found = await sight.ask(retry_refused, number=chosen, asked=RetryAsked(text=put_right))
        if found.reason is not None:
            sight.tell(f"It is still no event: {found.reason}", "bad")
            return
        card.set_visibility(False)
        await again("It was there already." if found.duplicate else "It is an event now.")

    async def again(told: str) -> None:
        items[:] = (await first_page(sight, list_refused)).items
        shown.show(_quarantine(items))
        sight.tell(told, "good")

    page = await first_page(sight, list_refused)
    items = list(page.items)
    shown = TableElement(_quarantine(items), sight.writing, sight.doing(acted))
    link_on(sight, page)
    with Words("div", "", "tn-card") as card:
        heading("Put right")
        reason = notice("", "warn")
        text = Field("What is read in its place", kind="long", wide=True)
        number = [0]
        button("Read it", sight.doing(lambda: retry(number[0], text.value)), is_main=True)
    card.set_visibility(False)


def _quarantine(items: Sequence[RefusedShown]) -> Table:
    columns = (
        Column("number", "Number", "number"),
        Column("received", "Came", "instant"),
        Column("source", "Source"),
        Column("reason", "Why it is no event"),
        Column("raw", "What was sent"),
    )
    acts = (
        Act("retry", "Retry"),
        Act("right", "Put right"),
        Act("dismiss", "Dismiss", "Forget it for good?"),
    )
    rows = [Row((one.number, one.received, one.source, one.reason, one.raw), acts=acts) for one in items]
    return Table(caption="Quarantine", columns=columns, rows=rows, empty="Nothing was refused.")


PAGES = (
    Page(
        path="/desk/health",
        title="Data health",
        group="Run",
        role="analyst",
        how=(
            "Rates and delays are those of the newest 2,000 events: how many of them came within the last hour, how "
            "many came a minute since the first of them, and the median time between an event's own instant and its "
            "arrival.",
            "Duplicates and quarantined items count everything that has ever come. Not judged yet: positions of the "
            "log after the one that a journey's runner has taken.",
        ),
        twin=lambda _: "/api/v1/arrivals",
        table=sources,
        build=build_health,
    ),
    Page(
        path=QUARANTINE,
        title="Quarantine",
        group="Run",
        role="analyst",
        filters=QuarantineFilters,
        silent=("after",),
        how=(
            "One bad event never rejects its batch: it lands here, with the reason. Retry reads it once more by the "
            "rules of Segment, PostHog or CloudEvents, whichever its fields show; an event that comes of it arrives "
            "now. Who looks, retries or dismisses is noted in the audit.",
        ),
        twin=lambda filters: address_of("/api/v1/quarantine", {"after": filters.after}),
        table=quarantine,
        build=build_quarantine,
    ),
)
