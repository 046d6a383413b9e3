"""Alarms: one a case, at its first crossing; thresholds as precise and as cheap as they claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.alarms import (
    DAY_US,
    cheapest,
    crossings,
    first_crossing_us,
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
