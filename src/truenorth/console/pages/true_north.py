"""True north: whether customers get their outcome, journey by journey, now, and what changed."""

from __future__ import annotations

from typing import Literal

import msgspec

from truenorth.console.choosing import journeys_or_all, nothing_live
from truenorth.console.registry import Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement, Value
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Words, link, muted, paragraph, subheading
from truenorth.console.writing import NOTHING, Writing
from truenorth.server.api.true_north import Estimated, Period, Standing, read_true_north, reread_true_north

REFRESH_S = 3.0
CASES = "/cases"


class Filters(msgspec.Struct, frozen=True):
    """Which journey, all of them by default; how many days are compared with as many before."""

    journey: str = ""
    days: Literal["1", "7", "28", "90"] = "7"


class JourneyView:
    """How one journey stands; `show` shows it as it is now."""

    def __init__(self, sight: Sight, standing: Standing, days: str) -> None:
        self._sight, self._days = sight, days
        with Words("h2", ""):
            link(standing.title, address_of("/journey", {"journey": standing.journey}))
        if standing.one_liner:
            muted(standing.one_liner)
        own = {"journey": standing.journey}
        with Words("p", "", "tn-links"):
            link("Why cases fail, and what closing it would bring", address_of("/journey", own))
            link("What was done about it", address_of("/decisions/ledger", own))
        self._tiles = Tiles(self._now(standing))
        subheading(f"Triple crown, last {days} days")
        self._crowns = Tiles(self._triple(standing))
        subheading(f"What changed in {days} days")
        self._changes = TableElement(self._changed(standing), sight.writing)

    def show(self, standing: Standing) -> None:
        """Show the same journey as it stands now."""
        self._tiles.show(self._now(standing))
        self._crowns.show(self._triple(standing))
        self._changes.show(self._changed(standing))

    def _now(self, one: Standing) -> list[Tile]:
        writing, n_decided = self._sight.writing, one.share.n
        against, tone = "", "plain"
        if one.target is not None and one.share.value is not None:
            is_met = one.share.value >= one.target
            against = f"; target {writing.percent(one.target)} {'met' if is_met else 'missed'}"
            tone = "good" if is_met else "bad"
        at_risk = None if one.at_risk is None else float(one.at_risk)
        return [
            Tile(
                "Achieved",
                writing.percent(one.share.value, 1),
                f"{writing.number(one.achieved)} of {writing.number(n_decided)} decided{against}",
                self._cases(one, outcome="achieved"),
                tone,  # type: ignore[arg-type]
            ),
            Tile("Failed", writing.number(one.failed), "of all cases", self._cases(one, outcome="failed")),
            Tile("Abandoned", writing.number(one.abandoned), "of all cases", self._cases(one, outcome="abandoned")),
            Tile("Open", writing.number(one.open), "not decided yet", self._cases(one, outcome="open")),
            Tile("At risk", writing.number(at_risk), _watched(one), self._cases(one, at_risk=True) if at_risk else ""),
            Tile(
                "Value at stake",
                writing.money(one.at_stake, one.currency),
                "expected loss of open cases" if one.at_stake is not None else _watched(one),
            ),
        ]

    def _triple(self, one: Standing) -> list[Tile]:
        money = one.currency
        return [
            self._crown("Service: achieved", one.now.service, one.before.service, None, is_share=True),
            self._crown("Cost per case", one.now.cost, one.before.cost, money),
            self._crown("Revenue per case", one.now.revenue, one.before.revenue, money),
            self._crown("Value per case", one.now.value, one.before.value, money),
        ]

    def _crown(
        self, label: str, now: Estimated, before: Estimated, money: str | None, *, is_share: bool = False
    ) -> Tile:
        writing = self._sight.writing

        def written(value: float | None) -> str:
            return writing.percent(value, 1) if is_share else writing.money(value, money, 2)

        interval = f"{written(now.low)} to {written(now.high)}, " if now.low is not None else ""
        return Tile(label, written(now.value), f"{interval}before: {written(before.value)}")

    def _changed(self, one: Standing) -> Table:
        rows = [
            Row(("Cases opened", one.now.opened, one.before.opened, one.now.opened - one.before.opened)),
            self._change(one, "Achieved", one.now.achieved, one.before.achieved, "achieved"),
            self._change(one, "Failed", one.now.failed, one.before.failed, "failed"),
            self._change(one, "Abandoned", one.now.abandoned, one.before.abandoned, "abandoned"),
            self._promises(one, "Promises kept", one.now.promises_kept, one.before.promises_kept),
            self._promises(one, "Promises broken", one.now.promises_broken, one.before.promises_broken),
        ]
        columns = (
            Column("what", "What"),
            Column("now", f"Last {self._days} days", "number"),
            Column("before", "Before", "number"),
            Column("change", "Change", "change"),
        )
        return Table(caption=f"What changed in {one.title}", columns=columns, rows=rows)

    def _change(self, one: Standing, what: str, now: int, before: int, outcome: str) -> Row:
        return Row((what, now, before, now - before), self._cases(one, outcome=outcome, decided_days=self._days))

    def _promises(self, one: Standing, what: str, now: int, before: int) -> Row:
        days = self._days if self._days != "1" else "7"
        address = address_of("/promises", {"journey": one.journey, "days": days})
        return Row((what, now, before, now - before), address if self._sight.may("agent") else None)

    def _cases(self, one: Standing, **filters: Value) -> str:
        """Where the cases of a figure are; nowhere for those who see no cases."""
        return address_of(CASES, {"journey": one.journey, **filters}) if self._sight.may("agent") else ""


def _watched(one: Standing) -> str:
    if one.watched is None:
        return "no model is live"
    if not one.watched and one.open:
        return "no open case has been looked at yet"
    return f"of {min(one.watched, one.open)} open cases that are watched"  # one may have ended since it was looked at


def _worst(standings: list[Standing], writing: Writing) -> str:
    """Which journey misses its target by most; which achieves least where none has a target."""
    known = [(one, one.share.value) for one in standings if one.share.value is not None]
    if len(known) < 2:
        return ""
    short = [(one.target - share, share, one) for one, share in known if one.target is not None]
    if not short:
        one, share = min(known, key=lambda found: found[1])
        return f"Lowest: {one.title}, {writing.percent(share, 1)} achieved."
    gap, share, one = max(short, key=lambda found: found[0])
    if gap <= 0:
        return "All journeys that have a target meet it."
    points = writing.number(100 * gap, 1)
    return (
        f"Furthest from its target: {one.title}, {writing.percent(share, 1)} achieved of a target of "
        f"{writing.percent(one.target)}, {points} points short."
    )


async def _read(sight: Sight, filters: Filters) -> list[Standing]:
    """How the journeys stand, or stood a moment ago: it is worked out once for all who look on."""
    return await sight.ask(reread_true_north, journey=filters.journey or None, days=int(filters.days))


async def table(sight: Sight, filters: Filters) -> Table:
    """Journeys with their figures."""
    columns = (
        *(Column(name, name) for name in ("journey", "title", "currency")),
        *(Column(name, name, "number") for name in ("achieved", "failed", "abandoned", "open")),
        *(Column(name, name, "percent") for name in ("share", "share_low", "share_high", "target")),
        *(Column(name, name, "number") for name in ("at_risk", "watched", "at_stake")),
        *(Column(f"{part}_{name}", name, "number") for part in ("now", "before") for name in PERIOD),
    )
    found = await sight.ask(read_true_north, journey=filters.journey or None, days=int(filters.days))
    return Table(caption="True north", columns=columns, rows=[_row(one) for one in found])


PERIOD = ("opened", "achieved", "failed", "abandoned", "promises_kept", "promises_broken", "cost", "revenue", "value")


def _row(one: Standing) -> Row:
    share = one.share
    plain = (one.journey, one.title, one.currency, one.achieved, one.failed, one.abandoned, one.open)
    ahead = (share.value, share.low, share.high, one.target, one.at_risk, one.watched, one.at_stake)
    return Row((*plain, *ahead, *_of(one.now), *_of(one.before)))


def _of(period: Period) -> tuple[Value, ...]:
    found = (getattr(period, name) for name in PERIOD)
    return tuple(one.value if isinstance(one, Estimated) else one for one in found)


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    found = await _read(sight, filters)
    if not found:
        nothing_live()
        return
    at = muted("")
    worst = paragraph("", "tn-worst")
    views = {one.journey: JourneyView(sight, one, filters.days) for one in found}

    def show_at(standings: list[Standing]) -> None:
        newest = max((one.at for one in standings), default=NOTHING)
        at.set_text(f"Judged up to {sight.writing.instant(newest)}")
        worst.set_text(_worst(standings, sight.writing))

    async def refresh() -> None:
        standings = await _read(sight, filters)
        show_at(standings)
        for one in standings:
            if one.journey in views:
                views[one.journey].show(one)

    show_at(found)
    sight.every(REFRESH_S, refresh)


PAGES = (
    Page(
        path="/true-north",
        title="True north",
        group="Lead",
        role="viewer",
        filters=Filters,
        choices={"journey": journeys_or_all},
        how=(
            "Achieved: cases whose outcome was achieved, as a share of the cases that are decided. The target is the "
            "one that the journey file gives to the statement that the outcome measures (canvas.measures).",
            "At risk: open cases whose chance of failing, by the live model, is at its threshold or above it. Value at "
            "stake: what all open cases are expected to lose against the outcome hoped for, by the journey's values.",
            "The triple crown is of the cases decided in the last days up to the watermark: the share achieved, with "
            "its 95 % Wilson interval; cost, revenue and value per such case, with 95 % intervals by the normal "
            "approximation. Cases are taken as independent. Nothing is netted: each crown stands for itself.",
        ),
        twin=lambda filters: address_of("/api/v1/true-north", {"journey": filters.journey, "days": filters.days}),
        table=table,
        build=build,
    ),
)
