"""Intervals for the time remaining hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.predictors import Constant
from truenorth.foresight.remaining import conformal, interval


def days(n, seed):
    """Errors that grow with the prediction and lean to one side."""
    generator = np.random.default_rng(seed)
    said = generator.gamma(2.0, 3.0, n)
    return said, said * generator.lognormal(0.1, 0.6, n)


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_hold_as_often_as_they_say_and_in_every_group(level):
    said, came = days(4_000, 1)
    learnt = conformal(Constant((0.0,)), said, came, np.arange(4_000), level)
    said, came = days(20_000, 2)
    low, _, high = interval(learnt, said)
    held = (low <= came) & (came <= high)
    assert abs(held.mean() - level) < 0.02
    for part in np.array_split(np.argsort(said), 4):
        assert abs(held[part].mean() - level) < 0.05


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=0, max_size=30), st.floats(0, 100))
def test_an_interval_is_an_interval_and_never_before_now(found, asked):
    said, came = np.array(found).reshape(-1, 2).T
    low, median, high = interval(
        conformal(Constant((0.0,)), said, came, np.arange(len(said), dtype=np.int32), 0.9), np.array([asked])
    )
    assert low >= 0
    assert median >= 0
    assert high >= 0
    assert np.isfinite([low, median, high]).all()
