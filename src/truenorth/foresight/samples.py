"""What to learn from and what to choose on: rows of ended cases, and of open ones by what will become of them.

Of the latest cases only the quick ones have ended. To learn from these alone misleads; to weigh them by what they stand
for (`split.censoring_weights`) does not, but knows nothing of what the open ones have shown since. So a first model, of
ended cases, says at the newest row of each open case how likely each outcome is, and the case teaches each outcome with
that weight, by all its rows before. For survival times this is the redistribution to the right (Efron 1967, Proc. Fifth
Berkeley Symp. 4:831), for classes a step of expectation-maximisation (Dempster, Laird and Rubin 1977, J. R. Stat. Soc.
B 39:1); to learn a prediction from a later one is temporal-difference learning (Sutton 1988, Mach. Learn. 3:9).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.predictors import Sample
from truenorth.foresight.rows import Table
from truenorth.foresight.split import FEWEST_OF_A_CLASS, Mask, Split, row_weights, thinned, weights_in_case

F64 = NDArray[np.float64]

LEAST_CHANCE = 0.02
"""An outcome of an open case that is less likely is not there each time, but with this chance where it is."""


class Part(NamedTuple):
    """Rows (n,), each of a case (its position in `Cases`), opened at an instant; a row may be there once a class."""

    sample: Sample
    case: NDArray[np.int32]
    opened_us: NDArray[np.int64]


class Parts(NamedTuple):
    """What models learn from, and the later cases that choose among them."""

    fit: Part
    valid: Part


def parts_of(table: Table, split: Split, y: F64, n_rows: int, seed: int) -> Parts:
    """What to learn from and what to choose on, of the rows whose ``y`` is known."""
    known = np.isfinite(y)
    return Parts(
        part_of(table, split.fit & known, y, split.test_us, n_rows, seed),
        part_of(table, split.valid & known, y, split.test_us, n_rows // 4, seed),
    )


def parts_with_open(table: Table, split: Split, chances: F64, n_rows: int, seed: int) -> Parts:
    """Rows of ended cases with their outcomes, and of open cases once for each outcome, with its chance as weight.

    ``chances`` (n_cases, n_classes) of open cases; one whose chances are all 0 teaches nothing. No ended case stands
    for others then.
    """
    shares = (table.cases.outcome[:, None] == np.arange(chances.shape[1])).astype(np.float64)
    is_open: Mask = chances.sum(axis=1) > 0.0
    shares[is_open] = chances[is_open]
    case = table.rows.case
    early = table.cases.opened_us[case] < split.valid_us
    open_rows = split.open & is_open[case]
    return Parts(
        _shared(table, split.fit | (open_rows & early), shares, n_rows, seed),
        _shared(table, split.valid | (open_rows & ~early), shares, n_rows // 4, seed),
    )


def part_of(table: Table, of: Mask, y: F64, until_us: int, n_rows: int, seed: int) -> Part:
    """About ``n_rows`` at most ``of`` the rows of cases that ended before an instant.

    Each case stands for those like it that had not ended. A row weighs what it does among all.
    """
    weights = row_weights(table, of, until_us)
    kept = thinned(of, n_rows, seed)
    case = table.rows.case[kept]
    sample = Sample(table.rows.x[kept], y[kept], weights[kept[of]])
    return Part(sample, case, table.cases.opened_us[case])


def _shared(table: Table, kept: Mask, shares: F64, n_rows: int, seed: int) -> Part:
    """The rows ``kept`` of cases that have their outcomes in ``shares`` (n_cases, n_classes), about ``n_rows`` at most.

    An outcome of hardly any chance is mostly left out, and as much likelier where it is not: the mean stays.
    """
    case = table.rows.case
    rare = (shares > 0.0) & (shares < LEAST_CHANCE)
    drawn = np.random.default_rng(seed).random(shares.shape) * LEAST_CHANCE < shares
    shares = np.where(rare, LEAST_CHANCE * drawn, shares)
    n_each = (shares > 0.0).sum(axis=1)[case[kept]]
    weights = weights_in_case(case[kept])
    some = thinned(kept, int(n_rows / max(n_each.mean(), 1.0)), seed)
    rows, weights = np.flatnonzero(some), weights[some[kept]]
    at, outcome = np.nonzero(shares[case[rows]])
    weight = weights[at] * shares[case[rows[at]], outcome]
    sample = Sample(table.rows.x[rows[at]], outcome.astype(np.float64), weight / weight.mean())
    return Part(sample, case[rows[at]], table.cases.opened_us[case[rows[at]]])


def has_both(parts: Parts) -> bool:
    """Whether enough cases of either part have the first class, which is the outcome hoped for, and enough another."""
    return all(
        min(_n_cases(part, part.sample.y == 0), _n_cases(part, part.sample.y > 0)) >= FEWEST_OF_A_CLASS
        for part in parts
    )


def is_varied(parts: Parts) -> bool:
    """Whether enough cases of either part have its commonest class, whichever it is, and enough another."""
    return all(_is_varied(part) for part in parts)


def _is_varied(part: Part) -> bool:
    classes = part.sample.y.astype(int)
    commonest = np.bincount(classes).argmax() if len(classes) else 0
    return min(_n_cases(part, classes == commonest), _n_cases(part, classes != commonest)) >= FEWEST_OF_A_CLASS


def _n_cases(part: Part, rows: Mask) -> int:
    return len(np.unique(part.case[rows]))
