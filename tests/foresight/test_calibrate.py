"""Calibration: it keeps order, puts right what is bent, and leaves alone what is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.calibrate import Curve, choose_curve, fit_curve
from truenorth.foresight.metrics import calibration_error


def bent(n, bend, seed):
    generator = np.random.default_rng(seed)
    truth = generator.random(n)
    return bend(truth), generator.random(n) < truth


def chosen_for(p, y):
    case = np.arange(len(p), dtype=np.int32)
    return choose_curve(p, y, np.ones(len(p)), case, case.astype(np.int64))


@given(st.sampled_from(["none", "platt", "beta", "isotonic"]), st.integers(0, 50))
def test_a_curve_never_falls_and_stays_a_probability(way, seed):
    generator = np.random.default_rng(seed)
    p, y = generator.random(60), generator.random(60) < 0.4
    curve = fit_curve(way, p, y, generator.uniform(0.5, 2, 60))
    out = curve(np.linspace(0, 1, 101))
    assert (np.diff(out) >= -1e-12).all()
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("bend", [lambda p: p**3, np.sqrt, lambda p: 0.3 + 0.4 * p], ids=["low", "high", "timid"])
def test_what_is_bent_is_put_right_on_cases_it_has_not_seen(bend):
    curve = chosen_for(*bent(6_000, bend, 1))
    p, y = bent(20_000, bend, 2)
    assert calibration_error(y, p) > 0.08
    assert calibration_error(y, curve(p)) < 0.025


def test_what_is_right_is_left_alone():
    ways = [chosen_for(*bent(3_000, lambda p: p, seed)).way for seed in range(10)]
    assert ways.count("none") >= 9


def test_one_class_teaches_nothing():
    p = np.linspace(0.1, 0.9, 30)
    assert fit_curve("isotonic", p, np.zeros(30, bool), np.ones(30)) == Curve()
    assert chosen_for(p, np.ones(30, bool)) == Curve()
