"""At which instants a case is looked at to learn from it: at its events, and in the silences between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from truenorth.foresight.encoding import Instants
from truenorth.foresight.histories import Histories
from truenorth.spec.durations import HOUR_US

I64 = NDArray[np.int64]

FIRST_SILENCE_US = HOUR_US
SILENCE_GROWS = 4
"""A silence is looked at after one hour, 4, 16 ... as long as it lasts, so that neither short nor long ones count for
most, and whenever a promise passes its deadline."""
MOST_IN_SILENCE = 12
"""Looks at one silence; deadlines beyond that are left out."""


def instants(histories: Histories, until_us: I64, end_event: I64, *, in_silence: bool) -> Instants:
    """The instants of all cases, in order.

    A case is looked at before ``until_us`` (n_cases,) only, and as long as it has no more than ``end_event`` (n_cases,)
    events.
    """
    asked = (histories.starts, histories.time_us, histories.instance_starts, histories.instances, until_us, end_event)
    n = _instants(*asked, in_silence, np.empty((0, 4), np.int64))
    found = np.empty((n, 4), np.int64)
    _instants(*asked, in_silence, found)
    case, prefix = (np.ascontiguousarray(found[:, column]).astype(np.int32) for column in (0, 1))
    return Instants(case, prefix, np.ascontiguousarray(found[:, 2]), found[:, 3] == 1)


@njit(cache=True, nogil=True)
def _instants(
    starts: I64,
    time_us: I64,
    instance_starts: I64,
    instances: Any,
    until_us: I64,
    end_event: I64,
    silence: bool,
    out: I64,
) -> int:
    """Case, events seen, instant and whether it is an event's; counts only where there is no room in ``out``."""
    looks = np.empty(MOST_IN_SILENCE, np.int64)
    n = 0
    for case in range(len(starts) - 1):
        n_events = min(starts[case + 1] - starts[case], end_event[case])
        for k in range(n_events):
            now_us = time_us[starts[case] + k]
            if now_us >= until_us[case]:
                break
            if n < len(out):
                out[n, 0], out[n, 1], out[n, 2], out[n, 3] = case, k + 1, now_us, 1
            n += 1
            is_last = starts[case] + k + 1 == starts[case + 1]
            to_us = until_us[case] if is_last else min(until_us[case], time_us[starts[case] + k + 1])
            if not silence or to_us <= now_us:
                continue
            mine = instances[instance_starts[case] : instance_starts[case + 1]]
            for us in _looks(now_us, to_us, mine, looks):
                if n < len(out):
                    out[n, 0], out[n, 1], out[n, 2], out[n, 3] = case, k + 1, us, 0
                n += 1
    return n


@njit(cache=True, nogil=True)
def _looks(now_us: int, to_us: int, instances: Any, looks: I64) -> I64:
    """The instants at which a silence is looked at, in order."""
    n, wait_us = 0, FIRST_SILENCE_US
    while n < len(looks) and now_us + wait_us < to_us:
        looks[n] = now_us + wait_us
        wait_us *= SILENCE_GROWS
        n += 1
    for one in instances:
        if n < len(looks) and one.by_event < 0 and one.decided_us == one.due_us and now_us < one.due_us < to_us:
            looks[n] = one.due_us
            n += 1
    looks[:n].sort()
    return looks[:n]
