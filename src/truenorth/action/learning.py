"""What actions do, learnt from logged decisions: a belief before data, made sharper where the log knows something.

The effect of action a in context x is taken as ``risk(x) * share_a(x)``: the share of cases that would fail which the
action turns. The share is linear in the context and in products of two of its columns; its level has the journey file's
belief as prior. All other coefficients come from t distributions around 0, one for the columns and one for the products
of each action, whose scales fit the data: what does not matter goes to 0, what matters is hardly shrunk.

The regression is that of residuals on residuals: ``y - m(x)`` on ``1{A = a} - q_a(x)`` times the context, q the chances
with which the log chose: where an action was next to certain, a row says next to nothing of it. Where only the chance
of what was chosen is known, q are equal chances among what was eligible, and rows are weighted by ``q_A(x) /
propensity``, all together no more than they are worth (Kish's effective sample size): or luck in a few heavy rows would
be taken for knowledge. It is right where either the propensities or m are. Sources: J. M. Robins, A. Rotnitzky, L. P.
Zhao (1994), JASA 89, 846-866; X. Nie, S. Wager (2021), "Quasi-oracle estimation of heterogeneous treatment effects",
Biometrika 108, 299-319; variances by expectation-maximisation, the t as a mixture of normals: A. P. Dempster, N. M.
Laird, D. B. Rubin (1977), JRSS B 39, 1-38; M. E. Tipping (2001), JMLR 1, 211-244. Scales of t distributions follow the
harmonic mean of variances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.action.nuisance import OutcomeModel, cross_fitted, folds
from truenorth.action.values import Logged, Prior
from truenorth.insight.intervals import Z95

F64 = NDArray[np.float64]

MOST_WEIGHT = 10.0
"""A row counts as at most so many: a rare choice must not speak for the whole log."""

ROUNDS = 40
"""Of updates of the variances of coefficients."""

SETTLED = 1e-2
"""Rounds end when no variance changes by more than this share."""

TAILS = 2.0
"""Degrees of freedom of the coefficients' t distribution: most are next to nothing, some are large."""

FIRST_VARIANCE = 1e-3
SMALLEST_VARIANCE = 1e-9
SMALLEST_NOISE = 1e-6
RAREST_PAIR = 0.01
"""Products of two columns of 0 and 1 are looked at where their variance is at least this."""


class Beliefs(NamedTuple):
    """Effects of actions in contexts: mean and standard deviation, each (n, n_actions); those of *do nothing* are 0."""

    mean: F64
    sd: F64

    @property
    def low(self) -> F64:
        """The lower bound of 95 %."""
        return self.mean - Z95 * self.sd

    @property
    def high(self) -> F64:
        """The upper bound of 95 %."""
        return self.mean + Z95 * self.sd

    def cautious(self, n_sd: float) -> F64:
        """The mean less so many standard deviations: acting on it asks for evidence, and gives up some gain for it."""
        return self.mean - n_sd * self.sd


class Basis(NamedTuple):
    """Which functions of a context effects may depend on: 1, its columns, products ``pairs`` (m, 2) of two of 0 and 1.

    ``scale`` (k,) divides the columns: 1 where a column holds only 0 and 1, else its largest size.
    """

    scale: F64
    pairs: NDArray[np.int64]

    def of(self, context: F64) -> F64:
        """(n, 1 + k + m)."""
        scaled = context / self.scale
        products = scaled[:, self.pairs[:, 0]] * scaled[:, self.pairs[:, 1]]
        return np.column_stack([np.ones(len(context)), scaled, products])


class Posterior(NamedTuple):
    """Normal beliefs about coefficients: mean (d,), covariance (d, d), variance of what is left to luck."""

    mean: F64
    covariance: F64
    noise: float


class Learnt:
    """Effects of actions by context. Pure: the same questions get the same answers.

    ``n`` (n_actions,) counts the decisions that each was learnt from.
    """

    def __init__(self, actions: Sequence[str], basis: Basis, risk: OutcomeModel, posterior: Posterior, n: F64) -> None:
        self.actions = tuple(actions)
        self.n = n
        self.basis, self.risk, self.posterior = basis, risk, posterior

    def beliefs(self, context: F64) -> Beliefs:
        """The effect of every action in contexts (n, k) with the columns of the log."""
        features = self.basis.of(context) * self.risk.failing(context)[:, None]
        n_features = features.shape[1]
        mean, sd = np.zeros((len(context), len(self.actions))), np.zeros((len(context), len(self.actions)))
        for action in range(1, len(self.actions)):
            own = slice((action - 1) * n_features, action * n_features)
            mean[:, action] = features @ self.posterior.mean[own]
            spread = features @ self.posterior.covariance[own, own]
            sd[:, action] = np.sqrt(np.maximum((spread * features).sum(1), 0.0))
        return Beliefs(mean, sd)

    def mean_effect(self, context: F64, weight: F64) -> tuple[float, float]:
        """Mean and standard deviation of a sum of effects in contexts (n, k), each with a weight (n, n_actions)."""
        features = self.basis.of(context) * self.risk.failing(context)[:, None]
        summed = np.concatenate([features.T @ weight[:, action] for action in range(1, len(self.actions))])
        mean, square = summed @ self.posterior.mean, summed @ self.posterior.covariance @ summed
        return float(mean), float(np.sqrt(max(square, 0.0)))


def learn(log: Logged, priors: Mapping[str, Prior]) -> Learnt:
    """Learn from the settled decisions of a log; actions that ``priors`` does not name are believed to do nothing.

    ``log.achieved`` is in [0, 1]: values in between stand for outcomes that are worth something in between. Rows that
    are still open are left out. `ValueError` where nothing is settled.
    """
    rows = ~np.isnan(log.achieved)
    if not rows.any():
        raise ValueError("no decision of the log has an outcome")
    context, outcome, action = log.context[rows], log.achieved[rows], log.action[rows]
    chances = log.chances[rows]
    weight = np.minimum(chances[np.arange(len(action)), action] / log.propensity[rows], MOST_WEIGHT)
    weight *= weight.sum() / (weight**2).sum()
    around = cross_fitted(context, outcome, weight, folds(len(action), unit=log.unit[rows]))
    model = OutcomeModel.fit(context, outcome, weight)
    basis = basis_of(context)
    features = basis.of(context) * (1 - around)[:, None]
    chosen = np.eye(len(log.actions))[action]
    design = np.hstack([(chosen[:, a] - chances[:, a])[:, None] * features for a in range(1, len(log.actions))])
    beliefs = [priors.get(name, Prior()) for name in log.actions[1:]]
    posterior = _posterior(design, outcome - around, weight, context.shape[1], beliefs)
    return Learnt(log.actions, basis, model, posterior, chosen.sum(0))


def basis_of(context: F64) -> Basis:
    """The basis for contexts (n, k): products only of columns of 0 and 1 that meet often enough to tell.

    >>> basis_of(np.array([[0.0, 1.0, 5.0], [1.0, 1.0, 2.0], [1.0, 0.0, 4.0]])).pairs.tolist()
    [[0, 1]]
    """
    binary = ((context == 0) | (context == 1)).all(0)
    scale = np.where(binary, 1.0, np.maximum(np.abs(context).max(0), 1e-9))
    together = context.T @ context / len(context)
    first, second = np.triu_indices(context.shape[1], 1)
    share = together[first, second]
    kept = binary[first] & binary[second] & (share * (1 - share) >= RAREST_PAIR)
    return Basis(scale, np.column_stack([first[kept], second[kept]]))


class Rows(NamedTuple):
    """What a weighted regression needs of its rows: each times the root of its weight, and as many as coefficients.

    ``rest`` is what no coefficients explain of the targets' squares, where there were more rows.
    """

    design: F64
    target: F64
    rest: float

    @classmethod
    def of(cls, design: F64, target: F64, weight: F64) -> Rows:
        """Rows that say of coefficients what ``design`` (n, k) and ``target`` (n,) say with a ``weight`` (n,) each."""
        root = np.sqrt(weight)
        design, target = design * root[:, None], target * root
        if len(design) <= design.shape[1]:
            return cls(design, target, 0.0)
        turned, few = np.linalg.qr(design)
        along = turned.T @ target
        return cls(few, along, max(float(target @ target - along @ along), 0.0))


def _posterior(design: F64, left: F64, weight: F64, n_columns: int, beliefs: Sequence[Prior]) -> Posterior:
    """Coefficients given residuals: the first of each action has its belief, the others variances that fit the data."""
    per_action = design.shape[1] // len(beliefs)
    place = np.arange(design.shape[1]) % per_action
    believed, kind = place == 0, np.arange(design.shape[1]) // per_action * 2 + (place > n_columns)
    _, group = np.unique(kind, return_inverse=True)
    prior_mean, variance = np.zeros(len(place)), np.full(len(place), FIRST_VARIANCE)
    prior_mean[believed] = [prior.recovers for prior in beliefs]
    variance[believed] = [prior.sd**2 for prior in beliefs]
    left = left - design @ prior_mean
    rows, weights = Rows.of(design, left, weight), float(weight.sum())
    noise, scale = float(weight @ left**2) / weights, np.full(int(group.max()) + 1, FIRST_VARIANCE)
    for _ in range(ROUNDS):
        mean, known = fitted(rows, variance, noise)
        spread = variance * (1 - (known**2).sum(0))
        size = (TAILS * scale[group] + mean**2 + spread) / (TAILS + 1)
        renewed = np.where(believed, variance, np.maximum(size, SMALLEST_VARIANCE))
        scale = np.maximum(np.bincount(group) / np.bincount(group, 1 / renewed), SMALLEST_VARIANCE)
        unexplained = rows.rest + ((rows.target - rows.design @ mean) ** 2).sum()
        noise = max(float(unexplained / max(1.0, weights - (known**2).sum())), SMALLEST_NOISE)
        change = float(np.max(np.abs(renewed / variance - 1)))
        variance = renewed
        if change < SETTLED:
            break
    mean, known = fitted(rows, variance, noise)
    root = np.sqrt(variance)
    return Posterior(prior_mean + mean, np.diag(variance) - root[:, None] * (known.T @ known) * root, noise)


def fitted(rows: Rows, variance: F64, noise: float) -> tuple[F64, F64]:
    """Coefficients with normal priors of these variances around 0: their mean, and what the rows took of the priors.

    The second, K, gives the covariance R (I - K'K) R, with R the diagonal of prior standard deviations: a matrix of the
    size of the rows is inverted, not one of the size of the coefficients (Rasmussen and Williams 2006, Gaussian
    Processes for Machine Learning, section 2.1.2).
    """
    from scipy.linalg import cholesky, solve_triangular  # noqa: PLC0415  # heavy

    scale = np.sqrt(variance / noise)
    scaled = rows.design * scale
    root = cholesky(np.eye(len(scaled)) + scaled @ scaled.T, lower=True)
    known = solve_triangular(root, scaled, lower=True)
    left = solve_triangular(root, rows.target, lower=True)
    return scale * (known.T @ left), known
