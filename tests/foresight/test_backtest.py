"""Backtests: what can be foreseen is, what cannot is said to be so, and nothing goes live that does not deserve it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from foresight.tables import table
from truenorth.foresight.backtest import Asked, backtest
from truenorth.foresight.evaluate import ahead, level, usual_next, verdict
from truenorth.foresight.metrics import calibration_error
from truenorth.foresight.model import Scorer
from truenorth.foresight.rows import NEVER, Column
from truenorth.foresight.train import Effort, longest_hold_us
from truenorth.spec.durations import DAY_US

EFFORT = Effort(n_threads=1)


def shuffled(made, seed):
    outcome = np.random.default_rng(seed).permutation(made.cases.outcome)
    known = made.cases.outcome >= 0
    outcome[known] = np.random.default_rng(seed).permutation(made.cases.outcome[known])
    outcome[~known] = -1
    return made._replace(cases=made.cases._replace(outcome=outcome), targets={})


def test_what_can_be_foreseen_is():
    findings, foresight = backtest(table(1_500), effort=EFFORT)
    trees = findings.models[0]
    assert findings.verdict.live
    assert findings.verdict.used in ("trees", "logistic")
    assert trees.model == "trees"
    assert trees.auc.low > 0.7
    assert trees.brier.value < findings.models[-1].brier.value
    assert foresight.verdict == findings.verdict
    assert findings.promises[0].verdict.live
    assert findings.promises[0].scored.auc.low > 0.7
    assert findings.next.accuracy.low > findings.next.constant
    assert findings.remaining.mae.value < min(findings.remaining.mae_zero, findings.remaining.mae_median)
    assert abs(findings.remaining.coverage.value - 0.9) < 0.04
    assert findings.n_test + findings.n_fit + findings.n_valid + findings.n_censored <= findings.n_cases


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_outcomes_cannot_be_predicted_and_nothing_goes_live(seed):
    findings, foresight = backtest(shuffled(table(900, seed), seed), effort=EFFORT)
    assert not findings.verdict.live
    assert findings.verdict.used == "none"
    assert "cannot be predicted" in findings.verdict.why or "does not beat" in findings.verdict.why
    assert abs(findings.models[0].auc.value - 0.5) < 0.12
    risks = Scorer(foresight).risk(table(20, 8).rows.x)
    assert np.ptp(risks) == 0
    assert abs(risks[0] - findings.base_rate) < 0.1


def test_trees_come_near_the_truth():
    made = table(3_000)
    findings, _ = backtest(made, effort=EFFORT)
    waited, transfers = made.rows.x[:, 0], made.rows.x[:, 1]
    truth = 1.5 * ((waited - 4) / 3 + (transfers - 0.7))
    of = (made.cases.opened_us >= findings.test_us)[made.rows.case] & (made.cases.outcome >= 0)[made.rows.case]
    oracle = roc_auc_score(made.cases.outcome[made.rows.case[of]] > 0, truth[of])
    assert findings.models[0].auc.value > oracle - 0.02


def test_what_comes_next_is_learnt_where_nothing_has_the_first_code():
    made = table(900)
    moved = {**made.targets, "next": made.targets["next"] + 1}
    found, _ = backtest(made._replace(targets=moved, next_types=("never", *made.next_types)), effort=EFFORT)
    assert found.next.accuracy.low > found.next.constant


def test_what_comes_next_is_judged_at_events_only():
    made = table(900)
    silent = made.rows.prefix == 2
    nonsense = np.where(silent, 0, made.targets["next"]).astype(np.float32)
    rows = made.rows._replace(at_event=~silent)
    found, again = (
        backtest(made._replace(rows=rows, targets={"next": target}), effort=EFFORT)[0]
        for target in (made.targets["next"], nonsense)
    )
    assert found.next.constant == again.next.constant
    assert found.next.usual == again.next.usual


def test_cases_that_are_resolved_and_have_but_to_hold_are_not_scored():
    made = table(900)
    resolved = (made.rows.prefix > 2).astype(np.float32)
    told = np.where(made.rows.prefix > 2, made.cases.outcome[made.rows.case] * 9.0, made.rows.x[:, 0])
    x = np.column_stack([told, made.rows.x[:, 1:4], resolved]).astype(np.float32)
    columns = (*made.columns[:4], Column("resolved", "resolved"))
    found, _ = backtest(made._replace(columns=columns, rows=made.rows._replace(x=x)), effort=EFFORT)
    assert max(bucket.last for bucket in found.buckets) <= 2
    assert found.models[0].auc.value < 0.95


def test_the_level_is_what_would_put_the_mean_right():
    generator = np.random.default_rng(4)
    truth = generator.random(4_000)
    failed = generator.random(4_000) < truth
    told = expit(logit(truth) - 1.2)
    found = level(0.3, 0.5, failed, told, told)
    assert found.moved == pytest.approx(0.2)
    assert found.shift == pytest.approx(1.2, abs=0.2)
    assert calibration_error(failed, told) > 0.1
    assert found.calibration_error < 0.03
    assert found.if_left == calibration_error(failed, told)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 4)), min_size=1, max_size=50))
def test_what_usually_follows_is_right_at_least_as_often_as_what_is_most_frequent(pairs):
    last, came = (np.array(part) for part in zip(*pairs, strict=True))
    usual = usual_next(last, came, last)
    assert (usual == came).sum() >= np.bincount(came).max()


def test_what_comes_after_the_split_changes_no_model():
    made = table(900)
    findings, foresight = backtest(made, effort=EFFORT)
    later = made.cases.opened_us >= findings.test_us
    outcome = np.where(later & (made.cases.outcome >= 0), 1 - made.cases.outcome, made.cases.outcome)
    again, other = backtest(made._replace(cases=made.cases._replace(outcome=outcome)), effort=EFFORT)
    assert other.threshold == foresight.threshold
    assert again.verdict != findings.verdict  # the judgement does change
    assert other.remaining == foresight.remaining


def test_when_cases_end_that_were_open_at_the_split_changes_no_interval():
    """It is known of them that they were open, and no more."""
    made = table(900)
    findings, foresight = backtest(made, effort=EFFORT)
    later = (made.cases.ended_us >= findings.test_us) & (made.cases.ended_us < NEVER)
    by_us = np.where(later, 30 * DAY_US, 0)
    days = made.targets["remaining_days"] + np.float32(30) * later[made.rows.case]
    cases = made.cases._replace(ended_us=made.cases.ended_us + by_us)
    again, other = backtest(made._replace(cases=cases, targets={**made.targets, "remaining_days": days}), effort=EFFORT)
    assert later.any()
    assert other.remaining == foresight.remaining
    assert again.remaining != findings.remaining  # the judgement does change


@pytest.mark.parametrize("holds_days", [0, 3])
def test_outcomes_that_have_to_hold_are_known_so_much_later(holds_days):
    made = table(100)
    ended_us = made.cases.ended_us
    later = made.cases._replace(ended_us=np.where(ended_us < NEVER, ended_us + holds_days * DAY_US, NEVER))
    holds_us = longest_hold_us(made._replace(cases=later), int(ended_us[ended_us < NEVER].max()))
    assert holds_us == pytest.approx(holds_days * DAY_US, abs=100_000)  # days are kept in single precision


def test_where_failures_have_had_no_time_to_be_known_it_is_said_how_long_they_take():
    made = table(900)
    failed, late = made.cases.outcome > 0, made.cases.opened_us >= np.quantile(made.cases.opened_us, 0.75)
    outcome = np.where(failed & late, -1, made.cases.outcome).astype(np.int8)
    ended_us = np.where(failed, np.where(late, NEVER, made.cases.opened_us + 20 * DAY_US), made.cases.ended_us)
    findings, _ = backtest(made._replace(cases=made.cases._replace(outcome=outcome, ended_us=ended_us)), effort=EFFORT)
    assert findings.verdict.why.startswith("cannot be judged: the held-out cases all end the same way; ")
    assert f"{(outcome[late] < 0).sum()} more are still open" in findings.verdict.why
    assert "took 20 d (median), and the data go on for" in findings.verdict.why


def test_held_out_cases_that_are_all_open_give_no_figures():
    made = table(60)
    late = made.cases.opened_us >= np.quantile(made.cases.opened_us, 0.7)
    cases = made.cases._replace(
        outcome=np.where(late, -1, made.cases.outcome).astype(np.int8),
        ended_us=np.where(late, NEVER, made.cases.ended_us),
    )
    findings, _ = backtest(made._replace(cases=cases), effort=EFFORT)
    assert findings.n_test == 0
    assert not findings.verdict.live
    assert all(np.isnan(cost.cost) for cost in findings.costs)


@pytest.mark.parametrize("n_cases", [1, 2, 12, 40])
def test_few_cases_give_the_base_rate_and_a_reason(n_cases):
    findings, foresight = backtest(table(n_cases), effort=EFFORT)
    assert not findings.verdict.live
    assert findings.verdict.why
    assert np.ptp(Scorer(foresight).risk(table(20).rows.x)) == 0
    msgspec.json.encode(findings)


def test_a_model_that_does_not_beat_the_baseline_stays_at_home():
    generator = np.random.default_rng(2)
    case, truth = np.arange(2_000, dtype=np.int32), generator.random(2_000)
    failed = generator.random(2_000) < truth
    poor = 0.5 + 0.3 * (truth - 0.5)
    base = np.full(2_000, 0.5)
    judged = verdict(failed, {"trees": poor, "logistic": truth, "base rate": base}, case, 0)
    assert judged.used == "logistic"
    assert judged.live
    assert "does not beat the logistic baseline" in judged.why
    judged = verdict(failed, {"trees": truth, "logistic": poor, "base rate": base}, case, 0)
    assert judged.used == "trees"


def test_more_precise_alarms_are_fewer():
    asked = [backtest(table(1_500), asked=Asked(precision=p), effort=EFFORT)[0].lead for p in (0.4, 0.8)]
    assert asked[0].threshold < asked[1].threshold
    assert asked[0].n_alarmed > asked[1].n_alarmed
    assert asked[0].recall.value > asked[1].recall.value
    assert all(found.lead_days_q1 <= found.lead_days <= found.lead_days_q3 for found in asked)


def test_surveys_are_counted_against_alarms():
    day = 86_400_000_000
    crossed = np.array([1, 2, -1, 3, 5]) * day
    answered = np.array([4, -1, 3, -1, 9]) * day
    crossed[2], answered[[1, 3]] = -1, -1
    found = ahead(crossed, answered, np.array([True, True, True, False, True]), 0)
    assert (found.n_failed, found.n_never_answered, found.n_silent_seen, found.n_both) == (4, 1, 1, 2)
    assert found.days_earlier.value == 3.5
