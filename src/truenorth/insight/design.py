"""What is known of cases as a matrix that models can learn from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

MAX_LEVELS = 20
"""Of a text, so many of the most frequent values are told apart; all others are one."""

FEW_NUMBERS = 6
"""A number with no more distinct values than this is told apart by value, not by size."""

MAX_KNOTS = 5
"""Knots of the broken line that a number may follow, at its quantiles."""


class Design(NamedTuple):
    """``matrix`` (n_rows, n_columns): columns of mean 0 and standard deviation 1; ``names``: what each stands for."""

    matrix: NDArray[np.float64]
    names: tuple[str, ...]


def design_of(frame: pl.DataFrame) -> Design:
    """The columns of a frame as numbers: texts and few-valued numbers by value, other numbers as a broken line.

    A missing value counts as one of its own. Columns that are the same everywhere are left out.

    >>> design_of(pl.DataFrame({"plan": ["a", "b", "a"], "same": [1, 1, 1]})).names
    ('plan=a',)
    """
    columns: list[NDArray[np.float64]] = []
    names: list[str] = []
    for column in frame.iter_columns():
        for name, values in _parts(column):
            spread = values.std()
            if spread > 0:
                columns.append((values - values.mean()) / spread)
                names.append(name)
    matrix = np.column_stack(columns) if columns else np.zeros((frame.height, 0))
    return Design(np.ascontiguousarray(matrix), tuple(names))


def _parts(column: pl.Series) -> list[tuple[str, NDArray[np.float64]]]:
    if column.dtype == pl.Boolean:
        return [(column.name, column.fill_null(False).cast(pl.Float64).to_numpy())]
    if column.dtype.is_numeric():
        numbers = column.cast(pl.Float64).fill_nan(None)
        if numbers.n_unique() > FEW_NUMBERS:
            return _line(numbers)
        column = numbers
    return _levels(column.cast(pl.String))


def _levels(column: pl.Series) -> list[tuple[str, NDArray[np.float64]]]:
    """One column for each of the most frequent values but one: the rest is what is left."""
    counted = column.fill_null("(none)").value_counts().sort("count", column.name, descending=[True, False])
    levels = counted[column.name].head(MAX_LEVELS).to_list()
    told = levels[:-1] if len(levels) == counted.height else levels
    filled = column.fill_null("(none)")
    return [(f"{column.name}={level}", (filled == level).cast(pl.Float64).to_numpy()) for level in told]


def _line(numbers: pl.Series) -> list[tuple[str, NDArray[np.float64]]]:
    """A number and its excess over each inner quantile: a line that may break there."""
    values = numbers.to_numpy()
    missing = np.isnan(values)
    known = values[~missing]
    filled = np.where(missing, known.mean() if len(known) else 0.0, values)
    knots = np.unique(np.quantile(known, np.linspace(0, 1, MAX_KNOTS)))[1:-1]
    parts = [(numbers.name, filled)]
    parts += [(f"{numbers.name}>{knot:.4g}", np.maximum(filled - knot, 0.0)) for knot in knots]
    if missing.any():
        parts.append((f"{numbers.name} missing", missing.astype(np.float64)))
    return parts
