"""Laws of the clocks that features are read from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.foresight.hours import after_open, local_us, open_between
from truenorth.spec.model import Calendar
from truenorth.spec.openings import open_intervals

DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 30_000 * DAY_US)

OFFICE = Calendar(
    name="office",
    timezone="Europe/Rome",
    hours=(((540, 780), (840, 1080)),) * 5 + ((), ()),
    holidays=frozenset({date(2012, 12, 25)}),
)
NIGHTS = Calendar(name="nights", timezone="America/New_York", hours=(((1320, 1800),),) * 7)


@pytest.mark.parametrize("calendar", [OFFICE, NIGHTS], ids=lambda one: one.name)
@settings(deadline=None, max_examples=40)
@given(from_us=INSTANTS, ahead_us=st.integers(0, 90 * DAY_US))
def test_open_time_is_that_of_the_open_intervals(calendar: Calendar, from_us: int, ahead_us: int) -> None:
    slow = sum(end - start for start, end in open_intervals(calendar, from_us, from_us + ahead_us))
    ends = np.array([from_us]), np.array([from_us + ahead_us])
    assert open_between(calendar, *ends).tolist() == [slow]
    assert open_between(calendar, *ends[::-1]).tolist() == [-slow]


@pytest.mark.parametrize("calendar", [OFFICE, NIGHTS], ids=lambda one: one.name)
@settings(deadline=None, max_examples=40)
@given(from_us=INSTANTS, open_us=st.integers(1, 20 * DAY_US))
def test_so_much_open_time_has_passed_then_and_not_before(calendar: Calendar, from_us: int, open_us: int) -> None:
    start = np.array([from_us])
    end = after_open(calendar, start, open_us)
    assert open_between(calendar, start, end).tolist() == [open_us]
    assert open_between(calendar, start, end - 1).tolist() == [open_us - 1]


@settings(deadline=None, max_examples=60)
@given(
    instants=st.lists(INSTANTS, min_size=1, max_size=5), zone=st.sampled_from(["UTC", "Europe/Rome", "Asia/Kolkata"])
)
def test_the_clock_on_the_wall_is_that_of_the_zone(instants: list[int], zone: str) -> None:
    for us, wall_us in zip(instants, local_us(zone, np.array(instants)).tolist(), strict=True):
        wall = (EPOCH + timedelta(microseconds=us)).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
        assert wall_us == (wall - EPOCH) // timedelta(microseconds=1)
