"""Policies: what is done at a moment to decide, and with which probability."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from truenorth.simulate import model

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


class Moments(NamedTuple):
    """Cases of one hour at a moment to decide; arrays of length n, codes as in `truenorth.simulate.model`.

    Everything but ``gain_eur`` could be seen by whoever decides. ``luck`` is a number in (0, 1) of the case's own, for
    policies that toss coins. ``remaining`` (n_actions,) is what the day's capacity still allows. ``gain_eur`` (n,
    n_actions), the expected gain of each action over doing nothing, its cost paid, is filled only for a policy that
    ``knows_truth``.
    """

    time_us: I64
    journey: I64
    category: I64
    severity: I64
    segment: I64
    channel: I64
    trigger: I64
    transfers: I64
    hang_ups: I64
    shown: I64  # bit per sign of what has gone wrong so far
    load: F64
    tenure_months: I64
    month_eur: F64
    luck: F64
    remaining: I64
    gain_eur: F64


class Choices(NamedTuple):
    """An action for each moment, and the probability with which the policy chooses it there."""

    action: I64
    propensity: F64


class Policy(Protocol):
    """What decides. ``knows_truth`` is for yardsticks only."""

    knows_truth: bool

    def __call__(self, moments: Moments) -> Choices:
        """Choose an action for each moment."""


class Constant:
    """Always the same action."""

    knows_truth = False

    def __init__(self, action: str) -> None:
        self.action = code_of(action)

    def __call__(self, moments: Moments) -> Choices:
        """The action, with certainty."""
        n = len(moments.time_us)
        return Choices(np.full(n, self.action), np.ones(n))


class Random:
    """Every action with the same probability: a log from which everything can be learnt."""

    knows_truth = False

    def __call__(self, moments: Moments) -> Choices:
        """An action by the case's own luck."""
        n_actions = len(model.ACTIONS)
        action = (moments.luck * n_actions).astype(np.int64)
        return Choices(action, np.full(len(action), 1 / n_actions))


class Oracle:
    """The best that could be done by someone who knows the causal model and what is hidden, but not the case's luck.

    In each hour the largest gains are served first, as far as capacity goes; nobody is harmed.
    """

    knows_truth = True

    def __call__(self, moments: Moments) -> Choices:
        """Actions by gain, the largest first."""
        remaining = moments.remaining.copy()
        action = np.zeros(len(moments.time_us), np.int64)
        taken = np.zeros(len(action), np.bool_)
        for place in np.argsort(-moments.gain_eur, axis=None, kind="stable"):
            case, best = divmod(int(place), moments.gain_eur.shape[1])
            if moments.gain_eur[case, best] <= 0:
                break
            if not taken[case] and remaining[best] > 0:
                action[case], taken[case] = best, True
                remaining[best] -= 1
        return Choices(action, np.ones(len(action)))


def code_of(action: str) -> int:
    """The code of an action's name.

    >>> code_of("do_nothing")
    0
    """
    return [one.name for one in model.ACTIONS].index(action)
