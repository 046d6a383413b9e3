"""Time to the outcome: a median, and an interval that holds it as often as it says."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.predictors import Boosted, Constant

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

N_GROUPS = 10
FEWEST = 50
"""A group of predictions of like size has at least so many cases to learn its errors from."""
SHARES = np.linspace(0.0, 1.0, 201)
"""Shares of the errors that are kept of each group."""
LEAST_SPREAD_DAYS = 1 / 1440
"""Errors of a group are taken to be spread over a minute at least."""


class Remaining(msgspec.Struct, frozen=True):
    """Days to the outcome: the median by ``predictor``, and how far off it is by the size of the prediction.

    ``edges`` (g - 1,) part predictions into g groups; ``errors`` (g, len(`SHARES`)): so large a share of the errors of
    a group is at most that, above the prediction in days, below it as a share of it. ``coverage`` in (0, 1) is how
    often the interval is to hold. ``known`` in [0, 1] is the share of all errors that is known: the others are larger,
    nobody knows by how much. ``spread``: how much wider than the errors of the cases that a group was learnt from those
    of other cases lie.
    """

    predictor: Boosted | Constant
    edges: tuple[float, ...]
    errors: tuple[tuple[float, ...], ...]
    coverage: float
    known: float = 1.0
    spread: float = 1.0

    @property
    def ends(self) -> Ends:
        """The ends of the interval as they were learnt: an equal share of the errors beyond either.

        Where what is beyond the high end is not known, there is none.
        """
        tail = (1.0 - self.coverage) / 2
        twice, low, high = self.spread_out(np.array([2 * tail, tail, 1.0 - tail])).tolist()
        return Ends(low, high) if self.known >= 1.0 - tail else Ends(twice, math.inf)

    def spread_out(self, shares: F64) -> F64:
        """The positions (n,) that so large ``shares`` of other cases are below."""
        return 0.5 + (shares - 0.5) * self.spread


class Ends(NamedTuple):
    """Where an interval ends, as positions among the errors of a group: see `positions`; ``high`` may be infinite."""

    low: float
    high: float


class Interval(NamedTuple):
    """Days: the median and the ends of the interval, each (n,), never negative; ``high`` is infinite for no end."""

    low: F64
    median: F64
    high: F64


class Foretold(NamedTuple):
    """Rows (n,) that a predictor did not learn from, and their case: predicted days ``said`` and true days ``came``.

    Of a row that is not ``known`` the truth is more than ``came``.
    """

    said: F64
    came: F64
    known: Bools
    case: NDArray[np.int32]


def conformal(predictor: Boosted | Constant, found: Foretold, coverage: float) -> Remaining:
    """What is to be added to predictions, from the errors on rows that were foretold by what other cases taught.

    Cross-conformal prediction (Vovk 2015, Ann. Math. Artif. Intell. 74:9) within groups of like predictions (Mondrian:
    Vovk et al. 2003), one side at a time, so that intervals are as lop-sided as the errors. Rows of one case are not
    exchangeable with each other; they are with rows of another. Cases that had not ended count as longer than they had
    lasted (Kaplan and Meier 1958, JASA 53:457): of the latest cases only the short ones have ended.
    """
    said = found.said
    n_groups = int(np.clip(len(np.unique(found.case)) // FEWEST, 1, N_GROUPS))
    edges = np.unique(np.quantile(said, np.linspace(0, 1, n_groups + 1)[1:-1])) if len(said) else np.zeros(0)
    group = np.searchsorted(edges, said, side="right")
    error = _error(said, found.came)
    parts = [_distribution(error[group == g], found.known[group == g]) for g in range(len(edges) + 1)]
    errors = tuple(tuple(_at_shares(*part).tolist()) for part in parts)
    sizes = np.bincount(group, minlength=len(parts)) / max(len(said), 1)
    known = sum(float(size) * float(reached[-1:].sum()) for size, (_, reached) in zip(sizes, parts, strict=True))
    n = len(np.unique(np.column_stack([group, found.case]), axis=0)) / len(parts)
    return Remaining(predictor, tuple(edges.tolist()), errors, coverage, round(known, 9), 1.0 + 1.0 / max(n, 1))


def _at_shares(values: F64, reached: F64) -> F64:
    """The least of ``values`` that so large `SHARES` of all are at most; 0 without any.

    Where nothing is known so far out, the largest value there is.
    """
    return values[_least(reached, SHARES)] if len(values) else np.zeros(len(SHARES))


def ends_of(position: F64, known: Bools, coverage: float) -> Ends:
    """Where an interval ends that holds so large a share of positions (n,) in (0, 1); n > 0.

    Half of the others are beyond either end. Where many positions are the same, fewer may be beyond an end, and the
    others beyond the other one. Of one that is not ``known`` the truth is more than it (Kaplan and Meier 1958); there
    is no high end where of more than may be beyond it nobody knows where they are.

    >>> ends_of(np.r_[np.zeros(20), np.linspace(0.0, 1.0, 81)[1:]], np.ones(100, bool), 0.9)
    Ends(low=0.0, high=0.875)
    >>> ends_of(np.arange(100.0), np.arange(100) < 90, 0.9)
    Ends(low=10.0, high=inf)
    """
    values, reached = _distribution(position, known)
    beyond = 1.0 - coverage
    below = np.r_[0.0, reached][_above(reached, beyond / 2)]
    if reached[-1] < 1.0 - (beyond - below) - 1e-9:
        return Ends(float(values[_above(reached, beyond)]), math.inf)
    high = int(_least(reached, 1.0 - (beyond - below)))
    low = _above(reached, beyond - (1.0 - reached[high]))
    return Ends(float(values[low]), float(values[high]))


def _distribution(value: F64, known: Bools) -> tuple[F64, F64]:
    """The values there are, ascending, and the share of all that is at most each."""
    from scipy.stats import CensoredData, ecdf

    found = ecdf(CensoredData(value[known], right=value[~known])).cdf
    return np.asarray(found.quantiles, np.float64), np.asarray(found.probabilities, np.float64)


def _least(reached: F64, share: float | F64) -> NDArray[np.intp]:
    """The first place at which so large a share is reached; the last one where it never is."""
    return np.minimum(np.searchsorted(reached, share - 1e-9), len(reached) - 1)


def _above(reached: F64, share: float) -> int:
    """The first place at which more than such a share is reached: no more than that is below it."""
    return min(int(np.searchsorted(reached, share + 1e-9)), len(reached) - 1)


def positions(remaining: Remaining, said: F64, days: F64) -> F64:
    """Where true ``days`` (n,) are among the errors on predictions like ``said`` (n,): 0 the least, 1 the largest.

    Beyond these it goes on evenly: 2 is at twice the largest error, -1 at a share that is less by the whole prediction.
    """
    group, out = _group(remaining, said), np.empty(len(said))
    for g, errors in enumerate(np.array(remaining.errors)):
        of = group == g
        error = _error(said[of], days[of])
        beyond = np.minimum(error - errors[0], 0.0) + np.maximum(error - errors[-1], 0.0) / _largest(errors)
        out[of] = np.interp(error, errors, SHARES) + beyond
    return out


def interval(remaining: Remaining, said: F64, low: F64 | float, high: F64 | float) -> Interval:
    """The interval around medians (n,), in days, that ends at the positions ``low`` and ``high``, each (n,) or one."""
    group, ends = _group(remaining, said), np.empty((2, len(said)))
    asked = np.stack([np.broadcast_to(low, said.shape), np.broadcast_to(high, said.shape)])
    for g in np.unique(group).tolist():
        of, errors = group == g, np.array(remaining.errors[g])
        position = asked[:, of]
        beyond = np.minimum(position, 0.0) + np.maximum(position - 1.0, 0.0) * _largest(errors)
        ends[:, of] = _days(said[of], np.interp(position, SHARES, errors) + beyond)
    return Interval(ends[0], said, ends[1])


def _error(said: F64, days: F64) -> F64:
    """How far the truth is from what was said (n,): above it in days, below it as a share of it, from -1.

    So no days at all are equally far from all that was said.
    """
    share = np.divide(days, said, out=np.ones(len(said)), where=days < said)
    return np.where(days < said, share - 1.0, days - said)


def _days(said: F64, error: F64) -> F64:
    """The days that are so far from what was said."""
    return np.where(error >= 0.0, said + error, said * np.clip(1.0 + error, 0.0, 1.0))


def _largest(errors: F64) -> float:
    return max(float(errors[-1]), LEAST_SPREAD_DAYS)


def _group(remaining: Remaining, said: F64) -> NDArray[np.intp]:
    return np.searchsorted(np.array(remaining.edges), said, side="right")
