"""When a calendar is open, in UTC.

An instant is open when the clock on the wall shows an open time of its day. Between two changes of a zone's offset
the wall clock runs evenly, so each such stretch is the week's plan shifted by one offset; the changes are found by
probing and halving, whatever their size.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from truenorth.spec.durations import DAY_US, SECOND_US, UNITS_US
from truenorth.spec.model import Calendar

MINUTE_US = UNITS_US["m"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIRST_S = int((datetime(1, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds())
_LAST_S = int((datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH).total_seconds())
_PROBE_S = 6 * 3_600
"""A zone is looked at this often; two changes that undo each other in between would go unseen (none ever did)."""


def open_intervals(calendar: Calendar, first_us: int, last_us: int) -> list[tuple[int, int]]:
    """The open parts of ``[first_us, last_us)``: half-open, UTC microseconds, sorted, disjoint, none touching.

    >>> from truenorth.spec.model import Calendar
    >>> office = Calendar(name="office", hours=(((540, 1080),),) * 5 + ((), ()))
    >>> [(start // 3_600_000_000, end // 3_600_000_000) for start, end in open_intervals(office, 0, 2 * 86_400_000_000)]
    [(9, 18), (33, 42)]
    """
    if last_us <= first_us:
        return []
    merged: list[tuple[int, int]] = []
    for start_us, end_us in _pieces(calendar, first_us, last_us):
        if merged and start_us <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_us, merged[-1][1]))
        else:
            merged.append((start_us, end_us))
    return merged


def _pieces(calendar: Calendar, first_us: int, last_us: int) -> Iterator[tuple[int, int]]:
    """Open pieces in order of their start; some may touch or overlap."""
    holidays = frozenset(day.toordinal() - _EPOCH_DAY for day in calendar.holidays)
    for from_us, to_us, offset_us in stretches(calendar.timezone, first_us, last_us):
        for local_start_us, local_end_us in _local_hours(calendar, holidays, from_us + offset_us, to_us + offset_us):
            start_us, end_us = max(local_start_us - offset_us, from_us), min(local_end_us - offset_us, to_us)
            if start_us < end_us:
                yield start_us, end_us


def _local_hours(
    calendar: Calendar, holidays: frozenset[int], first_us: int, last_us: int
) -> Iterator[tuple[int, int]]:
    """The opening hours of local days that reach into ``[first_us, last_us)``, in local microseconds since 1970."""
    for day in range(first_us // DAY_US - 1, (last_us - 1) // DAY_US + 1):
        if day in holidays:
            continue
        midnight_us = day * DAY_US
        for start, end in sorted(calendar.hours[(day + 3) % 7]):
            yield midnight_us + start * MINUTE_US, midnight_us + end * MINUTE_US


def stretches(timezone: str, first_us: int, last_us: int) -> Iterator[tuple[int, int, int]]:
    """``[first_us, last_us)`` cut where a zone's offset from UTC changes: start, end and offset, in microseconds.

    >>> list(stretches("UTC", 0, 5))
    [(0, 5, 0)]
    """
    zone = ZoneInfo(timezone)
    start_us, offset_s = first_us, _offset_s(zone, first_us // SECOND_US)
    probe_s, end_s = first_us // SECOND_US, -(-last_us // SECOND_US)
    while probe_s < end_s:
        next_s = min(probe_s + _PROBE_S, end_s)
        next_offset_s = _offset_s(zone, next_s)
        if next_offset_s == offset_s:
            probe_s = next_s
            continue
        probe_s = _change(zone, probe_s, next_s, offset_s)
        change_us = min(probe_s * SECOND_US, last_us)
        yield start_us, change_us, offset_s * SECOND_US
        start_us, offset_s = change_us, _offset_s(zone, probe_s)
    if start_us < last_us:
        yield start_us, last_us, offset_s * SECOND_US


def _change(zone: ZoneInfo, before_s: int, after_s: int, offset_s: int) -> int:
    """The first second of ``(before_s, after_s]`` at which the offset is no longer ``offset_s``."""
    while after_s - before_s > 1:
        middle_s = (before_s + after_s) // 2
        if _offset_s(zone, middle_s) == offset_s:
            before_s = middle_s
        else:
            after_s = middle_s
    return after_s


def _offset_s(zone: ZoneInfo, second: int) -> int:
    """Seconds ahead of UTC at a second since 1970; outside the years 1 to 9999 as at their ends."""
    instant = _EPOCH + timedelta(seconds=min(max(second, _FIRST_S), _LAST_S))
    offset = instant.astimezone(zone).utcoffset() or timedelta()
    return offset.days * 86_400 + offset.seconds
