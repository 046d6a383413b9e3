"""The effect of a change from before and after: difference in differences, or an interrupted time series.

Sources: D. Card, A. B. Krueger (1994), "Minimum wages and employment", American Economic Review 84, 772-793 (difference
in differences); A. C. Cameron, D. L. Miller (2015), "A practitioner's guide to cluster-robust inference", J. Human
Resources 50, 317-372; A. C. Cameron, J. B. Gelbach, D. L. Miller (2011), "Robust inference with multiway clustering",
J. Business and Economic Statistics 29, 238-249; J. Lopez Bernal, S. Cummins, A. Gasparrini (2017), "Interrupted time
series regression for the evaluation of public health interventions", Int. J. Epidemiology 46, 348-355; W. K. Newey, K.
D. West (1987), "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance matrix",
Econometrica 55, 703-708; J. G. MacKinnon, H. White (1985), "Some heteroskedasticity-consistent covariance matrix
estimators", J. Econometrics 29, 305-325 (HC3).
The time series are fitted by statsmodels; differences in differences as it fits them, without its matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one measure before a change, where there should be nothing to see.

    ``kind``: `placebo`, whose ``day`` (days since the real change, negative) is when the change that never was began;
    `pre_trend`, per week, without a ``day``.
    """

    kind: Literal["placebo", "pre_trend"]
    measure: str
    day: float | None
    estimate: Estimate

    @property
    def tells(self) -> bool:
        """Whether it could be estimated, of a measure that is not the same in all cases."""
        return not math.isnan(self.estimate.p) and self.estimate != SAME


UNKNOWN = Estimate(effect=math.nan, low=math.nan, high=math.nan, p=math.nan)
SAME = Estimate(effect=0.0, low=0.0, high=0.0, p=1.0)
"""What a measure gives that is the same in all cases."""


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
    middle = placebo_day(cases)
    if design is None or middle is None:
        return UNKNOWN
    shifted = cases.filter(pl.col("day") < 0).with_columns(pl.col("day") - middle)
    return effect(shifted, measure, design if design_of(shifted) == design else None)


def placebo_day(cases: pl.DataFrame) -> float | None:
    """When the change that never was began: days since the real one, negative; None where no case came before it."""
    first = cases.filter(pl.col("day") < 0)["day"].min()
    return None if first is None else math.floor(float(first) / 2)  # type: ignore[arg-type] # days are numbers


def pre_trend(cases: pl.DataFrame, measure: str, design: Design | None) -> Estimate:
    """By how much more a week the measure rose in scope than outside it, before the change; time counts in days.

    Only for a difference in differences; an interrupted time series has its trend in the model.
    """
    before = cases.filter(pl.col("day") < 0)
    if design != "difference in differences" or before["day"].n_unique() < 2:
        return UNKNOWN
    return _clustered(before, measure, lambda day, reached: reached * (day - day.mean()) / 7)


def checked_before(cases: pl.DataFrame, measures: Sequence[str], design: Design | None) -> tuple[Check, ...]:
    """Placebo and pre-trend of every measure; none without a design, no pre-trend of an interrupted time series."""
    if design is None:
        return ()
    day = placebo_day(cases)
    found = [Check(kind="placebo", measure=one, day=day, estimate=placebo(cases, one, design)) for one in measures]
    if design == "difference in differences":
        found += [
            Check(kind="pre_trend", measure=one, day=None, estimate=pre_trend(cases, one, design)) for one in measures
        ]
    return tuple(found)


def smallest_p(checks: Sequence[Check]) -> float:
    """The smallest p-value of the checks that tell, times their number (Bonferroni), at most 1; NaN where none does.

    >>> def one(p):
    ...     return Check(kind="placebo", measure="cost", day=-9, estimate=Estimate(effect=1, low=0, high=2, p=p))
    >>> smallest_p([one(0.02), one(0.5)])
    0.04
    """
    known = [one.estimate.p for one in checks if one.tells]
    return min(1.0, min(known) * len(known)) if known else math.nan


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
    millions of cases take no matrix: the coefficient is that of statsmodels' ``OLS``, its error that of
    ``cov_type="cluster"`` with customer and day as groups (`_variance`), on as many degrees of freedom as there are
    days, less one. Cases without a customer are clusters of their own.
    """
    from scipy.stats import t  # noqa: PLC0415 heavy

    y = _numbers(cases, measure)
    if np.ptp(y) == 0.0:
        return SAME
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
    scores = left[cell] * (y - (both @ found)[cell])
    error = math.sqrt(_variance(scores, who, when) * (n - 1) / (n - n_columns)) / square
    estimate, half = float(found[-1]), float(t.ppf(0.975, freedom)) * error
    p = float(2 * t.sf(abs(estimate) / error, freedom)) if error > 0 else float(estimate == 0)
    return Estimate(effect=estimate, low=estimate - half, high=estimate + half, p=p)


def _variance(scores: F64, who: NDArray[np.int64], when: NDArray[np.int64]) -> float:
    """The variance of a sum of scores that depend on each other within a customer and within a day.

    By customer, plus by day, less by both (Cameron, Gelbach and Miller 2011), each times ``G / (G - 1)``; never less
    than by either alone, for the difference may be too small by chance.
    """
    both = np.unique(who * (when.max() + 1) + when, return_inverse=True)[1]
    by_who, by_when, by_both = (_summed(scores, one) for one in (who, when, both))
    return max(by_who, by_when, by_who + by_when - by_both)


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
        return SAME
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
