"""What the form of a promise asks, kind by kind, in the order of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from truenorth.spec.model import PromiseKind
from truenorth.spec.problems import Problem, TruenorthError


class Asked(NamedTuple):
    """A key of a promise, as it is asked for."""

    key: str
    words: str
    hint: str = ""
    is_needed: bool = True


class KindAsked(NamedTuple):
    """A kind of promise in words, and its keys."""

    words: str
    keys: tuple[Asked, ...]


_AFTER = Asked("after", "After an event where", "such as: type = 'Taken up'; empty: from the start", is_needed=False)
_CONDITION = "such as: type = 'Called back'"
KINDS: Mapping[PromiseKind, KindAsked] = {
    PromiseKind.RESPONSE: KindAsked(
        "Something happens in time",
        (
            Asked("after", "After an event where", "such as: type = 'Call back promised'"),
            Asked("expect", "We expect an event where", _CONDITION),
            Asked("within", "Within", "such as 4h, 2d, 1d12h"),
            Asked("unless", "Unless an event comes where", "the promise then lapses", is_needed=False),
            Asked("calendar", "Counting the open hours of", "a calendar of the file", is_needed=False),
        ),
    ),
    PromiseKind.RHYTHM: KindAsked(
        "Something happens again and again",
        (
            Asked("expect", "We expect an event where", "such as: moment"),
            Asked("at_least_every", "At least every", "such as 2d"),
        ),
    ),
    PromiseKind.ABSENCE: KindAsked(
        "Something never happens",
        (
            Asked("never", "There is never an event where", "such as: feeling < -0.5"),
            _AFTER,
            Asked("within", "Within", "such as 7d; empty: until the case ends", is_needed=False),
        ),
    ),
    PromiseKind.LIMIT: KindAsked(
        "Something happens at most so often",
        (
            Asked("at_most", "At most", "a whole number"),
            Asked("of", "Events where", "such as: handover"),
            _AFTER,
        ),
    ),
    PromiseKind.TOTAL: KindAsked(
        "A sum stays within a limit",
        (
            Asked("at_most", "At most", "a number"),
            Asked("total", "The sum of", "a field, such as cost"),
            Asked("where", "Of events where", "empty: of all", is_needed=False),
            _AFTER,
        ),
    ),
    PromiseKind.PRECEDENCE: KindAsked(
        "Something comes first",
        (
            Asked("before", "Before an event where", "such as: type = 'Closed'"),
            Asked("require", "There has been an event where", "such as: type = 'Line tested'"),
        ),
    ),
}


def promise_of(kind: PromiseKind, name: str, given: Mapping[str, str]) -> dict[str, str | float]:
    """The promise that a form describes, as a journey file has it; `TruenorthError` with all that is missing.

    >>> promise_of(PromiseKind.LIMIT, "one_owner", {"at_most": "1", "of": "handover", "after": ""})
    {'name': 'one_owner', 'at_most': 1, 'of': 'handover'}
    """
    missing = [one.words for one in KINDS[kind].keys if one.is_needed and not given.get(one.key, "").strip()]
    if not name.strip():
        missing.insert(0, "Name")
    if missing:
        raise TruenorthError([Problem(path=one, expected="a value", found="nothing") for one in missing])
    keys = {one.key: given[one.key].strip() for one in KINDS[kind].keys if given.get(one.key, "").strip()}
    return {"name": name.strip(), **{key: _number(text) if key == "at_most" else text for key, text in keys.items()}}


def _number(text: str) -> str | float:
    """A number where the text is one; else the text, whose problem is told with the file's."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
