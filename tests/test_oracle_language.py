"""The oracle's conditions, calendars and durations against values worked out by hand.

Names with a number refer to the points of docs/semantics.md.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from oracle.calendars import calendar, duration_us
from oracle.conditions import ConditionError, condition, instant_us, kinds_of

HOUR_US = 3_600_000_000

ROW = {
    "type": "ask",
    "channel": None,
    "cost": 2.5,
    "n": 3,
    "zero": 0,
    "x": 0.5,
    "flag": True,
    "unset": None,
    "tag": "Ab_%c",
    "odd name": "it's",
    "time": instant_us(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "seen": datetime(2024, 1, 2, 12, tzinfo=UTC),
    "moment": True,
    "handover": False,
}


class TestConditions:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("channel <> 'web'", False),
            ("not channel = 'web'", True),
            ("channel not in ('web')", True),
            ("channel in ('web', 'x')", False),
            ("channel not like 'w%'", True),
            ("channel not between 'a' and 'z'", True),
            ("channel = null", False),
            ("channel is null", True),
            ("channel is not null", False),
            ("not (channel = 'a' or type = 'x')", True),
            ("nowhere = 1", False),
            ("nowhere", False),
            ("not nowhere", True),
        ],
    )
    def test_07_comparison_with_null_is_false_and_not_turns_any_false(self, text: str, expected: bool) -> None:
        assert condition(text, kinds_of([ROW]))(ROW) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("n + unset > 0", False),
            ("n + unset is null", True),
            ("n / 2 = 1.5", True),
            ("n / zero is null", True),
            ("n / zero = 0", False),
            ("-n = 1 - 4", True),
            ("2 + 3 * 4 = 14", True),
            ("(2 + 3) * 4 = 20", True),
            ("n - 1 - 1 = 1", True),
            ("cost * 2 >= 5", True),
        ],
    )
    def test_08_arithmetic(self, text: str, expected: bool) -> None:
        assert condition(text, kinds_of([ROW]))(ROW) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("type = 'ask' or type = 'x' and type = 'y'", True),
            ("(type = 'ask' or type = 'x') and type = 'y'", False),
            ("not type = 'x' and n = 4", False),
            ("n = '3'", True),
            ("'3' = n", True),
            ("n in ('1', 3)", True),
            ("n between '3' and 4", True),
            ("cost = '2.5'", True),
            ("flag", True),
            ("flag = 'true'", True),
            ("flag and moment and not handover", True),
            ("tag like 'A%'", True),
            ("tag like 'a%'", False),
            ("tag like 'Ab__c'", True),
            ("tag like 'b%'", False),
            ("type LIKE '%'", True),
            ("\"odd name\" = 'it''s'", True),
            ("type != 'x' AND type <> 'y'", True),
            ("time = '2024-01-02 03:04:05'", True),
            ("time = '2024-01-02T03:04:05Z'", True),
            ("time = timestamp '2024-01-02 04:04:05+01:00'", True),
            ("time between '2024-01-02' and '2024-01-03'", True),
            ("time < timestamp '2024-01-02 03:04:05.000001'", True),
            ("seen > time", True),
            ("seen = '2024-01-02 12:00:00'", True),
        ],
    )
    def test_the_language(self, text: str, expected: bool) -> None:
        assert condition(text, kinds_of([ROW]))(ROW) is expected

    @pytest.mark.parametrize(
        "text",
        [
            "n = 'one'",
            "time > 'soon'",
            "type",
            "n + 'a' > 1",
            "type = n",
            "lower(type) = 'ask'",
            "type = (select 1)",
            "type = 'ask' type",
            "type not 'x'",
            "n like '1'",
            "type = 'x",
            "",
            "flag = '1'",
        ],
    )
    def test_anything_else_is_an_error(self, text: str) -> None:
        with pytest.raises(ConditionError):
            condition(text, kinds_of([ROW]))


def due(spec: dict[str, Any], start: str, length: str) -> str | None:
    """The deadline as text, UTC, to the minute."""
    start_us = instant_us(datetime.fromisoformat(start))
    found = calendar(spec).deadline(start_us, duration_us(length))
    if found is None:
        return None
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found):%Y-%m-%d %H:%M}"


ROME, NEW_YORK, KOLKATA = "Europe/Rome", "America/New_York", "Asia/Kolkata"
OFFICE = {"mon-fri": "09:00-18:00"}


class TestCalendars:
    @pytest.mark.parametrize(
        ("zone", "hours", "start", "length", "expected"),
        [
            # Rome, 31 March 2024: at 01:00 UTC 02:00 becomes 03:00.
            (ROME, {"mon-sun": "00:00-06:00"}, "2024-03-30 23:00", "5h", "2024-03-31 04:00"),
            (ROME, {"mon-sun": "00:00-06:00"}, "2024-03-30 23:00", "6h", "2024-03-31 23:00"),
            (ROME, {"mon-sun": "02:00-03:00"}, "2024-03-30 12:00", "1h", "2024-04-01 01:00"),
            (ROME, {"mon-sun": "01:30-02:30"}, "2024-03-31 00:00", "1h", "2024-04-01 00:00"),
            (ROME, {"mon-sun": "22:00-06:00"}, "2024-03-30 21:00", "7h", "2024-03-31 04:00"),
            (ROME, {"mon-sun": "22:00-06:00"}, "2024-03-30 21:00", "8h", "2024-03-31 21:00"),
            (ROME, {"sun": "00:00-24:00"}, "2024-03-30 00:00", "23h", "2024-03-31 22:00"),
            # Rome, 27 October 2024: at 01:00 UTC 03:00 becomes 02:00.
            (ROME, {"mon-sun": "02:00-03:00"}, "2024-10-26 12:00", "1h", "2024-10-27 01:00"),
            (ROME, {"mon-sun": "02:00-03:00"}, "2024-10-26 12:00", "2h", "2024-10-27 02:00"),
            (ROME, {"mon-sun": "02:30-03:30"}, "2024-10-27 00:00", "1h", "2024-10-27 02:00"),
            (ROME, {"mon-sun": "22:00-06:00"}, "2024-10-26 20:00", "9h", "2024-10-27 05:00"),
            (ROME, {"sun": "00:00-24:00"}, "2024-10-26 00:00", "25h", "2024-10-27 23:00"),
            # New York, 10 March 2024: at 07:00 UTC 02:00 becomes 03:00.
            (NEW_YORK, {"mon-sun": "00:00-06:00"}, "2024-03-10 05:00", "5h", "2024-03-10 10:00"),
            (NEW_YORK, {"mon-sun": "02:00-03:00"}, "2024-03-10 05:00", "1h", "2024-03-11 07:00"),
            (NEW_YORK, {"sun": "00:00-24:00"}, "2024-03-09 12:00", "23h", "2024-03-11 04:00"),
            # New York, 3 November 2024: at 06:00 UTC 02:00 becomes 01:00.
            (NEW_YORK, {"mon-sun": "01:00-02:00"}, "2024-11-03 00:00", "2h", "2024-11-03 07:00"),
            (NEW_YORK, {"sun": "00:00-24:00"}, "2024-11-02 12:00", "25h", "2024-11-04 05:00"),
            # No change of clocks.
            (KOLKATA, OFFICE, "2024-05-15 12:00", "1h", "2024-05-16 04:00"),
            (ROME, OFFICE, "2024-05-15 07:00", "9h", "2024-05-15 16:00"),
            (ROME, OFFICE, "2024-05-15 16:00", "1m", "2024-05-16 07:01"),
            (ROME, OFFICE, "2024-05-17 15:30", "1h", "2024-05-20 07:30"),
            (ROME, OFFICE, "2024-05-18 12:00", "9h", "2024-05-20 16:00"),
            (ROME, OFFICE, "2024-05-13 07:00", "1d", "2024-05-15 13:00"),
            ("UTC", {"mon-sun": "09:00-12:00,14:00-18:00"}, "2024-05-15 11:00", "2h", "2024-05-15 15:00"),
            ("UTC", {"mon-sun": ["09:00-12:00", "11:00-13:00"]}, "2024-05-15 00:00", "4h", "2024-05-15 13:00"),
            ("UTC", {"mon,wed": "09:00-10:00", "fri-mon": "20:00-21:00"}, "2024-05-15 00:00", "5h", "2024-05-20 10:00"),
        ],
    )
    def test_23_24_deadlines(self, zone: str, hours: dict[str, Any], start: str, length: str, expected: str) -> None:
        assert due({"timezone": zone, "hours": hours}, start, length) == expected

    def test_23_hours_past_midnight_belong_to_the_day_they_begin_on(self) -> None:
        """A holiday closes the night that begins on it, not the one that ends on it."""
        spec = {"hours": {"mon-sun": "22:00-06:00"}, "holidays": [date(2024, 5, 15)]}
        assert due(spec, "2024-05-14 22:00", "8h") == "2024-05-15 06:00"
        assert due(spec, "2024-05-14 22:00", "9h") == "2024-05-16 23:00"
        assert due({"hours": {"sat": "22:00-06:00"}}, "2024-05-18 22:00", "8h") == "2024-05-19 06:00"

    def test_23_holidays_are_local_dates(self) -> None:
        spec = {"timezone": NEW_YORK, "hours": {"mon-sun": "00:00-24:00"}, "holidays": ["2024-05-15"]}
        assert due(spec, "2024-05-15 03:00", "2h") == "2024-05-16 05:00"

    def test_24_more_than_100_years_away_there_is_no_deadline(self) -> None:
        spec = {"hours": {"mon": "00:00-00:01"}}
        assert due(spec, "2024-05-13 00:00", "90m") == "2026-01-26 00:01"
        assert due(spec, "2024-05-13 00:00", "1w") is None
        assert due({"hours": {}}, "2024-05-13 00:00", "1m") is None


@pytest.mark.parametrize(
    ("text", "hours"), [("90s", 0.025), ("15m", 0.25), ("4h", 4), ("3d", 72), ("2w", 336), ("1d12h", 36)]
)
def test_durations(text: str, hours: float) -> None:
    assert duration_us(text) == hours * HOUR_US


@pytest.mark.parametrize("text", ["", "3", "2 dayz", "1.5h", "-1h", "h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        duration_us(text)
