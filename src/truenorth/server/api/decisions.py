"""Decisions: what to do for a case, what was done about it, and the queue of a team."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from truenorth.action.explanation import alternatives, counterfactuals, reasons, why_fallen
from truenorth.action.guards import Reacted, stamping
from truenorth.action.inputs import decode_inputs
from truenorth.action.permissions import Left
from truenorth.action.record import decode_decision, is_reproduced
from truenorth.action.values import Candidate, Decision
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.auth import Agent, Analyst, Caller
from truenorth.server.receiving import Turned
from truenorth.store.decisions import DecisionRow

ROUTER = APIRouter(tags=["action"])
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$", examples=["5f2b8c0e9d7a4c315f2b8c0e"])]
ID = "5f2b8c0e9d7a4c315f2b8c0e"
MOST_CENTS = 10**12
EXAMPLE_CANDIDATE = {
    "action": "call_back_now",
    "stage": None,
    "words": "",
    "value_cents": 3750,
    "outcome_cents": 4950,
    "revenue_cents": 0,
    "cost_cents": 1200,
    "dp": 0.15,
    "dp_low": 0.05,
    "dp_high": 0.25,
    "propensity": 0.98,
}
EXAMPLE = {
    "id": ID,
    "journey": "support",
    "case": "T0020",
    "customer": "C1001",
    "asker": "anna",
    "team": None,
    "origin": "asked",
    "at": "2026-03-06T12:30:12.000000Z",
    "chosen": "call_back_now",
    "taken": "call_back_now",
    "state": "proposed",
    "expires": "2026-03-07T12:30:12.000000Z",
    "propensity": 0.98,
    "holdout": False,
    "value_cents": 3750,
    "cost_cents": 1200,
    "actual_cents": None,
}
EXAMPLE_LEFT = {"permission": "goodwill", "unit": "money", "per": "case", "amount": 2000, "left": 2000}


class DecideAsked(BaseModel):
    """Which case; ``asker``: the person who is to act, where that is not the token's own label (role: analyst)."""

    model_config = showing({"journey": "support", "case": "T0020"}, extra="forbid")
    journey: Text
    case: Text
    asker: Text | None = None


class CandidateShown(BaseModel):
    """An action that was considered: where it fell and why, or what it is expected to bring."""

    model_config = showing(EXAMPLE_CANDIDATE)
    action: str
    stage: str | None
    words: str
    value_cents: int
    outcome_cents: int
    revenue_cents: int
    cost_cents: int
    dp: float
    dp_low: float
    dp_high: float
    propensity: float


class LeftShown(BaseModel):
    """What is left of a limit: cents, or a number of times."""

    model_config = showing(EXAMPLE_LEFT)
    permission: str
    unit: str
    per: str
    amount: int
    left: int


class DecisionShown(BaseModel):
    """A decision. ``taken``: the action that it holds; money in cents."""

    model_config = showing(EXAMPLE)
    id: str
    journey: str
    case: str
    customer: str | None
    asker: str
    team: str | None
    origin: str
    at: Instant
    chosen: str
    taken: str | None
    state: str
    expires: Instant | None
    propensity: float
    holdout: bool
    value_cents: int
    cost_cents: int
    actual_cents: int | None


class DecisionMade(BaseModel):
    """The recommendation, its reasons, two alternatives, every candidate, and what the asker may still spend."""

    model_config = showing(
        {
            "decision": EXAMPLE,
            "reasons": ["the risk that it fails is 60 %"],
            "alternatives": [],
            "candidates": [EXAMPLE_CANDIDATE],
            "left": [EXAMPLE_LEFT],
            "versions": {"model": None, "policy": "thompson/4 belief/1", "journey": 1},
        }
    )
    decision: DecisionShown
    reasons: list[str]
    alternatives: list[CandidateShown]
    candidates: list[CandidateShown]
    left: list[LeftShown]
    versions: dict[str, str | int | None]


class DecisionOffered(BaseModel):
    """A decision with what else could be done. ``titles``: what actions are called, by name."""

    decision: DecisionShown
    reasons: list[str]
    alternatives: list[CandidateShown]
    candidates: list[CandidateShown]
    titles: dict[str, str]
    currency: str | None


class DecisionWhole(DecisionOffered):
    """A decision with all that explains it. ``reproduced``: made again from its record, it is the same bit by bit."""

    model_config = showing(
        {
            "decision": EXAMPLE,
            "reasons": ["the risk that it fails is 60%"],
            "counterfactuals": ["with 'taken_up' kept nothing would have been proposed"],
            "alternatives": [],
            "candidates": [EXAMPLE_CANDIDATE],
            "titles": {"call_back_now": "Call back now"},
            "currency": "EUR",
            "reproduced": True,
        }
    )
    counterfactuals: list[str]
    reproduced: bool


class ReactionAsked(BaseModel):
    """What was done about it: accepted; changed to another ``action``; declined for a ``reason``; done at a cost."""

    model_config = showing({"kind": "declined", "reason": "has called back already"}, extra="forbid")
    kind: Literal["accepted", "changed", "declined", "done"]
    action: Text | None = None
    reason: Text | None = None
    cost_cents: Annotated[int | None, Field(ge=0, le=MOST_CENTS)] = None
    who: Text | None = None


class StampingShown(BaseModel):
    """How proposals of an action are taken; ``is_suspect``: nearly always accepted, and too quickly to be read."""

    model_config = showing({"action": "call_back_now", "n": 120, "accepted": 0.7, "quick": 0.1, "is_suspect": False})
    action: str
    n: int
    accepted: float
    quick: float
    is_suspect: bool


class Practice(BaseModel):
    """How deciding goes. ``without_escalation``: the share of decisions to act that nobody else had to be asked for."""

    model_config = showing({"n_decisions": 0, "n_acted": 0, "n_escalated": 0, "without_escalation": None, "guards": []})
    n_decisions: int
    n_acted: int
    n_escalated: int
    without_escalation: float | None
    guards: list[StampingShown]


@ROUTER.post("/decide")
def decide_case(served: Served, caller: Agent, asked: DecideAsked) -> DecisionMade:
    """What to do for a case now; what it takes is reserved until it expires. Role: agent."""
    who = known_person(served, caller, asked.asker)
    made = served.acting.decide(asked.journey, asked.case, served.acting.asker(who))
    served.queues.forget()
    decision, versions = made.decision, made.decision.versions
    row = served.store.decisions.find(decision.id)
    assert row is not None
    return DecisionMade(
        decision=shown_decision(row, served.now_us()),
        reasons=list(reasons(decision)),
        alternatives=[_candidate(one) for one in alternatives(decision)],
        candidates=[_candidate(one) for one in decision.candidates],
        left=[shown_left(one) for one in made.left],
        versions={"model": versions.model, "policy": versions.policy, "journey": versions.journey},
    )


@ROUTER.get("/decisions")
def list_decisions(
    served: Served,
    caller: Agent,
    journey: Annotated[Text, Query(examples=["support"])],
    case: Annotated[Text, Query(examples=["T0020"])],
) -> list[DecisionShown]:
    """The decisions about a case, newest first, at most 100. Role: agent."""
    now_us = served.now_us()
    return [shown_decision(row, now_us) for row in served.store.decisions.of_case(journey, case)]


@ROUTER.get("/decisions/{id}")
def read_decision(served: Served, caller: Agent, id: Id) -> DecisionWhole:  # noqa: A002  # the field's name
    """A decision explained: every candidate, and what would have changed the choice. Role: agent."""
    row = _known(served, id)
    decision = decode_decision(row.record)
    return DecisionWhole(
        **_offered(served, row, decision),
        counterfactuals=list(counterfactuals(decision)),
        reproduced=is_reproduced(row.record),
    )


def read_offered(served: Served, caller: Agent, id: Id) -> DecisionOffered:  # noqa: A002  # the field's name
    """The same for who acts: without what would have changed it, for which it is decided a hundred times anew."""
    row = _known(served, id)
    return DecisionOffered(**_offered(served, row, decode_decision(row.record)))


def _offered(served: Context, row: DecisionRow, decision: Decision) -> dict[str, Any]:
    """The fields of `DecisionOffered`."""
    inputs = decode_inputs(decision.inputs)
    return {
        "decision": shown_decision(row, served.now_us()),
        "reasons": list(reasons(decision)),
        "alternatives": [_candidate(one) for one in alternatives(decision)],
        "candidates": [_candidate(one) for one in decision.candidates],
        "titles": {offer.name: offer.words for offer in inputs.actions},
        "currency": inputs.currency,
    }


@ROUTER.post("/decisions/{id}/reaction")
def react_to_decision(served: Served, caller: Agent, id: Id, asked: ReactionAsked) -> DecisionShown:  # noqa: A002
    """Accept, change, decline or finish what was decided; the answer is the decision that holds now. Role: agent.

    What is declined is free again at once; what is done counts at its actual cost.
    """
    if asked.kind == "changed" and asked.action is None:
        raise Turned(422, "no_action", "expected 'action': the one that is taken instead")
    if asked.kind == "declined" and not (asked.reason or "").strip():
        raise Turned(422, "no_reason", "expected 'reason': why it is declined, in a few words")
    who = known_person(served, caller, asked.who)
    row = served.acting.react(
        id, who, asked.kind, action=asked.action, reason=asked.reason, cost_cents=asked.cost_cents
    )
    served.queues.forget()
    return shown_decision(row, served.now_us())


@ROUTER.get("/practice")
def read_practice(
    served: Served,
    caller: Analyst,
    days: Annotated[int, Query(ge=1, le=366, description="of the last so many days")] = 28,
) -> Practice:
    """How deciding goes: without escalation, and whether proposals are looked at; never by person. Role: analyst."""
    rows = served.store.decisions.since(served.now_us() - days * 86_400_000_000)
    by_id = {row.id: row for row in rows}
    found = [one for one in served.store.decisions.reactions() if one.decision in by_id]
    n_escalated = sum(row.state == "escalated" for row in rows)
    n_acted = sum(row.state in {"accepted", "done"} and row.origin != "approved" for row in rows)
    guards = stamping(Reacted(by_id[one.decision].chosen, one.kind, one.after_us) for one in found)
    resolved = n_acted + n_escalated
    return Practice(
        n_decisions=len(rows),
        n_acted=n_acted,
        n_escalated=n_escalated,
        without_escalation=n_acted / resolved if resolved else None,
        guards=[StampingShown(**{name: getattr(one, name) for name in one.__struct_fields__}) for one in guards],
    )


def person_of(caller: Caller, named: str | None) -> str:
    """Who acts: the label of the token; another person only where the token's role may speak for others."""
    if named is None or named == caller.who:
        return caller.who
    if not caller.may("analyst"):
        raise Turned(403, "role_too_small", "expected a token of the role analyst, which may speak for others")
    return named


def known_person(served: Context, caller: Caller, named: str | None) -> str:
    """Who acts, as `person_of` says; whom the caller names has to be one of the people, if any are kept."""
    who = person_of(caller, named)
    if who != caller.who:
        served.acting.must_know(who)
    return who


def shown_decision(row: DecisionRow, now_us: int) -> DecisionShown:
    """A decision as the API shows it at an instant."""
    fields = {name: getattr(row, name) for name in DecisionShown.model_fields if hasattr(row, name)}
    expires = None if row.expires_us is None else instant(row.expires_us)
    changed = {"holdout": bool(row.holdout), "state": row.state_at(now_us)}
    return DecisionShown(**{**fields, **changed}, at=instant(row.at_us), expires=expires)


def shown_left(left: Left) -> LeftShown:
    """What is left of a limit as the API shows it."""
    return LeftShown(**{name: getattr(left, name) for name in LeftShown.model_fields})


def _known(served: Context, id: str) -> DecisionRow:  # noqa: A002  # the field's name
    row = served.store.decisions.find(id)
    if row is None:
        raise Turned(404, "unknown_decision", "there is no decision of this id")
    return row


def _candidate(one: Candidate) -> CandidateShown:
    fields = {name: getattr(one, name) for name in CandidateShown.model_fields if hasattr(one, name)}
    parts = {name: getattr(one.parts, name) for name in ("outcome_cents", "revenue_cents", "cost_cents")}
    return CandidateShown(**{**fields, "words": why_fallen(one.words)}, **parts)
