"""Intervals for the time remaining hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.predictors import Constant
from truenorth.foresight.remaining import Errors, conformal, interval


def days(n, seed):
    """Errors that grow with the prediction and lean to one side."""
    generator = np.random.default_rng(seed)
    said = generator.gamma(2.0, 3.0, n)
    return said, said * generator.lognormal(0.1, 0.6, n)


def errors(said, came, weight=None):
    return Errors(said, came, np.arange(len(said), dtype=np.int32), np.ones(len(said)) if weight is None else weight)


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_hold_as_often_as_they_say_and_in_every_group(level):
    said, came = days(4_000, 1)
    learnt = conformal(Constant((0.0,)), errors(said, came), level)
    said, came = days(20_000, 2)
    low, _, high = interval(learnt, said)
    held = (low <= came) & (came <= high)
    assert abs(held.mean() - level) < 0.02
    for part in np.array_split(np.argsort(said), 4):
        assert abs(held[part].mean() - level) < 0.05


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=0, max_size=30), st.floats(0, 100))
def test_an_interval_is_an_interval_and_never_before_now(found, asked):
    said, came = np.array(found).reshape(-1, 2).T
    low, median, high = interval(conformal(Constant((0.0,)), errors(said, came), 0.9), np.array([asked]))
    assert low >= 0
    assert median >= 0
    assert high >= 0
    assert np.isfinite([low, median, high]).all()


def test_a_row_that_stands_for_several_counts_as_these():
    """Long cases that were seen to end half as often as they should, each standing for two."""
    said, came = days(8_000, 3)
    generator, long = np.random.default_rng(0), came > np.median(came)
    seen = ~long | (generator.random(len(came)) < 0.5)
    whole = conformal(Constant((0.0,)), errors(said, came), 0.9)
    weighted = conformal(Constant((0.0,)), errors(said[seen], came[seen], np.where(long, 2.0, 1.0)[seen]), 0.9)
    plain = conformal(Constant((0.0,)), errors(said[seen], came[seen]), 0.9)
    widths = [np.ptp(interval(one, said)[::2], axis=0).mean() for one in (whole, weighted, plain)]
    assert abs(widths[1] - widths[0]) < abs(widths[2] - widths[0])
