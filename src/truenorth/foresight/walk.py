"""The features that a case gives by itself: compiled walks along its events, once for training and live.

Each walk fills the columns of one block, for rows sorted by case and, within a case, by the number of events seen
(``prefix``). It reads events before ``start + prefix`` only, and promises as they were known then. Sums are taken from
the case's first event on, so a row is the same bit by bit whatever other rows are asked for.

Time is in hours, NaN where there is none. The arrays' meaning is that of `truenorth.foresight.histories.Histories`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

HOUR_US = 3_600_000_000.0
NEVER = np.int64(2**63 - 1)
MOMENT, DECISION, HANDOVER, RESOLVES, REOPENS = 1, 2, 4, 8, 16  # as in histories; the cache is kept by this file
UNKNOWN = -1
KEPT, BROKEN = 1, 2

N_COURSE = 13
"""Columns of `course`."""
N_FLAGGED = 8
"""Columns of `flagged`."""
RESOLVED = 5
"""That of `flagged` which tells whether a case is resolved."""
N_PROMISES = 6
"""Columns of `promises` for all of them."""
N_TERM = 6
"""Columns of `promises` for each."""


@njit(cache=True, nogil=True)
def seen(starts: I64, time_us: I64, at_us: I64) -> I32:
    """How many events each case has until an instant, (n_cases,)."""
    prefix = np.zeros(len(at_us), np.int32)
    for i in range(len(at_us)):
        low, high = starts[i], starts[i + 1]
        while low < high:
            middle = (low + high) // 2
            if time_us[middle] <= at_us[i]:
                low = middle + 1
            else:
                high = middle
        prefix[i] = low - starts[i]
    return prefix


@njit(cache=True, nogil=True)
def course(
    starts: I64, time_us: I64, type_: I32, owner: I32, case: I32, prefix: I32, at_us: I64, n_kinds: Any, out: F32
) -> None:
    """How far the case is: numbers of events, types, owners; times since; gaps; repeats."""
    seen_type = np.full(n_kinds[0] + 1, -1, np.int64)
    seen_owner = np.full(n_kinds[1] + 1, -1, np.int64)
    n_types = n_owners = n_changes = n_same = k = 0
    longest, last_gap, total_gap = 0.0, np.nan, 0.0
    previous = -1
    for i in range(len(case)):
        first = starts[case[i]]
        if case[i] != previous:
            n_types = n_owners = n_changes = n_same = k = 0
            longest, last_gap, total_gap = 0.0, np.nan, 0.0
            previous = case[i]
        while k < prefix[i]:
            e = first + k
            if seen_type[type_[e]] != case[i]:
                seen_type[type_[e]] = case[i]
                n_types += 1
            if owner[e] >= 0 and seen_owner[owner[e]] != case[i]:
                seen_owner[owner[e]] = case[i]
                n_owners += 1
            if k > 0:
                last_gap = (time_us[e] - time_us[e - 1]) / HOUR_US
                total_gap += last_gap
                longest = max(longest, last_gap)
                n_same = n_same + 1 if type_[e] == type_[e - 1] else 0
                if owner[e] != owner[e - 1] and owner[e - 1] >= 0:
                    n_changes += 1
            k += 1
        e = first + k - 1
        out[i, 0] = k
        out[i, 1] = n_types
        out[i, 2] = n_owners
        out[i, 3] = n_changes
        out[i, 4] = n_same
        out[i, 5] = (at_us[i] - time_us[first]) / HOUR_US
        out[i, 6] = (at_us[i] - time_us[e]) / HOUR_US
        out[i, 7] = last_gap
        out[i, 8] = total_gap / (k - 1) if k > 1 else np.nan
        out[i, 9] = longest if k > 1 else np.nan
        out[i, 10] = type_[e] if type_[e] >= 0 else np.nan
        out[i, 11] = type_[e - 1] if k > 1 and type_[e - 1] >= 0 else np.nan
        out[i, 12] = type_[e - 2] if k > 2 and type_[e - 2] >= 0 else np.nan


@njit(cache=True, nogil=True)
def types(starts: I64, time_us: I64, type_: I32, case: I32, prefix: I32, at_us: I64, n_types: int, out: F32) -> None:
    """By type (the last is for all that have no column): how often it has come, hours since it last came, hours the
    case has stood at it in all.
    """
    count = np.zeros(n_types, np.int64)
    stood_us = np.zeros(n_types, np.int64)
    last_us = np.zeros(n_types, np.int64)
    previous, k = -1, 0
    for i in range(len(case)):
        first = starts[case[i]]
        if case[i] != previous:
            count[:] = 0
            stood_us[:] = 0
            previous, k = case[i], 0
        while k < prefix[i]:
            of = type_[first + k]
            if of >= 0:
                count[of] += 1
                last_us[of] = time_us[first + k]
            if k > 0 and type_[first + k - 1] >= 0:
                stood_us[type_[first + k - 1]] += time_us[first + k] - time_us[first + k - 1]
            k += 1
        now, standing_us = type_[first + k - 1], at_us[i] - time_us[first + k - 1]
        for of in range(n_types):
            out[i, 3 * of] = count[of]
            out[i, 3 * of + 1] = (at_us[i] - last_us[of]) / HOUR_US if count[of] else np.nan
            out[i, 3 * of + 2] = (stood_us[of] + (standing_us if of == now else 0)) / HOUR_US


@njit(cache=True, nogil=True)
def flagged(starts: I64, time_us: I64, flags: Any, case: I32, prefix: I32, at_us: I64, out: F32) -> None:
    """What the journey calls the events: moments, decisions, hand-overs, internal work; resolved, reopened."""
    n_moments = n_decisions = n_internal = n_handovers = n_reopened = k = 0
    resolved, moment_us, previous = False, NEVER, -1
    for i in range(len(case)):
        first = starts[case[i]]
        if case[i] != previous:
            n_moments = n_decisions = n_internal = n_handovers = n_reopened = k = 0
            resolved, moment_us, previous = False, NEVER, case[i]
        while k < prefix[i]:
            bits = flags[first + k]
            if bits & MOMENT:
                n_moments += 1
                moment_us = time_us[first + k]
            if bits & DECISION:
                n_decisions += 1
            if not bits & (MOMENT | DECISION):
                n_internal += 1
            if bits & HANDOVER:
                n_handovers += 1
            if resolved and bits & REOPENS:
                resolved = False
                n_reopened += 1
            elif bits & RESOLVES:
                resolved = True
            k += 1
        out[i, 0] = n_moments
        out[i, 1] = n_decisions
        out[i, 2] = n_internal
        out[i, 3] = n_handovers
        out[i, 4] = n_reopened
        out[i, RESOLVED] = resolved
        out[i, 6] = (at_us[i] - moment_us) / HOUR_US if moment_us != NEVER else np.nan
        out[i, 7] = n_handovers / n_moments if n_moments else np.nan


@njit(cache=True, nogil=True)
def promises(
    starts: I64, instances: Any, case: I32, prefix: I32, at_us: I64, at_event: Any, n_terms: int, due_us: I64, out: F32
) -> None:
    """How each promise stands. ``due_us`` (n, n_terms) is told when the active instance falls due, NEVER if none.

    What an event decides is known with that event; what a deadline decides, once it has passed: at an event, deadlines
    of the same instant have not.
    """
    for i in range(len(case)):
        for p in range(n_terms):
            at = N_PROMISES + N_TERM * p
            out[i, at], out[i, at + 1], out[i, at + 2], out[i, at + 3] = 0, np.nan, 0, 0
            out[i, at + 4], out[i, at + 5] = np.nan, np.nan
            due_us[i, p] = NEVER
        n_active = n_kept = n_broken = n_timed = 0
        next_due, broken_us = NEVER, NEVER
        for j in range(starts[case[i]], starts[case[i] + 1]):
            one = instances[j]
            if one.from_event >= prefix[i]:
                continue
            if one.by_event >= 0:
                decided = one.by_event < prefix[i]
            else:
                decided = one.decided_us < at_us[i] or (one.decided_us == at_us[i] and not at_event[i])
            at = N_PROMISES + N_TERM * one.promise
            if not decided:
                n_active += 1
                out[i, at] = 1
                out[i, at + 5] = (at_us[i] - one.started_us) / HOUR_US
                if one.due_us != NEVER:
                    n_timed += 1
                    next_due = min(next_due, one.due_us)
                    due_us[i, one.promise] = one.due_us
                    out[i, at + 1] = (one.due_us - at_us[i]) / HOUR_US
            elif one.verdict == KEPT:
                n_kept += 1
                out[i, at + 2] += 1
            elif one.verdict == BROKEN:
                n_broken += 1
                out[i, at + 3] += 1
                broken_us = one.decided_us
                out[i, at + 4] = (at_us[i] - one.decided_us) / HOUR_US
        out[i, 0] = n_active
        out[i, 1] = n_timed
        out[i, 2] = n_kept
        out[i, 3] = n_broken
        out[i, 4] = (next_due - at_us[i]) / HOUR_US if next_due != NEVER else np.nan
        out[i, 5] = (at_us[i] - broken_us) / HOUR_US if broken_us != NEVER else np.nan


@njit(cache=True, nogil=True)
def clock(wall_us: I64, out: F32) -> None:
    """Hour and weekday on the wall clock, and both as points on a circle."""
    day_us = 24 * HOUR_US
    for i in range(len(wall_us)):
        day = wall_us[i] % day_us / day_us
        week = (wall_us[i] + 3 * day_us) % (7 * day_us) / (7 * day_us)  # 1970 began on a Thursday
        out[i, 0] = 24 * day
        out[i, 1] = np.floor(7 * week)
        out[i, 2] = np.sin(2 * np.pi * day)
        out[i, 3] = np.cos(2 * np.pi * day)
        out[i, 4] = np.sin(2 * np.pi * week)
        out[i, 5] = np.cos(2 * np.pi * week)


@njit(cache=True, nogil=True)
def number(starts: I64, values: F64, case: I32, prefix: I32, of_case: bool, out: F32) -> None:
    """One numeric attribute: the last value; of events also the first, least, largest, mean and sum."""
    n, k, previous = 0, 0, -1
    last = first_value = least = largest = np.nan
    total = 0.0
    for i in range(len(case)):
        if case[i] != previous:
            n, k, previous = 0, 0, case[i]
            last = first_value = least = largest = np.nan
            total = 0.0
        while k < prefix[i]:
            value = values[starts[case[i]] + k]
            if not np.isnan(value):
                n += 1
                last = value
                total += value
                if n == 1:
                    first_value = least = largest = value
                least, largest = min(least, value), max(largest, value)
            k += 1
        out[i, 0] = last
        if not of_case:
            out[i, 1] = first_value
            out[i, 2] = least
            out[i, 3] = largest
            out[i, 4] = total / n if n else np.nan
            out[i, 5] = total if n else np.nan


@njit(cache=True, nogil=True)
def category(starts: I64, code: I32, case: I32, prefix: I32, of_case: bool, n_values: int, out: F32) -> None:
    """One attribute of categories: the last value; of events also the first, how many different ones came, and how
    often each of the first few of them did, as far as there are columns.
    """
    count = np.zeros(n_values, np.int64)
    n, k, previous = 0, 0, -1
    last = first_value = UNKNOWN
    for i in range(len(case)):
        if case[i] != previous:
            n, k, previous = 0, 0, case[i]
            last = first_value = UNKNOWN
            count[:] = 0
        while k < prefix[i]:
            value = code[starts[case[i]] + k]
            if value >= 0:
                last = value
                if first_value < 0:
                    first_value = value
                n += count[value] == 0
                count[value] += 1
            k += 1
        out[i, 0] = last if last >= 0 else np.nan
        if not of_case:
            out[i, 1] = first_value if first_value >= 0 else np.nan
            out[i, 2] = n
            for value in range(out.shape[1] - 3):
                out[i, 3 + value] = count[value]


@njit(cache=True, nogil=True)
def earlier_cases(starts: I64, earlier: Any, case: I32, at_us: I64, out: F32) -> None:
    """The customer's earlier cases that had closed: how many, how many well or badly, the last end, days since."""
    for i in range(len(case)):
        n = n_good = n_bad = 0
        last, last_us = np.nan, NEVER
        for j in range(starts[case[i]], starts[case[i] + 1]):
            one = earlier[j]
            if one.closed_us >= at_us[i]:
                break
            n += 1
            n_good += one.ended == 0
            n_bad += one.ended == 1
            last, last_us = float(one.ended), one.closed_us
        out[i, 0] = n
        out[i, 1] = n_good
        out[i, 2] = n_bad
        out[i, 3] = last if last >= 0 else np.nan
        out[i, 4] = (at_us[i] - last_us) / (24 * HOUR_US) if last_us != NEVER else np.nan
