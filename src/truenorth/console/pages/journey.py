"""A journey: its map, waits, loops, losses; two parts compared; points of failure; a future state beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from nicegui import ui

from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.fates import show_future
from truenorth.console.naming import names_of
from truenorth.console.pages.now import CSS
from truenorth.console.plots import Plot
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import heading, link, muted, notice, paragraph
from truenorth.figures.theme import Theme
from truenorth.insight.slices import Slice, sliced
from truenorth.server.api.context import Served, Text
from truenorth.server.api.journeys import list_journeys
from truenorth.server.api.maps import (
    MapsCompared,
    MapShown,
    PointShown,
    SliceOf,
    compare_maps,
    list_cases_of_point,
    list_failures,
    list_slices,
    read_map,
    replay_of,
)
from truenorth.server.auth import Viewer
from truenorth.server.receiving import Turned
from truenorth.spec.wording import name_in_words

AGAIN_S = 2.0
"""After so long a page is loaded again whose log was still being read."""
LETTERS = {"moment": "M moment", "decision": "D decision", "internal": "I internal work"}
KINDS = {"handover": "hand-over", "promise": "broken promise"}
"""Kinds of points that are called otherwise."""
NEW_FUTURE = "future"
DAYS = ("since", "until", "other_since", "other_until")


class Filters(msgspec.Struct, frozen=True):
    """Which cases of which journey, which others to compare them with, and a future state."""

    journey: str = ""
    category: str = ""
    channel: str = ""
    since: str = ""
    until: str = ""
    other_category: str = ""
    other_channel: str = ""
    other_since: str = ""
    other_until: str = ""
    future: str = ""
    by: str = "category"

    @property
    def one(self) -> SliceOf:
        """The cases that are shown."""
        return _slice(self.category, self.channel, self.since, self.until, self.by)

    @property
    def other(self) -> SliceOf:
        """The cases that they are compared with."""
        return _slice(self.other_category, self.other_channel, self.other_since, self.other_until, self.by)

    @property
    def compares(self) -> bool:
        """Whether there are others."""
        return self.other.slice != Slice(by=self.by)


class PointFilters(msgspec.Struct, frozen=True):
    """Which point of failure, of which cases."""

    journey: str = ""
    kind: str = "event"
    source: str = ""
    target: str = ""
    category: str = ""
    channel: str = ""
    since: str = ""
    until: str = ""
    by: str = "category"


def _slice(category: str, channel: str, since: str, until: str, by: str) -> SliceOf:
    return SliceOf(Slice(category or None, channel or None, _day(since), _day(until), by))


def _day(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None  # as if it were not there
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def draw_map(served: Served, caller: Viewer, name: Text, asked: Any, theme: Theme) -> Any:  # noqa: ARG001  # the role
    """The figure of a journey's map, of some of its cases."""
    from truenorth.figures.journey_map import journey_map_figure  # noqa: PLC0415  heavy

    return journey_map_figure(sliced(replay_of(served, name), asked.slice), theme=theme)


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    ui.add_head_html(CSS)
    journey = await chosen_journey(sight)
    if journey is None:
        nothing_live()
        return
    try:
        found = await sight.ask(read_map, name=journey, asked=filters.one)
    except Turned as turned:
        if turned.code != "being_made":
            raise
        notice("The whole log is being read; this page comes by itself in a moment.")
        sight.after(AGAIN_S, ui.navigate.reload)
        return
    for one in DAYS:
        if getattr(filters, one) and _day(getattr(filters, one)) is None:
            notice(f"'{getattr(filters, one)}' is no day such as 2026-03-31, and is left out.", "warn")
    await _draw(sight, journey, found, filters.one, "The map")
    if filters.compares:
        await _compare(sight, journey, filters)
    heading("Where it waits, repeats and loses")
    TableElement(_nodes(found), sight.writing)
    await _points(sight, journey, filters)
    await _future(sight, journey, found, filters)


async def _draw(sight: Sight, journey: str, found: MapShown, asked: SliceOf, words: str) -> None:
    heading(words)
    n, percent = sight.writing.number, sight.writing.percent
    interval = f"{percent(found.achieved_low, 1)} to {percent(found.achieved_high, 1)} (95\N{NO-BREAK SPACE}%)"
    Tiles(
        [
            Tile("Cases", n(found.n_cases), f"{n(found.n_decided)} decided"),
            Tile(
                "Reached the outcome",
                percent(found.achieved, 1),
                interval if found.n_decided else "none is decided yet",
            ),
        ]
    )
    if found.n_cases:
        Plot(await sight.ask(draw_map, name=journey, asked=asked, theme=sight.writing.theme))
    else:
        notice("No case is like that.")


async def _compare(sight: Sight, journey: str, filters: Filters) -> None:
    both = await sight.ask(compare_maps, name=journey, asked=filters.one, other=filters.other)
    await _draw(sight, journey, both.other, filters.other, "Compared with")
    heading("What differs most")
    TableElement(_differences(both), sight.writing)


def _differences(both: MapsCompared) -> Table:
    columns = (
        Column("name", "Event"),
        Column("case_share", "Cases with it", "percent", 1),
        Column("other_case_share", "Of the others", "percent", 1),
        Column("per_case", "Times a case", "number", 2),
        Column("other_per_case", "Of the others", "number", 2),
        Column("hours", "Hours to the next", "number", 1),
        Column("other_hours", "Of the others", "number", 1),
    )
    rows = [
        Row(
            (
                one.name, one.case_share, one.other_case_share, one.per_case, one.other_per_case,
                _hours(one.median_next_us), _hours(one.other_median_next_us),
            )
        )
        for one in both.differences
    ]  # fmt: skip
    return Table(caption="What differs most", columns=columns, rows=rows)


def _nodes(found: MapShown) -> Table:
    columns = (
        Column("name", "Event"),
        Column("kind", "Is mostly"),
        Column("n", "Times", "number"),
        Column("case_share", "Cases with it", "percent", 1),
        Column("hours", "Median hours to the next", "number", 1),
        Column("handover_share", "Hand-overs", "percent"),
        Column("repeats", "Again in a case", "number"),
        Column("lost", "Lost after it", "number"),
    )
    nodes = sorted((one for one in found.nodes if one.key.startswith("type:")), key=lambda one: (-one.lost, -one.n))
    rows = [
        Row(
            (
                one.name, LETTERS.get(one.role, one.role), one.n, one.case_share, _hours(one.median_next_us),
                one.handover_share, one.repeats, one.lost,
            ),
            tones={"lost": "bad"} if one.lost else {},
        )
        for one in nodes
    ]  # fmt: skip
    return Table(caption="Events of the journey", columns=columns, rows=rows, empty="No case is like that.")


def _hours(us: float | None) -> float | None:
    return None if us is None else us / 3.6e9


async def _points(sight: Sight, journey: str, filters: Filters) -> None:
    heading("Points of failure")
    muted("Cases that pass a point, against all that do not. This is association: try a change and measure it.")
    found = await sight.ask(list_failures, name=journey, asked=filters.one)
    currency = (await names_of(sight, journey)).currency
    addresses = [_point_address(journey, one, filters) for one in found]
    TableElement(_table_of_points(found, currency, addresses), sight.writing)


def _table_of_points(found: Sequence[PointShown], currency: str | None, addresses: Sequence[str]) -> Table:
    columns = (
        Column("point", "Point"),
        Column("kind", "What it is"),
        Column("n", "Cases", "number"),
        Column("rate", "Fail", "percent", 1),
        Column("rate_others", "Others fail", "percent", 1),
        Column("excess", "Failing more", "number"),
        Column("value_lost", "Value lost", "money", 0, currency),
        Column("clear", "Clear of chance"),
    )
    rows = [
        Row(
            (
                _called(one), KINDS.get(one.kind, one.kind), one.n, one.rate, one.rate_others, one.excess,
                one.value_lost, "clear" if one.clear else "may be chance",
            ),
            address=address,
            tones={"clear": "bad" if one.clear else "plain"},
        )
        for one, address in zip(found, addresses, strict=True)
    ]  # fmt: skip
    empty = "No point is passed by 30 decided cases and left out by 30."
    return Table(caption="Points of failure", columns=columns, rows=rows, empty=empty)


def _called(one: PointShown) -> str:
    """What a point is called: promises by their words."""
    return name_in_words(one.point) if one.kind == "promise" else one.point


def _point_address(journey: str, one: PointShown, filters: Filters) -> str:
    own = {name: getattr(filters, name) for name in ("category", "channel", "since", "until")}
    point = {"journey": journey, "kind": one.kind, "source": one.source, "target": one.target}
    return address_of("/journey/point", {**point, **own, "by": "" if filters.by == "category" else filters.by})


async def _future(sight: Sight, journey: str, found: MapShown, filters: Filters) -> None:
    heading("The future beside it")
    elements = [node.key for node in found.nodes if node.key.startswith("type:")]
    await show_future(sight, journey, filters.future or NEW_FUTURE, elements)


async def table(sight: Sight, filters: Filters) -> Table:
    """The events of the map."""
    journey = await chosen_journey(sight)
    if journey is None:
        return Table(caption="Events of the journey", columns=(), rows=())
    return _nodes(await sight.ask(read_map, name=journey, asked=filters.one))


async def _categories(sight: Sight) -> list[Choice]:
    return await _values(sight, "categories")


async def _channels(sight: Sight) -> list[Choice]:
    return await _values(sight, "channels")


async def _values(sight: Sight, name: str) -> list[Choice]:
    journey = await chosen_journey(sight)
    found: list[str] = []
    if journey is not None:
        try:
            found = getattr(await sight.ask(list_slices, name=journey, by=sight.filters.by), name)
        except Turned:
            found = []  # the page itself says that the log is being read
    return [Choice("", "all"), *(Choice(one, name_in_words(one)) for one in found)]


# ---- one point of failure


async def _found_point(sight: Sight, filters: PointFilters) -> tuple[str, SliceOf, PointShown | None]:
    """The journey, which of its cases, and the point; None where they have no such one."""
    asked = _slice(filters.category, filters.channel, filters.since, filters.until, filters.by)
    journey = filters.journey or next((one.name for one in await sight.ask(list_journeys)), "")
    points = await sight.ask(list_failures, name=journey, asked=asked, limit=100)
    same = (filters.kind, filters.source or None, filters.target)
    return journey, asked, next((one for one in points if (one.kind, one.source, one.target) == same), None)


async def table_of_point(sight: Sight, filters: PointFilters) -> Table:
    """The point, as it stands in the table of all."""
    journey, _, point = await _found_point(sight, filters)
    return _table_of_points([point] if point else [], (await names_of(sight, journey)).currency, [""] if point else [])


async def build_point(sight: Sight, filters: PointFilters) -> None:
    """The cases that pass a point, and what if they fared like the others."""
    journey, asked, point = await _found_point(sight, filters)
    if point is None:
        notice("These cases have no such point of failure; fewer than 30 pass it, or fewer than 30 do not.")
        link("To the journey", address_of("/journey", {"journey": journey}))
        return
    n, percent = sight.writing.number, sight.writing.percent
    heading(f"{KINDS.get(point.kind, point.kind).capitalize()}: {_called(point)}")
    Tiles(
        [
            Tile("Cases that pass it", n(point.n), f"{n(point.n_failed)} failed"),
            Tile("Fail", percent(point.rate, 1), f"others {percent(point.rate_others, 1)}"),
            Tile("Failing more", n(point.excess), "cases than if they failed like the others"),
        ]
    )
    heading("What if they fared like the others?")
    currency = (await names_of(sight, journey)).currency
    values = (point.value_lost, point.value_lost_low, point.value_lost_high)
    lost, low, high = (sight.writing.money(value, currency) for value in values)
    paragraph(
        f"About {n(point.excess)} fewer cases would have failed; {lost} would not have been lost "
        f"({low} to {high}, 95 %). This holds if the point is what makes the difference: an association alone does not "
        "say so. Eradicate it first, improve what has to stay, automate last."
    )
    link("What was done about it", address_of("/decisions/ledger", {"journey": journey}))
    if sight.may("analyst"):
        await _cases_of(sight, journey, asked, filters)


async def _cases_of(sight: Sight, journey: str, asked: SliceOf, filters: PointFilters) -> None:
    heading("Its cases")
    cases = await sight.ask(
        list_cases_of_point, name=journey, asked=asked, kind=filters.kind, target=filters.target,
        source=filters.source or None,
    )  # fmt: skip
    rows = [
        Row(
            (one.case, "failed" if one.failed else "achieved"),
            address=address_of("/now", {"journey": journey, "case": one.case}),
            tones={"outcome": "bad" if one.failed else "good"},
        )
        for one in cases
    ]
    columns = (Column("case", "Case"), Column("outcome", "Outcome"))
    TableElement(Table(caption="Cases that pass it", columns=columns, rows=rows), sight.writing)


HOW = (
    "The map: what directly follows what in the cases that are asked for. A red circle M is a moment, a blue square I "
    "internal work, a green diamond D a decision: what most events of the type are. A dashed line is a hand-over in "
    "most of its steps, a brown one leads back. Line width goes with the number of steps.",
    "Need category and channel are those of a case's first event; a period is that of its opening.",
    "Again in a case: events beyond the first of each case. Lost after it: cases that failed or were abandoned and had "
    "it last.",
    "Points of failure: decided cases that pass a point before their verdict, against all others; difference with its "
    "95 % Newcombe interval. Value lost: cases x (mean value of the others - mean value of these).",
    "The log is read when somebody asks, and the same reading is used for five minutes.",
)

PAGES = (
    Page(
        path="/journey",
        title="Journey",
        group="Understand",
        role="viewer",
        filters=Filters,
        choices={
            "journey": journeys,
            "category": _categories,
            "channel": _channels,
            "other_category": _categories,
            "other_channel": _channels,
        },
        labels={
            "category": "Need category",
            "since": "Opened from",
            "until": "Opened before",
            "other_category": "Their need category",
            "other_channel": "Their channel",
            "other_since": "They opened from",
            "other_until": "They opened before",
            "future": "Future state, by its name",
        },
        silent=("by",),
        days=DAYS,
        folded=("other_category", "other_channel", "other_since", "other_until", "future"),
        fold="Compare with other cases, or with a future state",
        how=HOW,
        twin=lambda filters: address_of(
            f"/api/v1/journeys/{filters.journey}/map",
            {name: getattr(filters, name) for name in ("category", "channel", "since", "until")},
        ),
        table=table,
        build=build,
    ),
    Page(
        path="/journey/point",
        title="A point of failure",
        within="/journey",
        role="viewer",
        filters=PointFilters,
        silent=tuple(PointFilters.__struct_fields__),
        how=HOW[3:4],
        twin=lambda filters: address_of(
            f"/api/v1/journeys/{filters.journey}/failures",
            {name: getattr(filters, name) for name in ("category", "channel", "since", "until")},
        ),
        table=table_of_point,
        build=build_point,
    ),
)
