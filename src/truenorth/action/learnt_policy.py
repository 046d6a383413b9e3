"""A policy from what is believed: net values, the price of scarce capacity, the best that is left.

Arrays are over n cases and n_actions actions, *do nothing* first; money is in cents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]

PRICE_ROUNDS = 200
"""Steps in which prices are found."""


def net_value(dp: F64, stake_cents: F64, cost_cents: F64, price_cents: F64 | None = None) -> F64:
    """(n, n_actions) expected net value: effect times what is at stake (n,), less cost and price (n_actions,).

    >>> net_value(np.array([[0.0, 0.25]]), np.array([33000.0]), np.array([0.0, 1200.0])).tolist()
    [[0.0, 7050.0]]
    """
    return dp * stake_cents[:, None] - cost_cents - (0.0 if price_cents is None else price_cents)


def best(value: F64, eligible: Flags) -> NDArray[np.int64]:
    """(n,) the eligible action worth most where that is above 0, else doing nothing.

    >>> best(np.array([[0.0, 5.0, 9.0], [0.0, -1.0, 9.0]]), np.array([[True, True, False]] * 2)).tolist()
    [1, 0]
    """
    allowed = np.where(eligible, value, -np.inf)
    allowed[:, 0] = 0.0
    chosen: NDArray[np.int64] = allowed.argmax(1)
    return chosen


def shadow_prices(value: F64, eligible: Flags, capacity_share: F64) -> F64:
    """(n_actions,) what the last unit of each action's capacity is worth; 0 where there is enough of it.

    ``value`` of typical cases; ``capacity_share`` (n_actions,): how often an action can be taken, for each case that
    comes. Below its price an action is kept for cases that gain more. Projected subgradient steps on the dual of the
    assignment, the average of the last half (S. Boyd, L. Vandenberghe 2004, "Convex Optimization", chapter 5).
    """
    price, kept = np.zeros(value.shape[1]), np.zeros(value.shape[1])
    largest = float(np.max(value, initial=0.0, where=eligible))
    for step in range(PRICE_ROUNDS):
        used = np.bincount(best(value - price, eligible), minlength=len(price)) / max(1, len(value))
        over = used - capacity_share
        over[0] = 0.0
        price = np.maximum(price + largest * over / np.sqrt(step + 1), 0.0)
        kept += price if step >= PRICE_ROUNDS // 2 else 0.0
    return kept / (PRICE_ROUNDS - PRICE_ROUNDS // 2)
