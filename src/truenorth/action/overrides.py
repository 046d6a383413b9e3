"""Whether people who override a proposal do better than those who follow it: per action, never per person.

People choose what they override, so the two groups differ. What was recorded of the case is adjusted for by a doubly
robust estimate: cross-fitted models of the net value and of the chance that the proposal is followed (V. Chernozhukov
et al. 2018, "Double/debiased machine learning", Econometrics Journal 21). What nobody recorded it cannot adjust for.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.action.nuisance import cross_fitted, cross_fitted_rewards, folds
from truenorth.action.off_policy import Estimate, mean_of

F64 = NDArray[np.float64]

LEAST_EACH = 50
"""With fewer followed or overridden proposals of an action nothing is said."""

NEAREST = 0.05
"""Chances of being followed are kept this far from 0 and 1."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Overriding the proposal of an action against following it: net cents a proposal; None where there are too few."""

    action: str
    n_followed: int
    n_overridden: int
    gain: Estimate | None
    words: str


def compare_overrides(
    proposed: NDArray[np.str_], overridden: NDArray[np.bool_], net_cents: F64, context: F64, unit: NDArray[np.int64]
) -> tuple[Override, ...]:
    """For each proposed action, what overriding brought over following.

    Arrays of n settled proposals that somebody answered: the action, whether it was changed or declined, the net value
    that came of the case, what was known of it (n, k), and the customer's code.
    """
    found = []
    for action in sorted(set(proposed.tolist())):
        rows = proposed == action
        found.append(_compared(action, overridden[rows], net_cents[rows], context[rows], unit[rows]))
    return tuple(found)


def _compared(action: str, overridden: NDArray[np.bool_], net: F64, context: F64, unit: NDArray[np.int64]) -> Override:
    n_overridden = int(overridden.sum())
    n_followed = len(overridden) - n_overridden
    if min(n_followed, n_overridden) < LEAST_EACH:
        words = f"{action}: {n_overridden} overridden of {len(overridden)}; too few to say whether that is better."
        return Override(action=action, n_followed=n_followed, n_overridden=n_overridden, gain=None, words=words)
    fold, done = folds(len(net), unit=unit), overridden.astype(np.int64)
    chance = np.clip(cross_fitted(context, done.astype(np.float64), np.ones(len(net)), fold), NEAREST, 1 - NEAREST)
    modelled = cross_fitted_rewards(context, done, net, 2, fold)
    left = net - modelled[np.arange(len(net)), done]
    scores = modelled[:, 1] - modelled[:, 0] + left * np.where(overridden, 1 / chance, -1 / (1 - chance))
    gain = mean_of(scores, unit)
    return Override(
        action=action, n_followed=n_followed, n_overridden=n_overridden, gain=gain, words=_words(action, gain)
    )


def _words(action: str, gain: Estimate) -> str:
    interval = f"{gain.mean_cents / 100:+.2f} a proposal ({gain.low_cents / 100:+.2f} to {gain.high_cents / 100:+.2f})"
    if gain.low_cents > 0:
        return f"{action}: overriding does better than following, {interval}."
    if gain.high_cents < 0:
        return f"{action}: overriding does worse than following, {interval}."
    return f"{action}: no difference shown between overriding and following, {interval}."
