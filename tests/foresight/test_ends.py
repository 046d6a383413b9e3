"""Intervals follow what becomes of cases, know nothing before its time, and prefer no case for ending soon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from truenorth.foresight.ends import Waits, ends_at, followed_ends
from truenorth.foresight.predictors import Constant
from truenorth.foresight.remaining import SHARES, Foretold, Remaining, conformal, ends_of, interval
from truenorth.foresight.rows import NEVER
from truenorth.spec.durations import DAY_US

HOUR_US = DAY_US // 24


def learnt(seed: int = 0) -> Remaining:
    """Of cases that last 10 days on the average, all foretold to last 7."""
    came = np.random.default_rng(seed).exponential(10.0, 4_000)
    case = np.arange(4_000, dtype=np.int32)
    return conformal(Constant((7.0,)), Foretold(np.full(4_000, 7.0), came, np.ones(4_000, bool), case), 0.9)


def waits(n: int, seed: int, *, slower: float = 1.0) -> Waits:
    """Cases one an hour, spoken of at their opening; from the middle on they last ``slower`` times as long."""
    generator = np.random.default_rng(seed)
    opened = np.arange(n, dtype=np.int64) * HOUR_US
    lasts = generator.exponential(10.0, n) * np.where(np.arange(n) >= n // 2, slower, 1.0)
    return Waits(np.arange(n, dtype=np.int32), opened, np.full(n, 7.0), opened + (lasts * DAY_US).astype(np.int64))


def held(remaining: Remaining, said: Waits, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    between = interval(remaining, said.said, low, high)
    days = (said.came_us - said.time_us) / DAY_US
    return (between.low <= days) & (days <= between.high)


def test_where_nothing_changes_intervals_hold_as_often_as_they_say():
    """Cases that end soon are known first; that does not make the ends drift."""
    said = waits(8_000, 1)
    follow = followed_ends(learnt(), said, 60 * DAY_US, 50 * DAY_US, 0)
    assert abs(held(learnt(), said, *follow)[1_200:].mean() - 0.9) < 0.02


def test_intervals_follow_a_change():
    for slower in (0.2, 2.0):
        said = waits(12_000, 2, slower=slower)
        follow = followed_ends(learnt(), said, 120 * DAY_US, 50 * DAY_US, 0)
        late = np.arange(12_000) > 9_000
        assert abs(held(learnt(), said, *follow)[late].mean() - 0.9) < 0.03
        assert abs(held(learnt(), said, *learnt().ends)[late].mean() - 0.9) > 0.06


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 50), st.integers(5, 12), st.integers(0, 3))
def test_nothing_is_known_before_its_time(seed, until_days, holds_days):
    whole = waits(300, seed, slower=4.0)
    until_us, holds_us = until_days * DAY_US, holds_days * DAY_US
    unknown = whole.came_us >= until_us - holds_us
    other = whole._replace(came_us=np.where(unknown, NEVER, whole.came_us))
    before = whole.time_us <= until_us
    one, two = (np.stack(followed_ends(learnt(), said, 20 * DAY_US, 0, holds_us))[:, before] for said in (whole, other))
    np.testing.assert_array_equal(one, two)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 50), st.integers(-(10**12), 10**12))
def test_shifting_every_instant_shifts_nothing_else(seed, by_us):
    one = waits(200, seed, slower=4.0)
    later = one._replace(time_us=one.time_us + by_us, came_us=one.came_us + by_us)
    ends = followed_ends(learnt(), one, 20 * DAY_US, 2 * DAY_US, 0)
    np.testing.assert_array_equal(ends, followed_ends(learnt(), later, 20 * DAY_US, 2 * DAY_US + by_us, 0))


def test_as_learnt_where_nothing_was_said_before():
    said = waits(50, 1)
    assert ends_at(learnt(), said, 0) == learnt().ends
    low, high = followed_ends(learnt(), said, 10 * DAY_US, int(NEVER), 0)
    assert set(zip(low, high, strict=True)) == {learnt().ends}


@pytest.mark.parametrize("n", [1, 5, 20, 100])
@pytest.mark.parametrize("n_rows", [1, 5])
def test_few_cases_leave_intervals_that_hold_as_often_as_they_say(n, n_rows):
    before = Remaining(Constant((10.0,)), (), (tuple(SHARES * 10.0),), 0.9)
    held = []
    for seed in range(200):
        lasts = 10.0 + np.repeat(np.random.default_rng(seed).random(n), n_rows) * 10.0
        case, said = np.repeat(np.arange(n, dtype=np.int32), n_rows), np.full(n * n_rows, 10.0)
        came_us = (lasts * DAY_US).astype(np.int64)
        low, high = ends_at(before, Waits(case, np.zeros(n * n_rows, np.int64), said, came_us), 100 * DAY_US)
        held.append(min(high, 1.0) - max(low, 0.0))
    assert abs(np.mean(held) - 0.9) < 0.02


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 50), st.integers(0, 60))
def test_a_few_cases_do_not_move_the_ends_far(seed, n):
    low, high = ends_at(learnt(), waits(60, seed)._replace(case=np.arange(60) // 30), 90 * DAY_US)
    assert -1.0 <= low <= 0.5 <= high


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80), st.integers(1, 99))
@example([0, 1, 2, 2], 25)
def test_ends_hold_as_much_as_is_asked_and_no_more_than_ties_ask_for(position, percent):
    position = np.array(position, float)
    low, high = ends_of(position, np.ones(len(position), bool), percent / 100)
    asked = percent / 100 - 1e-9
    assert ((low <= position) & (position <= high)).mean() >= asked
    assert min(((low < position) & (position <= high)).mean(), ((low <= position) & (position < high)).mean()) < asked


def test_where_many_outcomes_come_at_once_intervals_hold_no_more_often_than_they_say():
    said = waits(8_000, 3)
    at_once = said._replace(came_us=np.where(np.arange(8_000) % 4 == 0, said.time_us, said.came_us))
    follow = followed_ends(learnt(), at_once, 60 * DAY_US, 50 * DAY_US, 0)
    assert abs(held(learnt(), at_once, *follow)[1_200:].mean() - 0.9) < 0.02
