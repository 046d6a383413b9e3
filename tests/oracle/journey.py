"""A journey file as rules: conditions ready to ask, durations ready to count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oracle.calendars import Calendar, calendar, duration_us
from oracle.conditions import Condition, condition

RESPONSE, RHYTHM, ABSENCE = "response", "rhythm", "absence"
LIMIT, TOTAL, PRECEDENCE = "limit", "total", "precedence"
OBLIGATIONS = {RESPONSE, RHYTHM}
PROHIBITIONS = {ABSENCE, LIMIT, TOTAL}


@dataclass(frozen=True)
class Span:
    """A duration, counted on a calendar if there is one."""

    length_us: int
    calendar: Calendar | None

    def after(self, start_us: int) -> int | None:
        if self.calendar is None:
            return start_us + self.length_us
        return self.calendar.deadline(start_us, self.length_us)


@dataclass(frozen=True, eq=False)
class Promise:
    """One promise. Conditions it does not have are None."""

    name: str
    kind: str
    position: int
    span: Span | None  # within, or at_least_every
    at_most: float
    total: str
    after: Condition | None
    expect: Condition | None
    unless: Condition | None
    never: Condition | None
    of: Condition | None
    where: Condition | None
    before: Condition | None
    require: Condition | None


@dataclass(frozen=True)
class Outcome:
    """When a case ends, and how."""

    achieved: Condition | None
    failed: Condition | None
    reopened: Condition | None
    within: Span | None
    holds_for_us: int | None
    abandoned_after_us: int | None
    value: Mapping[str, float]


@dataclass(frozen=True)
class Rules:
    """Everything of a journey that has a meaning for events."""

    key_field: str
    team_field: str
    only: Condition | None
    need: Condition | None
    moments: Condition | None
    decisions: Condition | None
    outcome: Outcome
    promises: list[Promise]


CONDITIONS = ("after", "expect", "unless", "never", "of", "where", "before", "require")
FLAGS_OF_EVENTS = frozenset({"moment", "decision", "internal"})  # defined by moments and decisions, so not in them


def rules_of(journey: Mapping[str, Any], kinds: Mapping[str, str], columns: set[str]) -> Rules:
    """Read a journey for a log with these columns."""
    calendars = {name: calendar(spec) for name, spec in (journey.get("calendars") or {}).items()}
    promises = [
        _promise(position, spec, kinds, calendars) for position, spec in enumerate(journey.get("promises") or [])
    ]
    return Rules(
        key_field="case" if "case" in columns else "customer",
        team_field="team" if "team" in columns else "actor",
        only=_optional(journey, "only", kinds),
        need=_optional(journey, "need", kinds),
        moments=_optional(journey, "moments", kinds, FLAGS_OF_EVENTS),
        decisions=_optional(journey, "decisions", kinds, FLAGS_OF_EVENTS),
        outcome=_outcome(journey.get("outcome") or {}, kinds, calendars),
        promises=promises,
    )


def _optional(
    spec: Mapping[str, Any], name: str, kinds: Mapping[str, str], forbidden: frozenset[str] = frozenset()
) -> Condition | None:
    text = spec.get(name)
    return None if text is None else condition(text, kinds, forbidden)


def _span(spec: Mapping[str, Any], name: str, calendars: Mapping[str, Calendar]) -> Span | None:
    if name not in spec:
        return None
    return Span(duration_us(spec[name]), calendars[spec["calendar"]] if "calendar" in spec else None)


def _outcome(spec: Mapping[str, Any], kinds: Mapping[str, str], calendars: Mapping[str, Calendar]) -> Outcome:
    return Outcome(
        achieved=_optional(spec, "achieved", kinds),
        failed=_optional(spec, "failed", kinds),
        reopened=_optional(spec, "reopened", kinds),
        within=_span(spec, "within", calendars),
        holds_for_us=duration_us(spec["holds_for"]) if "holds_for" in spec else None,
        abandoned_after_us=duration_us(spec["abandoned_after"]) if "abandoned_after" in spec else None,
        value=spec.get("value") or {},
    )


def _promise(
    position: int, spec: Mapping[str, Any], kinds: Mapping[str, str], calendars: Mapping[str, Calendar]
) -> Promise:
    kind = kind_of(spec)
    return Promise(
        name=spec["name"],
        kind=kind,
        position=position,
        span=_span(spec, "at_least_every" if kind == RHYTHM else "within", calendars),
        at_most=spec.get("at_most", 0),
        total=spec.get("total", ""),
        **{name: _optional(spec, name, kinds) for name in CONDITIONS},
    )


def kind_of(spec: Mapping[str, Any]) -> str:
    """A promise's kind, told by the keys it has."""
    for key, kind in (
        ("before", PRECEDENCE),
        ("at_least_every", RHYTHM),
        ("total", TOTAL),
        ("of", LIMIT),
        ("never", ABSENCE),
        ("expect", RESPONSE),
    ):
        if key in spec:
            return kind
    raise ValueError(f"no kind of promise has the keys {sorted(spec)}")
