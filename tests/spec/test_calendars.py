"""Calendars: what the file may say, and when they are open, against a clock on the wall asked instant by instant."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.spec.calendars import WEEKDAYS, open_intervals, parse_calendar
from truenorth.spec.model import Calendar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def us(*parts: int) -> int:
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # type: ignore[arg-type, misc]


def calendar_of(hours: Any, timezone: str = "UTC", holidays: Any = ()) -> Calendar:
    calendar, problems = parse_calendar("office", {"timezone": timezone, "hours": hours, "holidays": list(holidays)})
    assert calendar is not None, problems
    return calendar


def shown(intervals: list[tuple[int, int]]) -> list[str]:
    """Intervals as text, UTC."""

    def at(instant_us: int) -> str:
        return f"{EPOCH + timedelta(microseconds=instant_us):%m-%d %H:%M}"

    return [f"{at(start)} {at(end)}" for start, end in intervals]


class TestParse:
    @pytest.mark.parametrize(
        ("hours", "expected"),
        [
            ({"mon": "09:00-18:00"}, {"mon": [(540, 1080)]}),
            ({"mon": "9:00-18:30"}, {"mon": [(540, 1110)]}),
            ({"MON": "09:00-18:00"}, {"mon": [(540, 1080)]}),
            ({"sat, sun": "10:00-12:00"}, {"sat": [(600, 720)], "sun": [(600, 720)]}),
            ({"fri-mon": "10:00-12:00"}, {key: [(600, 720)] for key in ("fri", "sat", "sun", "mon")}),
            ({"mon-sun": "00:00-24:00"}, {key: [(0, 1440)] for key in WEEKDAYS}),
            ({"mon": "22:00-06:00"}, {"mon": [(1320, 1800)]}),
            ({"mon": "18:00-00:00"}, {"mon": [(1080, 1440)]}),
            ({"mon": "13:00-18:00, 09:00-12:00"}, {"mon": [(540, 720), (780, 1080)]}),
            ({"mon": ["09:00-12:00", "13:00-18:00"]}, {"mon": [(540, 720), (780, 1080)]}),
            ({"mon": "09:00-12:00,12:00-18:00"}, {"mon": [(540, 1080)]}),
            ({"mon": "09:00\u201318:00"}, {"mon": [(540, 1080)]}),
            ({"mon": "09:00-10:00", "tue-wed": []}, {"mon": [(540, 600)]}),
        ],
    )
    def test_hours(self, hours: Any, expected: dict[str, list[tuple[int, int]]]) -> None:
        assert calendar_of(hours).hours == tuple(tuple(expected.get(day, ())) for day in WEEKDAYS)

    @pytest.mark.parametrize("written", ["{first:.2}-{last:.2}", "{first}day-{last:.2}", "{first:.2},{last}day"])
    @pytest.mark.parametrize(("first", "last"), list(itertools.pairwise(WEEKDAYS)))
    def test_days_written_otherwise_are_told_as_they_are_written_here(
        self, written: str, first: str, last: str
    ) -> None:
        day = written.format(first=first, last=last)
        _, problems = parse_calendar("office", {"timezone": "Europe/Rome", "hours": {day: "09:00-18:00"}})
        meant = f"{first}{'-' if '-' in day else ','}{last}"
        assert problems[0].hint == f"did you mean '{meant}'?"

    @pytest.mark.parametrize(
        ("spec", "path", "found"),
        [
            ({}, ".hours", "nothing"),
            ({"hours": {}}, ".hours", "none"),
            ({"hours": {"mon": []}}, ".hours", "none"),
            ({"hours": "09:00-18:00"}, ".hours", "'09:00-18:00'"),
            ({"hours": {"mon": "9-18"}}, ".hours.mon", "'9-18'"),
            ({"hours": {"mon": "09:00-25:00"}}, ".hours.mon", "'09:00-25:00'"),
            ({"hours": {"mon": "09:60-10:00"}}, ".hours.mon", "'09:60-10:00'"),
            ({"hours": {"mon": "09:00-09:00"}}, ".hours.mon", "'09:00-09:00'"),
            ({"hours": {"mon": "24:00-09:00"}}, ".hours.mon", "'24:00-09:00'"),
            ({"hours": {"mon": None}}, ".hours.mon", "nothing"),
            ({"hours": {"mon": {"from": 1}}}, ".hours.mon", "a mapping"),
            ({"hours": {"monday": "09:00-10:00"}}, ".hours.monday", "'monday'"),
            ({"hours": {"mon-wed-fri": "09:00-10:00"}}, ".hours['mon-wed-fri']", "'mon-wed-fri'"),
            ({"hours": {"mon-fri": "09:00-18:00", "wed": "09:00-12:00"}}, ".hours.wed", "'wed' a second time"),
            ({"hours": {"mon,mon": "09:00-18:00"}}, ".hours['mon,mon']", "'mon' a second time"),
            ({"hours": {"mon": "09:00-10:00"}, "timezone": "Europe/Rom"}, ".timezone", "'Europe/Rom'"),
            ({"hours": {"mon": "09:00-10:00"}, "timezone": "../../etc/passwd"}, ".timezone", "passwd"),
            ({"hours": {"mon": "09:00-10:00"}, "timezone": "Europe"}, ".timezone", "'Europe'"),
            ({"hours": {"mon": "09:00-10:00"}, "timezone": "localtime"}, ".timezone", "'localtime'"),
            ({"hours": {"mon": "09:00-10:00"}, "timezone": "x" * 5_000}, ".timezone", "xxx"),
            ({"hours": {"mon": "09:00-10:00"}, "holidays": ["2024-02-30"]}, ".holidays[0]", "'2024-02-30'"),
            ({"hours": {"mon": "09:00-10:00"}, "holidays": ["christmas"]}, ".holidays[0]", "'christmas'"),
            ({"hours": {"mon": "09:00-10:00"}, "holidays": "2024-12-25"}, ".holidays", "'2024-12-25'"),
            ({"hours": {"mon": "09:00-10:00"}, "holiday": []}, ".holiday", "'holiday'"),
        ],
    )
    def test_problems(self, spec: dict[str, Any], path: str, found: str) -> None:
        calendar, problems = parse_calendar("office", spec)
        assert calendar is None
        assert problems[0].path == f"$.calendars.office{path}"
        assert found in problems[0].found
        assert len(problems) == 1, "nothing follows from the first"

    def test_hours_that_overlap_are_joined_with_a_warning(self) -> None:
        calendar, problems = parse_calendar("office", {"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}})
        assert calendar is not None
        assert calendar.hours[0] == ((540, 780),)
        assert [problem.severity for problem in problems] == ["warning"]

    def test_holidays_are_dates_or_texts_and_may_come_twice(self) -> None:
        holidays = [date(2024, 12, 25), "2024-12-25", "2024-12-26"]
        expected = {date(2024, 12, 25), date(2024, 12, 26)}
        assert calendar_of({"mon": "09:00-10:00"}, holidays=holidays).holidays == expected

    def test_the_time_zone_is_utc_unless_named(self) -> None:
        calendar, _ = parse_calendar("office", {"hours": {"mon": "09:00-10:00"}})
        assert calendar is not None
        assert calendar.timezone == "UTC"


class TestOpen:
    def test_a_week(self) -> None:
        calendar = calendar_of({"mon-fri": "09:00-18:00"}, "Europe/Rome", ["2024-01-03"])
        assert shown(open_intervals(calendar, us(2024, 1, 1), us(2024, 1, 6))) == [
            "01-01 08:00 01-01 17:00",
            "01-02 08:00 01-02 17:00",
            "01-04 08:00 01-04 17:00",
            "01-05 08:00 01-05 17:00",
        ]

    def test_the_range_cuts(self) -> None:
        calendar = calendar_of({"mon-sun": "00:00-24:00"})
        assert open_intervals(calendar, 5, 7) == [(5, 7)]
        assert open_intervals(calendar, 7, 7) == open_intervals(calendar, 8, 7) == []

    def test_always_open_is_one_interval_through_every_change_of_clocks(self) -> None:
        for zone in ("Europe/Rome", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia"):
            calendar = calendar_of({"mon-sun": "00:00-24:00"}, zone)
            assert open_intervals(calendar, us(1960, 1, 1), us(2030, 1, 1)) == [(us(1960, 1, 1), us(2030, 1, 1))]

    def test_a_night_belongs_to_the_day_it_begins_on(self) -> None:
        calendar = calendar_of({"mon-sun": "22:00-06:00"}, holidays=["2024-05-15"])
        assert shown(open_intervals(calendar, us(2024, 5, 14, 12), us(2024, 5, 17))) == [
            "05-14 22:00 05-15 06:00",
            "05-16 22:00 05-17 00:00",
        ]

    @pytest.mark.parametrize(
        ("zone", "hours", "day", "expected"),
        [
            ("Europe/Rome", "02:00-03:00", (2024, 3, 31), []),
            ("Europe/Rome", "01:30-03:30", (2024, 3, 31), ["03-31 00:30 03-31 01:30"]),
            ("Europe/Rome", "02:00-03:00", (2024, 10, 27), ["10-27 00:00 10-27 02:00"]),
            ("Europe/Rome", "02:30-02:45", (2024, 10, 27), ["10-27 00:30 10-27 00:45", "10-27 01:30 10-27 01:45"]),
            ("Australia/Lord_Howe", "02:00-03:00", (2024, 10, 6), ["10-05 15:30 10-05 16:00"]),
            ("Australia/Lord_Howe", "01:00-02:00", (2024, 4, 7), ["04-06 14:00 04-06 15:30"]),
            ("Pacific/Apia", "09:00-10:00", (2011, 12, 30), []),
            ("America/New_York", "01:00-02:00", (2024, 11, 3), ["11-03 05:00 11-03 07:00"]),
        ],
    )
    def test_days_on_which_clocks_change(
        self, zone: str, hours: str, day: tuple[int, int, int], expected: list[str]
    ) -> None:
        """Only the weekday of that day is open, and only the days around it are looked at."""
        local_day = date(*day)
        calendar = calendar_of({WEEKDAYS[local_day.weekday()]: hours}, zone)
        middle = us(*day)
        assert shown(open_intervals(calendar, middle - 2 * DAY_US, middle + 2 * DAY_US)) == expected

    def test_thousands_of_days_a_second(self) -> None:
        calendar = calendar_of({"mon-fri": "09:00-12:00,13:00-18:00"}, "Europe/Rome")
        started = time.process_time()
        open_intervals(calendar, us(2000, 1, 1), us(2050, 1, 1))
        assert time.process_time() - started < 50 * 365 / 20_000 * 4  # a busy machine may take four times as long

    @pytest.mark.parametrize("instant_us", [-(10**18), -(62 * 10**15), 0, 253 * 10**15, 10**18])
    def test_outside_the_years_of_a_calendar_the_nearest_offset_holds(self, instant_us: int) -> None:
        calendar = calendar_of({"mon-sun": "00:00-24:00"}, "Europe/Rome")
        assert open_intervals(calendar, instant_us, instant_us + DAY_US) == [(instant_us, instant_us + DAY_US)]


def is_open(calendar: Calendar, instant_us: int) -> bool:
    """Straight from the definition: what does the clock on the wall show?"""
    local = (EPOCH + timedelta(microseconds=instant_us)).astimezone(ZoneInfo(calendar.timezone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    for days_back in (0, 1):
        day = local.date() - timedelta(days=days_back)
        shifted = second + days_back * 86_400
        hours = calendar.hours[day.weekday()]
        if day not in calendar.holidays and any(start * 60 <= shifted < end * 60 for start, end in hours):
            return True
    return False


ZONES = ["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kolkata"]
CHANGES = [(2024, 3, 31), (2024, 3, 10), (2024, 10, 6), (2011, 12, 30), (2024, 4, 14), (1941, 10, 1)]
MINUTES = st.integers(0, 1439)


class TestAgainstTheWall:
    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(0, len(ZONES) - 1),
        st.dictionaries(st.sampled_from(WEEKDAYS), st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1])),
        st.booleans(),
        st.lists(st.integers(-72 * 60, 72 * 60), min_size=1, max_size=40),
    )
    def test_an_instant_is_in_an_interval_exactly_when_the_wall_clock_says_so(
        self, place: int, week: dict[str, tuple[int, int]], has_holiday: bool, minutes: list[int]
    ) -> None:
        day = date(*CHANGES[place])
        hours = {name: f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for name, (a, b) in week.items()}
        if not hours:
            return
        calendar = calendar_of(hours, ZONES[place], [day] if has_holiday else [])
        middle = us(*CHANGES[place])
        intervals = open_intervals(calendar, middle - 4 * DAY_US, middle + 4 * DAY_US)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(intervals))
        edges = [edge - shift for interval in intervals for edge in interval for shift in (0, 1_000_000)]
        for instant_us in [middle + minute * 60_000_000 for minute in minutes] + edges:
            if middle - 4 * DAY_US <= instant_us < middle + 4 * DAY_US:
                found = any(start <= instant_us < end for start, end in intervals)
                assert found == is_open(calendar, instant_us)
