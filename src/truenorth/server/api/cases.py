"""Cases: one need of one customer each, with the promises made on the way and what happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel

from truenorth.server.api.context import Context, Instant, Served, Text, showing, shown
from truenorth.server.api.flags import Flags, flags_of
from truenorth.server.api.paging import Listed, PageAsked, cursor
from truenorth.server.api.risks import RISK, Risk, risk_of
from truenorth.server.auth import Agent
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.spec.model import Journey
from truenorth.store.ports import Stored
from truenorth.store.rows import CaseRow, Outcome, Reason, Verdict

ROUTER = APIRouter(tags=["cases"])
DAY_US = 86_400_000_000
MOST_DAYS = 366
EPISODE = re.compile(r"(.+)#[0-9]+", re.DOTALL)

CASE = {
    "case": "T0020",
    "customer": "C1001",
    "opened": "2026-03-06T10:30:12.000000Z",
    "resolved": None,
    "closed": "2026-03-11T15:05:43.000000Z",
    "outcome": "abandoned",
    "reason": "silence",
    "outcome_time": "2026-03-11T15:05:43.000000Z",
    "reopened": 0,
    "events": 5,
    "moments": 1,
    "decisions": 2,
    "handovers": 0,
    "internal": 1,
    "cost": 12.5,
    "revenue": 0.0,
    "value": -20.0,
    "kept": 4,
    "broken": 1,
    "lapsed": 1,
    "open": 0,
}
PROMISE = {
    "case": "T0020",
    "promise": "taken_up",
    "instance": 1,
    "started": "2026-03-06T10:30:12.000000Z",
    "due": "2026-03-06T12:30:12.000000Z",
    "verdict": "broken",
    "decided": "2026-03-06T12:30:12.000000Z",
    "started_by": "e-17",
    "decided_by": None,
}
EVENT = {
    "source": "shop",
    "id": "e-17",
    "type": "Contact",
    "time": "2026-03-06T10:30:12.000000Z",
    "received": "2026-03-06T10:30:13.000000Z",
    "customer": "C1001",
    "case": "T0020",
    "actor": None,
    "team": None,
    "channel": "web",
    "cost": None,
    "revenue": None,
    "feeling": None,
    "text": None,
    "properties": {"topic": "line"},
    "moment": True,
    "decision": False,
    "internal": False,
    "handover": False,
}


class Case(BaseModel):
    """A judged case: the columns of `cases` in a replay."""

    model_config = showing(CASE)
    case: str
    customer: str | None
    opened: Instant
    resolved: Instant | None
    closed: Instant | None
    outcome: Outcome
    reason: Reason | None
    outcome_time: Instant | None
    reopened: int
    events: int
    moments: int
    decisions: int
    handovers: int
    internal: int
    cost: float | None
    revenue: float | None
    value: float | None
    kept: int
    broken: int
    lapsed: int
    open: int


class CasePromise(BaseModel):
    """An instance of a promise: the columns of `promises` in a replay."""

    model_config = showing(PROMISE)
    case: str
    promise: str
    instance: int
    started: Instant
    due: Instant | None
    verdict: Verdict
    decided: Instant | None
    started_by: str | None
    decided_by: str | None


class CaseEvent(BaseModel):
    """An event of a case: its fields, what its sender said beside them, and what it is in this journey.

    The four flags are null where the journey's conditions do not fit what these events hold.
    """

    model_config = showing(EVENT)
    source: str
    id: str
    type: str
    time: Instant
    received: Instant
    customer: str | None
    case: str | None
    actor: str | None
    team: str | None
    channel: str | None
    cost: float | None
    revenue: float | None
    feeling: float | None
    text: str | None
    properties: dict[str, Any]
    moment: bool | None = None
    decision: bool | None = None
    internal: bool | None = None
    handover: bool | None = None


class CaseWhole(BaseModel):
    """A case with its promises and events; ``more_events`` where it has more events than are shown.

    ``risk``: how it stands by the live model; null where there is none, or the case is not open.
    """

    model_config = showing({"case": CASE, "promises": [PROMISE], "events": [EVENT], "more_events": False, "risk": RISK})
    case: Case
    promises: list[CasePromise]
    events: list[CaseEvent]
    more_events: bool
    risk: Risk | None


@ROUTER.get("/cases")
def list_cases(
    served: Served,
    caller: Agent,
    page: PageAsked,
    journey: Annotated[Text, Query(examples=["support"])],
    outcome: Outcome | None = None,
    customer: Annotated[Text | None, Query(description="any id of a person: the cases of all their ids")] = None,
    decided_days: Annotated[int | None, Query(ge=1, le=MOST_DAYS, description="only decided in the last days")] = None,
) -> Listed[Case]:
    """Cases of a journey by id. Role: agent; who asks for a customer's is noted in the audit."""
    served.journey(journey)
    customers = None
    if customer is not None:
        served.note_person(caller, f"read the cases of a customer in {journey}", customer)
        customers = served.ids_of(customer)
    found = served.store.pages.cases(
        journey,
        after=page.place(str),
        limit=page.limit,
        outcome=outcome,
        customers=customers,
        decided_from_us=None if decided_days is None else _end_us(served, journey) - decided_days * DAY_US,
    )
    return Listed(items=[Case(**shown(row)) for row in found.rows], next=cursor(found.next))


@ROUTER.get("/cases/{case:path}")
def read_case(
    served: Served, caller: Agent, case: Text, journey: Annotated[Text, Query(examples=["support"])]
) -> CaseWhole:
    """A case with its promises and its events in order. Role: agent; it is noted in the audit."""
    text = served.journey(journey).text
    found = served.store.results.case(journey, case)
    if found is None:
        raise Turned(404, "unknown_case", "there is no case of this id in this journey; see /api/v1/cases")
    row, promises = found
    served.note_person(caller, f"read a case of {journey}", row.customer)
    events, more = story_of(served, parsed(text), journey, row)
    return CaseWhole(
        case=Case(**shown(row)),
        promises=[CasePromise(**shown(one)) for one in promises],
        events=events,
        more_events=more,
        risk=risk_of(served, journey, case),
    )


@ROUTER.get("/promises")
def list_promises(
    served: Served,
    caller: Agent,
    page: PageAsked,
    journey: Annotated[Text, Query(examples=["support"])],
    verdict: Verdict | None = None,
    promise: Annotated[Text | None, Query(examples=["taken_up"])] = None,
) -> Listed[CasePromise]:
    """Promises of a journey by case, name and instance. Role: agent."""
    served.journey(journey)
    found = served.store.pages.promises(
        journey, after=page.place(str, str, int), limit=page.limit, verdict=verdict, promise=promise
    )
    return Listed(items=[CasePromise(**shown(row)) for row in found.rows], next=cursor(found.next))


def _end_us(served: Context, journey: str) -> int:
    """Up to when a journey was judged."""
    watermark_us = served.store.results.progress(journey).watermark_us
    return (served.now_us() if watermark_us is None else watermark_us) + 1


def story_of(served: Context, journey: Journey, name: str, row: CaseRow) -> tuple[list[CaseEvent], bool]:
    """The events of a case in its order, as many as are shown, and whether there are more."""
    key, events, more = events_of_case(served, name, row)
    flags = flags_of(journey, key, row.customer, events) if events else None
    if flags is None or not (more or len(flags) == row.events):  # these events alone do not show what columns hold
        return [event_shown(one, None) for one in events], more
    return [event_shown(one, flags[one.position]) for one in events if one.position in flags], more


def events_of_case(served: Context, journey: str, row: CaseRow) -> tuple[str, list[Stored], bool]:
    """The key of a case, its events in order, as many as are shown, and whether there are more."""
    most = served.bounds.case_events
    key, positions = _place(served, journey, row)
    found = {one.position: one for one in served.store.events.at(positions[:most])}
    return key, [found[place] for place in positions if place in found], len(positions) > most


def _place(served: Context, journey: str, row: CaseRow) -> tuple[str, list[int]]:
    """The key of a case, and where the log has its events; one more than are shown where there are more."""
    positions: list[int] = []
    for key in keys_of(row.case):
        positions = served.store.pages.events_of_key(
            journey, key, since_us=row.opened_us, until_us=row.closed_us, limit=served.bounds.case_events + 1
        )
        if positions:
            return key, positions
    return row.case, positions


def keys_of(case: str) -> Iterator[str]:
    """The key that a case id belongs to: of ``key#2`` it is ``key``, unless a key itself is called so."""
    episode = EPISODE.fullmatch(case)
    if episode:
        yield episode[1]
    yield case


def event_shown(stored: Stored, flags: Flags | None) -> CaseEvent:
    """An event as the API shows it, with its flags where they are known."""
    fields = shown(stored.event)
    del fields["other_id"], fields["other_kind"]
    try:
        properties = msgspec.json.decode(stored.event.properties)
    except (msgspec.DecodeError, RecursionError):
        properties = None
    fields["properties"] = properties if isinstance(properties, dict) else {}
    return CaseEvent(**fields, **(flags._asdict() if flags else {}))
