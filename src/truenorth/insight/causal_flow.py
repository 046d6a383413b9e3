"""Which moment caused which work: the rule, applied to every event."""

from __future__ import annotations

import numpy as np

from truenorth.insight.coded import Bools, CodedEvents, Ints

RULE = (
    "Every hand-over, decision and piece of internal work is caused by the latest earlier moment of its case; work "
    "before the first moment of a case has no cause."
)


def causes(events: CodedEvents) -> Ints:
    """The position of the moment that caused each event: the latest earlier moment of its case; -1 where none is.

    A moment, too, has the moment before it here: what is asked of it is which moment led to a hand-over or decision
    that is a moment itself.
    """
    return _latest(events.moment, events, before=True)


def bearers(events: CodedEvents) -> Ints:
    """The position of the moment that bears the cost of each event: a moment bears its own, other work its cause's.

    -1 for work before the first moment of a case. Every event has at most one bearer, so costs add up.
    """
    return _latest(events.moment, events, before=False)


def _latest(marked: Bools, events: CodedEvents, *, before: bool) -> Ints:
    """The latest marked event up to each event (or before it) in its case; -1 where none is."""
    none, index = np.int32(-1), np.arange(events.n_events, dtype=np.int32)  # half the memory, of millions of events
    latest = np.maximum.accumulate(np.where(marked, index, none)) if len(index) else index
    if before:
        latest = np.append(none, latest[:-1]) if len(latest) else latest
    start = events.first.astype(np.int32)[events.case]
    return np.where(latest >= start, latest, none).astype(np.int64)


def nexts(marked: Bools, events: CodedEvents) -> Ints:
    """The first marked event after each event in its case; ``n_events`` where none is."""
    n = events.n_events
    index = np.where(marked, np.arange(n), n)
    following = np.append(np.minimum.accumulate(index[::-1])[::-1], n)[1:] if n else index
    return np.where(following < events.first[1:][events.case], following, n)
