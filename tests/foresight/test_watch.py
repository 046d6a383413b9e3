"""Watching: still data alarm at most at the stated rate, changed data do."""

from __future__ import annotations

import numpy as np
import pytest

from truenorth.foresight.alarms import crossings, mean_cost
from truenorth.foresight.rows import Column
from truenorth.foresight.watch import FEWEST, Alarmed, Matured, alarmed, drift, health

COLUMNS = (
    *(Column(f"n{i}", f"number {i}") for i in range(4)),
    Column("kind", "kind", "category", ("a", "b", "c")),
)
LEVEL = 0.05


def window(n, generator, shift=0.0, shares=(0.5, 0.3, 0.2)):
    numbers = generator.normal(size=(n, 4))
    numbers[:, 1] = np.round(numbers[:, 1])  # ties
    numbers[:, 2] = numbers[:, 0]  # what depends on another
    numbers[generator.random(n) < 0.1, 3] = np.nan
    numbers[:, 0] += shift
    return np.column_stack([numbers, generator.choice(3, n, p=shares)]).astype(np.float32)


def matured(n, generator, bend=0.0):
    risk = generator.beta(2, 5, n)
    return Matured(risk, generator.random(n) < np.clip(risk + bend, 0, 1), np.arange(n, dtype=np.int32))


def told(n, generator, right=0.5, missed=0.1):
    """Of n cases every third is alarmed; so large a share of the alarmed fails, and of the others."""
    n_alarmed = n // 3
    return Alarmed(
        n_alarmed, generator.binomial(n_alarmed, right), n - n_alarmed, generator.binomial(n - n_alarmed, missed), 0.5
    )


def look(seed, shift=0.0, shares=(0.5, 0.3, 0.2), bend=0.0, p_failed=0.3, n=300, **alarms):
    generator = np.random.default_rng(seed)
    outcomes = (generator.binomial(1, 0.3, 2 * n), generator.binomial(1, p_failed, n))
    return drift(
        COLUMNS,
        window(2 * n, generator),
        window(n, generator, shift, shares),
        outcomes=outcomes,
        matured=matured(n, generator, bend),
        told=told(n, generator, **alarms),
        false_alarms=LEVEL,
    )


def test_still_data_alarm_at_most_at_the_stated_rate():
    n_alarms = sum(bool(look(seed)) for seed in range(300))
    assert n_alarms <= 26  # 15 expected at most; 26 is more than three standard deviations above


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"shift": 0.5}, "input"),
        ({"shares": (0.2, 0.3, 0.5)}, "input"),
        ({"p_failed": 0.5}, "outcome"),
        ({"bend": 0.15}, "calibration"),
        ({"right": 0.2}, "cost"),
        ({"missed": 0.7}, "cost"),
    ],
    ids=["numbers", "categories", "outcomes", "risks", "alarms that are wrong", "failures without alarm"],
)
def test_changed_data_alarm_and_say_what_changed(change, kind):
    looks = [look(seed, **change) for seed in range(20)]
    assert sum(any(alarm.kind == kind for alarm in found) for found in looks) >= 19
    assert all(alarm.p_value <= LEVEL and alarm.words for found in looks for alarm in found)


def test_a_window_of_few_says_nothing():
    assert look(1, shift=5.0, n=20) == ()


def test_health_counts_what_came():
    generator = np.random.default_rng(7)
    found = health(matured(5_000, generator), 0)
    assert found.n_cases == 5_000
    assert abs(found.said - found.came) < 0.03
    assert found.calibration_error < 0.03
    assert found.auc.low > 0.55
    assert health(matured(5_000, generator, 0.2), 0).calibration_error > 0.15


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.0, 5.0, 10.0])
def test_alarms_pay_where_it_is_said(ratio):
    """Between one over the share of the alarmed that fail and one over that of the others, in actions."""
    generator = np.random.default_rng(3)
    risk = generator.random(400)
    found = Matured(risk, generator.random(400) < np.where(risk >= 0.6, 0.45, 0.15), np.arange(400, dtype=np.int32))
    said = alarmed(found, 0.6, 0.5)
    cost = mean_cost(crossings(found.case, found.risk, found.failed), 0.6, ratio)
    least, most = said.n_alarmed / said.n_alarmed_failed, said.n_others / said.n_others_failed
    assert (least < ratio < most) == (cost.cost < min(cost.always, cost.never))
    assert f"{least:.1f} to {most:.1f} actions" in said.words


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, FEWEST, 5), "none was alarmed"),
        ((20, 4, 30, 12), "alarms pay nowhere"),
        ((20, 10, 30, 0), "alarms pay where a failure costs 2.0 actions or more"),
    ],
    ids=["none", "nowhere", "everywhere above"],
)
def test_alarms_are_said_in_words(counts, words):
    assert words in Alarmed(*counts, 0.5).words
