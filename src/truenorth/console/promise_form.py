"""What the form of a promise asks, kind by kind, in the order of a sentence; and promises as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from truenorth.spec.durations import format_duration
from truenorth.spec.expressions import Condition
from truenorth.spec.model import Promise, PromiseKind
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.spec.wording import in_words


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


def said(promise: Promise) -> str:
    """A promise as a sentence has it.

    >>> from truenorth.spec.conditions import parse_condition as of
    >>> called = Promise(name="x", kind=PromiseKind.RESPONSE, after=of("type = 'Call'"), expect=of("type = 'Answer'"),
    ...                  within_us=14_400_000_000)
    >>> said(called)
    "'Answer' within 4 h after 'Call'"
    """
    within = f" within {format_duration(promise.within_us)}" if promise.within_us is not None else ""
    within += f" of open hours ({promise.calendar})" if promise.calendar else ""
    return f"{_what(promise)}{within}{_if_any(' after ', promise.after)}{_if_any(', unless ', promise.unless)}"


def _what(promise: Promise) -> str:
    if promise.at_least_every_us is not None:
        return f"{_if_any('', promise.expect)} at least every {format_duration(promise.at_least_every_us)}"
    if promise.require is not None:
        return f"{in_words(promise.require)}{_if_any(' before ', promise.before)}"
    if promise.total is not None:
        return f"{promise.total} of at most {promise.at_most:g} in all{_if_any(', of ', promise.where)}"
    if promise.at_most is not None:
        return f"{_if_any('', promise.of)} at most {promise.at_most:g} times".replace(" 1 times", " once")
    return _if_any("never ", promise.never) or _if_any("", promise.expect)


def _if_any(before: str, condition: Condition | None) -> str:
    return f"{before}{in_words(condition)}" if condition is not None else ""


def _number(text: str) -> str | float:
    """A number where the text is one; else the text, whose problem is told with the file's."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
