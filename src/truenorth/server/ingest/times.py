"""Instants as clients send them, and the correction of their clocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from truenorth.logs.times import EARLIEST, EPOCH_UNITS, LATEST
from truenorth.spec.instants import microseconds, parse_instant

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

SMALLEST_EPOCH = 1e8
"""Numbers below this are no instants: the limit that log files have too."""

LEAST_SKEW_US = 5 * SECOND_US
"""A difference between ``sentAt`` and the arrival up to this is the way through the network, not a wrong clock."""

MOST_AHEAD_US = 60 * SECOND_US
"""An event dated later than this after its own ``sentAt`` was not dated by the clock that wrote ``sentAt``."""

INSTANT_FORM = "an instant of the years 1900 to 2199 such as '2026-01-05T09:30:00Z'"


EARLIEST_US = microseconds(EARLIEST)
LATEST_US = microseconds(LATEST)


def instant_us(value: Any) -> int | None:
    """The instant of a JSON value; None where it is none, or lies outside 1900 to 2199.

    ISO 8601 (finer than a microsecond is cut off, no zone is UTC), or a number of seconds, milliseconds, microseconds
    or nanoseconds since 1970, told apart by its size.

    >>> instant_us("2026-01-05T09:30:00.000Z") == instant_us(1767605400) == instant_us(1767605400000)
    True
    >>> instant_us("2020-03-03 13:05:57 UTC")
    1583240757000000
    >>> instant_us("tomorrow") is instant_us(12) is instant_us(None) is None
    True
    """
    if isinstance(value, str):
        us = _of_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        us = _of_number(value)
    else:
        us = None
    return us if us is not None and EARLIEST_US <= us < LATEST_US else None


def _of_text(text: str) -> int | None:
    try:
        return microseconds(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    try:
        return microseconds(parse_instant(text))
    except ValueError:
        return None


def _of_number(number: float) -> int | None:
    size = abs(number)
    if not SMALLEST_EPOCH <= size < 1e20:
        return None
    for _, limit, factor in EPOCH_UNITS:
        if size < limit:
            return round(number * factor)
    return round(number / 1_000)


def corrected_us(time_us: int, sent_us: int | None, received_us: int) -> int:
    """When an event happened by our clock, given when its sender's clock says it happened and was sent.

    ``time + (received - sent)``, unless sender and arrival differ by less than five seconds or the event is dated more
    than a minute after it was sent, or the result lies outside 1900 to 2199. All three in microseconds.

    >>> corrected_us(1_000_000, 61_000_000, 3_661_000_000)   # an hour slow
    3601000000
    >>> corrected_us(1_000_000, 61_000_000, 61_900_000)      # 0.9 s on the way
    1000000
    """
    if sent_us is None or abs(received_us - sent_us) <= LEAST_SKEW_US or time_us > sent_us + MOST_AHEAD_US:
        return time_us
    ours_us = time_us + received_us - sent_us
    return ours_us if EARLIEST_US <= ours_us < LATEST_US else time_us
