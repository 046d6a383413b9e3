"""What would come of a case whatever is done: outcome models that help to learn effects and claim none themselves."""

from __future__ import annotations

import numpy as np
from lightgbm import Booster, Dataset, train
from numpy.typing import NDArray

F64 = NDArray[np.float64]

N_FOLDS = 5
N_TREES = 60
SHAPE = {
    "objective": "regression",
    "num_leaves": 8,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
"""Few and shallow trees, the same for the same rows on every machine."""


class Trees:
    """The mean of a number by context: boosted trees."""

    def __init__(self, booster: Booster) -> None:
        self._booster = booster

    @classmethod
    def fit(cls, context: F64, number: F64, weight: F64 | None = None) -> Trees:
        """Fit to rows (n, k), numbers (n,), weights (n,)."""
        return cls(train(SHAPE, Dataset(context, number, weight=weight, free_raw_data=True), N_TREES))

    @classmethod
    def read(cls, text: str) -> Trees:
        """Trees as `text` wrote them."""
        return cls(Booster(model_str=text))

    @property
    def text(self) -> str:
        """The trees as text, in LightGBM's own format."""
        return str(self._booster.model_to_string())

    def predict(self, context: F64) -> F64:
        """(n,)."""
        return np.asarray(self._booster.predict(context, num_threads=1), np.float64)


class OutcomeModel:
    """The mean of an outcome in [0, 1] by context."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    @classmethod
    def fit(cls, context: F64, outcome: F64, weight: F64) -> OutcomeModel:
        """Fit to rows (n, k), outcomes (n,) in [0, 1], weights (n,)."""
        return cls(Trees.fit(context, outcome, weight))

    def mean(self, context: F64) -> F64:
        """(n,) in [0, 1]."""
        return np.clip(self.trees.predict(context), 0.0, 1.0)

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
            mean[asked] = OutcomeModel.fit(context[seen], outcome[seen], weight[seen]).mean(context[asked])
    return mean


def cross_fitted_rewards(
    context: F64, action: NDArray[np.int64], reward: F64, n_actions: int, fold: NDArray[np.int64]
) -> F64:
    """(n, n_actions) the reward of each action in each row's context, by models that have not seen the row's fold."""
    means = np.full((len(reward), n_actions), float(reward.mean()) if len(reward) else 0.0)
    chosen = np.column_stack([context, np.eye(n_actions)[action]])
    for held_out in np.unique(fold):
        seen, asked = fold != held_out, fold == held_out
        if seen.sum() < 2:
            continue
        trees = Trees.fit(chosen[seen], reward[seen])
        for a in range(n_actions):
            tried = np.column_stack([context[asked], np.tile(np.eye(n_actions)[a], (int(asked.sum()), 1))])
            means[asked, a] = trees.predict(tried)
    return means
