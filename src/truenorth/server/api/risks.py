"""Risks: how open cases stand by the live model of their journey, and how they stood before."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.api.paging import Listed, PageAsked, cursor
from truenorth.server.auth import Agent
from truenorth.server.receiving import Turned
from truenorth.store.foresight_rows import RiskRow

ROUTER = APIRouter(tags=["foresight"])
NO_MODEL = "no model of this journey is live, so nothing is foreseen; see /api/v1/models and 'truenorth train --db'"
NOT_OPEN = "the case is not open, or was not looked at yet"
POINT = {"at": "2026-03-06T10:30:12.000000Z", "p_failed": 0.22}
RISK = {
    "case": "T0020",
    "customer": "C1001",
    "at": "2026-03-07T10:30:12.000000Z",
    "position": 812,
    "p_failed": 0.61,
    "avoidable": 85.4,
    "alarmed": True,
    "p": {"achieved": 0.39, "failed": 0.48, "abandoned": 0.13},
    "p_break": {"kept_informed": 0.71},
    "remaining_days": [0.4, 2.1, 6.3],
    "next": {"Wait": 0.6, "Closed": 0.2},
    "why": [{"column": "n_handovers", "words": "number of hand-overs: 2", "added": 0.9}],
    "lowers": [{"words": "be in touch with the customer now", "risk": 0.61, "risk_after": 0.48}],
    "model": "5f2b8c0e9d7a",
}


class Reason(BaseModel):
    """What moves the risk: a column with its value in words, and what it adds to the log-odds."""

    model_config = showing(RISK["why"][0])  # type: ignore[index]
    column: str
    words: str
    added: float


class Remedy(BaseModel):
    """What might lower the risk, and to what the model puts it then: a candidate to be tried, no promise."""

    model_config = showing(RISK["lowers"][0])  # type: ignore[index]
    words: str
    risk: float
    risk_after: float


class Risk(BaseModel):
    """How an open case stands. ``p_failed``: the chance of any outcome but the one hoped for.

    ``avoidable``: the expected loss against that outcome, by the journey's values; without values each failure counts
    one. ``p_break``: of the promises under way. ``remaining_days``: low end, median, high end (null where nobody
    knows how long the longest take); null where no model says it. ``next``: the likeliest next events. ``alarmed``: the
    risk crossed the threshold and has not come back.
    """

    model_config = showing(RISK)
    case: str
    customer: str | None
    at: Instant
    position: int
    p_failed: float
    avoidable: float
    alarmed: bool
    p: dict[str, float]
    p_break: dict[str, float]
    remaining_days: list[float | None] | None
    next: dict[str, float]
    why: list[Reason]
    lowers: list[Remedy]
    model: str


class Point(BaseModel):
    """How high the risk was at an instant."""

    model_config = showing(POINT)
    at: Instant
    p_failed: float


class Risks(Listed[Risk]):
    """A page of risks by ``model``, the live one with its ``threshold``; ``reason`` says why there are none."""

    model: str | None = Field(examples=["5f2b8c0e9d7a"])
    threshold: float | None = Field(examples=[0.5])
    reason: str | None = Field(examples=[None])


class RiskWhole(BaseModel):
    """The risk of a case and its history, oldest first; ``reason`` says why there is no risk."""

    model_config = showing({"risk": RISK, "history": [POINT], "reason": None})
    risk: Risk | None
    history: list[Point]
    reason: str | None


@ROUTER.get("/risks")
def list_risks(
    served: Served,
    caller: Agent,
    page: PageAsked,
    journey: Annotated[Text, Query(examples=["support"])],
    at_least: Annotated[float, Query(ge=0, le=1, description="only risks of so much or more")] = 0.0,
) -> Risks:
    """Open cases by avoidable loss, the largest first. Role: agent."""
    served.journey(journey)
    live = served.store.models.live(journey)
    if live is None:
        return Risks(items=[], model=None, threshold=None, reason=NO_MODEL)
    found = served.store.risks.page(
        journey, live.version, at_least=at_least, after=page.place(float, str), limit=page.limit
    )
    items = [risk_shown(row) for row in found.rows]
    return Risks(items=items, next=cursor(found.next), model=live.version, threshold=live.threshold, reason=None)


@ROUTER.get("/risks/{case:path}")
def read_risk(
    served: Served, caller: Agent, case: Text, journey: Annotated[Text, Query(examples=["support"])]
) -> RiskWhole:
    """The risk of one case, and how it was before by the live model. Role: agent; it is noted in the audit."""
    served.journey(journey)
    found = served.store.results.case(journey, case)
    if found is None:
        raise Turned(404, "unknown_case", "there is no case of this id in this journey; see /api/v1/cases")
    served.note_person(caller, f"read the risk of a case of {journey}", found[0].customer)
    live = served.store.models.live(journey)
    if live is None:
        return RiskWhole(risk=None, history=[], reason=NO_MODEL)
    risk = risk_of(served, journey, case)
    points = served.store.risks.past_of(journey, live.version, case)
    history = [Point(at=instant(one.at_us), p_failed=one.p_failed) for one in points]
    return RiskWhole(risk=risk, history=history, reason=None if risk else NOT_OPEN)


def risk_of(served: Context, journey: str, case: str) -> Risk | None:
    """The newest risk of a case by the live model, as it is shown."""
    row = served.store.risks.of_case(journey, case)
    return risk_shown(row) if row else None


def risk_shown(row: RiskRow) -> Risk:
    """A row as the API shows it."""
    decoded: dict[str, Any] = {
        name: msgspec.json.decode(getattr(row, name))
        for name in ("p", "p_break", "remaining_days", "next", "why", "lowers")
    }
    plain = ("case", "customer", "position", "p_failed", "avoidable", "alarmed", "model")
    return Risk(at=instant(row.at_us), **{name: getattr(row, name) for name in plain}, **decoded)
