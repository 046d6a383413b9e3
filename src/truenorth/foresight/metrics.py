"""How good probabilities are: discrimination, accuracy, calibration, each with an interval over cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]

N_BINS = 10
N_BOOTSTRAPS = 200


class Estimate(msgspec.Struct, frozen=True):
    """A figure and its 95 % interval; NaN where it cannot be said."""

    value: float
    low: float
    high: float


class Reliability(NamedTuple):
    """Bins of equal numbers of rows: mean of what was said, share of what came true, number of rows."""

    said: F64
    came: F64
    n: NDArray[np.int64]


def auc(y: Bools, p: F64, weight: F64 | None = None) -> float:
    """Chance that a row that fails has a higher risk than one that does not; ties count half, NaN for one class.

    The Mann-Whitney form (Hanley and McNeil 1982, Radiology 143:29), with weights.

    >>> import numpy as np
    >>> auc(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4]))
    0.875
    """
    return _sorted_auc(*_ordered(y, p), np.ones(len(y)) if weight is None else weight)


def _ordered(y: Bools, p: F64) -> tuple[NDArray[np.intp], Bools, NDArray[np.intp]]:
    """Order of the rows by ``p``, ``y`` in that order, and where each run of ties starts."""
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(p) else np.zeros(0, np.intp)
    return order, y[order], starts


def _sorted_auc(order: NDArray[np.intp], y: Bools, starts: NDArray[np.intp], weight: F64) -> float:
    if not len(y):
        return float("nan")
    w = weight[order]
    positive = np.add.reduceat(np.where(y, w, 0.0), starts)
    negative = np.add.reduceat(np.where(y, 0.0, w), starts)
    total = positive.sum() * negative.sum()
    if total <= 0:
        return float("nan")
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum() / total)


def brier(y: Bools, p: F64, weight: F64 | None = None) -> float:
    """Mean squared difference between probability and what came, in [0, 1] (Brier 1950, Mon. Weather Rev. 78:1).

    >>> import numpy as np
    >>> brier(np.array([True, False]), np.array([0.5, 0.5]))
    0.25
    """
    return _mean((p - y) ** 2, weight)


def log_loss(y: Bools, p: F64, weight: F64 | None = None) -> float:
    """Mean of minus the logarithm of the probability given to what came, in nats."""
    sure = np.clip(p, 1e-7, 1.0 - 1e-7)
    return _mean(-np.where(y, np.log(sure), np.log1p(-sure)), weight)


def _mean(loss: F64, weight: F64 | None) -> float:
    if not len(loss):
        return float("nan")
    return float(np.average(loss, weights=weight))


def reliability(y: Bools, p: F64, n_bins: int = N_BINS) -> Reliability:
    """What was said against what came, in bins of (nearly) equal numbers of rows; ties are never parted."""
    if not len(p):
        return Reliability(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    edges = np.unique(np.quantile(p, np.linspace(0, 1, n_bins + 1)[1:-1], method="inverted_cdf"))
    bins = np.searchsorted(edges, p, side="left")
    n = np.bincount(bins, minlength=len(edges) + 1)
    kept = n > 0
    said = np.bincount(bins, p, len(n))[kept] / n[kept]
    came = np.bincount(bins, y.astype(float), len(n))[kept] / n[kept]
    return Reliability(said, came, n[kept])


def calibration_error(y: Bools, p: F64, n_bins: int = N_BINS) -> float:
    """Expected calibration error: mean over rows of |said - came| of their bin, bins of equal numbers of rows.

    Naeini, Cooper and Hauskrecht 2015 (AAAI), with the equal-mass bins of Nguyen and O'Connor 2015 (EMNLP).
    """
    said, came, n = reliability(y, p, n_bins)
    return float(np.abs(said - came) @ n / n.sum()) if len(n) else float("nan")


def case_bootstrap(case: Ints, measure: Callable[[F64], float], seed: int, n: int = N_BOOTSTRAPS) -> F64:
    """``n`` values of a measure of row weights when cases, not rows, are drawn again with replacement.

    Rows of one case are not independent: intervals over rows would be far too narrow.
    """
    generator = np.random.default_rng(seed)
    _, position = np.unique(case, return_inverse=True)
    n_cases = int(position.max(initial=-1)) + 1
    if n_cases < 2:
        return np.full(n, np.nan)
    share = np.full(n_cases, 1.0 / n_cases)
    return np.array([measure(generator.multinomial(n_cases, share)[position].astype(float)) for _ in range(n)])


def estimate(value: float, draws: F64) -> Estimate:
    """A figure with the 2.5 and 97.5 % points of its bootstrap."""
    known = draws[np.isfinite(draws)]
    if not len(known) or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(float(value), float(low), float(high))


def auc_of(y: Bools, p: F64, case: Ints, seed: int) -> Estimate:
    """`auc` with its interval over cases."""
    ordered = _ordered(y, p)
    draws = case_bootstrap(case, lambda weight: _sorted_auc(*ordered, weight), seed)
    return estimate(_sorted_auc(*ordered, np.ones(len(y))), draws)


def mean_of(loss: F64, case: Ints, seed: int) -> Estimate:
    """The mean of a row's figure with its interval over cases: the Brier score, an absolute error, a share of hits."""
    draws = case_bootstrap(case, lambda weight: _mean(loss, weight) if weight.any() else float("nan"), seed)
    return estimate(_mean(loss, None), draws)
