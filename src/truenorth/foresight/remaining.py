"""Time to the outcome: a median, and an interval that holds it as often as it says."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.predictors import Boosted, Constant

F64 = NDArray[np.float64]

N_GROUPS = 10
FEWEST = 50
"""A group of predictions of like size has at least so many rows to learn its margins from."""


class Remaining(msgspec.Struct, frozen=True):
    """Days to the outcome: the median by ``predictor``, and margins around it by the size of the prediction.

    ``edges`` (g - 1,) part predictions into g groups; ``below``, ``above`` (g,) are what is added for the ends of the
    interval, in days.
    """

    predictor: Boosted | Constant
    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]


class Interval(NamedTuple):
    """Days: the median and the ends of the interval, each (n,), never negative."""

    low: F64
    median: F64
    high: F64


class Errors(NamedTuple):
    """Rows (n,) that a predictor did not learn from: predicted and true days, their case, how many it stands for."""

    said: F64
    came: F64
    case: NDArray[np.int32]
    weight: F64


def conformal(predictor: Boosted | Constant, found: Errors, level: float) -> Remaining:
    """Margins from the errors on rows that were foretold by what other cases taught.

    Cross-conformal prediction (Vovk 2015, Ann. Math. Artif. Intell. 74:9) with weights (Tibshirani et al. 2019,
    NeurIPS) within groups of like predictions (Mondrian: Vovk et al. 2003), one side at a time, so that intervals are
    as lop-sided as the errors. Rows of one case are not exchangeable with each other; they are with rows of another,
    and each case counts once in total in proportion to its rows.
    """
    said = found.said
    n_groups = int(np.clip(len(np.unique(found.case)) // FEWEST, 1, N_GROUPS))
    edges = np.unique(np.quantile(said, np.linspace(0, 1, n_groups + 1)[1:-1])) if len(said) else np.zeros(0)
    group = np.searchsorted(edges, said, side="right")
    below, above = np.zeros(len(edges) + 1), np.zeros(len(edges) + 1)
    for g in range(len(edges) + 1):
        of = group == g
        if of.any():
            below[g], above[g] = _margins((found.came - said)[of], found.weight[of], (1.0 - level) / 2)
    return Remaining(predictor, *(tuple(values.tolist()) for values in (edges, below, above)))


def _margins(error: F64, weight: F64, tail: float) -> tuple[float, float]:
    """The errors that leave so large a share of the weight on either side; one more row may be anywhere."""
    order = np.argsort(error, kind="stable")
    passed = np.cumsum(weight[order])
    total = passed[-1] + weight.max()
    low = np.searchsorted(passed, tail * total, side="right") - 1
    high = np.searchsorted(passed, (1.0 - tail) * total, side="left")
    return float(error[order[max(low, 0)]]), float(error[order[min(high, len(error) - 1)]])


def interval(remaining: Remaining, said: F64) -> Interval:
    """The interval around medians (n,), in days."""
    group = np.searchsorted(np.array(remaining.edges), said, side="right")
    low = said + np.array(remaining.below)[group]
    high = said + np.array(remaining.above)[group]
    return Interval(*(np.maximum(value, 0.0) for value in (low, said, high)))
