"""Whether what was learnt has shown on decisions that it has not learnt from that acting on it is worth it.

An effect that is barely believed in is acted on only if acting as a whole has proven itself. Without that, thousands of
cases offer thousands of occasions to believe in luck: where nothing helps, many of them look worth a cheap action.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from truenorth.action.decision_table import Table
from truenorth.action.learning import learn
from truenorth.action.learnt_policy import best, net_value
from truenorth.action.nuisance import folds
from truenorth.action.off_policy import Judge, always, certain
from truenorth.action.values import DO_NOTHING, Logged, Prior

F64 = NDArray[np.float64]

PROVEN = 0.5
"""Standard deviations of an effect that are taken off where acting has proven itself."""

UNPROVEN = 2.0
"""Standard deviations that are taken off where it has not: then each effect has to convince by itself."""


def caution_of(table: Table, priors: Mapping[str, Prior]) -> float:
    """Standard deviations to take off the effects that are learnt from a log, in cases like those of the log.

    `PROVEN` where the policy that takes off so many, learnt from the other folds, does better than doing nothing: the
    95 % interval of the doubly robust gain is above 0, on an effective sample size that carries a verdict.
    """
    log = table.log
    if not (~np.isnan(log.value_cents) & ~log.holdout).any():
        return UNPROVEN
    target = cross_learnt(table, priors, log.eligible)
    found = Judge(log).evaluate(target, always(log, DO_NOTHING))
    return PROVEN if found.verdict == "better" else UNPROVEN


def cross_learnt(table: Table, priors: Mapping[str, Prior], allowed: NDArray[np.bool_]) -> F64:
    """(n, n_actions) for each row the choice, among what is ``allowed``, of a policy learnt from the other folds."""
    log = table.log
    action, fold = np.zeros(len(log.action), np.int64), folds(len(log.action), unit=log.unit)
    for held_out in np.unique(fold):
        seen, asked = (fold != held_out) & ~np.isnan(log.achieved), fold == held_out
        if not seen.any():
            continue
        part = Logged(log.names, log.actions, *(column[seen] for column in log[2:]))
        dp = learn(part, priors).beliefs(log.context[asked]).cautious(PROVEN)
        action[asked] = best(net_value(dp, table.stake_cents[asked], table.cost_cents), allowed[asked])
    return certain(action, len(log.actions))
