"""Policies that a person can ask about: always one action, what has been learnt, and what would be at another limit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.action.decision_table import Table
from truenorth.action.learning import learn
from truenorth.action.off_policy import LEAST_ESS, Estimate, Evaluation, Judge, always, certain
from truenorth.action.proof import cross_learnt
from truenorth.action.values import Prior
from truenorth.insight.intervals import Z95
from truenorth.spec.problems import Problem, TruenorthError


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A policy by name (``learnt``, or an action), a limit in cents on what one action may cost (None: as logged)."""

    policy: str
    limit_cents: int | None = None
    least_ess: float = LEAST_ESS


def evaluate_policy(table: Table, asked: Asked, priors: Mapping[str, Prior] | None = None) -> Evaluation:
    """Judge a policy on a table of decisions, against what was done.

    With a limit, everything that costs no more is taken as allowed, and nothing else. Where the log never allowed it,
    the log tells nothing of it: see ``unsupported``; then ``modelled`` says what the model of effects believes, with
    the ``priors`` of actions where even that has seen nothing. What is learnt decides only on rows that it has not
    learnt from.
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
        target = cross_learnt(table, priors or {}, allowed)
    elif asked.policy in log.actions:
        target = always(log._replace(eligible=allowed), asked.policy)
    else:
        expected = f"learnt, or one of {', '.join(log.actions)}"
        raise TruenorthError([Problem(path="policy", expected=expected, found=asked.policy)])
    found = Judge(log).evaluate(target, least_ess=asked.least_ess)
    if not found.unsupported:
        return found
    modelled = modelled_gain(table, target, priors or {})
    return msgspec.structs.replace(found, modelled=modelled, words=f"{found.words} {_believed(modelled)}")


def modelled_gain(table: Table, target: NDArray[np.float64], priors: Mapping[str, Prior]) -> Estimate:
    """What a policy (n, n_actions) would have gained over what was done, a decision, as the model of effects has it.

    The interval is that of the model's coefficients: it holds as far as the model does (`truenorth.action.learning`),
    and is that of the belief alone for an action that was never taken. `ValueError` where nothing is settled.
    """
    log = table.log
    rows = ~np.isnan(log.value_cents) & ~log.holdout
    more = (target - certain(log.action, len(log.actions)))[rows] / rows.sum()
    effect, sd = learn(log, priors).mean_effect(log.context[rows], more * table.stake_cents[rows, None])
    mean = effect - float((more * table.cost_cents).sum())
    return Estimate(mean, mean - Z95 * sd, mean + Z95 * sd)


def _believed(gain: Estimate) -> str:
    interval = f"{gain.mean_cents / 100:+.2f} a decision ({gain.low_cents / 100:+.2f} to {gain.high_cents / 100:+.2f})"
    return f"The model of effects believes in {interval}: nobody has seen it."
