"""A wide sum: multinomial logistic regression on all columns at once, most of whose coefficients are zero.

What goes wrong in a case often adds up in the log-odds. Trees need many cases to come near a sum; the lasso (Tibshirani
1996, J. R. Stat. Soc. B 58:267) finds the few columns it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from truenorth.foresight.predictors import Linear, Sample, softmax, standardised
from truenorth.foresight.rows import Column
from truenorth.foresight.transparent import candidates

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MOST_ROWS = 50_000
"""Of more rows so many are drawn. By row, not by case: a case's rows say nearly the same, and cases are few."""
MOST_CATEGORIES = 40
PENALTIES = np.geomspace(0.5, 0.005, 10)
"""Of the coefficients' absolute values, as shares of the least that keeps all of them at zero."""
MOST_STEPS = 30
CLOSE = 5e-3
"""No coefficient moves by more than this at the last step, in log-odds a standard deviation."""


def fit_sums(sample: Sample, n_classes: int, columns: Sequence[Column], seed: int) -> list[Linear]:
    """Sums of all columns, from the fewest terms to the most: one a penalty."""
    sample = _drawn(sample, seed)
    terms = tuple(candidates(sample, columns, MOST_CATEGORIES))
    z = np.ones((len(sample.y), len(terms) + 1), np.float32, order="F")
    z[:, :-1] = standardised(terms, sample.x)
    path = []
    for weights in _path(z, sample.y.astype(int), sample.weight / sample.weight.sum(), n_classes):
        used = np.flatnonzero(weights[:-1].any(axis=1))
        of_classes = tuple(tuple(one.tolist()) for one in weights[used].T)
        path.append(Linear(tuple(terms[i] for i in used), of_classes, tuple(weights[-1].tolist())))
    return path


def _drawn(sample: Sample, seed: int) -> Sample:
    n = len(sample.y)
    if n <= MOST_ROWS:
        return sample
    kept = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
    return Sample(sample.x[kept], sample.y[kept], sample.weight[kept])


def _path(z: F32, y: NDArray[np.intp], share: F64, n_classes: int) -> Iterator[F64]:
    """Weights (n_terms + 1, n_classes) of the columns of ``z``, the last one for the intercept, at each penalty.

    Each step goes to the least of a quadratic that is nowhere below the loss, as no class's log-odds bend it by more
    than 1/2 (Böhning 1992, Ann. Inst. Stat. Math. 44:197): its curvature is reckoned but once.
    """
    came = np.equal.outer(y, np.arange(n_classes))
    curvature = (0.5 * (z * share[:, None].astype(np.float32)).T @ z).astype(np.float64)
    weights = np.zeros((z.shape[1], n_classes))
    weights[-1] = np.log(np.maximum(share @ came, 1e-6))
    largest = np.abs(_pull(z, came, share, weights)[:-1]).max(initial=0.0)
    for penalty in PENALTIES * largest:
        for _ in range(MOST_STEPS):
            before = weights
            weights = _descended(curvature, _pull(z, came, share, before), before, penalty)
            if np.abs(weights - before).max() < CLOSE:
                break
        yield weights


def _pull(z: F32, came: NDArray[np.bool_], share: F64, weights: F64) -> F64:
    """How steeply the logarithmic loss falls along each weight."""
    scores = (z @ weights.astype(np.float32)).astype(np.float64)
    missed = (came - softmax(scores)) * share[:, None]
    pull: F64 = (z.T @ missed.astype(np.float32)).astype(np.float64)
    return pull


@njit(cache=True, nogil=True)
def _descended(curvature: F64, pull: F64, weights: F64, penalty: float) -> F64:
    """Where the quadratic plus the penalty is least, by coordinate descent (Friedman et al. 2010, J. Stat. Softw. 33).

    The last row, of intercepts, is not penalised.
    """
    found = weights.copy()
    n = len(curvature)
    for k in range(weights.shape[1]):
        left = pull[:, k].copy()
        for _ in range(100):
            moved = 0.0
            for i in range(n):
                old, bend = found[i, k], curvature[i, i]
                wanted = left[i] + bend * old
                allowed = penalty if i < n - 1 else 0.0
                new = np.sign(wanted) * max(abs(wanted) - allowed, 0.0) / bend
                if new != old:
                    found[i, k] = new
                    left -= curvature[i] * (new - old)
                    moved = max(moved, abs(new - old))
            if moved < 1e-4:
                break
    return found
