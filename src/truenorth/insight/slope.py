"""How an outcome changes with a measure, both freed of what was known before.

The partially linear model ``outcome = effect x measure + f(known) + error``: outcome and measure are each predicted
from what was known when the case opened, by models that did not see the case; the effect is the slope between what the
predictions leave over. It is right where either prediction is (the score is orthogonal), and weighs cases by how far
the measure could have gone either way.

Sources: P. M. Robinson (1988), "Root-N-consistent semiparametric regression", Econometrica 56, 931-954; V. Chernozhukov
et al. (2018), "Double/debiased machine learning for treatment and structural parameters", Econometrics Journal 21,
C1-C68, section 4.1. Robustness value: C. Cinelli, C. Hazlett (2020), "Making sense of sensitivity", J. Royal
Statistical Society B 82, 39-67, eq. (18).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

F64 = NDArray[np.float64]

N_FOLDS = 5
MAX_CASES = 100_000
"""Of more cases than this a random part is used: the interval is narrow enough by then."""
MIN_CASES = 200
"""Fewer than this say nothing once adjusted for."""
MODEL = {"n_estimators": 40, "num_leaves": 6, "learning_rate": 0.08, "min_child_samples": 50}
"""Small trees: they have to find what is common to many cases."""


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """``effect``: change in the outcome per standard deviation of the measure, with its 95 % interval (clustered by
    customer or by day, whichever is wider: cases of a day share queues) and two-sided p-value; ``per_unit``: the same
    per unit; ``raw``: per standard deviation, not adjusted.

    ``robustness`` in [0, 1]: something hidden would have to explain at least this share of what is left of both the
    measure and the outcome to explain the effect away. ``n``: cases used. NaN where there are too few.
    """

    effect: float
    low: float
    high: float
    p: float
    per_unit: float
    raw: float
    robustness: float
    n: int


def slope(outcome: F64, measure: F64, known: pl.DataFrame, customer: pl.Series, *, seed: int) -> Slope:
    """The adjusted slope of ``outcome`` on ``measure``; rows where the measure is NaN are left out.

    ``known`` is as `truenorth.insight.known_before` gives it (with ``day``), ``customer`` names the customer of
    each row. ``seed`` chooses folds and, above 100,000 cases, which of them are used.
    """
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(~np.isnan(measure))
    if len(rows) > MAX_CASES:
        rows = np.sort(rng.choice(rows, MAX_CASES, replace=False))
    y, x = outcome[rows], measure[rows]
    if len(rows) < MIN_CASES or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        nan = math.nan
        return Slope(effect=nan, low=nan, high=nan, p=nan, per_unit=nan, raw=nan, robustness=nan, n=len(rows))
    groups = clusters(customer.gather(rows))
    features, categorical = _features(known[rows])
    fold = rng.integers(0, N_FOLDS, groups.max() + 1)[groups]
    left_y, left_x = (_left_over(value, features, categorical, fold, seed) for value in (y, x))
    days = np.floor(known["day"].gather(rows).to_numpy()).astype(np.int64)
    return _fitted(left_y, left_x, y, x, (groups, days))


def clusters(names: pl.Series) -> NDArray[np.int64]:
    """A number for each cluster, from 0; rows without a name are clusters of their own.

    >>> clusters(pl.Series(["b", None, "a", "b"])).tolist()
    [1, 2, 0, 1]
    """
    codes = names.cast(pl.String).rank("dense").to_numpy().astype(np.float64)
    alone = np.isnan(codes)
    n_named = int(np.nanmax(codes)) if not alone.all() else 0
    numbered: NDArray[np.int64] = np.where(alone, n_named + np.cumsum(alone), codes).astype(np.int64) - 1
    return numbered


def _features(known: pl.DataFrame) -> tuple[F64, list[int]]:
    columns, categorical = [], []
    for number, column in enumerate(known.iter_columns()):
        if column.dtype == pl.Categorical:
            categorical.append(number)
            codes = column.cast(pl.String).rank("dense").cast(pl.Float64) - 1
            columns.append(codes.fill_null(math.nan).to_numpy())
        else:
            columns.append(column.cast(pl.Float64).fill_null(math.nan).to_numpy())
    return np.column_stack(columns), categorical


def _left_over(value: F64, features: F64, categorical: list[int], fold: NDArray[np.int64], seed: int) -> F64:
    """What cross-fitted predictions leave of a value."""
    import lightgbm  # noqa: PLC0415 takes a second

    left = np.empty_like(value)
    options: dict[str, Any] = {"objective": "regression", "verbosity": -1, "num_threads": 1, "seed": seed}
    options |= {"deterministic": True, "force_row_wise": True, **MODEL}
    n_rounds = options.pop("n_estimators")
    for out in range(N_FOLDS):
        test = fold == out
        if not test.any():
            continue
        data = lightgbm.Dataset(features[~test], value[~test], categorical_feature=categorical, free_raw_data=True)
        fitted = lightgbm.train(options, data, n_rounds)
        left[test] = value[test] - fitted.predict(features[test], num_threads=1)
    return left


def _fitted(left_y: F64, left_x: F64, y: F64, x: F64, groupings: tuple[NDArray[np.int64], ...]) -> Slope:
    import statsmodels.api as sm  # noqa: PLC0415 takes a second

    model = sm.OLS(left_y, left_x[:, None])
    fits = [model.fit(cov_type="cluster", cov_kwds={"groups": one}, use_t=True) for one in groupings]
    fit = max(fits, key=lambda one: float(one.bse[0]))
    sd = float(x.std())
    low, high = fit.conf_int()[0] * sd
    partial = float(fit.tvalues[0]) ** 2 / max(len(y) - 1, 1)
    return Slope(
        effect=float(fit.params[0]) * sd,
        low=float(low),
        high=float(high),
        p=float(fit.pvalues[0]),
        per_unit=float(fit.params[0]),
        raw=float(np.cov(x, y)[0, 1] / x.var(ddof=1)) * sd,
        robustness=0.5 * (math.sqrt(partial**2 + 4 * partial) - partial),
        n=len(y),
    )
