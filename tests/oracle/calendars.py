"""Durations and calendars: when is a deadline?

An instant is open when its local time lies in the hours of its weekday and its local date is no holiday. A UTC
day is cut where the zone's offset changes; within each piece local time is UTC plus a constant, and hours are cut
to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
DAY_US = 24 * 60 * MINUTE_US
UNITS_US = {"s": SECOND_US, "m": MINUTE_US, "h": 60 * MINUTE_US, "d": DAY_US, "w": 7 * DAY_US}
FARTHEST_US = 36_525 * DAY_US  # 100 years
EPOCH_DAY = date(1970, 1, 1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Interval = tuple[int, int]  # half-open, microseconds


def duration_us(text: str) -> int:
    """Microseconds of a duration such as `90s`, `4h` or `1d12h`."""
    parts = re.findall(r"(\d+)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"no duration: {text!r}")
    return sum(int(number) * UNITS_US[unit] for number, unit in parts)


@dataclass
class Calendar:
    """Opening hours: per weekday (0 = Monday) intervals since local midnight; an end may pass the next one."""

    zone: ZoneInfo
    hours: dict[int, list[Interval]]
    holidays: set[date]
    opened: dict[int, list[Interval]] = field(default_factory=dict)  # by UTC day, once known

    def deadline(self, start_us: int, length_us: int) -> int | None:
        """Earliest instant by which `length_us` of open time has passed; None when over 100 years away."""
        left = length_us
        first_day = start_us // DAY_US
        for day in range(first_day, first_day + FARTHEST_US // DAY_US + 2):
            for opens, end in self.open_on(day):
                begin = max(opens, start_us)
                if end - begin >= left:
                    due = begin + left
                    return due if due - start_us <= FARTHEST_US else None
                left -= max(end - begin, 0)
        return None

    def open_on(self, utc_day: int) -> list[Interval]:
        """Open intervals within one UTC day."""
        if utc_day not in self.opened:
            self.opened[utc_day] = merged(
                [interval for piece in self.pieces(utc_day) for interval in self.open_in(*piece)]
            )
        return self.opened[utc_day]

    def pieces(self, utc_day: int) -> list[tuple[int, int, int]]:
        """The UTC day as (begin, end, offset of local time); at most one change of clocks falls on a day."""
        begin, end = utc_day * DAY_US, (utc_day + 1) * DAY_US
        before, after = self.offset_us(begin), self.offset_us(end - SECOND_US)
        if before == after:
            return [(begin, end, before)]
        low, high = begin, end  # before the change, after it
        while high - low > SECOND_US:
            middle = (low + high) // 2 // SECOND_US * SECOND_US
            low, high = (middle, high) if self.offset_us(middle) == before else (low, middle)
        return [(begin, high, before), (high, end, after)]

    def offset_us(self, instant_us: int) -> int:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_us)
        offset = moment.astimezone(self.zone).utcoffset()
        assert offset is not None
        return offset // timedelta(microseconds=1)

    def open_in(self, begin: int, end: int, offset: int) -> list[Interval]:
        """Open intervals in a stretch of UTC time on which the offset is constant."""
        found = []
        first, last = (begin + offset) // DAY_US, (end + offset) // DAY_US
        for local_day in range(first - 1, last + 1):  # hours of the day before may pass midnight
            for opens, closes in self.hours_of(EPOCH_DAY + timedelta(days=local_day)):
                midnight = local_day * DAY_US - offset
                cut = max(begin, midnight + opens), min(end, midnight + closes)
                if cut[0] < cut[1]:
                    found.append(cut)
        return found

    def hours_of(self, day: date) -> list[Interval]:
        return [] if day in self.holidays else self.hours.get(day.weekday(), [])


def merged(intervals: list[Interval]) -> list[Interval]:
    """The same instants as ordered intervals that do not overlap."""
    result: list[Interval] = []
    for begin, end in sorted(intervals):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result


def calendar(spec: dict[str, Any]) -> Calendar:
    """Read one entry of `calendars`."""
    hours: dict[int, list[Interval]] = {}
    for days, text in spec.get("hours", {}).items():
        for weekday in weekdays(days):
            hours.setdefault(weekday, []).extend(day_hours(text))
    holidays = {day if isinstance(day, date) else date.fromisoformat(day) for day in spec.get("holidays", [])}
    return Calendar(ZoneInfo(spec.get("timezone", "UTC")), hours, holidays)


def weekdays(text: str) -> list[int]:
    """`mon-fri`, `sat`, `mon,wed`; a range may pass Sunday."""
    found = []
    for part in text.replace(" ", "").lower().split(","):
        first, _, last = part.partition("-")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
    return found


def day_hours(text: str | list[str]) -> list[Interval]:
    """`09:00-18:00`, several by comma or in a list; an end at or before its begin is on the next day."""
    found = []
    for part in ",".join([text] if isinstance(text, str) else text).replace(" ", "").split(","):
        opens, closes = (clock_us(end) for end in part.split("-"))
        found.append((opens, closes if closes > opens else closes + DAY_US))
    return found


def clock_us(text: str) -> int:
    hour, minute = text.split(":")
    return (int(hour) * 60 + int(minute)) * MINUTE_US
