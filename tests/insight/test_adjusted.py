"""The doubly robust estimator: laws first, then what it finds where the truth is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.insight.adjusted import Adjusted, adjusted_effects, adjusted_slope, e_value
from truenorth.insight.design import design_of


def trial(seed: int, n: int, effect: float) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
    """Sick ones are treated more and healed less; treatment adds ``effect`` to the chance of being healed."""
    dice = np.random.default_rng(seed)
    sick, age = dice.random(n) < 0.5, dice.normal(50, 10, n)
    chance = 1 / (1 + np.exp(-(2.0 * sick - 1.0 + (age - 50) / 20)))
    treated = dice.random(n) < chance
    healed = dice.random(n) < np.clip(0.6 - 0.3 * sick - (age - 50) / 100 + effect * treated, 0, 1)
    return treated, healed.astype(float), pl.DataFrame({"sick": sick, "age": age})


def found(seed: int, n: int = 2000, effect: float = 0.1, **more: str) -> Adjusted:
    treated, healed, known = trial(seed, n, effect)
    made = adjusted_effects(treated, {"healed": healed}, design_of(known).matrix, np.arange(n), **more)  # type: ignore[arg-type]
    assert made is not None
    return made


def test_finds_what_the_raw_difference_hides() -> None:
    shown = found(1, 6000)
    assert shown.outcomes["healed"].raw.high < 0
    assert shown.outcomes["healed"].everyone.low < 0.1 < shown.outcomes["healed"].everyone.high
    assert shown.outcomes["healed"].treated.low < 0.1 < shown.outcomes["healed"].treated.high
    assert shown.imbalance < 0.1 < shown.imbalance_raw


def test_intervals_hold_what_they_should() -> None:
    """About 19 in 20 of 200 trials: 180 or more is five standard errors below, 199 as far above."""
    held = {"everyone": 0, "treated": 0}
    for seed in range(200):
        shown = found(seed, 800).outcomes["healed"]
        for name in held:
            one = getattr(shown, name)
            held[name] += one.low <= 0.1 <= one.high
    assert all(180 <= n <= 199 for n in held.values()), held


def test_trees_find_it_too() -> None:
    shown = found(2, 3000, learner="boosted").outcomes["healed"].everyone
    assert shown.low < 0.1 < shown.high


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same(seed: int) -> None:
    assert found(seed, 300) == found(seed, 300)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 50), st.floats(-1e3, 1e3))
def test_units_of_a_number_carry_through(seed: int, scale: float, shift: float) -> None:
    treated, _, known = trial(seed, 300, 0.1)
    worth = np.random.default_rng(seed).normal(size=300) + treated
    design = design_of(known).matrix
    one, other = (
        adjusted_effects(treated, {"v": values}, design, np.arange(300)) for values in (worth, scale * worth + shift)
    )
    if one is None:
        assert other is None
        return
    assert other is not None
    for name in ("raw", "everyone", "treated"):
        before, after = (getattr(made.outcomes["v"], name) for made in (one, other))
        assert after.estimate == pytest.approx(scale * before.estimate, rel=1e-6, abs=1e-6 * scale)
        assert after.error == pytest.approx(scale * before.error, rel=1e-6)


def test_rows_of_a_customer_count_as_one() -> None:
    """Every row ten times over says no more than once."""
    treated, healed, known = trial(3, 600, 0.1)
    design = design_of(known).matrix
    once = adjusted_effects(treated, {"h": healed}, design, np.arange(600))
    often = adjusted_effects(
        np.repeat(treated, 10),
        {"h": np.repeat(healed, 10)},
        np.repeat(design, 10, axis=0),
        np.repeat(np.arange(600), 10),
    )
    assert once is not None
    assert often is not None
    assert often.outcomes["h"].everyone.error == pytest.approx(once.outcomes["h"].everyone.error, rel=0.1)


def test_too_few_say_nothing() -> None:
    treated = np.arange(200) < 20
    assert adjusted_effects(treated, {"y": np.zeros(200)}, np.zeros((200, 0)), np.arange(200)) is None


def test_who_is_always_treated_is_left_out() -> None:
    dice = np.random.default_rng(5)
    always = np.arange(2000) < 500
    treated = always | (dice.random(2000) < 0.5)
    shown = adjusted_effects(
        treated, {"y": dice.random(2000)}, design_of(pl.DataFrame({"a": always})).matrix, np.arange(2000)
    )
    assert shown is not None
    assert shown.trimmed_share == pytest.approx(0.25)
    assert shown.overlap == pytest.approx(1 - 500 / treated.sum())


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_e_value_is_at_least_one_and_symmetric(one: float, other: float) -> None:
    assert e_value(one, other) >= 1
    assert e_value(one, other) == e_value(other, one)
    assert e_value(one, one) == 1
    assert e_value(one, other) >= max(one, other) / min(one, other)


def test_a_slope_adjusts_for_what_drives_both() -> None:
    held = 0
    for seed in range(60):
        dice = np.random.default_rng(seed)
        size = dice.normal(size=500)
        speed = size + dice.normal(size=500)
        shown = adjusted_slope(speed, 2 * size + 0.5 * speed + dice.normal(size=500), size[:, None], np.arange(500))
        held += shown.low <= 0.5 <= shown.high
    assert 50 <= held <= 60


def test_a_design_tells_texts_numbers_and_what_is_missing_apart() -> None:
    frame = pl.DataFrame(
        {"plan": ["a", "b", None, "a"] * 10, "n": [float(i) if i % 7 else None for i in range(40)], "same": [1] * 40}
    )
    made = design_of(frame)
    assert {"plan=a", "plan=(none)", "n", "n missing"} <= set(made.names)
    assert not any(name.startswith("same") for name in made.names)
    assert np.allclose(made.matrix.mean(axis=0), 0)
    assert np.allclose(made.matrix.std(axis=0), 1)
    assert np.isfinite(made.matrix).all()


def test_a_point_that_is_the_outcome_itself_is_no_chance() -> None:
    treated, _, known = trial(3, 600, 0.1)
    measures = {"same": treated.astype(float), "none": np.zeros(600)}
    made = adjusted_effects(treated, measures, design_of(known).matrix, np.arange(600), seed=1)
    assert made is not None
    assert (made.outcomes["same"].raw.estimate, made.outcomes["same"].raw.p_value) == (1.0, 0.0)
    assert np.isnan(made.outcomes["none"].raw.p_value), "where all are alike nothing can be told"
