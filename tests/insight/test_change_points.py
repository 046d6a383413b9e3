"""Days on which a mix changed: laws, what chance does, and what was planted."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.insight.change_points import best_split, change_days, distance


def days(seed: int, n_days: int = 60, at: int | None = None, by: float = 0.15, n: int = 40) -> np.ndarray:
    """Two questions with three and two answers; from a day on, ``by`` of the first answers otherwise."""
    dice = np.random.default_rng(seed)
    rows = []
    for day in range(n_days):
        moved = by if at is not None and day >= at else 0.0
        rows.append([*dice.multinomial(n, [0.5 - moved, 0.3 + moved, 0.2]), *dice.multinomial(n // 2, [0.7, 0.3])])
    return np.array(rows, float)


STRATA = np.array([0, 0, 0, 1, 1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(5)))
def test_the_order_of_answers_changes_nothing(seed: int, order: list[int]) -> None:
    counts = days(seed, 40)
    found = best_split(counts, STRATA, seed=1, n_shuffles=19)
    assert best_split(counts[:, order], STRATA[order], seed=1, n_shuffles=19) == found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 50))
def test_a_change_is_dated(seed: int, at: int) -> None:
    split = best_split(days(seed, at=at, by=0.3), STRATA, seed=1, n_shuffles=99)
    assert split is not None
    assert split.p == 0.01
    assert abs(split.day - at) <= 3


def test_chance_is_found_as_often_as_it_should_be() -> None:
    """Of 200 still times 5 % are split with p below 0.05: 22 or fewer is four standard errors above."""
    p_values = [split.p for seed in range(200) if (split := best_split(days(seed, 30), STRATA, seed, 99))]
    assert len(p_values) == 200
    assert sum(p <= 0.05 for p in p_values) <= 22


def test_two_changes_are_two() -> None:
    counts = np.vstack([days(1, 30), days(2, 30, at=0, by=0.3), days(3, 30)])
    found = change_days(counts, STRATA, alpha=0.01, seed=1, n_shuffles=199)
    assert len(found) == 2
    assert all(abs(split.day - day) <= 3 for split, day in zip(found, (30, 60), strict=True))


def test_too_few_days_cannot_be_split() -> None:
    assert best_split(days(1, 13), STRATA, seed=1) is None
    assert best_split(np.zeros((30, 5)), STRATA, seed=1) is None


@given(st.lists(st.integers(1, 100), min_size=5, max_size=5), st.lists(st.integers(1, 100), min_size=5, max_size=5))
def test_a_distance_is_one(left: list[int], right: list[int]) -> None:
    before, after = np.array(left, float), np.array(right, float)
    apart, which = distance(before, after, STRATA)
    assert 0 <= apart <= 1
    assert apart == distance(after, before, STRATA)[0]
    assert distance(before, before * 3, STRATA)[0] < 1e-12
    assert which in range(5)
