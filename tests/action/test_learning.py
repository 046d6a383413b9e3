"""Learning what actions do: known effects are found, nothing is found where there is nothing, chances are chances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.action.learning import Rows, fitted, learn
from truenorth.action.learnt_policy import best, shadow_prices
from truenorth.action.off_policy import Judge, always, certain
from truenorth.action.overrides import compare_overrides
from truenorth.action.split_check import check_split
from truenorth.action.values import Logged
from truenorth.spec.acting import Prior

ACTIONS = ("do_nothing", "call", "letter")


def a_log(n: int, seed: int, effect: float = 0.3, holdout: float = 0.0) -> Logged:
    """``call`` helps where the first column is 1, ``letter`` never does; calls are likelier where the second is 1."""
    random = np.random.default_rng(seed)
    context = (random.random((n, 3)) < 0.5).astype(float)
    chance = np.where(context[:, [1]] == 1, [[0.2, 0.6, 0.2]], [[0.5, 0.2, 0.3]])
    action = (random.random(n)[:, None] > chance.cumsum(1)).sum(1)
    p = 0.3 + 0.2 * context[:, 1] + effect * (action == 1) * context[:, 0]
    achieved = (random.random(n) < p).astype(float)
    return Logged(
        ("a", "b", "c"),
        ACTIONS,
        context,
        action,
        chance[np.arange(n), action],
        np.ones((n, 3), np.bool_),
        chance,
        achieved,
        achieved * 10_000,
        np.array([0.0, 500.0, 100.0])[action],
        np.arange(n),
        random.random(n) < holdout,
        np.arange(n),
    )


def test_an_effect_is_found_where_it_is() -> None:
    learnt = learn(a_log(6_000, 1), {"call": Prior(0.1, 10)})
    found = learnt.beliefs(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert found.low[0, 1] < 0.3 < found.high[0, 1]
    assert found.low[0, 1] > 0.1
    assert abs(found.mean[1, 1]) < 0.1
    assert np.all(np.abs(found.mean[:, 2]) < 0.06)
    assert np.all(found.mean[:, 0] == 0)


def test_a_belief_stays_where_nothing_was_tried() -> None:
    log = a_log(400, 2)
    action = np.zeros(400, np.int64)
    alone = np.tile([True, False, False], (400, 1))
    never = log._replace(action=action, propensity=np.ones(400), eligible=alone, chances=alone.astype(float))
    learnt = learn(never, {"call": Prior(0.25, 10)})
    context = np.array([[0.0, 0.0, 0.0]])
    risk = 1 - np.average(log.achieved[(log.context == 0).all(1)])
    assert learnt.beliefs(context).mean[0, 1] == pytest.approx(0.25 * risk, abs=0.05)


def test_a_rare_choice_is_not_taken_for_more_than_it_is() -> None:
    """An action that does nothing, tried once in a hundred decisions: its interval holds 0 as often as it says."""
    held, n_logs = 0, 40
    for seed in range(n_logs):
        log = a_log(1_500, 200 + seed, effect=0.0)
        random = np.random.default_rng(seed)
        action = np.where(random.random(1_500) < 0.01, 1, 0)
        chances = np.tile([0.99, 0.01, 0.0], (1_500, 1))
        achieved = (random.random(1_500) < 0.5).astype(float)
        given = log._replace(
            action=action, chances=chances, propensity=chances[np.arange(1_500), action], achieved=achieved
        )
        found = learn(given, {"call": Prior(0.0, 2)}).beliefs(log.context[:1])
        held += found.low[0, 1] <= 0 <= found.high[0, 1]
        weighted = learn(given._replace(chances=np.tile([0.5, 0.5, 0.0], (1_500, 1))), {"call": Prior(0.0, 2)})
        held += weighted.beliefs(log.context[:1]).low[0, 1] <= 0 <= weighted.beliefs(log.context[:1]).high[0, 1]
    assert held >= 0.93 * 2 * n_logs


def test_estimates_hold_the_truth() -> None:
    evaluation = Judge(a_log(5_000, 3)).evaluate(certain(np.ones(5_000, np.int64), 3))
    for one in (evaluation.ipw, evaluation.snipw, evaluation.dr):
        assert one.low_cents < 10_000 * 0.55 - 500 < one.high_cents
    assert evaluation.dr.se_cents < evaluation.ipw.se_cents


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        log = a_log(500, 100 + seed)
        gain = Judge(log).evaluate(always(log, "call"), always(log, "do_nothing")).gain
        held += gain.low_cents <= 10_000 * 0.15 - 500 <= gain.high_cents
    assert 52 <= held <= 60


def test_doing_what_was_done_gains_nothing_for_certain() -> None:
    log = a_log(300, 4)
    target = np.where(log.context[:, [1]] == 1, [[0.2, 0.6, 0.2]], [[0.5, 0.2, 0.3]])
    found = Judge(log).evaluate(target)
    assert found.ess == pytest.approx(300)
    assert found.ipw.mean_cents == pytest.approx((log.value_cents - log.cost_cents).mean())
    assert found.verdict == "undecided"


def test_no_winner_is_called_on_little_or_on_what_never_was_possible() -> None:
    log = a_log(300, 5)
    assert Judge(log).evaluate(always(log, "call")).verdict == "too_few"
    never = log._replace(eligible=log.eligible & [True, False, True])
    assert Judge(never).evaluate(certain(np.ones(300, np.int64), 3)).verdict == "unsupported"
    with pytest.raises(ValueError, match="sum to one"):
        Judge(log).evaluate(np.full((300, 3), 0.5))


def test_the_holdout_and_open_cases_judge_nothing() -> None:
    log = a_log(400, 6, holdout=0.3)
    assert Judge(log).evaluate(always(log, "call")).n == int((~log.holdout).sum())
    with pytest.raises(ValueError, match="no settled decision"):
        Judge(log._replace(value_cents=np.full(400, np.nan)))


@given(st.integers(0, 2**32 - 1))
def test_prices_keep_use_within_capacity(seed: int) -> None:
    random = np.random.default_rng(seed)
    value, eligible = random.normal(size=(400, 3)), np.ones((400, 3), np.bool_)
    value[:, 0] = 0.0
    share = np.array([1.0, 0.1, 0.2])
    price = shadow_prices(value, eligible, share)
    used = np.bincount(best(value - price, eligible), minlength=3) / 400
    assert np.all(used[1:] <= share[1:] + 0.05)
    assert price[0] == 0


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.01, 0.99))
def test_a_split_as_meant_is_sound(n_holdout: int, n_treated: int, share: float) -> None:
    found = check_split(n_holdout, n_treated, share)
    assert 0 <= found.p_value <= 1
    n = n_holdout + n_treated
    assert found.is_sound or abs(n_holdout - n * share) > 3 * (n * share * (1 - share)) ** 0.5


@pytest.mark.parametrize(("n_holdout", "n_treated", "is_telling"), [(0, 6, False), (4, 45, False), (5, 45, True)])
def test_few_cases_do_not_say_that_a_split_is_sound(n_holdout: int, n_treated: int, is_telling: bool) -> None:
    found = check_split(n_holdout, n_treated, 0.1)
    assert (found.is_telling, "too few" in found.words) == (is_telling, not is_telling)


def test_overriding_is_judged_with_what_was_known() -> None:
    random = np.random.default_rng(7)
    context = (random.random((2_000, 1)) < 0.5).astype(float)
    overridden = random.random(2_000) < np.where(context[:, 0] == 1, 0.7, 0.2)
    net = 1_000 * context[:, 0] - 200 * overridden + random.normal(0, 300, 2_000)
    proposed = np.array(["call"] * 1_990 + ["letter"] * 10)
    call, letter = compare_overrides(proposed, overridden, net, context, np.arange(2_000))
    assert call.gain is not None
    assert call.gain.low_cents < -200 < call.gain.high_cents < 0
    assert letter.gain is None


@pytest.mark.parametrize(("n_rows", "n_coefficients"), [(5, 12), (12, 12), (60, 12)])
def test_coefficients_are_those_of_the_normal_equations(n_rows: int, n_coefficients: int) -> None:
    random = np.random.default_rng(n_rows)
    design, target = random.normal(size=(n_rows, n_coefficients)), random.normal(size=n_rows)
    weight, variance, noise = random.uniform(0.1, 3, n_rows), random.uniform(0.1, 3, n_coefficients), 0.7
    covariance = np.linalg.inv(np.diag(1 / variance) + design.T @ (design * weight[:, None]) / noise)
    expected = covariance @ design.T @ (weight * target) / noise

    rows = Rows.of(design, target, weight)
    mean, known = fitted(rows, variance, noise)
    root = np.sqrt(variance)
    assert len(rows.target) == min(n_rows, n_coefficients)
    assert mean == pytest.approx(expected)
    assert np.diag(variance) - root[:, None] * (known.T @ known) * root == pytest.approx(covariance, abs=1e-12)
    left = rows.rest + ((rows.target - rows.design @ mean) ** 2).sum()
    assert left == pytest.approx((weight * (target - design @ mean) ** 2).sum())
