"""The ledger: what acting cost, what it earned and what customers got of it, side by side and never netted."""

from __future__ import annotations

from itertools import groupby
from typing import Literal

import msgspec

from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.crowns_view import CrownsView
from truenorth.console.filling import fill
from truenorth.console.naming import Names, names_of
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Tone, heading, muted, notice
from truenorth.server.api.books import CrownShown, EstimateShown, LedgerShown, LineShown, SplitShown, read_ledger
from truenorth.spec.durations import HOUR_US
from truenorth.spec.problems import TruenorthError

N_LINES = 36
"""Lines that are drawn: the newest of each action come first; the CSV has all."""
FIGURES = ("cost", "revenue", "achieved", "kept", "broken", "customer_us")


class Filters(msgspec.Struct, frozen=True):
    """Which journey, which of its actions (all by default), and how long a period is."""

    journey: str = ""
    action: str = ""
    per: Literal["month", "day", "year"] = "month"


async def _actions(sight: Sight) -> list[Choice]:
    journey = await chosen_journey(sight)
    names = await names_of(sight, journey) if journey else Names()
    return [Choice("", "all"), *(Choice(name, words) for name, words in names.actions.items())]


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    journey = await chosen_journey(sight)
    if journey is None:
        nothing_live()
        return
    names = await names_of(sight, journey)

    def show(found: LedgerShown | None) -> None:
        if found is None:
            notice("Nothing was decided in this journey yet, so there is nothing to account for.")
        else:
            _show(sight, found, names, filters.action)

    await fill(sight, "Adding up what was decided and what came of it ...", _read(sight, journey, filters), show)


async def _read(sight: Sight, journey: str, filters: Filters) -> LedgerShown | None:
    """The books; None where nothing was ever decided."""
    try:
        found = await sight.ask(read_ledger, journey=journey, per=filters.per)
    except TruenorthError:
        return None
    assert isinstance(found, LedgerShown)
    return found


def _show(sight: Sight, found: LedgerShown, names: Names, action: str) -> None:
    if found.split is not None:
        tone: Tone = "good" if found.split.is_telling else "plain"
        notice(_split(sight, found.split), tone if found.split.is_sound else "bad")
    Tiles(_sums(sight, found.totals, names))
    lines = [one for one in found.lines if action in {"", one.action}]
    if not lines:
        notice("No case that was acted upon, or held out, has ended yet.")
    view, drawn = CrownsView(sight.writing, names), 0
    for name, of_action in groupby(lines, lambda line: line.action):
        heading(_capital(names.action(name)))
        newest = sorted(of_action, key=lambda line: line.period, reverse=True)
        shown = newest[: max(N_LINES - drawn, 1)]
        drawn += len(shown)
        for line in shown:
            view.show(line)
        if len(shown) < len(newest):
            muted(f"The newest {len(shown)} of {len(newest)} periods are shown; the CSV has all.")
    heading("Where people did otherwise")
    TableElement(_overrides(found, names), sight.writing)


def _sums(sight: Sight, totals: dict[str, int], names: Names) -> list[Tile]:
    """Sums of all cases that were acted upon: what was spent is not taken from what was earned."""
    n, money = sight.writing.number, names.currency
    return [
        Tile("Outcomes achieved", n(totals["achieved"]), "of cases acted upon"),
        Tile("Promises kept", n(totals["kept"]), f"{n(totals['broken'])} broken"),
        Tile("Customers' time", f"{n(round(totals['customer_us'] / HOUR_US))} h", "that their cases took, added up"),
        Tile("Spent", sight.writing.money(totals["cost_cents"] / 100, money, 2), "on actions"),
        Tile("Earned", sight.writing.money(totals["revenue_cents"] / 100, money, 2), "by cases acted upon"),
    ]


def _split(sight: Sight, split: SplitShown) -> str:
    """Whether the holdout is as large as it is meant to be."""
    n, percent = sight.writing.number, sight.writing.percent
    n_cases = split.n_holdout + split.n_treated
    held = f"{n(split.n_holdout)} of {n(n_cases)} cases are held out"
    if split.is_sound and not split.is_telling:
        return f"{held}: too few cases to tell whether {percent(split.share, 1)} are, as meant."
    if split.is_sound:
        return f"✓ The split is sound: {held}, as {percent(split.share, 1)} are meant to be."
    return (
        f"✗ Sample-ratio mismatch: {held} where {percent(split.share, 1)} were meant "
        f"(p = {split.p_value:.1g}). Compare nothing below before you know why."
    )


def _overrides(found: LedgerShown, names: Names) -> Table:
    money = names.currency
    columns = (
        Column("action", "Proposal"),
        Column("followed", "Followed", "number"),
        Column("overridden", "Overridden", "number"),
        Column("gain", "Overriding brought, a case", "money", 2, money),
        Column("low", "From", "money", 2, money),
        Column("high", "To (95 %)", "money", 2, money),
    )
    rows = [
        Row((_capital(names.action(one.action)), one.n_followed, one.n_overridden, *_money(one.gain)))
        for one in found.overrides
    ]
    return Table(
        caption="What overriding proposals brought", columns=columns, rows=rows,
        empty="No answered proposal has a case that has ended.",
    )  # fmt: skip


def _money(gain: EstimateShown | None) -> tuple[float | None, ...]:
    cents = (gain.mean_cents, gain.low_cents, gain.high_cents) if gain else (None, None, None)
    return tuple(None if one is None else one / 100 for one in cents)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


async def table(sight: Sight, filters: Filters) -> Table:
    """A row for each figure of each line: money in cents, time in microseconds."""
    journey = await chosen_journey(sight)
    found = await _read(sight, journey, filters) if journey else None
    columns = (
        *(Column(name, name) for name in ("action", "journey", "period")),
        *(Column(name, name, "number") for name in ("n_acted", "n_holdout")),
        Column("figure", "figure"),
        *(Column(name, name, "number") for name in ("actual", "expected", "change_mean", "change_low", "change_high")),
        Column("note", "note"),
    )
    lines = [one for one in found.lines if filters.action in {"", one.action}] if found else []
    rows = [_flat(line, name, getattr(line, name)) for line in lines for name in FIGURES]
    return Table(caption="The ledger", columns=columns, rows=rows)


def _flat(line: LineShown, name: str, crown: CrownShown) -> Row:
    change = crown.increment
    bounds = (change.mean, change.low, change.high) if change else (None, None, None)
    key = (line.action, line.journey, line.period, line.n_acted, line.n_holdout)
    return Row((*key, name, crown.actual, crown.expected, *bounds, line.note))


PAGES = (
    Page(
        path="/decisions/ledger",
        title="What acting brought",
        tab="Ledger",
        within="/decisions",
        role="viewer",
        filters=Filters,
        choices={"journey": journeys, "action": _actions},
        labels={"per": "Periods"},
        how=(
            "A case stands once, under the first action that was intended for it, in the period of that decision "
            "(UTC), when it has ended. What was spent, earned and brought to the customer are three accounts: nothing "
            "is taken from anything.",
            "What acting changed is measured against cases for which the same was intended and which were held out: a "
            "difference of means a case, with its 95 % interval (Newcombe's for outcomes, else Welch's). Of amounts "
            "nothing is said with fewer than 20 cases on one side. What was expected is what was believed when "
            "deciding.",
            "The split: cases with a decision, held out and not, against the share that the journey file gives "
            "(Pearson's chi-square test). One that chance alone makes less often than once in a thousand is called a "
            "mismatch.",
            "Overriding: what proposals that people changed or declined brought over those that they followed, alike "
            "otherwise, after cost.",
        ),
        twin=lambda filters: address_of("/api/v1/ledger", {"journey": filters.journey, "per": filters.per}),
        table=table,
        build=build,
    ),
)
