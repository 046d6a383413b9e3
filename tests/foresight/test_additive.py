"""The wide sum: the lasso's optimum at each penalty, in the mean with the trees unless the truth is no sum."""

from __future__ import annotations

import numpy as np
import pytest

from foresight.tables import COLUMNS, table
from truenorth.foresight import additive
from truenorth.foresight.additive import fit_sums
from truenorth.foresight.predictors import Linear, Mean, Sample, runner, standardised
from truenorth.foresight.rows import Column
from truenorth.foresight.split import temporal_split
from truenorth.foresight.train import Effort, learn_outcome


def sample(n_outcomes=2, n_cases=400):
    made = table(n_cases, n_outcomes=n_outcomes, open_share=0.0)
    outcome = made.cases.outcome[made.rows.case].astype(float)
    return Sample(made.rows.x, outcome, np.random.default_rng(1).gamma(2.0, 0.5, len(outcome)))


def loss(model, of):
    given = runner(model, of.x.shape[1]).predict(of.x)[np.arange(len(of.y)), of.y.astype(int)]
    return np.average(-np.log(given), weights=of.weight)


@pytest.mark.parametrize("n_outcomes", [2, 3])
def test_every_term_that_is_used_pulls_as_hard_as_the_penalty(n_outcomes, monkeypatch):
    monkeypatch.setattr(additive, "CLOSE", 1e-5)
    monkeypatch.setattr(additive, "MOST_STEPS", 2_000)
    of = sample(n_outcomes)
    share = of.weight / of.weight.sum()
    came = np.equal.outer(of.y, np.arange(n_outcomes))
    for model in fit_sums(of, n_outcomes, COLUMNS, 0):
        missed = (came - runner(model, of.x.shape[1]).predict(of.x)) * share[:, None]
        weights = np.array(model.weights).T
        pull = (standardised(model.terms, of.x).T @ missed)[weights != 0] * np.sign(weights[weights != 0])
        assert np.ptp(pull) < 1e-3 * pull.mean() + 1e-5
        assert np.abs(missed.sum(0)).max() < 1e-4  # intercepts are free


def test_a_lower_penalty_uses_more_terms_and_fits_closer():
    of = sample()
    path = fit_sums(of, 2, COLUMNS, 0)
    losses = [loss(model, of) for model in path]
    assert losses == sorted(losses, reverse=True)
    assert {term.column for term in path[0].terms} <= {0, 1}  # those that the risk is made of
    assert len(path[0].terms) < len(path[-1].terms)


def test_many_rows_are_drawn_and_teach_nearly_the_same(monkeypatch):
    of = sample(n_cases=3_000)
    whole = fit_sums(of, 2, COLUMNS, 0)[-1]
    monkeypatch.setattr(additive, "MOST_ROWS", 4_000)
    assert abs(loss(fit_sums(of, 2, COLUMNS, 0)[-1], of) - loss(whole, of)) < 0.01


def test_the_sum_goes_to_work_with_the_trees():
    made = table(900)
    found = learn_outcome(made, temporal_split(made.cases, made.rows), 0, Effort(n_threads=1))
    assert isinstance(found.trees.predictor, Mean)
    assert isinstance(found.trees.predictor.parts[-1], Linear)


def test_where_the_truth_is_no_sum_trees_work_alone():
    made = table(1_500, open_share=0.0)
    generator = np.random.default_rng(3)
    sides = generator.choice([-1.0, 1.0], (len(made.cases.outcome), 2))
    outcome = (sides.prod(1) > 0).astype(np.int8)
    x = np.column_stack([sides[made.rows.case], generator.normal(size=(len(made.rows.case), 3))]).astype(np.float32)
    columns = tuple(Column(name, name) for name in "abcde")
    crossed = made._replace(
        columns=columns, rows=made.rows._replace(x=x), cases=made.cases._replace(outcome=outcome), targets={}
    )
    predictor = learn_outcome(
        crossed, temporal_split(crossed.cases, crossed.rows), 0, Effort(n_threads=1)
    ).trees.predictor
    parts = predictor.parts if isinstance(predictor, Mean) else (predictor,)
    assert not any(isinstance(part, Linear) for part in parts)
