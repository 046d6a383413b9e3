"""What the values of a column look like: how many there are, are they instants, do they change within a case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from truenorth.discovery.names import name_score
from truenorth.logs.log import INSTANT
from truenorth.logs.times import read_instants

BLANK = ("", "?", "-", "n/a", "na", "null", "none", "nan", "unknown", "undefined", "empty")
"""What people write where they mean nothing."""

MAX_NAME = 2_000
"""A column whose name is longer cannot be named in a journey file."""


@dataclass(frozen=True, eq=False)
class Profile:
    """A column: ``values`` are its rows as text (null where blank), ``instants`` the same as instants if they are."""

    name: str
    dtype: pl.DataType
    values: pl.Series
    instants: pl.Series | None = None

    @cached_property
    def n_known(self) -> int:
        """Rows that hold something.

        >>> profile(pl.Series("a", ["x", "?", None])).n_known
        1
        """
        return len(self.values) - self.values.null_count()

    @property
    def known_share(self) -> float:
        """Share of the rows that hold something, in [0, 1]; 1 for no rows."""
        return self.n_known / len(self.values) if len(self.values) else 1.0

    @cached_property
    def n_distinct(self) -> int:
        """Number of different values."""
        return self.values.drop_nulls().n_unique()

    @property
    def rows_each(self) -> float:
        """Mean number of rows of a value; 0 where there is none."""
        return self.n_known / self.n_distinct if self.n_known else 0.0

    @cached_property
    def numbers(self) -> pl.Series:
        """The values that are finite numbers; a few others may be dirt.

        >>> profile(pl.Series("a", ["1.5", "two"])).numbers.to_list()
        [1.5]
        """
        if self.dtype == pl.Boolean:
            return pl.Series("values", [], dtype=pl.Float64)
        values = self.values.cast(pl.Float64, strict=False).drop_nulls()
        return values.filter(values.is_finite())

    @property
    def is_label(self) -> bool:
        """Whether the values can name something: text or whole numbers."""
        labels = self.dtype == pl.String or self.dtype.is_integer() or self.dtype in (pl.Categorical, pl.Enum)
        return labels and self.instants is None


def profile(column: pl.Series) -> Profile:
    """Look at a column.

    >>> profile(pl.Series("a", ["2024-01-01T00:00:00Z", "?"])).instants.null_count()
    1
    """
    named = column.name
    column = column.alias("values")  # Polars takes some names for patterns, such as ^a$
    text = _as_text(column)
    blank = text.str.strip_chars().str.to_lowercase().is_in(list(BLANK))
    values = text.set(blank.fill_null(False), None)
    return Profile(named, column.dtype, values, _instants(named, column, values))


def _as_text(column: pl.Series) -> pl.Series:
    """A column as text; one that names nothing (nested, raw bytes, lengths of time) as nulls."""
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary, pl.Duration):
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    return column.cast(pl.String, strict=False)


def _instants(named: str, column: pl.Series, values: pl.Series) -> pl.Series | None:
    """A column as instants where at least nine in ten known values are."""
    read = read_instants(values if column.dtype == pl.String else column) if len(column) else None
    if read is None or read.values.dtype != INSTANT:
        return None
    if read.format.startswith("epoch") and not name_score(named, "time"):
        return None  # numbers of nine digits or more are ids as often as they are instants
    n_known = len(values) - values.null_count()
    n_read = len(read.values) - read.values.null_count()
    return read.values if n_read and n_read >= 0.9 * n_known else None


def varying_share(values: pl.Series, key: pl.Series) -> float | None:
    """Share of the keys with two or more rows in which a column has more than one value; None without such keys.

    >>> varying_share(pl.Series(["x", "y", "z", "z"]), pl.Series(["1", "1", "2", "2"]))
    0.5
    """
    frame = pl.DataFrame([values.alias("value"), key.alias("key")]).drop_nulls()
    by_key = frame.group_by("key").agg(pl.col("value").n_unique().alias("n"), pl.len().alias("rows"))
    several = by_key.filter(pl.col("rows") > 1)
    return float((several["n"] > 1).mean()) if several.height else None  # type: ignore[arg-type]


def compactness(key: pl.Series, instants: pl.Series) -> float:
    """How close in time the rows of a value are: 1 - (mean time from first to last row of a value / that of all rows).

    >>> times = pl.Series([0, 1, 9, 10]).cast(pl.Datetime("us"))
    >>> round(compactness(pl.Series(["a", "a", "b", "b"]), times), 6)
    0.9
    """
    frame = pl.DataFrame([key.alias("key"), instants.to_physical().alias("at")]).drop_nulls()
    if not frame.height:
        return 0.0
    whole = frame.select(pl.col("at").max() - pl.col("at").min()).item()
    spans = frame.group_by("key").agg((pl.col("at").max() - pl.col("at").min()).alias("span"), pl.len().alias("n"))
    mean = spans.filter(pl.col("n") > 1)["span"].mean()
    return 1.0 - float(mean) / whole if whole and mean is not None else 0.0  # type: ignore[arg-type]


def agreement(fine: pl.Series, coarse: pl.Series) -> float:
    """How nearly one column is a function of another: share of rows with the most frequent partner, in [0, 1].

    >>> agreement(pl.Series(["a", "a", "b", "b"]), pl.Series(["x", "x", "y", "x"]))
    0.75
    """
    frame = pl.DataFrame([fine.alias("fine"), coarse.alias("coarse")]).drop_nulls()
    if not frame.height:
        return 0.0
    pairs = frame.group_by("fine", "coarse").len().group_by("fine").agg(pl.col("len").max())
    return float(pairs["len"].sum()) / frame.height
