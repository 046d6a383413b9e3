"""The events of a given promise, and what they say of it.

A promise is a case of the journey `given_word`. It is *given*, *answered* when it was done, *settled* at once when it
is answered or else at the very instant it was due, and *withdrawn* where nothing is owed any more. The journey asks for
the answer before the settlement; so what is judged is what any replay of the log would judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Literal

import msgspec

from truenorth.events import Event
from truenorth.store.given import SOURCE

JOURNEY = "given_word"
GIVEN, ANSWERED, SETTLED, WITHDRAWN = "promise given", "promise answered", "promise settled", "promise withdrawn"

State = Literal["waiting", "answered", "settled", "withdrawn"]


class GivenWord(msgspec.Struct, frozen=True, kw_only=True):
    """A promise as it was given. ``expect``: the type of an event of the customer that answers it, if one does.

    ``journey`` and ``case``: what it was given about.
    """

    id: str
    customer: str
    what: str
    due_us: int
    given_us: int
    by: str
    team: str | None = None
    channel: str | None = None
    journey: str | None = None
    case: str | None = None
    expect: str | None = None
    state: State = "waiting"
    ended_us: int | None = None


def journey_text() -> str:
    """The journey file by which given promises are judged."""
    return files("truenorth.server.given").joinpath("given_word.yaml").read_text("utf-8")


def given(word: GivenWord) -> Event:
    """The event that gives it."""
    names = ("what", "due_us", "by", "journey", "case", "expect")
    held = {name: getattr(word, name) for name in names if getattr(word, name) is not None}
    return _event(word, GIVEN, word.given_us, word.given_us, {"promise": word.id, **held})


def answered(word: GivenWord, at_us: int, received_us: int, by: str | None = None) -> tuple[Event, Event]:
    """The events that answer it and settle it at once: whoever answers it twice changes nothing."""
    answer = _event(word, ANSWERED, at_us, received_us, _named(word, by))
    return answer, _event(word, SETTLED, max(at_us + 1, word.given_us + 1), received_us, _named(word))


def settled(word: GivenWord, received_us: int) -> Event:
    """The event that settles it when its time is over."""
    return _event(word, SETTLED, word.due_us, received_us, _named(word))


def withdrawn(word: GivenWord, at_us: int, by: str) -> Event:
    """The event that takes it back: nothing is owed any more, and nothing will be settled."""
    return _event(word, WITHDRAWN, at_us, at_us, _named(word, by))


class _Told(msgspec.Struct, frozen=True):
    """What the events hold beside their fields."""

    promise: str
    what: str = ""
    due_us: int = 0
    by: str = ""
    journey: str | None = None
    case: str | None = None
    expect: str | None = None


class _Properties(msgspec.Struct, frozen=True):
    properties: _Told


_PROPERTIES = msgspec.json.Decoder(_Properties)


def words_of(events: Iterable[Event]) -> list[GivenWord]:
    """The promises that some events tell of, the first to be given first; events in the order of arrival."""
    found: dict[str, GivenWord] = {}
    for event in events:
        told = _told(event)
        if told is None or event.customer is None:
            continue
        if event.type == GIVEN:
            held = {name: getattr(told, name) for name in ("what", "due_us", "by", "journey", "case", "expect")}
            found[told.promise] = GivenWord(
                id=told.promise, customer=event.customer, given_us=event.time_us, team=event.team,
                channel=event.channel, **held,
            )  # fmt: skip
        elif told.promise in found and event.type in _AFTER:
            word, state = found[told.promise], _AFTER[event.type]
            if word.state == "waiting" or state == "answered":
                found[word.id] = msgspec.structs.replace(word, state=state, ended_us=event.time_us)
    return list(found.values())


def _told(event: Event) -> _Told | None:
    try:
        return _PROPERTIES.decode(event.properties).properties if event.source == SOURCE else None
    except msgspec.DecodeError:
        return None


_AFTER: dict[str, State] = {ANSWERED: "answered", SETTLED: "settled", WITHDRAWN: "withdrawn"}


def _named(word: GivenWord, by: str | None = None) -> dict[str, Any]:
    return {"promise": word.id, **({"by": by} if by else {})}


def _event(word: GivenWord, kind: str, time_us: int, received_us: int, told: dict[str, Any]) -> Event:
    return Event(
        source=SOURCE,
        id=f"{word.id}/{kind.split()[1]}",
        type=kind,
        time_us=time_us,
        received_us=received_us,
        customer=word.customer,
        team=word.team,
        channel=word.channel,
        actor=told.get("by"),
        properties=msgspec.json.encode({"properties": told}),
    )
