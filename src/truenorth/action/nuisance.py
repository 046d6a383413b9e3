"""What would come of a case whatever is done: outcome models that help to learn effects and claim none themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

N_FOLDS = 5
N_TREES = 60


class OutcomeModel:
    """The mean of an outcome in [0, 1] by context: boosted trees, few and shallow."""

    def __init__(self, context: F64, outcome: F64, weight: F64) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        self._trees = HistGradientBoostingRegressor(
            max_iter=N_TREES, max_leaf_nodes=8, learning_rate=0.1, min_samples_leaf=20, early_stopping=False
        )
        self._trees.fit(context, outcome, sample_weight=weight)

    def mean(self, context: F64) -> F64:
        """(n,) in [0, 1]."""
        return np.clip(np.asarray(self._trees.predict(context), np.float64), 0.0, 1.0)

    def failing(self, context: F64) -> F64:
        """(n,) the chance of failing, 1 less the mean."""
        return 1.0 - self.mean(context)


def folds(n: int, n_folds: int = N_FOLDS, unit: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """A fold for each of n rows; rows of one unit share theirs.

    >>> folds(4, 2).tolist(), folds(3, 2, np.array([7, 7, 8])).tolist()
    ([0, 1, 0, 1], [0, 0, 1])
    """
    if unit is None:
        return np.arange(n, dtype=np.int64) % n_folds
    _, place = np.unique(unit, return_inverse=True)
    return place.astype(np.int64) % n_folds


def cross_fitted(context: F64, outcome: F64, weight: F64, fold: NDArray[np.int64]) -> F64:
    """(n,) the mean of each row's outcome by a model that has not seen the row's fold."""
    mean = np.full(len(outcome), float(np.average(outcome, weights=weight)) if len(outcome) else 0.0)
    for held_out in np.unique(fold):
        seen, asked = fold != held_out, fold == held_out
        if seen.sum() >= 2:
            mean[asked] = OutcomeModel(context[seen], outcome[seen], weight[seen]).mean(context[asked])
    return mean
