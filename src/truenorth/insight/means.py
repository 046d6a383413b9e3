"""Means and shares with their intervals, from sums."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from truenorth.insight.intervals import Z95


class Estimate(NamedTuple):
    """An estimate from ``n`` cases with its 95 % interval; all None where the sample is too small."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def share_of(k: int, n: int) -> Estimate:
    """The share of ``k`` in ``n`` with the Wilson score interval (`intervals.wilson`).

    >>> [round(value, 4) for value in (share_of(81, 263).value, share_of(81, 263).low, share_of(81, 263).high)]
    [0.308, 0.2553, 0.3662]
    """
    if not n:
        return Estimate(None, None, None, 0)
    share, z2 = k / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Estimate(share, 0.0 if k == 0 else centre - half, 1.0 if k == n else centre + half, n)


def mean_of(total: float, squares: float, n: int) -> Estimate:
    """The mean of ``n`` values from their sum and sum of squares, with the interval of the normal approximation.

    >>> mean_of(6.0, 14.0, 3).value
    2.0
    """
    if n < 2:
        return Estimate(total if n else None, None, None, n)
    mean = total / n
    variance = max(squares - n * mean * mean, 0.0) / (n - 1)
    half = Z95 * sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)
