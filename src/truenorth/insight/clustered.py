"""Means with intervals where rows of one customer or case belong together."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.intervals import Z95


def clustered_means(rows: pl.LazyFrame, group: str, cluster: str, value: str) -> pl.LazyFrame:
    """The mean of ``value`` by ``group``, with a 95 % interval in which the rows of a cluster count as one.

    One row per group: ``group``, ``n`` (rows with a value), ``n_clusters``, ``mean``, ``low``, ``high`` (null for a
    single cluster). Cluster-robust variance of a mean: the sum over clusters of squared sums of residuals, over n
    squared, times G / (G - 1). Source: A. C. Cameron, D. L. Miller (2015), "A practitioner's guide to cluster-robust
    inference", J. Human Resources 50, 317-372, eq. (11).

    >>> rows = pl.LazyFrame({"g": ["a"] * 4, "who": [1, 1, 2, 2], "x": [0.0, 0.0, 1.0, 1.0]})
    >>> clustered_means(rows, "g", "who", "x").select("g", "n", "n_clusters", "mean").collect().rows()
    [('a', 4, 2, 0.5)]
    """
    sums = (
        rows.filter(pl.col(value).is_not_null())
        .group_by(group, cluster)
        .agg(pl.col(value).sum().alias("sum"), pl.len().cast(pl.Float64).alias("rows"))
    )
    mean = pl.col("sum").sum() / pl.col("rows").sum()
    residual = ((pl.col("sum") - mean * pl.col("rows")) ** 2).sum()
    found = sums.group_by(group).agg(
        pl.col("rows").sum().cast(pl.Int64).alias("n"),
        pl.len().cast(pl.Int64).alias("n_clusters"),
        mean.alias("mean"),
        residual.alias("residual"),
    )
    g = pl.col("n_clusters")
    error = (pl.col("residual") * g / (g - 1)).sqrt() / pl.col("n")
    half = pl.when(g > 1).then(Z95 * error)
    return found.with_columns((pl.col("mean") - half).alias("low"), (pl.col("mean") + half).alias("high")).drop(
        "residual"
    )


def clustered_error(scores: NDArray[np.float64], clusters: NDArray[np.int64]) -> float:
    """The standard error of the mean of ``scores`` (n,), those of one cluster taken together; NaN for a single one.

    >>> round(clustered_error(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1])), 4)
    0.5
    """
    sums = np.bincount(clusters, scores - scores.mean())
    n_clusters = len(np.unique(clusters))
    if n_clusters < 2:
        return float("nan")
    return float(np.sqrt((sums**2).sum() * n_clusters / (n_clusters - 1)) / len(scores))


def clustered_ratio(sums: pl.LazyFrame, part: str, whole: str) -> tuple[float, float, float, int] | None:
    """``sum(part) / sum(whole)`` over rows that each stand for one cluster, with its 95 % interval and their number.

    Linearised variance of a ratio: ``n / (n - 1) sum((part - ratio whole)^2) / sum(whole)^2``. Source: W. G. Cochran
    (1977), "Sampling Techniques", 3rd ed., eq. (6.13). None where the whole is 0; an interval of NaN for one cluster.

    >>> rows = pl.LazyFrame({"bad": [1.0, 0.0, 1.0, 0.0], "all": [1.0, 1.0, 1.0, 1.0]})
    >>> [round(one, 3) for one in clustered_ratio(rows, "bad", "all")]
    [0.5, -0.066, 1.066, 4]
    """
    found = sums.select(pl.col(part, whole).cast(pl.Float64)).collect()
    total, n = float(found[whole].sum()), found.height
    if not total > 0:
        return None
    ratio = float(found[part].sum()) / total
    left = (found[part] - ratio * found[whole]).to_numpy()
    half = Z95 * float(np.sqrt(n / (n - 1) * (left**2).sum())) / total if n > 1 else float("nan")
    return ratio, ratio - half, ratio + half, n
