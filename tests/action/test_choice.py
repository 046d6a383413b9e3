"""The chances of choices are those with which draws choose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.action.choice import Option, chosen, drawn_dp, propensities

options = st.lists(
    st.builds(Option, st.just("?"), st.floats(-300, 300), st.floats(0, 200), st.floats(-500, 500)), max_size=4
).map(lambda found: [one._replace(name=f"a{n}") for n, one in enumerate(found)])


@given(options)
@settings(deadline=None)
def test_they_sum_to_one_and_cover_every_choice(found: list[Option]) -> None:
    shares = propensities(found)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    assert set(shares) == {"do_nothing", *(one.name for one in found)}
    assert min(shares.values()) >= -1e-9
    assert chosen(found) in shares


@given(options.filter(bool))
@settings(max_examples=20, deadline=None)
def test_they_are_the_shares_of_many_draws(found: list[Option]) -> None:
    n = 20_000
    draws = np.random.default_rng(5).normal([one.mean for one in found], [one.sd for one in found], (n, len(found)))
    known = [one.sd < 1e-3 for one in found]
    draws[:, known] = [one.mean for one in found if one.sd < 1e-3]
    best = np.where(draws.max(axis=1) > 0, draws.argmax(axis=1) + 1, 0)
    shares = propensities(found)
    expected = np.array([shares["do_nothing"], *(shares[one.name] for one in found)])
    counts = np.bincount(best, minlength=len(found) + 1) / n
    assert np.abs(counts - expected).max() < 5 * 0.5 / np.sqrt(n)


def test_a_surer_good_is_chosen_more_often() -> None:
    shares = propensities([Option("sure", 100, 10, 0), Option("unsure", 80, 60, 0)])
    assert 0.5 < shares["sure"] < 0.7
    assert shares["do_nothing"] < 1e-6


def test_draws_are_quantiles() -> None:
    assert drawn_dp(0.1, 0.0, 0.9) == 0.1
    assert drawn_dp(0.1, 0.1, 0.975) == pytest.approx(0.296, abs=1e-3)
