"""Which promise or outcome measures a statement of the canvas: as the journey says, or where there is no doubt."""

from __future__ import annotations

import re

import msgspec

from truenorth.spec.durations import format_duration
from truenorth.spec.model import Journey, Promise

OUTCOME = "outcome"
"""A statement is measured by the outcome itself."""

UNIT_US = {
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_SPAN = re.compile(rf"\b(\d+|{'|'.join(WORDS)})\s+({'|'.join(UNIT_US)})s?\b")
STEM = 5
"""Words are the same if their first so many letters are: explained, explanation."""

FILLERS = frozenset(
    {"never", "always", "until", "after", "before", "first", "there", "where", "which", "with", "within"}
)
MIN_WORD = 4
"""Shorter words of a promise's name say nothing."""

RULE = (
    "A statement is measured by what canvas.measures of the journey file says. Where it says nothing: by the "
    "outcome, if the statement gives its within or holds_for; by a promise, if the statement gives its time and has "
    "a word of its name, or has all the words of its name. If the one that fits best is not alone, the statement is "
    "not measured. The target is what canvas.measures says, else 100 %: it is said to every customer."
)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A statement, what measures it (`OUTCOME`, a promise's name, None), why that, and the target in [0, 1]."""

    statement: str
    by: str | None
    why: str
    target: float = 1.0


def measured_statements(journey: Journey) -> tuple[Measured, ...]:
    """The statements of ``canvas.outcome``, in their order.

    >>> from truenorth.spec.load import parse_journey
    >>> text = "{truenorth: 1, journey: a, canvas: {outcome: [Online within 3 days]}, outcome: {within: 3d}}"
    >>> measured_statements(parse_journey(text))[0].by
    'outcome'
    """
    statements = journey.canvas.get("outcome", ())
    declared = {row["statement"]: row for row in journey.canvas.get("measures", ())}
    found = []
    for number, statement in enumerate(statements, 1):
        row = declared.get(number)
        if row is None:
            found.append(_matched(journey, statement))
        else:
            why, target = "the journey file says so", row.get("target", 1.0)
            found.append(Measured(statement=statement, by=row["by"], why=why, target=target))
    return tuple(found)


def _matched(journey: Journey, statement: str) -> Measured:
    spans, stems = _spans(statement), _stems(statement)
    fits = [(score, why, OUTCOME) for score, why in _fit_of_outcome(journey, spans)]
    fits += [(*fit, promise.name) for promise in journey.promises if (fit := _fit(promise, spans, stems)) is not None]
    if not fits:
        why = "nothing in the journey file fits; say what measures it in canvas.measures"
        return Measured(statement=statement, by=None, why=why)
    best = max(score for score, _, _ in fits)
    winners = [(why, name) for score, why, name in fits if score == best]
    if len(winners) > 1:
        names = " and ".join(name for _, name in winners)
        return Measured(statement=statement, by=None, why=f"{names} fit alike; say which in canvas.measures")
    return Measured(statement=statement, by=winners[0][1], why=winners[0][0])


def _fit_of_outcome(journey: Journey, spans: set[int]) -> list[tuple[tuple[int, int], str]]:
    outcome = journey.outcome
    if outcome.within_us in spans:
        return [((1, 0), f"within {format_duration(outcome.within_us)} is the outcome's")]
    if outcome.holds_for_us in spans:
        return [((1, 0), f"{format_duration(outcome.holds_for_us)} is how long the outcome must hold")]
    return []


def _fit(promise: Promise, spans: set[int], stems: set[str]) -> tuple[tuple[int, int], str] | None:
    """How well a promise fits: whether its time does, and how many words of its name; None if too little."""
    own = _stems(promise.name.replace("_", " "))
    shared = own & stems
    span_us = promise.within_us or promise.at_least_every_us
    if span_us in spans and shared:
        return (1, len(shared)), f"its time and {_counted(len(shared))} of its name fit"
    if own and own <= stems and (len(own) > 1 or span_us is None):
        return (0, len(shared)), "all words of its name fit"
    return None


def _counted(n: int) -> str:
    return "one word" if n == 1 else f"{n} words"


def _spans(text: str) -> set[int]:
    return {
        (WORDS[number] if number in WORDS else int(number)) * UNIT_US[unit]
        for number, unit in _SPAN.findall(text.lower())
    }


def _stems(text: str) -> set[str]:
    words = re.findall(r"[^\W\d_]+", text.lower())
    return {word[:STEM] for word in words if len(word) >= MIN_WORD and word not in FILLERS}
