"""A customer's time line: all events over all channels and journeys, with promises pinned to them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from fastapi import APIRouter
from pydantic import BaseModel

from truenorth.server.api.cases import CASE, EVENT, Case, CaseEvent, event_shown, keys_of
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing, shown
from truenorth.server.api.decisions import EXAMPLE, DecisionShown, shown_decision
from truenorth.server.api.given import WORD, WordShown, given_to
from truenorth.server.api.risks import RISK, Risk, risk_of
from truenorth.server.auth import Agent
from truenorth.store.ports import Stored
from truenorth.store.rows import CaseRow, PromiseRow, Verdict

ROUTER = APIRouter(tags=["people"])
MOST_CASES = 200
"""The newest cases of a customer that are told of."""

PinKind = Literal["made", "due", "kept", "broken", "lapsed"]
PIN = {
    "journey": "support",
    "case": "T0020",
    "promise": "taken_up",
    "instance": 1,
    "kind": "made",
    "at": "2026-03-06T10:30:12.000000Z",
    "due": "2026-03-06T12:30:12.000000Z",
    "verdict": "broken",
}
PLACE = {"journey": "support", "case": "T0020"}


class Pin(BaseModel):
    """A promise was made, is due, or was judged; ``verdict`` is what it is by now."""

    model_config = showing(PIN)
    journey: str
    case: str
    promise: str
    instance: int
    kind: PinKind
    at: Instant
    due: Instant | None
    verdict: Verdict


class Place(BaseModel):
    """A case that an event belongs to."""

    model_config = showing(PLACE)
    journey: str
    case: str


class Entry(BaseModel):
    """An instant of the line: an event with what is pinned to it, or a deadline, of which ``event`` is null."""

    model_config = showing({"at": "2026-03-06T10:30:12.000000Z", "event": EVENT, "cases": [PLACE], "pins": [PIN]})
    at: Instant
    event: CaseEvent | None
    cases: list[Place]
    pins: list[Pin]


class CaseStanding(BaseModel):
    """A case of the customer, and how it stands by the live model if it is open."""

    model_config = showing({"journey": "support", "case": CASE, "risk": RISK})
    journey: str
    case: Case
    risk: Risk | None


class Timeline(BaseModel):
    """All about a customer in the order of time. ``more_events``: there are earlier ones than are shown.

    ``decisions``: proposed or accepted and not done. ``given``: promises given in one line, the newest first.
    """

    model_config = showing(
        {
            "ids": ["C1001", "browser-7"],
            "entries": [],
            "cases": [],
            "decisions": [EXAMPLE],
            "given": [WORD],
            "more_events": False,
        }
    )
    ids: list[str]
    entries: list[Entry]
    cases: list[CaseStanding]
    decisions: list[DecisionShown]
    given: list[WordShown]
    more_events: bool


class _Found(NamedTuple):
    journey: str
    row: CaseRow
    promises: list[PromiseRow]
    positions: frozenset[int]


@ROUTER.get("/customers/{id:path}/timeline")
def read_timeline(served: Served, caller: Agent, id: Text) -> Timeline:  # noqa: A002  # the field's name
    """Everything that happened to a customer, over all channels and journeys. Role: agent; noted in the audit."""
    served.note_person(caller, "read the time line of a customer", id)
    return timeline_of(served, id)


def reread_timeline(served: Served, caller: Agent, id: Text) -> Timeline:  # noqa: A002  # the field's name
    """The same for somebody who has it before them and is shown it anew: that was noted when they opened it."""
    return timeline_of(served, id)


def timeline_of(served: Context, customer: str) -> Timeline:
    """The time line of a person, by any of their ids."""
    ids = served.ids_of(customer)
    newest = deque(served.store.events.of_customers(ids), served.bounds.case_events + 1)
    more = len(newest) > served.bounds.case_events
    events = sorted(list(newest)[-served.bounds.case_events :], key=lambda one: (one.event.time_us, one.position))
    cases = list(_cases(served, ids))
    now_us = served.now_us()
    decisions = served.store.decisions.live(now_us, customers=ids)
    return Timeline(
        ids=list(ids),
        entries=_entries(events, cases),
        cases=[
            CaseStanding(
                journey=one.journey,
                case=Case(**shown(one.row)),
                risk=risk_of(served, one.journey, one.row.case) if one.row.outcome == "open" else None,
            )
            for one in cases
        ],
        decisions=[shown_decision(row, now_us) for row in decisions],
        given=given_to(served, customer),
        more_events=more,
    )


def _cases(served: Context, ids: Sequence[str]) -> Iterator[_Found]:
    """The newest cases with their promises and where their events are, the newest first."""
    live = {one.name for one in served.store.journeys.live()}
    rows = [(journey, row) for journey, row in served.store.results.of_customers(ids, limit=MOST_CASES)]
    by_journey: Mapping[str, list[CaseRow]] = defaultdict(list)
    for journey, row in rows:
        if journey in live:
            by_journey[journey].append(row)
    found: dict[tuple[str, str], _Found] = {}
    for journey, some in by_journey.items():
        promises: dict[str, list[PromiseRow]] = defaultdict(list)
        for promise in served.store.results.rows_of(journey, [row.case for row in some])[1]:
            promises[promise.case].append(promise)
        keys = {key for row in some for key in keys_of(row.case)}
        history = served.store.results.history(journey, sorted(keys))
        for row in some:
            ends_us = row.closed_us if row.closed_us is not None else served.now_us()
            own = set(keys_of(row.case))
            places = (one.position for one in history if one.key in own and row.opened_us <= one.time_us <= ends_us)
            found[journey, row.case] = _Found(journey, row, promises[row.case], frozenset(places))
    return (found[journey, row.case] for journey, row in rows if (journey, row.case) in found)


def _entries(events: Sequence[Stored], cases: Sequence[_Found]) -> list[Entry]:
    """Events with the pins of their cases; a pin that no shown event bears stands for itself."""
    pinned: dict[tuple[str, str, str | None], list[tuple[int, Pin]]] = defaultdict(list)
    for one in cases:
        for at_us, by, pin in _pins(one):
            pinned[one.journey, one.row.case, by].append((at_us, pin))
    lines: list[tuple[int, int, Entry]] = []
    for stored in events:
        own = [one for one in cases if stored.position in one.positions]
        taken = [pinned.pop((one.journey, one.row.case, stored.event.id), []) for one in own]
        pins = [pin for some in taken for _, pin in some]
        places = [Place(journey=one.journey, case=one.row.case) for one in own]
        at = instant(stored.event.time_us)
        entry = Entry(at=at, event=event_shown(stored, None), cases=places, pins=pins)
        lines.append((stored.event.time_us, stored.position, entry))
    for at_us, pin in (lone for some in pinned.values() for lone in some):
        place = Place(journey=pin.journey, case=pin.case)
        lines.append((at_us, 0, Entry(at=pin.at, event=None, cases=[place], pins=[pin])))
    return [entry for *_, entry in sorted(lines, key=lambda line: line[:2])]


def _pins(one: _Found) -> Iterator[tuple[int, str | None, Pin]]:
    """The instant of each pin, the event that bears it if one does, and the pin."""
    for row in one.promises:
        marks: list[tuple[PinKind, int | None, str | None]] = [("made", row.started_us, row.started_by)]
        if row.verdict == "open":
            marks.append(("due", row.due_us, None))
        else:
            marks.append((row.verdict, row.decided_us, row.decided_by))
        for kind, at_us, by in marks:
            if at_us is not None:
                yield at_us, by, _pin(one, row, kind, at_us)


def _pin(one: _Found, row: PromiseRow, kind: PinKind, at_us: int) -> Pin:
    return Pin(
        journey=one.journey,
        case=row.case,
        promise=row.promise,
        instance=row.instance,
        kind=kind,
        at=instant(at_us),
        due=None if row.due_us is None else instant(row.due_us),
        verdict=row.verdict,
    )
