"""Confidence intervals for proportions, as Polars expressions.

Sources: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212;
R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions", Statistics in
Medicine 17, 873-890, method 10 (without continuity correction).
"""

from __future__ import annotations

import polars as pl

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: two-sided 95 % intervals."""


def wilson(k: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """95 % Wilson score interval of ``k`` of ``n``, as (low, high) in [0, 1]; null where ``n`` is 0.

    >>> low, high = wilson(pl.col("k"), pl.col("n"))
    >>> pl.DataFrame({"k": [81], "n": [263]}).select(low.round(4).alias("low"), high.round(4).alias("high")).row(0)
    (0.2553, 0.3662)
    """
    share = k / n
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)).sqrt()
    known = n > 0
    low = pl.when(k == 0).then(0.0).otherwise(centre - half)
    high = pl.when(k == n).then(1.0).otherwise(centre + half)
    return pl.when(known).then(low), pl.when(known).then(high)


def newcombe(k1: pl.Expr, n1: pl.Expr, k2: pl.Expr, n2: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """95 % Newcombe interval of ``k1/n1 - k2/n2``, as (low, high) in [-1, 1].

    >>> low, high = newcombe(*(pl.col(name) for name in ("k1", "n1", "k2", "n2")))
    >>> frame = pl.DataFrame({"k1": [56], "n1": [70], "k2": [48], "n2": [80]})
    >>> frame.select(low.round(4).alias("low"), high.round(4).alias("high")).row(0)
    (0.0524, 0.3339)
    """
    low1, high1 = wilson(k1, n1)
    low2, high2 = wilson(k2, n2)
    share1, share2 = k1 / n1, k2 / n2
    below = ((share1 - low1) ** 2 + (high2 - share2) ** 2).sqrt()
    above = ((high1 - share1) ** 2 + (share2 - low2) ** 2).sqrt()
    return share1 - share2 - below, share1 - share2 + above
