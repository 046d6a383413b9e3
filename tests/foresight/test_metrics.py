"""Figures of probabilities: they agree with the library's, and intervals hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as library_log_loss

from truenorth.foresight.metrics import (
    auc,
    auc_of,
    brier,
    calibration_error,
    calibration_error_by_chance,
    log_loss,
    mean_of,
    reliability,
)

rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8).map(lambda n: n / 8), st.integers(1, 3)), min_size=2, max_size=60
).filter(lambda found: len({y for y, _, _ in found}) == 2)


@given(rows)
def test_scores_are_the_librarys(found):
    y, p, weight = (np.array(part) for part in zip(*found, strict=True))
    assert auc(y, p, weight) == pytest.approx(roc_auc_score(y, p, sample_weight=weight))
    assert brier(y, p, weight.astype(float)) == pytest.approx(brier_score_loss(y, p, sample_weight=weight))
    sure = np.clip(p, 1e-7, 1 - 1e-7)
    assert log_loss(y, p) == pytest.approx(library_log_loss(y, np.column_stack([1 - sure, sure])))


@given(rows)
def test_a_weight_is_a_repetition(found):
    y, p, weight = (np.array(part) for part in zip(*found, strict=True))
    assert auc(y, p, weight) == pytest.approx(auc(np.repeat(y, weight), np.repeat(p, weight)))


@given(rows)
def test_only_the_order_matters_for_discrimination(found):
    y, p, _ = (np.array(part) for part in zip(*found, strict=True))
    assert auc(y, p**3 / 2 + 0.1) == pytest.approx(auc(y, p))
    assert auc(~y, p) == pytest.approx(1 - auc(y, p))


@given(rows, st.integers(1, 12))
def test_reliability_loses_no_row_and_no_failure(found, n_bins):
    y, p, _ = (np.array(part) for part in zip(*found, strict=True))
    said, came, n = reliability(y, p, n_bins)
    assert n.sum() == len(y)
    assert len(n) <= n_bins
    assert said @ n == pytest.approx(p.sum())
    assert came @ n == pytest.approx(y.sum())
    assert 0 <= calibration_error(y, p, n_bins) <= 1


def test_true_probabilities_have_next_to_no_calibration_error():
    generator = np.random.default_rng(3)
    p = generator.random(40_000)
    assert calibration_error(generator.random(40_000) < p, p) < 0.012
    assert calibration_error(generator.random(40_000) < p**2, p) > 0.1


def test_the_calibration_error_of_true_risks_is_seldom_above_what_chance_makes_it_and_that_of_wrong_ones_is():
    """Cases of five rows: their risk is drawn once, so that rows are as little independent as can be."""
    generator, above, n_logs = np.random.default_rng(11), 0, 200
    case = np.repeat(np.arange(300), 5)
    for _ in range(n_logs):
        risk, luck = generator.random(300)[case], generator.random(300)[case]
        by_chance = calibration_error_by_chance(risk, case, 0)
        above += calibration_error(luck < risk, risk) > by_chance
        assert (
            calibration_error(luck < risk**2, risk) > by_chance > calibration_error_by_chance(risk, np.arange(1500), 0)
        )
    assert 0.02 < above / n_logs < 0.09


def test_intervals_of_cases_hold_the_truth_about_as_often_as_they_say():
    generator, held = np.random.default_rng(5), 0
    for seed in range(60):
        of_case = generator.normal(0.3, 1.0, 80)
        n_rows = generator.integers(1, 9, 80)
        case = np.repeat(np.arange(80), n_rows)
        found = mean_of(of_case[case], case, seed)
        held += found.low <= 0.3 <= found.high
    assert 49 <= held <= 60  # 57 expected


def test_what_cannot_be_said_is_nan():
    found = auc_of(np.ones(4, bool), np.arange(4) / 4, np.arange(4), 0)
    assert np.isnan([found.value, found.low, found.high]).all()
    assert np.isnan(auc(np.zeros(0, bool), np.zeros(0)))
