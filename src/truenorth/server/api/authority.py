"""Who may do what: people, levels and courses, requests beyond limits, and the switch that stops actions."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field

from truenorth.action.people_file import load_people
from truenorth.action.permissions import grants_of, still_free
from truenorth.action.record import decode_decision
from truenorth.server.acting.acting import amount_of
from truenorth.server.acting.staffing import keep_people
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.api.decisions import ID, Id, LeftShown, known_person, person_of, shown_left
from truenorth.server.api.paging import BIGGEST
from truenorth.server.auth import Admin, Agent, Analyst
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.spec.problems import TruenorthError
from truenorth.store.decisions import Approval, ApprovalState, DecisionRow, Stopped

PEOPLE = """people:
  - {id: anna, teams: [first_line], roles: [agent]}
teams:
  first_line: {roles: [agent]}
"""
"""A people file, as an example."""
ROUTER = APIRouter(tags=["authority"])
Number = Annotated[int, Path(ge=1, le=BIGGEST)]
AT = "2026-01-05T09:30:00.000000Z"
APPROVAL = {
    "number": 4,
    "decision": ID,
    "journey": "support",
    "case": "T0020",
    "action": "credit",
    "amount_cents": 5000,
    "asked_by": "anna",
    "at": AT,
    "expires": AT,
    "n_needed": 1,
    "state": "waiting",
    "answers": [],
    "became": None,
}
STOPPED = {"journey": "support", "action": "*", "since": AT, "by": "lead", "reason": "prices are wrong"}


class ApprovalAsked(BaseModel):
    """The action that is beyond the asker's limits."""

    model_config = showing({"action": "credit"}, extra="forbid")
    action: Text
    who: Text | None = None


class ApprovalShown(BaseModel):
    """A request beyond somebody's limits. ``amount_cents``: what it takes; ``became``: the decision made of it."""

    model_config = showing(APPROVAL)
    number: int
    decision: str
    journey: str
    case: str
    action: str
    amount_cents: int
    asked_by: str
    at: Instant
    expires: Instant
    n_needed: int
    state: str
    answers: list[dict[str, str | int | bool | None]]
    became: str | None


class ApprovalAnswer(BaseModel):
    """Whether it may be done."""

    model_config = showing({"granted": True}, extra="forbid")
    granted: bool
    reason: Text | None = None
    who: Text | None = None


class StopAsked(BaseModel):
    """What is switched off, and why: ``*`` stands for all actions, and for all journeys."""

    model_config = showing({"journey": "support", "action": "*", "reason": "prices are wrong"}, extra="forbid")
    journey: Text
    action: Text
    reason: Annotated[Text, Field(min_length=3)]


class StoppedShown(BaseModel):
    """What is switched off."""

    model_config = showing(STOPPED)
    journey: str
    action: str
    since: Instant
    by: str
    reason: str


class PersonShown(BaseModel):
    """Somebody who decides, with the levels that hold now."""

    model_config = showing(
        {"id": "anna", "name": "Anna Rossi", "roles": ["agent"], "teams": ["first_line"], "levels": ["professional"]}
    )
    id: str
    name: str
    roles: list[str]
    teams: list[str]
    levels: list[str]


class MayDo(BaseModel):
    """What somebody may do in a journey: permissions, and what is left of their limits over a day or each time."""

    model_config = showing({"person": "anna", "journey": "support", "permissions": ["call_back"], "left": []})
    person: str
    journey: str
    permissions: list[str]
    left: list[LeftShown]


class Loaded(BaseModel):
    """How many people, teams, levels, courses and classes a file brought."""

    model_config = showing({"people": 3, "teams": 1, "accreditations": 1, "courses": 1, "classes": 2})
    people: int
    teams: int
    accreditations: int
    courses: int
    classes: int


class ClassShown(BaseModel):
    """A class of a course that leads to a level, with the seats that are left."""

    model_config = showing(
        {
            "number": 1,
            "course": "service_pro",
            "title": "Service professional",
            "level": "professional",
            "format": "online",
            "starts": AT,
            "seats": 12,
            "seats_left": 5,
        }
    )
    number: int
    course: str
    title: str
    level: str
    format: str
    starts: Instant
    seats: int
    seats_left: int


class Seat(BaseModel):
    """Whose seat it is."""

    model_config = showing({"person": "anna"}, extra="forbid")
    person: Text


class Reached(BaseModel):
    """A level that somebody has reached, and until when it holds."""

    model_config = showing({"person": "anna", "level": "professional", "expires": None})
    person: str
    level: str
    expires: Instant | None


@ROUTER.post("/decisions/{id}/approval", status_code=201)
def ask_approval(served: Served, caller: Agent, id: Id, asked: ApprovalAsked) -> ApprovalShown:  # noqa: A002
    """Request an action that fell for want of authority or budget; those who may are told. Role: agent."""
    found = served.acting.ask_approval(id, asked.action, known_person(served, caller, asked.who))
    served.queues.forget()
    return _of_known(served, found)


@ROUTER.get("/approvals")
def list_approvals(served: Served, caller: Agent, state: ApprovalState | None = None) -> list[ApprovalShown]:
    """Requests beyond limits, newest first, at most 1,000; of one state if asked. Role: agent."""
    return [_approval(one, row) for one, row in served.store.decisions.approvals(state=state)]


@ROUTER.post("/approvals/{number}")
def answer_approval(served: Served, caller: Agent, number: Number, answer: ApprovalAnswer) -> ApprovalShown:
    """Grant or refuse a request, as somebody who may take the action by themselves. Role: agent.

    Large amounts need two who grant. The last one takes the action: it counts within their limits.
    """
    who = known_person(served, caller, answer.who)
    found = served.acting.answer_approval(number, who, granted=answer.granted, reason=answer.reason)
    served.queues.forget()
    return _of_known(served, found)


@ROUTER.get("/stops")
def list_stops(served: Served, caller: Agent) -> list[StoppedShown]:
    """What is switched off. Role: agent."""
    return [_stopped(one) for one in served.store.decisions.all_stopped()]


@ROUTER.put("/stops")
def stop_actions(served: Served, caller: Analyst, asked: StopAsked) -> StoppedShown:
    """Switch an action off, at once and everywhere; what was accepted before goes on. Role: analyst."""
    stopped = Stopped(
        journey=asked.journey, action=asked.action, since_us=served.now_us(), by=caller.who, reason=asked.reason
    )
    served.store.decisions.stop(stopped)
    served.note(caller, "stopped an action", f"{asked.journey}: {asked.action}")
    return _stopped(stopped)


@ROUTER.delete("/stops", status_code=204)
def resume_actions(
    served: Served,
    caller: Analyst,
    journey: Annotated[Text, Query(examples=["support"])],
    action: Annotated[Text, Query(examples=["*"])],
) -> None:
    """Switch an action on again. Role: analyst."""
    if not served.store.decisions.resume(journey, action):
        raise Turned(404, "not_stopped", "this action is not switched off; see /api/v1/stops")
    served.note(caller, "resumed an action", f"{journey}: {action}")


@ROUTER.get("/staff")
def list_staff(served: Served, caller: Analyst) -> list[PersonShown]:
    """Everybody who decides. Role: analyst."""
    held: dict[str, list[str]] = {}
    for one in served.store.staff.accreditations(at_us=served.now_us()):
        held.setdefault(one.person, []).append(one.level)
    return [
        PersonShown(id=one.id, name=one.name, roles=list(one.roles), teams=list(one.teams), levels=held.get(one.id, []))
        for one in served.store.staff.members()
    ]


@ROUTER.put("/staff")
def load_staff(
    served: Served, caller: Admin, text: Annotated[str, Body(media_type="application/yaml", examples=[PEOPLE])]
) -> Loaded:
    """Add or replace people, teams, levels and courses by a people file (docs/authority.md). Role: admin."""
    loaded = load_people(text)
    if loaded.people is None:
        raise TruenorthError(loaded.problems)
    keep_people(served.store, loaded.people, served.now_us(), by=caller.who)
    served.note(caller, "loaded a people file")
    return Loaded(**loaded.people.counts())


@ROUTER.get("/staff/{person}")
def read_authority(
    served: Served, caller: Agent, person: Text, journey: Annotated[Text, Query(examples=["support"])]
) -> MayDo:
    """What somebody may do in a journey. Role: agent for oneself, analyst for others."""
    who = known_person(served, caller, person)
    asker = served.acting.asker(who)
    grants = grants_of(parsed(served.journey(journey).text).authority, asker.roles, asker.levels)
    return MayDo(
        person=who,
        journey=journey,
        permissions=sorted({grant.permission for grant in grants}),
        left=[shown_left(one) for one in still_free(grants, served.acting.used_today(journey, who, grants))],
    )


@ROUTER.get("/classes")
def list_classes(served: Served, caller: Agent) -> list[ClassShown]:
    """Classes that lead to a level, by start. Role: agent."""
    courses = {one.name: one for one in served.store.staff.courses()}
    return [
        ClassShown(
            number=one.number,
            course=one.course,
            title=courses[one.course].title,
            level=courses[one.course].level,
            format=courses[one.course].format,
            starts=instant(one.starts_us),
            seats=one.seats,
            seats_left=one.seats - one.n_booked,
        )
        for one in served.store.staff.classes()
        if one.course in courses
    ]


@ROUTER.post("/classes/{number}/bookings", status_code=204)
def book_seat(served: Served, caller: Agent, number: Number, seat: Seat) -> None:
    """Book a seat. Role: agent for oneself, analyst for others."""
    who = person_of(caller, seat.person)
    if not served.store.staff.book(number, who, now_us=served.now_us()):
        raise Turned(409, "no_seat", "there is no seat left, or no class of this number; see /api/v1/classes")


@ROUTER.delete("/classes/{number}/bookings", status_code=204)
def cancel_seat(
    served: Served, caller: Agent, number: Number, person: Annotated[Text, Query(examples=["anna"])]
) -> None:
    """Give a seat back before the class is finished. Role: agent for oneself, analyst for others."""
    if not served.store.staff.cancel(number, person_of(caller, person), now_us=served.now_us()):
        raise Turned(404, "unknown_booking", "they have not booked this class; see /api/v1/classes")


@ROUTER.post("/classes/{number}/finished")
def finish_class(served: Served, caller: Analyst, number: Number, seat: Seat) -> Reached:
    """Note that somebody has finished a class that they booked: the level is theirs. Role: analyst."""
    if seat.person == caller.who:
        raise Turned(403, "other_eyes", "expected somebody else to say that you have finished")
    reached = served.store.staff.finish(number, seat.person, by=caller.who, now_us=served.now_us())
    if reached is None:
        raise Turned(404, "unknown_booking", "they have not booked this class; see /api/v1/classes")
    served.note(caller, "noted a finished class", f"{reached.person}: {reached.level}")
    expires = None if reached.expires_us is None else instant(reached.expires_us)
    return Reached(person=reached.person, level=reached.level, expires=expires)


def _of_known(served: Context, one: Approval) -> ApprovalShown:
    row = served.store.decisions.find(one.decision)
    assert row is not None, "a request is about a decision"
    return _approval(one, row)


def _approval(one: Approval, row: DecisionRow) -> ApprovalShown:
    fields = {name: getattr(one, name) for name in ("number", "decision", "action", "asked_by", "n_needed")}
    return ApprovalShown(
        **fields,
        journey=row.journey,
        case=row.case,
        amount_cents=amount_of(decode_decision(row.record), one.action),
        state=one.state,
        became=one.became,
        at=instant(one.at_us),
        expires=instant(one.expires_us),
        answers=msgspec.json.decode(one.answers),
    )


def _stopped(one: Stopped) -> StoppedShown:
    return StoppedShown(
        journey=one.journey, action=one.action, since=instant(one.since_us), by=one.by, reason=one.reason
    )
