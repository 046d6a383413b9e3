"""One line such as "call back by 16:00": what was promised, and until when. A small grammar, and no guessing.

```
what by HH:MM            today at that time; an error if it has passed
what by tomorrow [HH:MM]
what by friday [HH:MM]   the next one that is still to come
what by 2026-03-06 [HH:MM]
what within 2h           a duration as in journey files
```

A day without a time is meant to its end.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from truenorth.spec.durations import DAY_US, UNITS_US, parse_duration
from truenorth.spec.problems import Problem, TruenorthError

FORMS = "what is promised and until when: 'call back by 16:00', 'by tomorrow 9:30', 'by friday', 'within 2h'"
MOST_CHARACTERS = 200
LONGEST_US = 60 * DAY_US
"""Nobody promises further ahead; longer than this is a slip of the pen."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_LINE = re.compile(r"(?P<what>\S.*?)\s+(?:by (?P<by>\S.*)|(?:within|in) (?P<span>\S+(?: [a-z]+)?))", re.IGNORECASE)
_WHEN = re.compile(r"(?:(?P<day>[a-z]+|\d{4}-\d{2}-\d{2})\s*)?(?P<time>\d{1,2}:\d{2})?", re.IGNORECASE)
_SPOKEN = re.compile(r"(\d+) ?(weeks?|days?|hours?|minutes?|min|mins)", re.IGNORECASE)


class Line(NamedTuple):
    """What is promised, and the instant until which it holds, microseconds since 1970 UTC."""

    what: str
    due_us: int


def parse_line(text: str, *, now_us: int, timezone: str = "UTC") -> Line:
    """Read one line; days and times are those of a time zone (IANA name, such as ``Europe/Rome``).

    `TruenorthError` says what cannot be read, what has passed, or is further ahead than `LONGEST_US`.

    >>> noon = 1_767_614_400_000_000  # Monday, 2026-01-05 12:00 UTC
    >>> parse_line("call back by 16:00", now_us=noon)
    Line(what='call back', due_us=1767628800000000)
    >>> (parse_line("refund within 2h", now_us=noon).due_us - noon) / 3.6e9
    2.0
    """
    line = " ".join(text.split())
    found = _LINE.fullmatch(line)
    if found is None or len(line) > MOST_CHARACTERS:
        raise _unreadable(FORMS, line)
    zone = _zone(timezone)
    due_us = _after(found["span"], now_us) if found["span"] else _at(found["by"], now_us, zone)
    if due_us <= now_us:
        raise _unreadable("an instant that is still to come", found["by"], "write 'tomorrow 16:00' or a date")
    if due_us - now_us > LONGEST_US:
        raise _unreadable(f"an instant within {LONGEST_US // DAY_US} days", line)
    return Line(found["what"], due_us)


def _after(span: str, now_us: int) -> int:
    spoken = _SPOKEN.fullmatch(span)
    try:
        written = f"{int(spoken[1])}{spoken[2][0].lower()}" if spoken else span.replace(" ", "")
        return now_us + parse_duration(written)
    except ValueError as error:
        raise _unreadable("a duration such as '2h', '30m' or '1d12h'", span, str(error)) from None


def _at(when: str, now_us: int, zone: ZoneInfo) -> int:
    found = _WHEN.fullmatch(when)
    if found is None or not when:
        raise _unreadable("a time or a day: '16:00', 'tomorrow 9:30', 'friday', '2026-03-06 10:00'", when)
    now = datetime.fromtimestamp(now_us // UNITS_US["s"], UTC).astimezone(zone)
    try:
        date = _day(found["day"], now, has_time=found["time"] is not None)
        hour, minute = map(int, (found["time"] or "0:00").split(":"))
        local = datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone)
    except (ValueError, OverflowError):
        raise _unreadable("a day and a time that there are", when) from None
    if found["time"] is None:
        local += timedelta(days=1)
    return int(local.timestamp()) * UNITS_US["s"]


def _day(word: str | None, now: datetime, *, has_time: bool) -> datetime:
    """The day that a word means; the weekday of today is today where a time follows, else in a week."""
    day = (word or "today").lower()
    if day in {"today", "tomorrow"}:
        return now + timedelta(days=day == "tomorrow")
    short = [at for at, name in enumerate(DAYS) if len(day) > 2 and name.startswith(day)]
    if short:
        ahead = (short[0] - now.weekday()) % 7
        return now + timedelta(days=ahead if ahead or has_time else 7)
    return datetime.strptime(day, "%Y-%m-%d")  # a day, of any zone


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # no such zone, or no name of one
        problem = Problem(path="timezone", expected="a time zone such as 'Europe/Rome'", found=repr(name[:80]))
        raise TruenorthError([problem]) from None


def _unreadable(expected: str, found: str | None, hint: str = "") -> TruenorthError:
    return TruenorthError([Problem(path="text", expected=expected, found=repr((found or "")[:80]), hint=hint)])
