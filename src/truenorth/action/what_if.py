"""Policies that a person can ask about: always one action, what has been learnt, and what would be at another limit."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.action.decision_table import Table
from truenorth.action.learning import learn
from truenorth.action.learnt_policy import best, net_value
from truenorth.action.nuisance import folds
from truenorth.action.off_policy import LEAST_ESS, Evaluation, Judge, always, certain
from truenorth.action.values import Logged
from truenorth.spec.problems import Problem, TruenorthError

F64 = NDArray[np.float64]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A policy by name (``learnt``, or an action), a limit in cents on what one action may cost (None: as logged)."""

    policy: str
    limit_cents: int | None = None
    least_ess: float = LEAST_ESS


def evaluate_policy(table: Table, asked: Asked) -> Evaluation:
    """Judge a policy on a table of decisions, against what was done.

    With a limit, everything that costs no more is taken as allowed, and nothing else. Where the log never allowed it,
    the log tells nothing of it: see ``unsupported``. What is learnt decides only on rows that it has not learnt from.
    `TruenorthError` for an action that the log does not have, or nothing settled.
    """
    log = table.log
    allowed = log.eligible
    if asked.limit_cents is not None:
        allowed = np.tile(table.cost_cents <= asked.limit_cents, (len(log.action), 1))
        allowed[:, 0] = True
    if not (~np.isnan(log.value_cents) & ~log.holdout).any():
        raise TruenorthError([Problem(path="value", expected="settled decisions outside the holdout", found="none")])
    if asked.policy == "learnt":
        target = _learnt(table, allowed)
    elif asked.policy in log.actions:
        target = always(log._replace(eligible=allowed), asked.policy)
    else:
        expected = f"learnt, or one of {', '.join(log.actions)}"
        raise TruenorthError([Problem(path="policy", expected=expected, found=asked.policy)])
    return Judge(log).evaluate(target, least_ess=asked.least_ess)


def _learnt(table: Table, allowed: NDArray[np.bool_]) -> F64:
    """(n, n_actions) for each row the choice of a policy that has learnt from the other folds."""
    log = table.log
    action, fold = np.zeros(len(log.action), np.int64), folds(len(log.action), unit=log.unit)
    for held_out in np.unique(fold):
        seen, asked = (fold != held_out) & ~np.isnan(log.achieved), fold == held_out
        if not seen.any():
            continue
        part = Logged(log.names, log.actions, *(column[seen] for column in log[2:]))
        dp = learn(part, {}).beliefs(log.context[asked]).cautious()
        action[asked] = best(net_value(dp, table.stake_cents[asked], table.cost_cents), allowed[asked])
    return certain(action, len(log.actions))
