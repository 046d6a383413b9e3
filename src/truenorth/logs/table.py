"""What a reader of a format hands over: rows under the file's own column names, before any meaning is given to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from truenorth.logs.duplicates import KEYS
from truenorth.logs.log import empty_quarantine
from truenorth.spec.problems import Problem, UnreadableLog

RAW_ROW_LENGTH = 1_000
"""A quarantined row is kept up to this many characters."""

Locate = Callable[[pl.Series], pl.DataFrame]
"""Row numbers of a table (from 0) to a frame with the columns ``line`` and ``row``, in the same order."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of a file as they came.

    ``position[i]`` is the place of row ``i`` among all rows of the file, from 1, unreadable ones included; None means
    that none is missing. Columns in ``loose`` are text whose type shows in their content, those in ``dated`` are text
    that may hold instants; all others are typed by the file. ``keys``: the fields that tell one event from another.
    ``unique``: duplicates are out already, ``n_duplicates`` of them.
    """

    frame: pl.DataFrame
    locate: Locate
    loose: Collection[str] = ()
    dated: Collection[str] = ()
    position: pl.Series | None = None
    quarantine: pl.DataFrame = field(default_factory=empty_quarantine)
    notes: tuple[str, ...] = ()
    n_duplicates: int = 0
    keys: Sequence[str] = KEYS
    unique: bool = False


class Source(Protocol):
    """A file that was opened: its columns are known, its rows may still wait to be read."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns, each name once."""

    @property
    def defaults(self) -> Mapping[str, str]:
        """Canonical field to column, as the format itself defines it."""

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other ways to name a column in a mapping."""

    def read(self, columns: Collection[str] | None) -> Table:
        """Read all rows and at least the given columns (None: all)."""

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns."""


def unreadable(path: Path | str, expected: str, found: str, hint: str = "", line: int | None = None) -> UnreadableLog:
    """The error of a file that cannot be read, with one problem.

    >>> print(unreadable("a.csv", "rows", "0 bytes", "export it again"))
    a.csv: expected rows, found 0 bytes. Hint: export it again
    """
    return UnreadableLog([Problem(path=str(path), expected=expected, found=found, hint=hint, line=line)])


def shorten(text: str) -> str:
    """Cut a raw row to what a quarantine keeps.

    >>> len(shorten("x" * 5000))
    1000
    """
    return text[:RAW_ROW_LENGTH]


def rows_as_json(frame: pl.DataFrame) -> Locate:
    """A ``locate`` for typed rows: the line is the row number from 1, the row is written as JSON."""

    def locate(rows: pl.Series) -> pl.DataFrame:
        taken = frame[rows.to_list()]
        texts = [shorten(line) for line in taken.write_ndjson().splitlines()] if taken.width else [""] * len(rows)
        return pl.DataFrame({"line": rows.cast(pl.Int64) + 1, "row": pl.Series(texts, dtype=pl.String)})

    return locate
