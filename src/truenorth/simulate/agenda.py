"""What happens next: a binary heap of entries, by time, then as they were pushed. Compiled."""

from __future__ import annotations

import numpy as np

from truenorth.simulate import records as r
from truenorth.simulate.causal import compiled

BUILT_ON = "8e9c40c5263a"
"""Digest of the files whose code is compiled into this one's: where they change, no cache of this one stays."""


@compiled
def before(a, b):
    """Whether an entry comes before another: by time, then as they were pushed."""
    return a.time_us < b.time_us or (a.time_us == b.time_us and a.sequence < b.sequence)


@compiled
def push(state, time_us, kind, who, argument):
    """Let something happen at an instant."""
    heap, at = state.heap, state.n[r.N_HEAP]
    state.n[r.N_HEAP] += 1
    state.n[r.N_SEQUENCE] += 1
    new = heap[len(heap) - 1]  # a spare place
    new.time_us, new.sequence, new.kind, new.who, new.argument = time_us, state.n[r.N_SEQUENCE], kind, who, argument
    while at > 0 and before(new, heap[(at - 1) // 2]):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = new


@compiled
def pop(state):
    """Take the first entry off."""
    heap = state.heap
    state.n[r.N_HEAP] -= 1
    n = state.n[r.N_HEAP]
    last, at, child = heap[n], 0, 1
    while child < n:
        if child + 1 < n and before(heap[child + 1], heap[child]):
            child += 1
        if not before(heap[child], last):
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = last


@compiled
def at_daytime(time_us, luck):
    """The instant itself from 8 to 20 h; else in the hour after 8 that comes next."""
    of_day_us = time_us % r.DAY_US
    if of_day_us < 8 * r.HOUR_US:
        return time_us - of_day_us + np.int64((8.0 + luck) * r.HOUR_US)
    if of_day_us >= 20 * r.HOUR_US:
        return time_us - of_day_us + r.DAY_US + np.int64((8.0 + luck) * r.HOUR_US)
    return time_us
