"""A journey as values: what a journey file says, checked and frozen.

`truenorth.spec.load` is the only maker of these values from text. Durations are microseconds (``_us``);
with a calendar they count open time only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Literal

import msgspec

from truenorth.spec.acting import EXPLORE, Action, Authority, ContactPolicy
from truenorth.spec.expressions import Condition

CANONICAL_TYPES: Mapping[str, str] = {
    "source": "text",
    "id": "text",
    "type": "text",
    "time": "instant",
    "received": "instant",
    "customer": "text",
    "case": "text",
    "actor": "text",
    "team": "text",
    "channel": "text",
    "cost": "number",
    "revenue": "number",
    "feeling": "number",
    "text": "text",
}
"""The canonical fields of an event and the type of each, in the order in which they are shown."""

FLAGS = ("moment", "decision", "internal", "handover")
"""Flags derived from an event and its case; conditions use them like boolean fields."""


class PromiseKind(StrEnum):
    """The six ways in which a promise is judged."""

    RESPONSE = "response"
    RHYTHM = "rhythm"
    ABSENCE = "absence"
    LIMIT = "limit"
    TOTAL = "total"
    PRECEDENCE = "precedence"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer may expect, precise enough to be judged from events.

    Only the keys of its kind are set: ``expect`` and ``within_us`` for a response, ``of`` and ``at_most`` for a
    limit, and so on as the reference's table says.
    """

    name: str
    kind: PromiseKind
    after: Condition | None = None
    expect: Condition | None = None
    unless: Condition | None = None
    never: Condition | None = None
    of: Condition | None = None
    where: Condition | None = None
    before: Condition | None = None
    require: Condition | None = None
    within_us: int | None = None
    at_least_every_us: int | None = None
    at_most: float | None = None
    total: str | None = None
    calendar: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """When a case has reached its outcome, when it has failed, and what either is worth."""

    achieved: Condition | None = None
    failed: Condition | None = None
    within_us: int | None = None
    calendar: str | None = None
    holds_for_us: int | None = None
    reopened: Condition | None = None
    abandoned_after_us: int | None = None
    value: Mapping[Literal["achieved", "failed", "abandoned"], float] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A business rule: when it is applied, and who answers for it."""

    when: Condition
    name: str | None = None
    kind: Literal["strategic", "regulatory", "operational"] | None = None
    owner: str | None = None
    reason: str | None = None
    reviewed: date | None = None


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Opening hours on the wall clock of one time zone.

    ``hours[weekday]`` (Monday 0) are half-open intervals in minutes since local midnight; an interval that runs past
    midnight has an end above 1440 and belongs to the day on which it begins.
    """

    name: str
    timezone: str = "UTC"
    hours: tuple[tuple[tuple[int, int], ...], ...]
    holidays: frozenset[date] = frozenset()


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """A journey from a customer's need to its fulfilment, and what may be done on the way."""

    name: str
    title: str = ""
    currency: str = ""
    fields: Mapping[str, str] = {}
    canvas: Mapping[str, Any] = {}
    only: Condition | None = None
    need: Condition | None = None
    outcome: Outcome = Outcome()
    moments: Condition | None = None
    decisions: tuple[Decision, ...] = ()
    calendars: Mapping[str, Calendar] = {}
    promises: tuple[Promise, ...] = ()
    actions: tuple[Action, ...] = ()
    authority: Authority = Authority()
    contact: ContactPolicy = ContactPolicy()
    budget_cents: int | None = None  # a day, for all actions together
    holdout: float = 0.0  # the share of cases that is never acted upon
    explore: float = EXPLORE  # the share of decisions in which something is tried
