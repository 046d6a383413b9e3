"""The queue: open cases with their pending decision or risk, ordered by avoidable loss and the time that is left."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from truenorth.action.priority import Basis
from truenorth.server.acting.queueing import Waiting
from truenorth.server.api.bounds import MAX_PAGE
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.api.decisions import EXAMPLE, DecisionShown, shown_decision
from truenorth.server.auth import Agent, Caller

ROUTER = APIRouter(tags=["action"])
PLACE = {
    "journey": "support",
    "case": "T0020",
    "customer": "C1001",
    "priority": 41.25,
    "avoidable": 82.5,
    "risk": 0.6,
    "risk_after": 0.35,
    "at_stake": 330.0,
    "currency": "EUR",
    "basis": "decision",
    "hours_left": 2.0,
    "due": "2026-03-06T14:30:12.000000Z",
    "due_promise": "taken_up",
    "decision": EXAMPLE,
    "settled": False,
}


class PlaceShown(BaseModel):
    """A place in the queue: ``priority = avoidable / hours_left``, ``avoidable = (risk - risk_after) x at_stake``.

    ``basis``: who says what the best action does, the ``decision`` that waits, the ``model``, or the journey file's
    ``belief``. ``due``: the next due promise; without one ``hours_left`` is the median time to the end of the case.
    ``risk`` and ``risk_after`` are null where nothing says them: no model, no case that is decided; ``avoidable`` is 0
    then. ``settled``: within a day it was decided that nothing is to be done, or what was to be done was done or
    declined.
    """

    model_config = showing(PLACE)
    journey: str
    case: str
    customer: str | None
    priority: float
    avoidable: float
    risk: float | None
    risk_after: float | None
    at_stake: float
    currency: str | None
    basis: Basis
    hours_left: float
    due: Instant | None
    due_promise: str | None
    decision: DecisionShown | None
    settled: bool


class QueueShown(BaseModel):
    """The first places of a queue, and how many there are; ``team`` is null for everybody's queue.

    ``journeys``: those whose cases are in it. What is proposed comes first, then what nobody decided about,
    then what is settled (``n_settled`` of ``n``), then what somebody has accepted to do (``n_under_way``). ``signal``:
    the newest signal that is in it.
    """

    model_config = showing(
        {
            "team": "first_line",
            "journeys": ["support"],
            "items": [PLACE],
            "n": 1,
            "n_settled": 0,
            "n_under_way": 0,
            "signal": 412,
        }
    )
    team: str | None
    journeys: list[str]
    items: list[PlaceShown]
    n: int
    n_settled: int
    n_under_way: int
    signal: int


@ROUTER.get("/queue")
def read_queue(
    served: Served,
    caller: Agent,
    team: Annotated[
        Text | None, Query(description="a team's queue; else the asker's own", examples=["first_line"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="the first so many places")] = 100,
) -> QueueShown:
    """What to take up first: open cases by avoidable loss and the time that is left. Role: agent."""
    return queue_of(served, caller, team=team, limit=limit)


def list_teams(served: Served, caller: Agent) -> list[str]:
    """The teams that have journeys, by name; for whoever chooses a queue."""
    return [team.name for team in served.store.staff.teams() if team.journeys]


def reread_queue(
    served: Served, caller: Agent, team: Text | None = None, limit: int = 100, since: int = 0
) -> QueueShown:
    """The same for a page that follows the signals: ``since`` is the one that should be in it."""
    return queue_of(served, caller, team=team, limit=limit, since=since)


def queue_of(
    served: Context, caller: Caller, *, team: str | None = None, limit: int = 100, since: int = 0
) -> QueueShown:
    """The queue of a team or of whoever asks; it waits for one that has the signal ``since`` in it."""
    whose, now_us = served.queues.whose(caller.who, team), served.now_us()
    waiting, signal, _ = served.queues.of(whose, since=since)
    return QueueShown(
        team=whose.team,
        journeys=list(whose.journeys),
        items=[_shown(one, now_us) for one in waiting[:limit]],
        n=len(waiting),
        n_settled=sum(one.is_settled for one in waiting),
        n_under_way=sum(one.is_under_way for one in waiting),
        signal=signal,
    )


def _shown(one: Waiting, now_us: int) -> PlaceShown:
    return PlaceShown(
        journey=one.journey,
        case=one.case,
        customer=one.customer,
        priority=round(one.priority, 4),
        avoidable=round(one.avoidable.loss, 2),
        risk=_rounded(one.avoidable.risk),
        risk_after=_rounded(one.avoidable.risk_after),
        at_stake=one.avoidable.at_stake,
        currency=one.currency,
        basis=one.avoidable.basis,
        hours_left=round(one.hours, 3),
        due=instant(one.due[0]) if one.due else None,
        due_promise=one.due[1] if one.due else None,
        decision=shown_decision(one.decision, now_us) if one.decision else None,
        settled=one.is_settled,
    )


def _rounded(risk: float | None) -> float | None:
    return None if risk is None else round(risk, 4)
