"""A policy asked, hour by hour, within the capacity of the day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from truenorth.simulate import model
from truenorth.simulate import records as r
from truenorth.simulate.causal import fill_uniform
from truenorth.simulate.company import Company
from truenorth.simulate.effects import COSTS, VALUES, ask_model
from truenorth.simulate.policies import Choices, Moments, Policy
from truenorth.spec.problems import Problem, TruenorthError

NO_GAINS = np.zeros((0, len(model.ACTIONS)))


def capacities(company: Company) -> NDArray[np.int64]:
    """How many actions of each kind fit into a day; nothing is done without limit.

    >>> capacities(Company(n_customers=2000))[1:].tolist()
    [6, 6, 2, 6, 40, 20]
    """
    per_day = np.array([action.per_day for action in model.ACTIONS])
    capacity = np.ceil(per_day * company.n_customers / 1000 * company.capacity).astype(np.int64)
    capacity[0] = np.iinfo(np.int64).max
    return capacity


class Asking:
    """One run's policy, its capacity, and what it chose."""

    def __init__(self, policy: Policy | None, tables: r.Tables, capacity: NDArray[np.int64]) -> None:
        self._policy = policy
        self._tables = tables
        self._capacity = capacity
        self._day = -1
        self._left = capacity.copy()
        self._chosen: list[tuple[int, bool, float]] = []

    def ask(self, state: r.State, day: int) -> None:
        """Set the actions of the cases of an hour; what the day has no room for is not done."""
        assert self._policy is not None
        if day != self._day:
            self._day, self._left = day, self._capacity.copy()
        rows = state.asked[: state.n[r.N_ASKED]]
        choices = self._policy(self._moments(state, rows))
        _check(choices, len(rows))
        for row, action, propensity in zip(
            rows.tolist(), choices.action.tolist(), choices.propensity.tolist(), strict=True
        ):
            refused = self._left[action] == 0
            if not refused:
                self._left[action] -= 1
                state.cases["action"][row] = action
            self._chosen.append((row, refused, propensity))

    def kept(self, n_cases: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """By case: whether capacity refused what was chosen, and its propensity (1 where no policy was asked)."""
        refused, propensity = np.zeros(n_cases, np.bool_), np.ones(n_cases)
        for row, was_refused, chance in self._chosen:
            refused[row], propensity[row] = was_refused, chance
        return refused, propensity

    def _moments(self, state: r.State, rows: NDArray[np.int64]) -> Moments:
        cases = state.cases[rows]
        customers = state.customers[cases["customer"]]
        luck = np.empty(len(rows))
        fill_uniform(self._tables.seed, cases["key"], np.int64(r.P_ACT), np.int64(1), luck)
        knows = self._policy is not None and self._policy.knows_truth
        fields = ("journey", "category", "severity", "segment", "channel", "trigger", "hang_ups", "shown")
        seen = {name: cases[name].astype(np.int64) for name in fields}
        return Moments(
            time_us=cases["decided_us"].copy(),
            **seen,
            transfers=cases["leg"].astype(np.int64),
            load=cases["load"].astype(np.float64),
            tenure_months=customers["tenure_months"].astype(np.int64),
            month_eur=customers["month_eur"].astype(np.float64),
            luck=luck,
            remaining=self._left.copy(),
            gain_eur=self._gains(cases, state.levels[rows]) if knows else NO_GAINS,
        )

    def _gains(self, cases: NDArray[np.void], levels: NDArray[np.int8]) -> NDArray[np.float64]:
        """Expected gain of each action over doing nothing, its cost paid (n, n_actions)."""
        value = VALUES[cases["journey"]]
        expected = [
            (ask_model(self._tables, cases, levels, action=action).chances * value).sum(1) - COSTS[action]
            for action in range(len(model.ACTIONS))
        ]
        gains: NDArray[np.float64] = np.column_stack(expected) - expected[0][:, None]
        return gains


def _check(choices: Choices, n: int) -> None:
    problems = []
    if len(choices.action) != n or len(choices.propensity) != n:
        problems.append(
            Problem(path="Choices", expected=f"{n} actions and propensities", found=f"{len(choices.action)}")
        )
    elif n and not (choices.action.min() >= 0 and choices.action.max() < len(model.ACTIONS)):
        known = f"codes from 0 to {len(model.ACTIONS) - 1}"
        problems.append(Problem(path="Choices.action", expected=known, found=str(choices.action.tolist())))
    elif n and not (choices.propensity.min() > 0 and choices.propensity.max() <= 1):
        problems.append(
            Problem(path="Choices.propensity", expected="numbers above 0, at most 1", found=str(choices.propensity))
        )
    if problems:
        raise TruenorthError(problems)
