"""Events brought into the order of the step, and what it writes into the order of the result."""

from __future__ import annotations

from concurrent.futures import Executor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from truenorth.engine import kernel

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

N_PARTS = 2
"""Events are placed in so many parts at once; each part reads all keys."""


class Columns(NamedTuple):
    """Events in arrival order, as numbers. An empty ``team`` or ``customer`` stands for nothing but nulls."""

    time_us: I64
    key: I32  # code, or -1 for an event without a key
    row: I32
    team: I32
    customer: I32
    amounts: NDArray[np.float64]  # (n_amounts, n_events), no NaN


@njit(cache=True, nogil=True)
def _starts(key: I32, n_keys: int) -> I64:
    """Where the events of each key begin once they are sorted by key."""
    starts = np.zeros(n_keys + 1, np.int64)
    for i in range(len(key)):
        if key[i] >= 0:
            starts[key[i] + 1] += 1
    for k in range(n_keys):
        starts[k + 1] += starts[k]
    return starts


@njit(cache=True, nogil=True)
def _place(
    columns: Any, order: I64, starts: I64, first_key: int, end_key: int, log: Any, amounts: NDArray[np.float64]
) -> bool:
    """Copy the events of some keys to their places; true if each key's events came out in order of time."""
    time_us, key, row, team, customer, unsorted = columns
    free = starts[:-1].copy()
    in_order = True
    for i in range(len(key)):
        e = order[i] if len(order) else i
        if key[e] < first_key or key[e] >= end_key:
            continue
        at = free[key[e]]
        free[key[e]] += 1
        event = log[at]
        event.time_us = time_us[e]
        event.index = e
        event.row = row[e]
        event.team = team[e] if len(team) else kernel.NOTHING
        event.customer = customer[e] if len(customer) else kernel.NOTHING
        for a in range(len(amounts)):
            amounts[a, at] = unsorted[a, e]
        in_order &= at == starts[key[e]] or log[at - 1].time_us <= time_us[e]
    return in_order


def by_case(columns: Columns, n_keys: int, pool: Executor) -> tuple[kernel.Events, I64]:
    """Sort events by key, then time, then arrival.

    Returns the sorted events and where each key's events begin, (n_keys + 1,). Events without a key are left out.
    """
    starts = _starts(columns.key, n_keys)
    log = np.empty(starts[-1], kernel.EVENT)
    amounts = np.empty((len(columns.amounts), starts[-1]))
    cuts = np.searchsorted(starts, np.linspace(0, starts[-1], N_PARTS + 1).astype(np.int64))
    cuts[-1] = n_keys

    def place(order: I64) -> bool:
        def part(span: tuple[int, int]) -> bool:
            return bool(_place(columns, order, starts, span[0], span[1], log, amounts))

        return all(list(pool.map(part, pairwise(cuts.tolist()))))

    if not place(np.empty(0, np.int64)):
        place(np.argsort(columns.time_us, kind="stable"))
    return kernel.Events(log, amounts), starts


@njit(cache=True, nogil=True)
def _sort_verdicts(verdicts: Any, n_promises: int, out: Any) -> None:
    """Within each episode, by promise, then instance; episodes stay as they come."""
    n_before = np.zeros(n_promises + 1, np.int64)
    first = 0
    while first < len(verdicts):
        key, episode = verdicts[first].key, verdicts[first].episode
        n_before[:] = 0
        end = first
        while end < len(verdicts) and verdicts[end].key == key and verdicts[end].episode == episode:
            n_before[verdicts[end].promise + 1] += 1
            end += 1
        for p in range(n_promises):
            n_before[p + 1] += n_before[p]
        for i in range(first, end):
            p = verdicts[i].promise
            out[first + n_before[p]] = verdicts[i]
            n_before[p] += 1
        first = end


def by_promise(verdicts: NDArray[np.void], n_promises: int) -> NDArray[np.void]:
    """A copy of verdicts (`kernel.VERDICT`), which come by case in order of decision, by case, promise and instance."""
    out = np.empty(len(verdicts), kernel.VERDICT)
    _sort_verdicts(verdicts, n_promises, out)
    return out
