"""Promises given in one line: "call back by 16:00"; kept or broken like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from truenorth.events import Event
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.api.decisions import person_of
from truenorth.server.auth import Agent, Caller
from truenorth.server.given.line import parse_line
from truenorth.server.given.word import (
    JOURNEY,
    GivenWord,
    State,
    answered,
    given,
    journey_text,
    withdrawn,
    words_of,
)
from truenorth.server.receiving import Turned
from truenorth.store.given import SOURCE
from truenorth.store.rows import Verdict

ROUTER = APIRouter(tags=["promises"])
ID_BYTES = 8
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["5f2b8c0e9d7a4c31"])]
WORD = {
    "id": "5f2b8c0e9d7a4c31",
    "customer": "C1001",
    "what": "call back",
    "given": "2026-03-06T10:30:12.000000Z",
    "due": "2026-03-06T16:00:00.000000Z",
    "by": "anna",
    "team": "first_line",
    "channel": "phone",
    "journey": "support",
    "case": "T0020",
    "expect": None,
    "state": "waiting",
    "verdict": "open",
}


class WordAsked(BaseModel):
    """The line, and the time zone of its times.

    ``journey`` and ``case``: what it is about. ``expect``: the type of an event of the customer that answers it;
    without one somebody says that it was done. ``channel``: how it was promised.
    """

    model_config = showing({"text": "call back by 16:00", "timezone": "Europe/Rome"}, extra="forbid")
    text: Text
    timezone: Text = "UTC"
    journey: Text | None = None
    case: Text | None = None
    expect: Text | None = None
    channel: Text | None = None
    who: Text | None = None


class WordShown(BaseModel):
    """A given promise. ``verdict``: by the journey `given_word`; ``open`` until it is judged."""

    model_config = showing(WORD)
    id: str
    customer: str
    what: str
    given: Instant
    due: Instant
    by: str
    team: str | None
    channel: str | None
    journey: str | None
    case: str | None
    expect: str | None
    state: State
    verdict: Verdict


@ROUTER.get("/customers/{id:path}/promises")
def list_given(served: Served, caller: Agent, id: Text) -> list[WordShown]:  # noqa: A002  # the field's name
    """The promises that were given to a customer in one line, the newest first. Role: agent; noted in the audit."""
    served.note_person(caller, "read the promises given to a customer", id)
    return given_to(served, id)


@ROUTER.post("/customers/{id:path}/promises", status_code=201)
def give_word(served: Served, caller: Agent, id: Text, asked: WordAsked) -> WordShown:  # noqa: A002
    """Give a promise: it is broken at its very instant unless it was answered before. Role: agent."""
    return give(served, caller, id, asked)


@ROUTER.post("/customers/{id:path}/promises/{promise}/answered")
def answer_word(served: Served, caller: Agent, id: Text, promise: Id) -> WordShown:  # noqa: A002  # the field's name
    """Say that it was done, now. Role: agent. Too late is too late: the verdict stays broken."""
    word, now_us = _known(served, id, promise), served.now_us()
    if word.state == "withdrawn":
        raise Turned(409, "too_late", "this promise was withdrawn")
    return _kept(served, word, answered(word, now_us, now_us, caller.who))


@ROUTER.delete("/customers/{id:path}/promises/{promise}")
def withdraw_word(served: Served, caller: Agent, id: Text, promise: Id) -> WordShown:  # noqa: A002
    """Take it back while it waits, for the customer needs it no more, or it was a slip. Role: agent; audited."""
    word = _known(served, id, promise)
    if word.state != "waiting" or word.due_us <= served.now_us():
        raise Turned(409, "too_late", "only a promise that waits and is not due yet can be withdrawn")
    served.note_person(caller, f"withdrew the promise '{word.what}'", word.customer)
    return _kept(served, word, [withdrawn(word, served.now_us(), caller.who)])


def give(served: Context, caller: Caller, customer: str, asked: WordAsked) -> WordShown:
    """Write a promise down; 422 with what cannot be read."""
    who, now_us = person_of(caller, asked.who), served.now_us()
    line = parse_line(asked.text, now_us=now_us, timezone=asked.timezone)
    if served.store.people.was_erased(customer):
        raise Turned(409, "erased", "this person was erased: nothing about them is kept")
    if served.store.journeys.newest_live(JOURNEY) is None:
        served.store.journeys.publish(JOURNEY, journey_text(), now_us=now_us)
    member = served.store.staff.member(who)
    word = GivenWord(
        id=served.entropy(ID_BYTES).hex(),
        customer=customer,
        what=line.what,
        due_us=line.due_us,
        given_us=now_us,
        by=who,
        team=member.teams[0] if member and member.teams else None,
        channel=asked.channel,
        journey=asked.journey,
        case=asked.case,
        expect=asked.expect,
    )
    return _kept(served, word, [given(word)])


def given_to(served: Context, customer: str) -> list[WordShown]:
    """The promises given to a person, by any of their ids, the newest first."""
    return [_shown(served, word) for word in reversed(_words(served, customer))]


def _words(served: Context, customer: str) -> list[GivenWord]:
    events = served.store.events.of_customers(served.ids_of(customer))
    return words_of(one.event for one in events if one.event.source == SOURCE)


def _known(served: Context, customer: str, id: str) -> GivenWord:  # noqa: A002  # the field's name
    found = next((word for word in _words(served, customer) if word.id == id), None)
    if found is None:
        raise Turned(404, "unknown_promise", "this customer was given no promise of this id")
    return found


def _kept(served: Context, word: GivenWord, events: Sequence[Event]) -> WordShown:
    served.store.events.append(events)
    served.queues.forget()
    (now,) = words_of([given(word), *events])
    return _shown(served, now)


def _shown(served: Context, word: GivenWord) -> WordShown:
    judged = served.store.results.case(JOURNEY, word.id)
    verdict: Verdict = next((one.verdict for one in judged[1]), "open") if judged else "open"
    plain = ("id", "customer", "what", "by", "team", "channel", "journey", "case", "expect", "state")
    return WordShown(
        given=instant(word.given_us),
        due=instant(word.due_us),
        verdict=verdict,
        **{name: getattr(word, name) for name in plain},
    )
