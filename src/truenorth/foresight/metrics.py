"""How good probabilities are: discrimination, accuracy, calibration, each with an interval over cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numba import njit
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
    bins = _bins(p, n_bins)
    n = np.bincount(bins)
    return Reliability(np.bincount(bins, p) / n, np.bincount(bins, y.astype(float)) / n, n)


def _bins(p: F64, n_bins: int) -> NDArray[np.intp]:
    """The bin of each row (n,), from 0, none of them empty."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, n_bins + 1)[1:-1], method="inverted_cdf"))
    _, bins = np.unique(np.searchsorted(edges, p, side="left"), return_inverse=True)
    return bins


def calibration_error(y: Bools, p: F64, n_bins: int = N_BINS) -> float:
    """Expected calibration error: mean over rows of |said - came| of their bin, bins of equal numbers of rows.

    Naeini, Cooper and Hauskrecht 2015 (AAAI), with the equal-mass bins of Nguyen and O'Connor 2015 (EMNLP).
    """
    said, came, n = reliability(y, p, n_bins)
    return float(np.abs(said - came) @ n / n.sum()) if len(n) else float("nan")


def calibration_error_by_chance(p: F64, case: Ints, seed: int) -> float:
    """What `calibration_error` is at most, in 95 of 100 logs, where every one of the risks (n,) is exactly right.

    Of few cases the error is not 0 even then: what came is drawn anew from the risks themselves (consistency
    resampling: Bröcker and Smith 2007, Weather Forecast. 22:651). Rows of a case share its luck: one number in [0, 1)
    decides all of them, and each fails by its own risk nevertheless.
    """
    if not len(p):
        return float("nan")
    bins, luck = _bins(p, N_BINS), np.random.default_rng(seed)
    cases, position = np.unique(case, return_inverse=True)
    errors = [
        np.abs(np.bincount(bins, (luck.random(len(cases))[position] < p) - p)).sum() / len(p)
        for _ in range(N_BOOTSTRAPS)
    ]
    return float(np.quantile(errors, 0.95))


class Drawn:
    """Cases drawn again with replacement, `N_BOOTSTRAPS` times: how often each comes in a draw.

    Rows of one case are not independent: intervals over rows would be far too narrow.
    """

    def __init__(self, case: Ints, seed: int) -> None:
        _, self.position = np.unique(case, return_inverse=True)
        self.n_cases = int(self.position.max(initial=-1)) + 1
        self.seed = seed

    def counts(self) -> Iterator[F64]:
        """How often each case comes (n_cases,), a draw at a time; no draw with fewer than two cases."""
        generator, n = np.random.default_rng(self.seed), self.n_cases
        for _ in range(N_BOOTSTRAPS if n > 1 else 0):
            yield np.bincount(generator.integers(0, n, n), minlength=n).astype(np.float64)

    def means(self, loss: F64) -> F64:
        """The mean of a row's figure (n,) in each draw: from its sum and number of rows a case."""
        total = np.bincount(self.position, loss, self.n_cases)
        n = np.bincount(self.position, minlength=self.n_cases)
        return np.array([(drawn @ total) / (drawn @ n) for drawn in self.counts()])

    def aucs(self, y: Bools, p: F64) -> F64:
        """`auc` in each draw."""
        order, ranked, starts = _ordered(y, p)
        position = self.position[order]
        runs = np.append(starts, len(y))
        return np.array([_drawn_auc(ranked, position, runs, drawn) for drawn in self.counts()])


@njit(cache=True, nogil=True)
def _drawn_auc(y: Bools, position: NDArray[np.intp], runs: NDArray[np.intp], drawn: F64) -> float:
    """Rows in the order of their risk, ties from ``runs[i]`` to ``runs[i + 1]``, each weighing what its case does."""
    below = right = n_positive = 0.0
    for i in range(len(runs) - 1):
        positive = negative = 0.0
        for row in range(runs[i], runs[i + 1]):
            if y[row]:
                positive += drawn[position[row]]
            else:
                negative += drawn[position[row]]
        right += positive * (below + 0.5 * negative)
        below += negative
        n_positive += positive
    return right / (n_positive * below) if n_positive * below > 0 else np.nan


def estimate(value: float, draws: F64) -> Estimate:
    """A figure with the 2.5 and 97.5 % points of its bootstrap."""
    known = draws[np.isfinite(draws)]
    if not len(known) or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(float(value), float(low), float(high))


def auc_of(y: Bools, p: F64, case: Ints, seed: int) -> Estimate:
    """`auc` with its interval over cases."""
    return estimate(auc(y, p), Drawn(case, seed).aucs(y, p))


def mean_of(loss: F64, case: Ints, seed: int) -> Estimate:
    """The mean of a row's figure with its interval over cases: the Brier score, an absolute error, a share of hits."""
    return estimate(_mean(loss, None), Drawn(case, seed).means(loss))
