"""Which moment caused which work: the rule, applied to every event."""

from __future__ import annotations

import numpy as np

from truenorth.insight.coded import Bools, CodedEvents, Positions

RULE = (
    "Every hand-over, decision and piece of internal work is caused by the latest earlier moment of its case; work "
    "before the first moment of a case has no cause."
)


def causes(events: CodedEvents) -> Positions:
    """The position of the moment that caused each event: the latest earlier moment of its case; -1 where none is.

    A moment, too, has the moment before it here: what is asked of it is which moment led to a hand-over or decision
    that is a moment itself.
    """
    return _latest(events.moment, events, before=True)


def bearers(events: CodedEvents) -> Positions:
    """The position of the moment that bears the cost of each event: a moment bears its own, other work its cause's.

    -1 for work before the first moment of a case. Every event has at most one bearer, so costs add up.
    """
    return _latest(events.moment, events, before=False)


def _latest(marked: Bools, events: CodedEvents, *, before: bool) -> Positions:
    """The latest marked event up to each event (or before it) in its case; -1 where none is."""
    none, index = np.int32(-1), events.positions
    latest = np.maximum.accumulate(np.where(marked, index, none))
    if before:
        latest = np.append(none, latest)[: len(index)]
    return np.where(latest >= events.starts, latest, none)


def nexts(marked: Bools, events: CodedEvents) -> Positions:
    """The first marked event after each event in its case; ``n_events`` where none is."""
    none = np.int32(events.n_events)
    following = np.minimum.accumulate(np.where(marked, events.positions, none)[::-1])[::-1]
    following = np.append(following, none)[1:]
    return np.where(following < events.first[1:].astype(np.int32)[events.case], following, none)
