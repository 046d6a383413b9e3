"""Alarms: one a case, at its first crossing; thresholds as precise and as cheap as they claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.alarms import (
    CHANGE,
    DAY_US,
    RATIOS,
    Cost,
    Ended,
    cheapest,
    crossings,
    first_crossing_us,
    in_force,
    looked_at,
    mean_cost,
    threshold_for,
)

rows = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 50), st.integers(0, 10).map(lambda n: n / 10)), min_size=1, max_size=60
)


def arrays(found):
    case, time, risk = (np.array(part) for part in zip(*found, strict=True))
    return case.astype(np.int32), time, risk, case % 3 == 0


@given(rows, st.integers(0, 10).map(lambda n: n / 10))
def test_a_case_is_alarmed_exactly_if_its_highest_risk_crosses(found, threshold):
    case, time, risk, failed = arrays(found)
    highest = crossings(case, risk, failed)
    first = first_crossing_us(case, time, risk, threshold, 10)
    assert ((first[highest.case] >= 0) == (highest.highest >= threshold)).all()
    for number in highest.case:
        over = time[(case == number) & (risk >= threshold)]
        assert first[number] == (over.min() if len(over) else -1)


@given(rows, st.lists(st.integers(1, 4), min_size=10, max_size=10))
def test_a_case_that_stands_for_some_counts_as_often_as_they_would(found, stands_for):
    case, _, risk, failed = arrays(found)
    weighed = crossings(case, risk, failed, np.array(stands_for, float))
    times = weighed.weight.astype(int)
    repeated = type(weighed)(*(np.repeat(part, times) for part in weighed[:3]), np.ones(times.sum()))
    for threshold in (0.0, 0.5, float("inf")):
        one, other = (mean_cost(cases, threshold, 3.0) for cases in (weighed, repeated))
        assert one.cost == pytest.approx(other.cost)


@given(rows, st.floats(0.1, 0.9))
def test_a_threshold_has_the_precision_it_says(found, precision):
    case, _, risk, failed = arrays(found)
    highest = crossings(case, risk, failed)
    threshold = threshold_for(highest, precision)
    alarmed = highest.highest >= threshold.risk
    if alarmed.any():
        assert highest.failed[alarmed].mean() == pytest.approx(threshold.precision)
        assert threshold.reached == (threshold.precision >= precision)


def test_where_none_is_precise_enough_not_every_case_is_alarmed():
    risk = np.arange(40) / 40
    found = crossings(np.arange(40, dtype=np.int32), risk, risk < 0.25)
    chosen = threshold_for(found, 0.5)
    assert not chosen.reached
    assert (found.highest >= chosen.risk).sum() == 10
    assert chosen.precision == 0.0


@given(rows, st.sampled_from([2.0, 3.0, 5.0, 10.0]))
def test_the_cheapest_threshold_never_costs_more_than_the_better_constant_where_it_was_chosen(found, ratio):
    case, _, risk, failed = arrays(found)
    highest = crossings(case, risk, failed)
    cost = mean_cost(highest, cheapest(highest, ratio), ratio)
    assert cost.cost <= min(cost.always, cost.never) + 1e-12
    assert cost.always == pytest.approx(1 / ratio)
    assert cost.never == pytest.approx(highest.failed.mean())


def test_risks_that_say_nothing_do_not_lure_away_from_the_better_constant():
    worse = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        case = np.arange(400, dtype=np.int32)
        chosen, later = (crossings(case, generator.random(400), generator.random(400) < 0.3) for _ in range(2))
        cost = mean_cost(later, cheapest(chosen, 10.0), 10.0)
        worse += cost.cost > 1.01 * min(cost.always, cost.never)
    assert worse <= 4


@given(rows, st.integers(1, 3))
def test_a_team_sees_no_case_twice_and_no_more_a_day_than_it_can(found, per_day):
    case, time, risk, _ = arrays(found)
    day = time // 10
    chosen = looked_at(case, day * DAY_US, risk, per_day)
    assert len(set(chosen.tolist())) == len(chosen) <= per_day * len(np.unique(day))
    today = day == day.min()
    best = max(risk[today])
    assert risk[today & (case == chosen[0])].max() == best


N_FLOWING = 40
"""So many cases are under way at a time."""


def ended(n: int, seed: int, *, from_us: int, low: float = 0.05, high: float = 0.7, batch_us: int = 1) -> Ended:
    """Cases opened one a microsecond, half of them with the higher risk: what was told, and how often that is true.

    What becomes of them is known after a while, at the next of instants that are so far apart.
    """
    generator = np.random.default_rng(seed)
    is_high = generator.random(n) < 0.5
    failed = generator.random(n) < np.where(is_high, high, low)
    told = crossings(np.arange(n, dtype=np.int32), np.where(is_high, 0.7, 0.05), failed)
    opened_us = from_us + np.arange(n)
    ended_us = opened_us + generator.integers(1, 2 * N_FLOWING, n)
    return Ended(told, opened_us, -(-ended_us // batch_us) * batch_us)


def tried(past: Ended, since: Ended, ratio: float) -> Cost:
    """What a threshold costs that was chosen on some cases and followed what became of others."""
    threshold = cheapest(past.found, ratio)
    followed = in_force(threshold, ratio, past, since, since.opened_us)
    return mean_cost(since.found, threshold, ratio, followed)


MOVED = {"turned": (0.7, 0.05), "said nothing": (0.3, 0.3), "risen": (0.6, 0.8), "fallen": (0.01, 0.03)}


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("low", "high"), MOVED.values(), ids=MOVED)
def test_where_the_truth_has_moved_alarms_that_follow_cost_hardly_more_than_the_better_constant(low, high, ratio):
    """Two in a hundred, besides what was under way when it moved and what a change is booked at."""
    for seed in range(5):
        past, since = ended(600, seed, from_us=0), ended(20_000, seed, from_us=1_000, low=low, high=high)
        cost = tried(past, since, ratio)
        constant = min(cost.always, cost.never)
        assert 20_000 * (cost.followed - 1.02 * constant) < N_FLOWING + 4 * CHANGE
        assert cost.cost > 1.05 * constant


@pytest.mark.parametrize("batch_us", [1, 500])
@pytest.mark.parametrize("ratio", RATIOS[:3])
def test_where_nothing_moves_they_cost_what_the_chosen_threshold_costs(ratio, batch_us):
    for seed in range(5):
        past = ended(2_000, seed, from_us=0, batch_us=batch_us)
        since = ended(4_000, 100 + seed, from_us=2_500, batch_us=batch_us)
        cost = tried(past, since, ratio)
        assert cost.cost < 0.9 * min(cost.always, cost.never)
        assert cost.followed == cost.cost


@given(st.integers(0, 50), st.integers(1_000, 1_600), st.sampled_from(RATIOS))
def test_what_is_in_force_knows_nothing_before_its_time(seed, until_us, ratio):
    past, since = ended(200, seed, from_us=0), ended(500, seed, from_us=1_000, low=0.7, high=0.05)
    unknown = since.ended_us >= until_us
    others = since.found._replace(failed=since.found.failed ^ unknown)
    other = Ended(others, since.opened_us, since.ended_us + np.where(unknown, 10_000, 0))
    at_us = np.arange(900, until_us + 1)
    courses = [in_force(0.5, ratio, past, one, at_us) for one in (since, other)]
    np.testing.assert_array_equal(*courses)
    assert (courses[0][:101] == 0.5).all()


@given(st.integers(0, 50), st.integers(-(10**12), 10**12))
def test_shifting_every_instant_shifts_what_is_in_force(seed, by_us):
    past, since = ended(100, seed, from_us=0), ended(300, seed, from_us=1_000, low=0.7, high=0.05)
    later = [Ended(one.found, one.opened_us + by_us, one.ended_us + by_us) for one in (past, since)]
    at_us = np.arange(1_000, 1_400)
    expected = in_force(0.5, 5.0, past, since, at_us)
    np.testing.assert_array_equal(in_force(0.5, 5.0, *later, at_us + by_us), expected)
    assert len(set(expected)) > 1
