"""Clocks on walls: the hour and weekday of an instant in a zone, and the open time of a calendar up to an instant."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.spec.durations import DAY_US
from truenorth.spec.model import Calendar
from truenorth.spec.openings import open_intervals, stretches

I64 = NDArray[np.int64]

PERIOD_US = 366 * DAY_US
"""Zones and calendars are laid out for whole periods, and those are kept."""
MOST_PERIODS = 100
"""A calendar is not laid out further ahead than this; what lies beyond counts as closed."""


class Opening(NamedTuple):
    """Open intervals of a calendar, and the open time before each."""

    opens: I64
    closes: I64
    before_us: I64


def _span(first_us: int, last_us: int) -> tuple[int, int]:
    """Whole periods around two instants."""
    first = first_us // PERIOD_US
    return first, min(last_us // PERIOD_US + 1, first + MOST_PERIODS)


@lru_cache(maxsize=64)
def _offsets(zone: str, first: int, end: int) -> tuple[I64, I64]:
    found = list(stretches(zone, first * PERIOD_US, end * PERIOD_US))
    return np.array([one[0] for one in found]), np.array([one[2] for one in found])


def local_us(zone: str, time_us: I64) -> I64:
    """Microseconds on the wall clock of a zone."""
    if zone == "UTC" or not len(time_us):
        return time_us
    starts, offsets = _offsets(zone, *_span(int(time_us.min()), int(time_us.max())))
    return time_us + offsets[np.searchsorted(starts, time_us, side="right") - 1]


@lru_cache(maxsize=64)
def _opening(calendar: Calendar, first: int, end: int) -> Opening:
    intervals = np.array(open_intervals(calendar, first * PERIOD_US, end * PERIOD_US), np.int64).reshape(-1, 2)
    opens, closes = np.ascontiguousarray(intervals[:, 0]), np.ascontiguousarray(intervals[:, 1])
    before_us = np.zeros(len(opens) + 1, np.int64)
    np.cumsum(closes - opens, out=before_us[1:])
    return Opening(opens, closes, before_us)


def opening(calendar: Calendar, first_us: int, last_us: int) -> Opening:
    """The open intervals of a calendar in whole periods around two instants."""
    return _opening(calendar, *_span(first_us, last_us))


def open_before(hours: Opening, time_us: I64) -> I64:
    """Open microseconds from the beginning of the intervals to each instant."""
    n = np.searchsorted(hours.opens, time_us, side="right")
    last = np.maximum(n - 1, 0)
    if not len(hours.opens):
        return np.zeros(len(time_us), np.int64)
    inside = np.minimum(time_us, hours.closes[last]) - hours.opens[last]
    return np.where(n > 0, hours.before_us[last] + inside, 0)


def open_between(calendar: Calendar, from_us: I64, to_us: I64) -> I64:
    """Open microseconds between instants, (n,) each; negative where the second is earlier."""
    if not len(from_us):
        return np.zeros(0, np.int64)
    hours = opening(calendar, int(min(from_us.min(), to_us.min())), int(max(from_us.max(), to_us.max())))
    return open_before(hours, to_us) - open_before(hours, from_us)


def after_open(calendar: Calendar, from_us: I64, open_us: int) -> I64:
    """The instants at which so much open time has passed since others; far away where it never does."""
    if not len(from_us):
        return np.zeros(0, np.int64)
    last_us = int(from_us.max()) + 8 * max(open_us, 14 * DAY_US)
    hours = opening(calendar, int(from_us.min()), last_us)
    wanted = open_before(hours, from_us) + open_us
    n = np.clip(np.searchsorted(hours.before_us, wanted) - 1, 0, max(len(hours.opens) - 1, 0))
    if not len(hours.opens):
        return np.full(len(from_us), last_us, np.int64)
    return hours.opens[n] + wanted - hours.before_us[n]
