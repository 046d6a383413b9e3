"""The effect of a change from before and after: difference in differences, or an interrupted time series.

Sources: D. Card, A. B. Krueger (1994), "Minimum wages and employment", American Economic Review 84, 772-793 (difference
in differences); A. C. Cameron, D. L. Miller (2015), "A practitioner's guide to cluster-robust inference", J. Human
Resources 50, 317-372; A. C. Cameron, J. B. Gelbach, D. L. Miller (2011), "Robust inference with multiway clustering",
J. Business and Economic Statistics 29, 238-249; J. Lopez Bernal, S. Cummins, A. Gasparrini (2017), "Interrupted time
series regression for the evaluation of public health interventions", Int. J. Epidemiology 46, 348-355; W. K. Newey, K.
D. West (1987), "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance matrix",
Econometrica 55, 703-708; J. G. MacKinnon, H. White (1985), "Some heteroskedasticity-consistent covariance matrix
estimators", J. Econometrics 29, 305-325 (HC3); J. G. MacKinnon, M. O. Nielsen, M. D. Webb (2023), "Fast and reliable
jackknife and bootstrap methods for cluster-robust inference", J. Applied Econometrics 38, 671-694 (CV3).
The time series are fitted by statsmodels; differences in differences as it fits them, without its matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.slope import clusters

Design = Literal["difference in differences", "interrupted time series"]
F64 = NDArray[np.float64]

MIN_CASES = 30
"""Fewer cases than this before or after, inside or outside, say too little."""
MAX_PERIODS = 26
"""Most periods on either side of the change."""
MIN_DAYS = 14
"""An interrupted time series needs at least so many days on either side."""
TOLD_ALL = 1e-9
"""Where the other columns leave less than this of what is asked about, nothing can be told of it."""
LAGS_DAYS = 7
"""Days of one week may depend on each other."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """An effect in the unit of what was measured, per case: its 95 % interval and two-sided p-value.

    All are NaN where it cannot be estimated.
    """

    effect: float
    low: float
    high: float
    p: float

    @property
    def direction(self) -> int:
        """1 or -1 where the whole interval lies on one side of 0, else 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


UNKNOWN = Estimate(effect=math.nan, low=math.nan, high=math.nan, p=math.nan)


def design_of(cases: pl.DataFrame) -> Design | None:
    """How a change can be measured: against cases that it does not reach, or against the time before; None if neither.

    ``cases`` has ``day`` (days since the change, negative before it) and ``reached`` (whether it is in scope).
    """
    after, reached = pl.col("day") >= 0, pl.col("reached")
    cells = [after & reached, ~after & reached, after & ~reached, ~after & ~reached]
    n = cases.select(cell.sum().alias(str(number)) for number, cell in enumerate(cells)).row(0)
    if min(n) >= MIN_CASES:
        return "difference in differences"
    inside = cases.filter("reached")
    days = [inside.filter(side)["day"].floor().n_unique() for side in (after, ~after)]
    return "interrupted time series" if min(n[:2]) >= MIN_CASES and min(days) >= MIN_DAYS else None


def effect(cases: pl.DataFrame, measure: str, design: Design | None) -> Estimate:
    """The change in ``measure`` per case that came with day 0, among the cases in scope.

    ``cases``: ``day``, ``reached``, ``customer``, and the measure as a number.

    *Difference in differences*: least squares of the measure on being in scope, on the period (equal spans counted from
    day 0), and on both in scope and after; errors clustered by customer and by day (cases of a day share queues). It
    assumes that without the change both groups
    would have moved alike: `pre_trend` and `placebo` look whether they did before it.

    *Interrupted time series*: least squares of the day's mean (weighted by its cases) on a level change at day 0, a
    straight trend and the weekday; errors that allow for days of unlike spread (HC3) or for days that depend on each
    other (Newey and West, 7 days), whichever are wider. It assumes that the trend would have gone on.
    """
    if design is None:
        return UNKNOWN
    return _differences(cases, measure) if design == "difference in differences" else _interrupted(cases, measure)


def placebo(cases: pl.DataFrame, measure: str, design: Design | None) -> Estimate:
    """The same estimate for a change that never was: at the middle of the days before the real one, on those only."""
    before = cases.filter(pl.col("day") < 0)
    if design is None or before.is_empty():
        return UNKNOWN
    shifted = before.with_columns(pl.col("day") - placebo_day(cases))
    return effect(shifted, measure, design if design_of(shifted) == design else None)


def placebo_day(cases: pl.DataFrame) -> int:
    """The day of the change that never was, before day 0; 0 where no case comes before it."""
    first = cases["day"].min()
    return 0 if first is None else min(0, int(np.floor(float(first) / 2)))  # type: ignore[arg-type] # numbers


def pre_trend(cases: pl.DataFrame, measure: str, design: Design | None) -> Estimate:
    """By how much more a week the measure rose in scope than outside it, before the change; time counts in days.

    Only for a difference in differences; an interrupted time series has its trend in the model.
    """
    before = cases.filter(pl.col("day") < 0)
    if design != "difference in differences" or before["day"].n_unique() < 2:
        return UNKNOWN
    return _clustered(before, measure, lambda day, reached: reached * (day - day.mean()) / 7)


def _differences(cases: pl.DataFrame, measure: str) -> Estimate:
    return _clustered(cases, measure, lambda day, reached: reached * (day >= 0))


def _periods(day: F64) -> NDArray[np.int64]:
    """The period of each day, equal spans counted from day 0: of a week, or longer where there would be too many."""
    length = max(7.0, np.abs(day).max() / MAX_PERIODS)
    periods: NDArray[np.int64] = np.floor(day / length).astype(np.int64)
    return periods


def _dummies(codes: NDArray[np.int64]) -> list[F64]:
    """One column for each value; together they hold the constant."""
    return [(codes == code).astype(np.float64) for code in np.unique(codes)]


def _clustered(cases: pl.DataFrame, measure: str, asked: Callable[[F64, F64], F64]) -> Estimate:
    """The coefficient of ``asked``, beside being in scope and the period, with errors by customer and day.

    All regressors are the same for the cases of a day, in scope or out of it. So the fit needs only these cells, and
    millions of cases take no matrix: the coefficient is that of statsmodels' ``OLS``, its error by customer that of
    ``cov_type="cluster"``, by day that of a jackknife over days (`_by_day`), for days are few; both at once as
    `_both_ways` says, on as many degrees of freedom as there are days, less one. Cases without a customer are clusters
    of their own.
    """
    from scipy.stats import t  # noqa: PLC0415 heavy

    y = _numbers(cases, measure)
    if np.ptp(y) == 0.0:
        return Estimate(effect=0.0, low=0.0, high=0.0, p=1.0)
    kinds = np.column_stack([np.floor(_numbers(cases, "day")), _numbers(cases, "reached")])
    cells, cell, n_of = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    cell, root = cell.reshape(-1), np.sqrt(n_of)
    day, reached = cells[:, 0], cells[:, 1]
    others = np.column_stack([reached, *_dummies(_periods(day))])
    column = asked(day, reached)
    left = column - others @ _solved(others, column, root)
    square = float((n_of * left**2).sum())
    if square < TOLD_ALL * max(float((n_of * column**2).sum()), 1.0):
        return UNKNOWN
    mean = np.bincount(cell, y) / n_of
    both = np.column_stack([others, column])
    found = _solved(both, mean, root)
    who, when = clusters(cases["customer"]), np.unique(day, return_inverse=True)[1][cell]
    n, n_columns = len(y), int(np.linalg.matrix_rank(both))
    freedom = min(int(who.max()), int(when.max()))
    if freedom < 1 or n <= n_columns:
        return UNKNOWN
    scores = left[cell] * (y - (both @ found)[cell]) * (math.sqrt((n - 1) / (n - n_columns)) / square)
    by_day = _by_day(both * root[:, None], (mean - both @ found) * root, left * root / square, day)
    error = math.sqrt(_both_ways(scores, who, when, by_day))
    estimate, half = float(found[-1]), float(t.ppf(0.975, freedom)) * error
    p = float(2 * t.sf(abs(estimate) / error, freedom)) if error > 0 else float(estimate == 0)
    return Estimate(effect=estimate, low=estimate - half, high=estimate + half, p=p)


def _both_ways(scores: F64, who: NDArray[np.int64], when: NDArray[np.int64], by_day: float) -> float:
    """The variance of a sum of scores that depend on each other within a customer and within a day.

    By customer, plus by day, less by both (Cameron, Gelbach and Miller 2011), the first and the last times ``G / (G -
    1)``; never less than by either alone, for the difference may be too small by chance.
    """
    both = np.unique(who * (when.max() + 1) + when, return_inverse=True)[1]
    by_who, by_both = (_summed(scores, one) for one in (who, both))
    return max(by_who, by_day, by_who + by_day - by_both)


def _by_day(columns: F64, rest: F64, weight: F64, day: F64) -> float:
    """The variance of a coefficient by leaving out one day after the other (CV3 of MacKinnon, Nielsen and Webb 2023).

    A day pulls the fit to itself, so what is left of it is too small; this undoes that, as HC3 does for single rows.
    Rows are the cells of the fit, one or two a day, times the roots of their weights: ``columns`` (n, k), ``rest`` (n,)
    what the fit leaves of the measure, ``weight`` (n,) the coefficient as a sum over cells, ``day`` (n,). Without a day
    the coefficient changes by the sum over its cells of ``weight`` and what they are from the fit without them.
    """
    basis, size, _ = np.linalg.svd(columns, full_matrices=False)
    basis = basis[:, size > size[0] * 1e-10]
    days, at = np.unique(day, return_inverse=True)
    second = np.append(False, at[1:] == at[:-1]).astype(np.int64)
    padded = np.zeros((len(days), 2, basis.shape[1] + 2))
    padded[at, second] = np.column_stack([basis, rest, weight])
    of_day, left, pull = padded[:, :, :-2], padded[:, :, -2], padded[:, :, -1]
    unseen = np.linalg.pinv(np.eye(2) - of_day @ of_day.transpose(0, 2, 1), rcond=1e-8, hermitian=True)
    changes = np.einsum("gi,gij,gj->g", pull, unseen, left)
    return float((changes**2).sum()) * (len(days) - 1) / len(days)


def _summed(scores: F64, groups: NDArray[np.int64]) -> float:
    sums = np.bincount(groups, scores)
    n = len(sums)
    return float((sums**2).sum()) * n / (n - 1)


def _solved(columns: F64, values: F64, root: F64) -> F64:
    """The coefficients of weighted least squares; ``root``: the square roots of the weights."""
    return np.linalg.lstsq(columns * root[:, None], values * root, rcond=None)[0].astype(np.float64)


def _numbers(cases: pl.DataFrame, name: str) -> F64:
    return cases[name].cast(pl.Float64).to_numpy()


def _interrupted(cases: pl.DataFrame, measure: str) -> Estimate:
    import statsmodels.api as sm  # noqa: PLC0415 takes a second

    days = (
        cases.filter("reached")
        .group_by(pl.col("day").floor().cast(pl.Int64))
        .agg(pl.col(measure).cast(pl.Float64).mean().alias("mean"), pl.len().alias("n"))
        .sort("day")
    )
    day, y = days["day"].to_numpy().astype(np.float64), days["mean"].to_numpy()
    if np.ptp(y) == 0.0:
        return Estimate(effect=0.0, low=0.0, high=0.0, p=1.0)
    columns = [*_dummies(days["day"].to_numpy() % 7), day / 7, (day >= 0).astype(np.float64)]
    model = sm.WLS(y, np.column_stack(columns), weights=days["n"].to_numpy())
    lags = {"maxlags": LAGS_DAYS, "use_correction": True}
    fits = [
        model.fit(method="qr", cov_type="HC3", use_t=True),
        model.fit(method="qr", cov_type="HAC", cov_kwds=lags, use_t=True),
    ]
    return _last(max(fits, key=lambda one: float(one.bse[-1])))


def _last(fitted: Any) -> Estimate:
    low, high = fitted.conf_int()[-1]
    return Estimate(
        effect=float(fitted.params[-1]), low=float(low), high=float(high), p=float(np.asarray(fitted.pvalues)[-1])
    )
