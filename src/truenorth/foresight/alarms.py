"""From risks to alarms: one a case, when its risk first crosses a threshold; what that brings and what it costs.

A case is alarmed at the first of its rows whose risk is at or above the threshold, and never again. So whether a case
is alarmed depends on its highest risk alone, and all thresholds can be judged in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY_US = 86_400_000_000
RATIOS = (2.0, 3.0, 5.0, 10.0)
"""What a failed case costs, in actions."""
CONSTANTS = (0.0, float("inf"))
"""The thresholds of who always acts, and of who never does."""
CHANGE = 2.0
"""To leave a threshold for a constant, or to come back, is booked at what twice as many failures cost at least."""


class Crossings(NamedTuple):
    """One entry a case: its code, its highest risk, whether it failed, how many cases it stands for."""

    case: NDArray[np.int32]
    highest: F64
    failed: Bools
    weight: F64


class Ended(NamedTuple):
    """Cases that have ended: (n,) instants at which they were opened, and at which their end was known."""

    found: Crossings
    opened_us: I64
    ended_us: I64


class Threshold(msgspec.Struct, frozen=True):
    """A threshold with its precision and recall where it was chosen; ``reached``: it is as precise as asked for."""

    risk: float
    precision: float
    recall: float
    reached: bool


class Cost(msgspec.Struct, frozen=True):
    """Mean cost a case when a failed one costs 1 and an action 1 / ``ratio``, beside acting always and never.

    ``cost`` is that of the ``threshold`` as it was chosen; ``followed`` where it gave way to acting always or never
    whenever these were cheaper on the cases that had ended by then (`in_force`).
    """

    ratio: float
    threshold: float
    cost: float
    always: float
    never: float
    followed: float = float("nan")


def crossings(case: NDArray[np.int32], risk: F64, failed: Bools, stands_for: F64 | None = None) -> Crossings:
    """The highest risk of each case of rows (n,); ``stands_for`` (n_cases,) is `split.censoring_weights`, else 1."""
    codes, position = np.unique(case, return_inverse=True)
    highest = np.full(len(codes), -np.inf)
    np.maximum.at(highest, position, risk)
    was = np.zeros(len(codes), bool)
    was[position] = failed
    weight = np.ones(len(codes)) if stands_for is None else np.maximum(stands_for[codes], 1.0)
    return Crossings(codes, highest, was, weight)


def first_crossing_us(case: NDArray[np.int32], time_us: I64, risk: F64, threshold: float, n_cases: int) -> I64:
    """When each of ``n_cases`` cases first crossed the threshold; -1 for never. Rows in any order.

    >>> import numpy as np
    >>> first_crossing_us(np.array([0, 0, 1]), np.array([5, 3, 9]), np.array([0.9, 0.8, 0.1]), 0.5, 2)
    array([ 3, -1])
    """
    over = risk >= threshold
    first = np.full(n_cases, np.iinfo(np.int64).max)
    np.minimum.at(first, case[over], time_us[over])
    return np.where(first == np.iinfo(np.int64).max, -1, first)


def threshold_for(found: Crossings, precision: float) -> Threshold:
    """The lowest threshold at which at least ``precision`` of the alarmed cases fail; where none, the most precise.

    A threshold that alarms fewer than ten cases is not trusted. If none is more precise than to alarm every case, the
    one that alarms the fewest.
    """
    ranked, failed, weight = _ranked(found)
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True]) if len(ranked) else np.zeros(0, np.intp)
    last = last[last + 1 >= min(10, len(ranked))]
    if not len(last) or not failed.any():
        return Threshold(float("inf"), float("nan"), 0.0, False)
    hits = np.cumsum(failed * weight)[last]
    precise, recall = hits / np.cumsum(weight)[last], hits / (failed @ weight)
    enough = np.flatnonzero(precise >= precision)
    i = int(enough[-1]) if len(enough) else int(np.argmax(precise))
    if not len(enough) and i == len(last) - 1:
        i = 0
    return Threshold(float(ranked[last[i]]), float(precise[i]), float(recall[i]), bool(len(enough)))


def cheapest(found: Crossings, ratio: float) -> float:
    """The threshold of least mean cost: 0 = act always, infinity = never.

    The cost model of Teinemaa, Tax, de Leoni, Dumas and Maggi 2018 ("Alarm-based prescriptive process monitoring", BPM
    Forum) with one alarm a case, an action that always helps, and no cost of compensation: an alarmed case costs 1 /
    ``ratio`` whether or not it would have failed, a failed one without alarm costs 1.

    The lowest of many thresholds is low partly by luck. So each half of the cases chooses one that is tried on the
    other half: only where that saves more than its standard error, against the better of the two constants, is there a
    threshold at all; else the constant.
    """
    n, action = len(found.case), 1.0 / ratio
    constant = 0.0 if n and action <= np.average(found.failed, weights=found.weight) else float("inf")
    if n < 2:
        return constant
    half = np.arange(n) % 2 == 0
    saved = np.zeros(n)
    for chosen_on, tried_on in ((half, ~half), (~half, half)):
        tried = Crossings(*(part[tried_on] for part in found))
        threshold = _lowest(Crossings(*(part[chosen_on] for part in found)), action)
        saved[tried_on] = _losses(tried, constant, action) - _losses(tried, threshold, action)
    share = found.weight / found.weight.sum()
    mean = float(share @ saved)
    error = float(np.sqrt(share**2 @ (saved - mean) ** 2))
    return _lowest(found, action) if mean > error else constant


def _lowest(found: Crossings, action: float) -> float:
    """The threshold of least cost on these cases, never alarming any of them included."""
    ranked, failed, weight = _ranked(found)
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    lost = failed * weight
    total = np.cumsum(weight)[last] * action + (lost.sum() - np.cumsum(lost)[last])
    best = int(np.argmin(total))
    return float(ranked[last[best]]) if total[best] < lost.sum() else float("inf")


def mean_cost(found: Crossings, threshold: float, ratio: float, followed: F64 | None = None) -> Cost:
    """What a threshold costs on these cases; NaN where there are none. ``followed``: the one in force at each case."""
    if not len(found.case):
        return Cost(ratio, threshold, *[float("nan")] * 3)
    ways: list[float | F64] = [threshold, *CONSTANTS, *([] if followed is None else [followed])]
    losses = [float(np.average(_losses(found, way, 1.0 / ratio), weights=found.weight)) for way in ways]
    return Cost(ratio, threshold, *losses)


def _losses(found: Crossings, threshold: float | F64, action: float) -> F64:
    alarmed = np.less_equal(threshold, 0.0) | (found.highest >= threshold)
    return np.where(alarmed, action, found.failed.astype(float))


def in_force(threshold: float, ratio: float, past: Ended, since: Ended, at_us: I64) -> F64:
    """The threshold in force at instants (n,): the one that was chosen, or a constant that has become cheaper.

    When to leave what one does for what has been cheaper of late is a metrical task system, and this its work function
    algorithm (Borodin, Linial and Saks 1992, J. ACM 39:745): of all ways to have acted on the cases ``since``, each
    change booked at some cost, the one that costs least says what to do now. No deterministic rule has a better
    competitive ratio. Outcomes may come in batches, so that what is booked must not be too little: it is twice what
    would have been best on the cases of the ``past``, of `CHANGE` failures, twice as many, and so on.

    Cases count when they end, whenever they were opened. Of a steady stream those that end are a fair sample; of those
    opened of late only the quick ones have ended.

    >>> import numpy as np
    >>> n = np.arange(90, dtype=np.int32)
    >>> told = Crossings(n, np.where(n % 2, 0.9, 0.1), n % 2 == 1, np.ones(90))  # what is told comes true
    >>> never = told._replace(failed=np.zeros(90, bool))
    >>> past, since = Ended(told, n, n + 1), Ended(never, 90 + n, 91 + n)
    >>> in_force(0.5, 3.0, past, since, np.array([90, 120, 150]))
    array([0.5, 0.5, inf])
    """
    ways, booked, lost = (threshold, *CONSTANTS), CHANGE, dict[float, float]()
    while True:
        followed = _followed(past, ways, ratio, booked, past.opened_us)
        lost[booked] = float(_losses(past.found, followed, 1.0 / ratio).sum())
        if (followed == threshold).all():
            return _followed(since, ways, ratio, 2.0 * min(lost, key=lost.__getitem__), at_us)
        booked *= 2.0


def _followed(ended: Ended, ways: Sequence[float], ratio: float, booked: float, at_us: I64) -> F64:
    """Which of the ways, the first one at first, is followed at instants (n,), by what has ended before."""
    instants_us, position = np.unique(ended.ended_us, return_inverse=True)
    losses = [np.bincount(position, _losses(ended.found, way, 1.0 / ratio), len(instants_us)) for way in ways]
    work, now, course = [0.0, *[booked] * (len(ways) - 1)], 0, [0]
    for lost in np.column_stack(losses).tolist():
        work = [done + more for done, more in zip(work, lost, strict=True)]
        least = min(work)
        work = [min(done - least, booked) for done in work]
        if work[now] == booked:
            now = work.index(0.0)
        course.append(now)
    in_turn: F64 = np.array(ways)[course]
    return in_turn[np.searchsorted(instants_us, at_us)]


def _ranked(found: Crossings) -> tuple[F64, Bools, F64]:
    order = np.argsort(-found.highest, kind="stable")
    return found.highest[order], found.failed[order], found.weight[order]


def looked_at(case: NDArray[np.int32], time_us: I64, risk: F64, per_day: int) -> NDArray[np.int32]:
    """The cases that a team looks at: each day (UTC) the ``per_day`` of highest risk that it has not seen yet.

    Only rows of that day count, so a case is on the list on days on which something (or a silence) was seen of it.
    """
    day = time_us // DAY_US
    order = np.lexsort((-risk, day))
    seen = np.zeros(int(case.max(initial=-1)) + 1, bool)
    chosen: list[int] = []
    today, left = -1, 0
    for i in order:
        if day[i] != today:
            today, left = day[i], per_day
        if left and not seen[case[i]]:
            seen[case[i]] = True
            chosen.append(int(case[i]))
            left -= 1
    return np.array(chosen, np.int32)
