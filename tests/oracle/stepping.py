"""Section 3 of the reference, step by step: expire, judge, outcome, start."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oracle.conditions import Condition
from oracle.journey import (
    ABSENCE,
    LIMIT,
    OBLIGATIONS,
    PRECEDENCE,
    PROHIBITIONS,
    RESPONSE,
    RHYTHM,
    TOTAL,
    Promise,
    Rules,
)

Event = Mapping[str, Any]
Deadline = tuple[int, int, Callable[[int], None]]  # due, rank at the same instant, what happens then

OPEN, RESOLVED, CLOSED = "open", "resolved", "closed"  # where a case stands; its verdict is another matter


def holds(condition: Condition | None, event: Event) -> bool:
    """A condition that is not given holds for nothing."""
    return condition is not None and condition(event)


def with_flags(rules: Rules, event: Event, *, handover: bool) -> dict[str, Any]:
    """The event with its derived flags. Outside a case `handover` is false."""
    row = {**event, "handover": handover}
    moment, decision = holds(rules.moments, row), holds(rules.decisions, row)
    return {**row, "moment": moment, "decision": decision, "internal": not (moment or decision)}


def amount(event: Event, name: str) -> float:
    """A number of an event; null and NaN count 0."""
    value = event.get(name)
    return 0.0 if value is None or math.isnan(value) else float(value)


@dataclass
class Instance:
    """One instance of a promise. `open` until decided."""

    promise: Promise
    number: int
    started: int
    due: int | None
    started_by: str
    verdict: str = "open"
    decided: int | None = None
    decided_by: str | None = None
    count: int = 0
    total: float = 0.0

    def decide(self, verdict: str, at: int, by: str | None) -> None:
        assert self.verdict == "open"
        self.verdict, self.decided, self.decided_by = verdict, at, by


@dataclass
class Case:
    """One episode of a key, from the event that opens it."""

    rules: Rules
    name: str
    opened: int
    stands: str = OPEN
    resolved: int | None = None
    closed: int | None = None
    verdict: str | None = None
    reason: str | None = None
    verdict_time: int | None = None
    n_reopened: int = 0
    outcome_due: int | None = None  # opened + within, until it has expired
    outcome_due_missed: bool = False  # it has expired
    last_event: int = 0
    team: str | None = None
    rows: list[Event] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    required: set[str] = field(default_factory=set)  # precedence promises whose `require` event came

    def __post_init__(self) -> None:
        if self.rules.outcome.within is not None:
            self.outcome_due = self.rules.outcome.within.after(self.opened)

    # --- an event ---------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """An event of this case whose deadlines have expired (step 1 is `expire`): steps 2, 3 and 4."""
        row = with_flags(self.rules, event, handover=self.is_handover(event))
        is_opening = not self.rows
        self.rows.append(row)
        self.last_event = row["time"]
        if is_opening:
            self.start_from_the_beginning(row)
        self.judge(row)
        n_reopened = self.n_reopened
        self.outcome(row)
        self.start(row, begins=is_opening or self.n_reopened > n_reopened)

    def is_handover(self, event: Event) -> bool:
        """The team differs from the previous one, both known."""
        team, before = event.get(self.rules.team_field), self.team
        if team is not None:
            self.team = team
        return team is not None and before is not None and team != before

    # --- 1 expire ---------------------------------------------------------------------------------------------------

    def expire(self, before: int) -> None:
        """Every deadline `due < before`, in order."""
        while self.stands != CLOSED:
            deadlines = [deadline for deadline in self.deadlines() if deadline[0] < before]
            if not deadlines:
                return
            due, _, happen = min(deadlines, key=lambda deadline: deadline[:2])
            happen(due)

    def deadlines(self) -> list[Deadline]:
        """What is pending; at one instant the outcome comes first, then promises in file order."""
        outcome = self.rules.outcome
        found: list[Deadline] = []
        if self.outcome_due is not None:
            found.append((self.outcome_due, -2, self.miss_outcome))
        if self.stands == OPEN and outcome.abandoned_after_us is not None:
            found.append((self.last_event + outcome.abandoned_after_us, -1, self.fall_silent))
        if self.stands == RESOLVED and self.resolved is not None and outcome.holds_for_us is not None:
            found.append((self.resolved + outcome.holds_for_us, -1, self.hold))
        for instance in self.active():
            if instance.due is not None:
                happen = self.keep_at if instance.promise.kind == ABSENCE else self.break_at
                found.append((instance.due, instance.promise.position, happen(instance)))
        return found

    def miss_outcome(self, due: int) -> None:
        """`within` has passed: late, unless the case is resolved just now."""
        self.outcome_due, self.outcome_due_missed = None, True
        if self.stands == OPEN:
            self.give_verdict("failed", "late", due)

    def fall_silent(self, due: int) -> None:
        self.give_verdict("abandoned", "silence", due)
        self.close(due, by=None)

    def hold(self, due: int) -> None:
        """The resolution has held: achieved, at the instant of the achieving event."""
        assert self.resolved is not None
        self.give_verdict("achieved", None, self.resolved)
        self.close(due, by=None)

    def keep_at(self, instance: Instance) -> Callable[[int], None]:
        return lambda due: instance.decide("kept", due, None)

    def break_at(self, instance: Instance) -> Callable[[int], None]:
        return lambda due: instance.decide("broken", due, None)

    # --- 2 judge ----------------------------------------------------------------------------------------------------

    def active(self) -> list[Instance]:
        """Instances still to be decided, in file order."""
        undecided = [instance for instance in self.instances if instance.verdict == "open"]
        return sorted(undecided, key=lambda instance: instance.promise.position)

    def judge(self, event: Event) -> None:
        for instance in self.active():
            self.judge_instance(instance, event)
        for promise in self.rules.promises:
            if promise.kind == PRECEDENCE:
                self.decide_precedence(promise, event)

    def judge_instance(self, instance: Instance, event: Event) -> None:
        promise, t, by = instance.promise, event["time"], event["id"]
        if promise.kind in OBLIGATIONS:
            if holds(promise.expect, event):
                instance.decide("kept", t, by)
            elif holds(promise.unless, event):
                instance.decide("lapsed", t, by)
        elif promise.kind == ABSENCE:
            if holds(promise.never, event):
                instance.decide("broken", t, by)
        elif promise.kind == LIMIT:
            instance.count += holds(promise.of, event)
            if instance.count > promise.at_most:
                instance.decide("broken", t, by)
        elif promise.kind == TOTAL:
            if promise.where is None or promise.where(event):
                instance.total += amount(event, promise.total)
            if instance.total > promise.at_most:
                instance.decide("broken", t, by)

    def decide_precedence(self, promise: Promise, event: Event) -> None:
        """At once, by what came earlier; the event itself does not count."""
        if holds(promise.before, event):
            instance = self.begin(promise, event)
            kept = promise.name in self.required
            instance.decide("kept" if kept else "broken", event["time"], event["id"])
        if holds(promise.require, event):
            self.required.add(promise.name)

    # --- 3 outcome --------------------------------------------------------------------------------------------------

    def outcome(self, event: Event) -> None:
        """At most one step: failed, else (resolved) reopened, else (open) achieved."""
        outcome, t, by = self.rules.outcome, event["time"], event["id"]
        if holds(outcome.failed, event):
            self.give_verdict("failed", "event", t)
            self.close(t, by)
        elif self.stands == RESOLVED:
            if holds(outcome.reopened, event):
                self.reopen(t)
        elif holds(outcome.achieved, event):
            self.resolve(t, by)

    def resolve(self, t: int, by: str) -> None:
        self.stands, self.resolved = RESOLVED, t
        for instance in self.active():
            if instance.promise.kind in OBLIGATIONS:
                instance.decide("lapsed", t, by)
        if self.rules.outcome.holds_for_us is None or self.verdict is not None:  # nothing to hold, or late already
            self.give_verdict("achieved", None, t)
            self.close(t, by)

    def reopen(self, t: int) -> None:
        self.stands, self.resolved = OPEN, None
        self.n_reopened += 1
        if self.outcome_due_missed:
            self.give_verdict("failed", "late", t)

    def close(self, at: int, by: str | None) -> None:
        """Obligations lapse, prohibitions are kept."""
        for instance in self.active():
            instance.decide("lapsed" if instance.promise.kind in OBLIGATIONS else "kept", at, by)
        self.stands, self.closed = CLOSED, at

    def give_verdict(self, verdict: str, reason: str | None, at: int) -> None:
        """A verdict once given stays."""
        if self.verdict is None:
            self.verdict, self.reason, self.verdict_time = verdict, reason, at

    # --- 4 start ----------------------------------------------------------------------------------------------------

    def start_from_the_beginning(self, opening: Event) -> None:
        """Prohibitions without `after` start just before the opening event."""
        for promise in self.rules.promises:
            if promise.kind in PROHIBITIONS and promise.after is None:
                self.begin(promise, opening)

    def start(self, event: Event, *, begins: bool) -> None:
        """Triggers start instances; `begins`: the case opens or reopens with this event."""
        if self.stands == CLOSED:
            return
        busy = {instance.promise.name for instance in self.active()}
        for promise in self.rules.promises:
            if promise.name not in busy and self.is_triggered(promise, event, begins):
                self.begin(promise, event)

    def is_triggered(self, promise: Promise, event: Event, begins: bool) -> bool:
        if promise.kind == RESPONSE:
            return self.stands == OPEN and holds(promise.after, event)
        if promise.kind == RHYTHM:
            return self.stands == OPEN and (begins or holds(promise.expect, event))
        return promise.kind in PROHIBITIONS and holds(promise.after, event)

    def begin(self, promise: Promise, event: Event) -> Instance:
        due = promise.span.after(event["time"]) if promise.span else None
        number = 1 + sum(instance.promise is promise for instance in self.instances)
        instance = Instance(promise, number, event["time"], due, event["id"])
        self.instances.append(instance)
        return instance


def is_needed(rules: Rules, event: Event, *, is_first: bool) -> bool:
    """Whether an event outside a case opens one. Without `need` only the key's first does."""
    if rules.need is None:
        return is_first
    return rules.need(with_flags(rules, event, handover=False))


def episodes(rules: Rules, key: str, history: list[Event], watermark: int, counts: dict[str, int]) -> list[Case]:
    """The cases of one key from its events in order; counts those that belong to none."""
    cases: list[Case] = []
    for event in history:
        if cases:
            cases[-1].expire(before=event["time"])
        if not cases or cases[-1].stands == CLOSED:
            if not is_needed(rules, event, is_first=not cases):
                counts["after_close" if cases else "before_need"] += 1
                continue
            name = f"{key}#{len(cases) + 1}" if cases else key
            cases.append(Case(rules, name, event["time"]))
        cases[-1].take(event)
    if cases:
        cases[-1].expire(before=watermark + 1)  # at the end of the data every due <= W
    return cases
