"""Thompson sampling over what survived the funnel, and the exact chance of each choice.

The value of an action is taken as normally distributed around what is expected; doing nothing is worth exactly 0. The
policy draws one value for each and takes the largest (Thompson 1933; Chapelle and Li 2011). The chance that an action
wins is the integral of its density times the distribution functions of all others above 0; it is computed by
Gauss-Legendre quadrature between breakpoints at each action's own quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import erf, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.action.values import DO_NOTHING

F64 = NDArray[np.float64]

POLICY = "thompson/4"
"""The name of this policy, and its version."""

DIGITS = 9
"""Digits of a chance that are kept: fewer than any machine computes, so that a replay gives the very same."""

_STEPS = (-9.0, -6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_SMALLEST_SD = 1e-3
"""In cents: a value that is known better than this is known for certain."""

_erf = np.frompyfunc(erf, 1, 1)


class Option(NamedTuple):
    """An action with the value that is expected of it, its standard deviation, and the one that was drawn; in cents."""

    name: str
    mean: float
    sd: float
    drawn: float


def chosen(options: Sequence[Option]) -> str:
    """The action whose drawn value is largest and above 0; else doing nothing. The first of equals.

    >>> chosen([Option("a", 5, 1, 3), Option("b", 5, 1, 4)]), chosen([Option("a", 5, 9, -1)])
    ('b', 'do_nothing')
    """
    best = max(options, key=lambda option: option.drawn, default=None)
    return best.name if best is not None and best.drawn > 0 else DO_NOTHING


def propensities(options: Sequence[Option]) -> Mapping[str, float]:
    """The chance of each choice, doing nothing included; they sum to one.

    >>> propensities([]), propensities([Option("a", 0.0, 5.0, 1.0)])
    ({'do_nothing': 1.0}, {'do_nothing': 0.5, 'a': 0.5})
    """
    sure, unsure = _parted(options)
    floor = max([Option(DO_NOTHING, 0.0, 0.0, 0.0), *sure], key=lambda option: option.mean)
    mean, sd = np.array([option.mean for option in unsure]), np.array([option.sd for option in unsure])
    at_floor = float(np.prod(_below(np.array([floor.mean]), mean, sd)))
    wins = _wins(mean, sd, floor.mean)
    total = float(wins.sum())
    wins = wins * ((1 - at_floor) / total) if total > 0 else wins
    shares = dict.fromkeys((DO_NOTHING, *(option.name for option in options)), 0.0)
    shares |= {option.name: float(share) for option, share in zip(unsure, wins, strict=True)}
    shares[floor.name] = at_floor
    return rounded(shares)


def rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """Chances with `DIGITS` digits; the largest takes what is missing to one."""
    kept = {name: round(share, DIGITS) for name, share in shares.items()}
    largest = max(kept, key=lambda name: kept[name])
    kept[largest] = 0.0
    kept[largest] = round(1 - sum(kept.values()), DIGITS)
    return kept


def _parted(options: Sequence[Option]) -> tuple[list[Option], list[Option]]:
    """Those whose value is known, and those whose value is not."""
    sure = [option for option in options if option.sd < _SMALLEST_SD]
    return sure, [option for option in options if option.sd >= _SMALLEST_SD]


def drawn_dp(mean: float, sd: float, uniform: float) -> float:
    """The ``dp`` at a place in (0, 1) of its normal distribution.

    >>> drawn_dp(0.1, 0.05, 0.5)
    0.1
    """
    return NormalDist(mean, sd).inv_cdf(uniform) if sd > 0 else mean


def _below(points: F64, mean: F64, sd: F64) -> F64:
    """(n_points, n_options): the chance that each option's value is below each point."""
    scaled = (points[:, None] - mean) / (sd * sqrt(2))
    return 0.5 * (1 + np.asarray(_erf(scaled), np.float64))


def _wins(mean: F64, sd: F64, floor: float) -> F64:
    """(n_options,): the chance that each is above the floor and above all others."""
    breaks = np.unique(np.maximum(np.concatenate([[floor], *(mean + sd * step for step in _STEPS)]), floor))
    half = np.diff(breaks)[:, None] / 2
    points = ((breaks[:-1] + breaks[1:])[:, None] / 2 + half * _NODES).ravel()
    weights = (half * _WEIGHTS).ravel()
    below = _below(points, mean, sd)
    density = np.exp(-(((points[:, None] - mean) / sd) ** 2) / 2) / (sd * sqrt(2 * np.pi))
    wins = np.zeros(len(mean))
    for option in range(len(mean)):
        others = np.prod(np.delete(below, option, axis=1), axis=1)
        wins[option] = np.sum(weights * density[:, option] * others)
    return wins
