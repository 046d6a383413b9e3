"""Cases: the ones behind a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.listing import all_pages, first_page, link_on
from truenorth.console.registry import Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.words import Tone
from truenorth.server.api.cases import Case, list_cases
from truenorth.server.api.risks import Risk, list_risks

TONES: dict[str, Tone] = {"achieved": "good", "failed": "bad", "abandoned": "warn"}


class Filters(msgspec.Struct, frozen=True):
    """Which cases. ``at_risk``: open ones at the live model's threshold or above it, by what may be lost."""

    journey: str = ""
    outcome: Literal["achieved", "failed", "abandoned", "open"] | None = None
    decided_days: int | None = None
    at_risk: bool = False
    after: str = ""


def _given(journey: str, filters: Filters) -> dict[str, Any]:
    return {"journey": journey, "outcome": filters.outcome, "decided_days": filters.decided_days or None}


async def _at_risk(sight: Sight, journey: str) -> list[Risk]:
    threshold = (await sight.ask(list_risks, journey=journey)).threshold
    if threshold is None:
        return []
    return await all_pages(sight, list_risks, journey=journey, at_least=threshold)


async def table(sight: Sight, filters: Filters) -> Table:
    """All of them, as far as CSV goes."""
    journey = await chosen_journey(sight)
    if journey is None:
        return _cases("", ())
    if filters.at_risk:
        return _risks(journey, await _at_risk(sight, journey))
    return _cases(journey, await all_pages(sight, list_cases, **_given(journey, filters)))


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    journey = await chosen_journey(sight)
    if journey is None:
        nothing_live()
    elif filters.at_risk:
        TableElement(_risks(journey, await _at_risk(sight, journey)), sight.writing)
    else:
        page = await first_page(sight, list_cases, **_given(journey, filters))
        TableElement(_cases(journey, page.items), sight.writing)
        link_on(sight, page)


def _cases(journey: str, cases: Sequence[Case]) -> Table:
    columns = (
        Column("case", "Case"),
        Column("customer", "Customer"),
        Column("outcome", "Outcome", "tag"),
        Column("reason", "Reason"),
        Column("opened", "Opened", "instant"),
        Column("outcome_time", "Decided", "instant"),
        Column("broken", "Promises broken", "number"),
        Column("handovers", "Hand-overs", "number"),
        Column("value", "Value", "number", 2),
    )
    rows = [
        Row(
            (
                one.case, one.customer, one.outcome, one.reason, one.opened, one.outcome_time, one.broken,
                one.handovers, one.value,
            ),
            _address(journey, one.case),
            tones={"outcome": TONES.get(one.outcome, "plain")},
        )
        for one in cases
    ]  # fmt: skip
    return Table(caption=f"Cases of {journey}", columns=columns, rows=rows, empty="No case is like this.")


def _risks(journey: str, risks: Sequence[Risk]) -> Table:
    columns = (
        Column("case", "Case"),
        Column("customer", "Customer"),
        Column("p_failed", "Chance of failing", "percent"),
        Column("avoidable", "May be lost", "number", 2),
        Column("why", "Why"),
        Column("at", "Looked at", "instant"),
    )
    rows = [
        Row(
            (one.case, one.customer, one.p_failed, one.avoidable, "; ".join(why.words for why in one.why[:2]), one.at),
            _address(journey, one.case),
        )
        for one in risks
    ]
    return Table(caption=f"Cases of {journey} at risk", columns=columns, rows=rows, empty="No case is at risk.")


def _address(journey: str, case: str) -> str:
    """Where a case is shown among all that happened to its customer."""
    return address_of("/now", {"journey": journey, "case": case})


def _twin(filters: Filters) -> str:
    if filters.at_risk:
        return address_of("/api/v1/risks", {"journey": filters.journey})
    names = ("journey", "outcome", "decided_days", "after")
    return address_of("/api/v1/cases", {name: getattr(filters, name) for name in names})


PAGES = (
    Page(
        path="/cases",
        title="Cases",
        group="Understand",
        role="agent",
        filters=Filters,
        choices={"journey": journeys},
        labels={"decided_days": "Decided in the last days", "at_risk": "At risk"},
        silent=("after",),
        how=(
            "Cases by id, as they were judged. Decided in the last days: before the watermark, the instant up to which "
            "everything is taken as seen.",
            "At risk: open cases whose chance of failing, by the live model, is at its threshold or above it; those "
            "that may lose most come first. As CSV a table has at most 10,000 rows; the export has all events.",
        ),
        twin=_twin,
        table=table,
        build=build,
    ),
)
