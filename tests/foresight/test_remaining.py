"""Intervals for the time remaining hold the truth as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.predictors import Constant
from truenorth.foresight.remaining import Foretold, conformal, interval, positions


def days(n, seed):
    """Errors that grow with the prediction and lean to one side."""
    generator = np.random.default_rng(seed)
    said = generator.gamma(2.0, 3.0, n)
    return said, said * generator.lognormal(0.1, 0.6, n)


def foretold(said, came, known=None):
    known = np.ones(len(said), bool) if known is None else known
    return Foretold(said, came, known, np.arange(len(said), dtype=np.int32))


def learnt_from(said, came, known=None, coverage=0.9):
    return conformal(Constant((0.0,)), foretold(said, came, known), coverage)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_intervals_hold_as_often_as_they_say_and_in_every_group(coverage):
    learnt = learnt_from(*days(4_000, 1), coverage=coverage)
    said, came = days(20_000, 2)
    low, _, high = interval(learnt, said, *learnt.ends)
    held = (low <= came) & (came <= high)
    assert abs(held.mean() - coverage) < 0.02
    for part in np.array_split(np.argsort(said), 4):
        assert abs(held[part].mean() - coverage) < 0.05


@pytest.mark.parametrize("n", [60, 200, 600])
def test_few_cases_make_no_intervals_that_hold_too_seldom(n):
    """Those learnt from lie closer together than others do, the more so the fewer they are."""
    said, came = days(4_000, 5)
    held = []
    for seed in range(150):
        learnt = learnt_from(*days(n, 100 + seed))
        low, _, high = interval(learnt, said, *learnt.ends)
        held.append(((low <= came) & (came <= high)).mean())
    assert abs(np.mean(held) - 0.9) < 0.012


SOME = st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50), st.booleans()), min_size=0, max_size=30)


@given(SOME, st.floats(0, 100), st.floats(-0.5, 0.5), st.floats(0.5, 2))
def test_an_interval_is_an_interval_and_never_before_now(found, asked, low_end, high_end):
    said, came, known = np.array(found).reshape(-1, 3).T
    learnt = learnt_from(said, came, known > 0)
    low, median, high = interval(learnt, np.array([asked]), low_end, high_end)
    assert np.isfinite([low, median, high]).all()
    assert 0 <= low <= high
    assert median == asked
    without_end = interval(learnt, np.array([asked]), low_end, math.inf)
    assert without_end.low == low
    assert without_end.high == math.inf


@given(SOME.filter(bool), st.floats(0, 50), st.floats(0, 100))
def test_a_position_leads_back_to_its_days_or_as_near_as_errors_lie(found, asked, days_):
    """Where many errors are the same, so are the ends; a position between two leads between these."""
    said, came, known = np.array(found).reshape(-1, 3).T
    learnt = learnt_from(said, came, known > 0)
    at = positions(learnt, np.array([asked]), np.array([days_]))
    (again,) = interval(learnt, np.array([asked]), at, at).low
    around = np.array([max(again - 1e-6, 0.0), again + 1e-6])  # as near as days are reckoned
    before, after = positions(learnt, np.array([asked, asked]), around)
    assert before - 1e-6 <= at <= after + 1e-6
    if not 0.0 <= at <= 1.0:
        assert again == pytest.approx(days_, abs=1e-6)


@given(st.floats(0.001, 100), st.floats(0.001, 100))
def test_nothing_left_is_as_far_from_all_that_was_said(one, other):
    learnt = learnt_from(np.array([one, other]), np.zeros(2))
    assert (interval(learnt, np.array([one, other, 50.0]), *learnt.ends).low == 0.0).all()


def test_cases_that_have_not_ended_count_as_longer_than_they_have_lasted():
    """Of the latest cases only the short ones have ended: without the others intervals would be too short."""
    said, came = days(8_000, 3)
    seen = np.random.default_rng(0).uniform(0.0, 40.0, len(said))
    known = came < seen
    with_open = learnt_from(said, np.minimum(came, seen), known)
    ended_only = learnt_from(said[known], came[known])
    again, truth = days(20_000, 4)
    held = [(truth <= interval(one, again, *one.ends).high).mean() for one in (with_open, ended_only)]
    assert abs(held[0] - 0.95) < 0.01
    assert held[1] < 0.91


def test_where_too_few_long_cases_have_ended_an_interval_has_no_end():
    """Data that go on for ten days do not tell how long the longest of the cases take."""
    said, came = days(8_000, 3)
    learnt = learnt_from(said, np.minimum(came, 10.0), came < 10.0)
    again, truth = days(20_000, 4)
    low, _, high = interval(learnt, again, *learnt.ends)
    assert (high == math.inf).all()
    assert abs((low <= truth).mean() - 0.9) < 0.01
