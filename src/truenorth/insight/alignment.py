"""Line of sight: which events the journey's outcome and promises are about."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from truenorth.insight.coded import Bools, CodedEvents
from truenorth.spec.conditions import fields_of
from truenorth.spec.expressions import Condition
from truenorth.spec.model import FLAGS, Journey

ALIGNMENTS = ("serves", "harms", "not linked")
"""What an event is for: it is what the need, the outcome or a promise waits for; it is what they forbid; neither."""

RULE = (
    "An event serves the outcome if the journey's need, its achieved outcome or a promise (after, expect, require) "
    "names it; it harms if the failed outcome or a promise (never, of) names it or it reopens a resolved case. Harm "
    "goes before service, but what the need or the achieved outcome names never harms. Conditions on flags such as "
    "handover, and those that nine in ten events satisfy, name nothing in particular. A type is what most of its "
    "events are."
)

NAMES_ALL = 0.9
"""A condition that holds for a larger share of events names nothing in particular."""


def serves(events: CodedEvents) -> Bools:
    """Which events the need, the achieved outcome or a promise waits for or begins with, and nothing forbids."""
    return _any_of(events, _serving(events.replay.journey)) & ~harms(events)


def harms(events: CodedEvents) -> Bools:
    """Which events the failed outcome or a promise forbids, and those that reopen a resolved case."""
    journey = events.replay.journey
    wanted = _any_of(events, iter((journey.need, journey.outcome.achieved)))
    return (_any_of(events, _harming(journey)) | events.reopening) & ~wanted


def _serving(journey: Journey) -> Iterator[Condition | None]:
    yield journey.need
    yield journey.outcome.achieved
    for promise in journey.promises:
        yield from (promise.after, promise.expect, promise.require)


def _harming(journey: Journey) -> Iterator[Condition | None]:
    yield journey.outcome.failed
    for promise in journey.promises:
        yield from (promise.never, promise.of)


def _any_of(events: CodedEvents, conditions: Iterator[Condition | None]) -> Bools:
    found = np.zeros(events.n_events, np.bool_)
    for condition in conditions:
        if condition is None or set(FLAGS) & set(fields_of(condition.tree)):
            continue
        holds = events.holds(condition)
        if holds.sum() <= NAMES_ALL * events.n_events:
            found |= holds
    return found
