"""Calendars as a journey file writes them: opening hours by weekday, a time zone, holidays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from truenorth.spec.document import Element, Listing, Scalar, Table, element_of
from truenorth.spec.model import Calendar
from truenorth.spec.openings import open_intervals
from truenorth.spec.problems import Problem, closest, did_you_mean
from truenorth.spec.readers import Reader, Reading, child_path, read_date, read_row

__all__ = ["open_intervals", "parse_calendar", "read_calendar"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAY_MINUTES = 24 * 60

_DAYS_FORM = "days such as 'mon', 'mon-fri' or 'mon,wed'"
_HOURS_FORM = "hours such as '09:00-18:00' or '09:00-12:00, 13:00-18:00'"
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")

Interval = tuple[int, int]


def parse_calendar(name: str, mapping: Mapping[str, Any]) -> tuple[Calendar | None, list[Problem]]:
    """The calendar that a mapping describes, and what is wrong with it; None where anything is.

    >>> calendar, problems = parse_calendar("office", {"timezone": "Europe/Rome", "hours": {"mon-fri": "09:00-18:00"}})
    >>> calendar.hours[0], calendar.hours[6], problems
    (((540, 1080),), (), [])
    """
    reading = Reading()
    calendar = read_calendar(reading, element_of(mapping), child_path("$.calendars", name), name)
    return (None if reading.has_errors() else calendar), reading.problems


def read_calendar(reading: Reading, element: Element, path: str, name: str) -> Calendar | None:
    """The calendar of an element, as far as it can be read."""
    row = read_row(reading, element, path, CALENDAR_KEYS, required=("hours",))
    if row is None or "hours" not in row.values:
        return None
    return Calendar(name=name, **row.values)


def _read_timezone(reading: Reading, element: Element, path: str) -> str | None:
    text = element.text if isinstance(element, Scalar) else ""
    if _ZONE.fullmatch(text) and len(text) <= 64 and text not in ("localtime", "posixrules"):
        try:
            return ZoneInfo(text).key
        except (LookupError, ValueError, OSError):
            pass
    hint = did_you_mean(text, sorted(available_timezones())) if text else ""
    hint = hint or "region and city, as in Europe/Rome; or UTC"
    reading.report(path, element, "a time zone such as 'Europe/Rome'", hint=hint)
    return None


def _read_hours(reading: Reading, element: Element, path: str) -> tuple[tuple[Interval, ...], ...] | None:
    """Seven tuples of intervals, Monday first."""
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping from days to hours, such as {mon-fri: '09:00-18:00'}")
        return None
    week: dict[int, tuple[Interval, ...]] = {}
    n_before = len(reading.problems)
    for key, part in element.entries:
        where = child_path(path, key.text)
        intervals = _read_intervals(reading, part, where)
        for day in _read_days(reading, key, where):
            if day in week:
                reading.report(where, key, "each day once", found=f"'{WEEKDAYS[day]}' a second time")
            week[day] = intervals
    if not any(week.values()):
        if len(reading.problems) == n_before:  # else that is why
            reading.report(path, element, "an open minute in the week", found="none")
        return None
    return tuple(week.get(day, ()) for day in range(7))


def _read_days(reading: Reading, key: Scalar, path: str) -> list[int]:
    """Weekdays of a key, Monday 0; a range may wrap around the week's end."""
    days: list[int] = []
    for part in key.text.lower().split(","):
        ends = [end.strip() for end in part.split("-")]
        unknown = [end for end in ends if end not in WEEKDAYS]
        if unknown or len(ends) > 2:
            reading.report(path, key, _DAYS_FORM, hint=_nearest_days(key.text))
            return []
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
    return days


def _nearest_days(text: str) -> str:
    """A hint that writes all of a key's days as they are written here, where each is near one.

    >>> _nearest_days("Mo-Fr, Saturday"), _nearest_days("mon-fri-sat")
    ("did you mean 'mon-fri,sat'?", 'known: fri, mon, sat, sun, thu, tue, wed')
    """
    parts = [[closest(end.strip()[:3], WEEKDAYS) for end in part.split("-")] for part in text.lower().split(",")]
    if any(None in ends or len(ends) > 2 for ends in parts):
        return f"known: {', '.join(sorted(WEEKDAYS))}"
    return f"did you mean '{','.join('-'.join(map(str, ends)) for ends in parts)}'?"


def _read_intervals(reading: Reading, element: Element, path: str) -> tuple[Interval, ...]:
    """The intervals of one day, sorted; those that touch or overlap become one, with a warning if they overlap."""
    parts = element.items if isinstance(element, Listing) else (element,)
    texts = [
        (part, text.strip()) for part in parts for text in (part.text.split(",") if isinstance(part, Scalar) else [""])
    ]
    intervals: list[Interval] = []
    for part, text in texts:
        interval = _interval(text.replace("\N{EN DASH}", "-").replace(" ", ""))
        if interval is None:
            reading.report(path, part, _HOURS_FORM, hint="24-hour clock; 00:00-24:00 is the whole day")
            return ()
        intervals.append(interval)
    merged: list[Interval] = []
    overlap = False
    for start, end in sorted(intervals):
        overlap |= bool(merged) and start < merged[-1][1]
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    if overlap:
        reading.report(path, element, "hours that do not overlap", hint="they are joined", severity="warning")
    return tuple(merged)


def _interval(text: str) -> Interval | None:
    """Minutes since midnight; an end at or before the start belongs to the next day."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours_1, minutes_1, hours_2, minutes_2 = (int(number) for number in match.groups())
    start, end = hours_1 * 60 + minutes_1, hours_2 * 60 + minutes_2
    if max(minutes_1, minutes_2) > 59 or start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        return None
    return (start, end) if end > start else (start, end + DAY_MINUTES)


def _read_holidays(reading: Reading, element: Element, path: str) -> frozenset[date] | None:
    if not isinstance(element, Listing):
        reading.report(path, element, "a list of dates such as [2024-12-25]")
        return None
    days = [read_date(reading, item, f"{path}[{index}]") for index, item in enumerate(element.items)]
    return frozenset(day for day in days if day is not None)


CALENDAR_KEYS: Mapping[str, Reader] = {
    "timezone": _read_timezone,
    "hours": _read_hours,
    "holidays": _read_holidays,
}
"""The keys of a calendar and their readers."""
