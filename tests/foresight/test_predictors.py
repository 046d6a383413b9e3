"""Models that have learnt: one row is answered as many are, what was written is read, reasons add up."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest
from scipy.special import logit

from foresight.tables import table
from truenorth.foresight.backtest import backtest
from truenorth.foresight.boosted import Setting, fit_classes
from truenorth.foresight.learnt import foresight_of, learn, refit
from truenorth.foresight.model import Foresight, Scorer, Verdict
from truenorth.foresight.predictors import Boosted, Linear, Mean, Sample, runner
from truenorth.foresight.samples import Part
from truenorth.foresight.split import temporal_split
from truenorth.foresight.train import Effort, answered, as_good, mean_of
from truenorth.foresight.why import Change, levers, remedies

EFFORT = Effort(n_threads=1)


def quiet(_stage, _share):
    """Progress that nobody looks at."""


@cache
def learnt(n_outcomes=2):
    return backtest(table(900, n_outcomes=n_outcomes), effort=EFFORT)[1]


@pytest.fixture(params=[2, 3])
def foresight(request):
    return learnt(request.param)


def test_chances_sum_to_one_and_one_row_is_answered_as_many_are(foresight):
    rows, scorer = table(60, seed=9).rows, Scorer(foresight)
    many = scorer.predict(rows.x)
    assert np.allclose(many.p.sum(1), 1)
    assert (many.p >= 0).all()
    assert np.allclose(many.risk, scorer.risk(rows.x))
    assert np.allclose(many.next.sum(1), 1)
    assert set(many.p_break) == {"called_back"}
    for i in range(20):
        one = scorer.one(rows.x[i])
        assert np.allclose(one.p[0], many.p[i])
        assert np.allclose(one.next[0], many.next[i])
        assert np.allclose(one.remaining_days[0], many.remaining_days[i])
        assert np.allclose(one.p_break["called_back"][0], many.p_break["called_back"][i])


def test_bytes_come_back_as_what_they_were(foresight):
    again = Foresight.from_bytes(foresight.to_bytes())
    assert again == foresight
    assert again.version == foresight.version
    x = table(30, seed=4).rows.x
    assert (Scorer(again).predict(x).p == Scorer(foresight).predict(x).p).all()


@pytest.mark.parametrize("content", [b"", b"{}", msgspec.msgpack.encode((99, {})), msgspec.msgpack.encode((1, {}))])
def test_other_bytes_are_refused(content):
    with pytest.raises(ValueError, match="model"):
        Foresight.from_bytes(content)


def test_the_same_seed_learns_the_same():
    again = backtest(table(900), effort=EFFORT)[1]
    assert again.version == learnt().version


def test_contributions_of_trees_add_up_to_the_log_odds():
    foresight = learnt()
    x, scorer = table(40, seed=5).rows.x, Scorer(foresight)
    raw = scorer.runners["outcome"].predict(x)[:, 1]
    assert np.ptp(logit(raw) - scorer.added(x).sum(1)) < 1e-6


def test_reasons_name_what_the_risk_is_made_of(foresight):
    x = np.array([[14.0, 3.0, 1.0, 0.0, 2.0], [0.5, 0.0, 1.0, 0.0, 2.0]], np.float32)
    high, low = Scorer(foresight).contributions(x, top=2)
    assert {reason.column for reason in high} == {"waited", "transfers"} == {reason.column for reason in low}
    assert all(reason.added > 0 for reason in high)
    assert all(reason.added < 0 for reason in low)
    assert "14 hours waited" in {reason.words for reason in high}


@pytest.mark.parametrize("n_outcomes", [2, 3])
def test_contributions_of_a_logistic_regression_are_its_log_odds(n_outcomes):
    made = table(900, n_outcomes=n_outcomes)
    found = learn(made, temporal_split(made.cases, made.rows), 0, EFFORT, quiet)
    foresight = foresight_of(found, Verdict("logistic", True, ""), 0.5, {"called_back": "logistic"})
    scorer, x = Scorer(foresight), table(40, seed=5).rows.x
    added = scorer.added(x)
    if n_outcomes == 2:  # all that is not in the contributions is the same for every row
        assert np.ptp(logit(scorer.runners["outcome"].predict(x)[:, 1]) - added.sum(1)) < 1e-9
    for row, reasons in zip(added, scorer.contributions(x, top=2), strict=True):
        assert [abs(reason.added) for reason in reasons] == sorted(np.abs(row), reverse=True)[:2]
    assert (added[:, 0][x[:, 0] > 10] > 0).all()
    assert (added[:, 0][x[:, 0] < 1] < 0).all()


def test_the_model_that_won_is_the_one_that_goes_to_work():
    made = table(900)
    found = learn(made, temporal_split(made.cases, made.rows), 0, EFFORT, quiet)
    for used, kind in (("logistic", Linear), ("trees", Boosted | Mean)):
        foresight = foresight_of(found, Verdict(used, True, ""), 0.5, {"called_back": used})
        again = refit(made, foresight, seed=0, effort=EFFORT, tell=quiet)
        for one in (foresight, again):
            assert isinstance(one.heads["outcome"].predictor, kind)
            assert isinstance(one.heads["promise:called_back"].predictor, kind)


def tried(seed):
    """Trees that have learnt from some rows, and trees that have learnt from outcomes dealt out at random."""
    rows, cases = table(300, seed=seed).rows, table(300, seed=seed).cases
    y = np.maximum(cases.outcome, 0).astype(float)[rows.case]
    chance = np.random.default_rng(seed).permutation(y)
    samples = (Sample(rows.x, one, np.ones(len(y))) for one in (y, chance))
    return [fit_classes(one, one, 2, table(1).columns, Setting(7, 0.1, 20, 20), seed) for one in samples]


def test_the_mean_of_trees_is_that_of_their_log_odds_and_their_contributions():
    good, bad = tried(1)
    x = table(30, seed=2).rows.x
    both, parts = runner(Mean((good, bad)), 5), [runner(one, 5) for one in (good, bad)]
    assert np.allclose(logit(both.predict(x)[:, 1]), np.mean([logit(part.predict(x)[:, 1]) for part in parts], axis=0))
    assert np.allclose(both.contributions(x), np.mean([part.contributions(x) for part in parts], axis=0))
    assert np.allclose(both.one(x[3]), both.predict(x)[3])


def test_trees_that_are_clearly_worse_on_later_cases_are_not_used_and_others_are():
    good, bad = tried(1)
    later = table(300, seed=3)
    rows, y = later.rows, np.maximum(later.cases.outcome, 0).astype(float)[later.rows.case]
    part = Part(Sample(rows.x, y, np.ones(len(y))), rows.case, later.cases.opened_us[rows.case])

    def kept(*models):
        return mean_of(as_good([answered(one, part) for one in models], part, 0)).predictor

    assert kept(bad, good) == good
    assert kept(good, good) == Mean((good, good))


def test_levers_are_remedies_counted():
    x = table(80, seed=3).rows.x
    changes, risk_of = [Change(1, 0.0, "no transfer"), Change(0, 1.0, "answer at once")], Scorer(learnt()).risk
    each = [remedy for of_row in remedies(x, changes, risk_of) for remedy in of_row]
    found = levers(x, changes, risk_of)
    raised_ = levers(x, changes, risk_of, 1.0)
    assert {one.words for one in raised_} == {one.words for one in found}
    assert all(one.risk > one.risk_after for one in raised_)
    assert sum(one.risk for one in raised_) > sum(one.risk for one in found)
    assert {lever.words for lever in found} == {"no transfer", "answer at once"}
    assert sum(lever.n_rows for lever in found) == len(each)
    assert all(lever.risk_after < lever.risk for lever in found)
    taken = sum(lever.n_rows * (lever.risk - lever.risk_after) for lever in found)
    assert np.isclose(taken, sum(remedy.risk - remedy.risk_after for remedy in each))


def test_remedies_are_feasible_and_lower_the_risk():
    x = np.array([[6.0, 2.0, 1.0, 0.0, 2.0], [6.0, 0.0, 1.0, 0.0, 2.0]], np.float32)
    changes = [Change(1, 0.0, "no transfer"), Change(0, 1.0, "answer within the hour"), Change(0, 30.0, "wait longer")]
    many, few = remedies(x, changes, Scorer(learnt()).risk)
    assert {remedy.words for remedy in many} == {"no transfer", "answer within the hour"}
    assert [remedy.words for remedy in few] == ["answer within the hour"]
    assert all(remedy.risk_after < remedy.risk for remedy in [*many, *few])
    assert many == sorted(many, key=lambda remedy: remedy.risk_after)


def test_learning_again_from_all_keeps_what_was_found():
    made = table(900)
    again = refit(made, learnt(), seed=0, effort=EFFORT, tell=quiet)
    assert again.verdict == learnt().verdict
    assert again.threshold == learnt().threshold
    assert again.n_cases == int((made.cases.outcome >= 0).sum()) > learnt().n_cases
    assert set(again.heads) == set(learnt().heads)
