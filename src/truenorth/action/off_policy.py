"""What a policy would have brought, from decisions that another one made and logged with their propensities.

Three estimates of the mean net value a decision, in cents. With w the target's chance of what was chosen over its
propensity, r the net value, q(x, a) a cross-fitted model of it:

* IPW, mean of w r (Horvitz and Thompson 1952): unbiased, and noisy;
* SNIPW, sum of w r / sum of w (Swaminathan and Joachims 2015, NIPS): a little biased, steadier;
* DR, mean of sum_a target(a|x) q(x, a) + w (r - q(x, A)) (Robins, Rotnitzky and Zhao 1994; Dudik, Langford and Li 2011,
  ICML): unbiased where the propensities are right, whatever q is.

Standard errors are cluster-robust: decisions about one customer count as one (Cameron and Miller 2015, J. Human
Resources 50). The effective sample size is Kish's, (sum w)^2 / sum w^2.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.action.nuisance import cross_fitted_rewards, folds
from truenorth.action.values import Logged
from truenorth.insight.intervals import Z95

F64 = NDArray[np.float64]

LEAST_ESS = 200.0
"""Below this effective sample size no winner is called."""

MOST_UNSUPPORTED = 0.05
"""A policy that does more often than this what the log could not have done is not judged."""

Verdict = Literal["better", "worse", "undecided", "too_few", "unsupported"]


class Estimate(msgspec.Struct, frozen=True):
    """A mean a decision in cents, and the bounds of its 95 % interval."""

    mean_cents: float
    low_cents: float
    high_cents: float

    @property
    def se_cents(self) -> float:
        """The standard error."""
        return (self.high_cents - self.low_cents) / (2 * Z95)


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would have brought, a decision.

    ``gain`` is DR less what the baseline brings (what was done, where none was given), of the same decisions.
    ``unsupported``: the share of choices that the log could not have made. ``n_units`` customers, ``ess`` effective
    sample size. ``modelled``: the gain as the model of effects believes it, also where the log says nothing.
    """

    ipw: Estimate
    snipw: Estimate
    dr: Estimate
    gain: Estimate
    n: int
    n_units: int
    ess: float
    unsupported: float
    verdict: Verdict
    words: str
    modelled: Estimate | None = None


class Judge:
    """Judges policies on one log: rewards are modelled once.

    Open and holdout rows are left out: a holdout's choice was no policy's. `ValueError` where no row is left.
    """

    def __init__(self, log: Logged) -> None:
        self.rows = ~np.isnan(log.value_cents) & ~log.holdout
        if not self.rows.any():
            raise ValueError("no settled decision outside the holdout")
        self._action, self._propensity = log.action[self.rows], log.propensity[self.rows]
        self._eligible, self._unit = log.eligible[self.rows], log.unit[self.rows]
        self._reward = (log.value_cents - log.cost_cents)[self.rows]
        fold = folds(len(self._reward), unit=self._unit)
        context = log.context[self.rows]
        self._rewards = cross_fitted_rewards(context, self._action, self._reward, len(log.actions), fold)

    def evaluate(self, target: F64, baseline: F64 | None = None, least_ess: float = LEAST_ESS) -> Evaluation:
        """Judge a policy that chooses in each row of the log with the chances ``target`` (n, n_actions).

        ``baseline`` is a policy to compare with, given alike; without it, what was done. `ValueError` where the chances
        of a row do not sum to one.
        """
        weight, unsupported = self._weights(target)
        scores, other = self._scores(target), self._reward
        ess = _ess(weight)
        if baseline is not None:
            other_weight, other_unsupported = self._weights(baseline)
            other = self._scores(baseline)
            ess, unsupported = min(ess, _ess(other_weight)), max(unsupported, other_unsupported)
        gain = mean_of(scores - other, self._unit)
        verdict = _verdict(gain, ess, unsupported, least_ess)
        share = weight / max(float(weight.mean()), 1e-12)
        snipw = float((share * self._reward).mean())
        return Evaluation(
            ipw=mean_of(weight * self._reward, self._unit),
            snipw=_around(snipw, mean_of(share * (self._reward - snipw), self._unit)),
            dr=mean_of(scores, self._unit),
            gain=gain,
            n=len(self._reward),
            n_units=len(np.unique(self._unit)),
            ess=ess,
            unsupported=unsupported,
            verdict=verdict,
            words=_words(verdict, gain, ess, unsupported, least_ess),
        )

    def _weights(self, target: F64) -> tuple[F64, float]:
        """(n,) importance weights, and the share of choices that could not have been made."""
        if not np.allclose(target.sum(1), 1.0):
            raise ValueError("the chances of each row must sum to one")
        chances = target[self.rows]
        weight = np.take_along_axis(chances, self._action[:, None], 1)[:, 0] / self._propensity
        return weight, float((chances * ~self._eligible).sum(1).mean())

    def _scores(self, target: F64) -> F64:
        """(n,) doubly robust scores."""
        weight, _ = self._weights(target)
        modelled = np.take_along_axis(self._rewards, self._action[:, None], 1)[:, 0]
        scores: F64 = (target[self.rows] * self._rewards).sum(1) + weight * (self._reward - modelled)
        return scores


def always(log: Logged, action: str) -> F64:
    """The chances of a policy that always takes one action, and does nothing where it is not eligible.

    `ValueError` for an action that is not in the log.
    """
    code = log.actions.index(action)
    return certain(np.where(log.eligible[:, code], code, 0), len(log.actions))


def certain(action: NDArray[np.int64], n_actions: int) -> F64:
    """(n, n_actions) the chances of a policy that chooses these codes for certain.

    >>> certain(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.eye(n_actions)[action]


def mean_of(scores: F64, unit: NDArray[np.int64]) -> Estimate:
    """A mean with its cluster-robust 95 % interval; of one unit alone nothing is known.

    >>> mean_of(np.array([1.0, 3.0]), np.array([5, 5]))
    Estimate(mean_cents=2.0, low_cents=-inf, high_cents=inf)
    """
    mean = float(scores.mean())
    _, place = np.unique(unit, return_inverse=True)
    n_units = int(place.max()) + 1
    if n_units < 2:
        return Estimate(mean, -np.inf, np.inf)
    sums = np.bincount(place, scores - mean)
    se = float(np.sqrt((sums**2).sum() * n_units / (n_units - 1))) / len(scores)
    return Estimate(mean, mean - Z95 * se, mean + Z95 * se)


def _around(mean: float, spread: Estimate) -> Estimate:
    return Estimate(mean, mean - Z95 * spread.se_cents, mean + Z95 * spread.se_cents)


def _ess(weight: F64) -> float:
    square = float((weight**2).sum())
    return float(weight.sum()) ** 2 / square if square > 0 else 0.0


def _verdict(gain: Estimate, ess: float, unsupported: float, least_ess: float) -> Verdict:
    if unsupported > MOST_UNSUPPORTED:
        return "unsupported"
    if ess < least_ess:
        return "too_few"
    if gain.low_cents > 0:
        return "better"
    return "worse" if gain.high_cents < 0 else "undecided"


def _words(verdict: Verdict, gain: Estimate, ess: float, unsupported: float, least_ess: float) -> str:
    interval = f"{gain.mean_cents / 100:+.2f} a decision ({gain.low_cents / 100:+.2f} to {gain.high_cents / 100:+.2f})"
    return {
        "better": f"Better: {interval}.",
        "worse": f"Worse: {interval}.",
        "undecided": f"Undecided: {interval}; the interval holds 0.",
        "too_few": f"No winner: the log is worth {ess:.0f} decisions for this policy; {least_ess:.0f} are needed.",
        "unsupported": f"No winner: {unsupported:.1%} of its choices were never possible in the log, so it says "
        "nothing of them.",
    }[verdict]
