"""The days on which a mix changed, with what chance would find by itself as the yardstick.

Binary segmentation: the day that splits a span best, by the likelihood ratio of two mixes against one (G statistic,
that of `scipy.stats.power_divergence` with ``lambda_="log-likelihood"``, summed over strata); whether the best split is
better than chance is asked of the same days shuffled, each weekday among its own kind; then both parts are asked again.
Sources: A. J. Scott, M. Knott (1974), "A cluster analysis method for grouping means in the analysis of variance",
Biometrics 30, 507-512; M. D. Ernst (2004), "Permutation methods: a basis for exact inference", Statistical Science 19,
676-685.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_DAYS = 7
"""A part is at least a week long, so that every weekday is in it."""
N_SHUFFLES = 399
N_WEIGHING = 40
"""So many shuffles tell how restless the days of each question are."""
CHUNK_CELLS = 4_000_000
"""So many numbers are held at a time while shuffling."""


class Split(NamedTuple):
    """``day``: the first of what is new, counted from 0. ``p``: the share of shuffles that split as well, at least
    1 / (shuffles + 1)."""

    day: int
    p: float


def best_split(counts: Floats, stratum: Ints, seed: int, n_shuffles: int = N_SHUFFLES) -> Split | None:
    """The best split of some days, and how often chance finds one as good; None for too few days.

    ``counts`` (n_days, n_answers), ``stratum`` (n_answers,): as in `truenorth.insight.signals.Signal`.

    >>> days = np.array([[30.0, 10.0]] * 20 + [[10.0, 30.0]] * 20)
    >>> best_split(days, np.array([0, 0]), seed=1)
    Split(day=20, p=0.0025)
    """
    n_days = len(counts)
    if n_days < 2 * MIN_DAYS or not counts.any():
        return None
    strata = np.eye(int(stratum.max()) + 1)[stratum]
    rng = np.random.default_rng(seed)
    size = max(1, CHUNK_CELLS // counts.size)
    weights = _weights(counts, strata, _shuffled(n_days, min(size, N_WEIGHING), rng))
    found = _gains(counts[None], strata)[0] @ weights
    best = int(found.argmax())
    n_better = 0
    for start in range(0, n_shuffles, size):
        orders = _shuffled(n_days, min(size, n_shuffles - start), rng)
        n_better += int(((_gains(counts[orders], strata) @ weights).max(axis=1) >= found[best]).sum())
    return Split(best + MIN_DAYS, (n_better + 1) / (n_shuffles + 1))


def change_days(counts: Floats, stratum: Ints, alpha: float, seed: int, n_shuffles: int = N_SHUFFLES) -> list[Split]:
    """All days on which the mix changed, each with p at most ``alpha``, in order."""
    pending, found = [(0, len(counts))], dict[int, float]()
    while pending:
        low, high = pending.pop()
        split = best_split(counts[low:high], stratum, seed + low, n_shuffles)
        if split is not None and split.p <= alpha:
            found[low + split.day] = split.p
            pending += [(low, low + split.day), (low + split.day, high)]
    return [Split(day, found[day]) for day in sorted(found)]


def _shuffled(n_days: int, n: int, rng: np.random.Generator) -> Ints:
    """Orders of days (n, n_days) in which every day is the same weekday as before."""
    orders = np.tile(np.arange(n_days), (n, 1))
    for weekday in range(min(7, n_days)):
        orders[:, weekday::7] = rng.permuted(orders[:, weekday::7], axis=1)
    return orders


def _weights(counts: Floats, strata: Floats, orders: Ints) -> Floats:
    """What the likelihood ratio of each question counts: less, the more its days differ by themselves.

    Shuffled days of a question without any spread of their own give its degrees of freedom on average. Where they give
    more (queues are long on some days, for all who ask), it is divided by how much more: a quasi-likelihood (P.
    McCullagh, J. A. Nelder, 1989, "Generalized Linear Models", 2nd ed., ch. 9). So a question with restless days drowns
    none with quiet ones.
    """
    spread = _gains(counts[orders], strata).mean(axis=(0, 1))
    freedom = strata.sum(axis=0) - 1
    weights: Floats = 1 / np.maximum(spread / np.maximum(freedom, 1), 1)
    return weights


def _gains(counts: Floats, strata: Floats) -> Floats:
    """The likelihood ratio of every split of rows of days (n, n_days, n_answers), by question.

    (n, n_days - 2 MIN_DAYS + 1, n_questions).
    """
    before = counts.cumsum(axis=1)
    whole = before[:, -1:]
    before = before[:, MIN_DAYS - 1 : counts.shape[1] - MIN_DAYS]
    after = whole - before
    cells = (_entropy(before) + _entropy(after) - _entropy(whole)) @ strata
    totals = _entropy(before @ strata) + _entropy(after @ strata) - _entropy(whole @ strata)
    gains: Floats = 2 * (cells - totals)
    return gains


def _entropy(counts: Floats) -> Floats:
    from scipy.special import xlogy  # noqa: PLC0415 heavy

    found: Floats = xlogy(counts, counts)
    return found


def distance(before: Floats, after: Floats, stratum: Ints) -> tuple[float, int]:
    """How far two mixes are apart, in [0, 1], and the answer whose share moved most.

    ``before``, ``after`` (n_answers,): counts. In each stratum the total variation distance: the share that would have
    to answer otherwise; the largest one counts among the strata that hold a tenth of the counts or more.

    >>> distance(np.array([30.0, 10.0]), np.array([10.0, 30.0]), np.array([0, 0]))
    (0.5, 0)
    """
    furthest, which = 0.0, 0
    for number in range(int(stratum.max()) + 1):
        cells = np.flatnonzero(stratum == number)
        parts = before[cells], after[cells]
        wholes = before.sum(), after.sum()
        enough = all(part.sum() >= max(0.1 * whole, 1) for part, whole in zip(parts, wholes, strict=True))
        if not enough:
            continue
        moved = parts[1] / parts[1].sum() - parts[0] / parts[0].sum()
        apart = float(np.abs(moved).sum() / 2)
        if apart > furthest:
            furthest, which = apart, int(cells[np.abs(moved).argmax()])
    return furthest, which
