"""Policies that a person can ask about: always one action, what has been learnt, and what would be at another limit."""

from __future__ import annotations

import msgspec
import numpy as np

from truenorth.action.decision_table import Table
from truenorth.action.off_policy import LEAST_ESS, Evaluation, Judge, always
from truenorth.action.proof import cross_learnt
from truenorth.spec.problems import Problem, TruenorthError


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
        target = cross_learnt(table, {}, allowed)
    elif asked.policy in log.actions:
        target = always(log._replace(eligible=allowed), asked.policy)
    else:
        expected = f"learnt, or one of {', '.join(log.actions)}"
        raise TruenorthError([Problem(path="policy", expected=expected, found=asked.policy)])
    return Judge(log).evaluate(target, least_ess=asked.least_ess)
