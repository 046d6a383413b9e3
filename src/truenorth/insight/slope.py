"""How an outcome changes with a measure of the same cases, both freed of what was known when the case opened.

The estimator is `truenorth.insight.adjusted.adjusted_slope`; here it is asked twice, with customers and with days as
clusters, and put on a scale on which measures can be compared. Robustness value: C. Cinelli, C. Hazlett (2020), "Making
sense of sensitivity", J. Royal Statistical Society B 82, 39-67, eq. (18).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.adjusted import adjusted_slope
from truenorth.insight.design import design_of
from truenorth.insight.one_thread import in_one_thread

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_CASES = 20_000
"""Of more cases than this a random part is used: the interval is narrow enough by then."""
MIN_CASES = 200
"""Fewer than this say nothing once adjusted for."""

KNOWN_BEFORE = 0.98
"""A measure of which what was known before tells more than this is itself known before: nothing is left to compare."""


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """``effect``: change in the outcome per standard deviation of the measure, with its 95 % interval (clustered by
    customer or by day, whichever is wider: cases of a day share queues) and two-sided p-value; ``per_unit`` with
    ``_low`` and ``_high``: the same per unit; ``raw``: per standard deviation, not adjusted.

    ``robustness`` in [0, 1]: something hidden would have to explain at least this share of what is left of both the
    measure and the outcome to explain the effect away. ``n``: cases used. NaN where there are too few.
    """

    effect: float
    low: float
    high: float
    p: float
    per_unit: float
    per_unit_low: float
    per_unit_high: float
    raw: float
    robustness: float
    n: int


@in_one_thread
def slope(outcome: Floats, measure: Floats, known: pl.DataFrame, customer: pl.Series, *, seed: int) -> Slope:
    """The adjusted slope of ``outcome`` on ``measure``; rows where the measure is NaN are left out.

    ``known`` is as `truenorth.insight.ripe.facts_of` gives it (with ``day``), ``customer`` names the customer
    of each row. ``seed`` chooses folds and, above 20,000 cases, which of them are used.
    """
    rows = np.flatnonzero(~np.isnan(measure))
    if len(rows) > MAX_CASES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_CASES, replace=False))
    y, x = outcome[rows], measure[rows]
    if len(rows) < MIN_CASES or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return too_few(len(rows))
    part = known[rows]
    design = design_of(part).matrix
    if _told(x, design) > KNOWN_BEFORE:
        return too_few(len(rows))
    days = np.floor(part["day"].to_numpy()).astype(np.int64)
    groupings = (clusters(customer.gather(rows)), days - days.min())
    found = max((adjusted_slope(x, y, design, one, seed=seed) for one in groupings), key=lambda one: one.error)
    if not found.error > 0:
        return too_few(len(rows))
    sd = float(x.std())
    partial = (found.estimate / found.error) ** 2 / (len(rows) - 1)
    return Slope(
        effect=found.estimate * sd,
        low=found.low * sd,
        high=found.high * sd,
        p=found.p_value,
        per_unit=found.estimate,
        per_unit_low=found.low,
        per_unit_high=found.high,
        raw=float(np.cov(x, y)[0, 1] / x.var(ddof=1)) * sd,
        robustness=0.5 * (math.sqrt(partial**2 + 4 * partial) - partial),
        n=len(rows),
    )


def _told(x: Floats, design: Floats) -> float:
    """The share of the variance of a measure that the design tells (R squared of least squares)."""
    if not design.shape[1]:
        return 0.0
    centred = x - x.mean()
    fitted = design @ np.linalg.lstsq(design.T @ design, design.T @ centred, rcond=None)[0]
    return 1 - float(((centred - fitted) ** 2).sum() / (centred**2).sum())


def too_few(n: int) -> Slope:
    """What there is to say of too few cases."""
    return Slope(**dict.fromkeys(Slope.__struct_fields__[:-1], math.nan), n=n)


def clusters(names: pl.Series) -> Ints:
    """A number for each cluster, from 0; rows without a name are clusters of their own.

    >>> clusters(pl.Series(["b", None, "a", "b"])).tolist()
    [1, 2, 0, 1]
    """
    codes = names.cast(pl.String).rank("dense").to_numpy().astype(np.float64)
    alone = np.isnan(codes)
    n_named = int(np.nanmax(codes)) if not alone.all() else 0
    numbered: Ints = np.where(alone, n_named + np.cumsum(alone), codes).astype(np.int64) - 1
    return numbered
