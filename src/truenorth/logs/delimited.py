"""Delimited text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from truenorth.logs.content import Content
from truenorth.logs.kinds import typed_by_content
from truenorth.logs.table import Table, rows_as_json


class CsvSource:
    """A delimited text file whose header was read."""

    defaults: Mapping[str, str] = {}

    def __init__(self, path: Path, content: Content) -> None:
        self._path = path
        data = content.data.removeprefix(b"\xef\xbb\xbf")
        if b"\n" not in data[:100_000]:
            data = data.replace(b"\r", b"\n")
        self._data = data
        head = data[: data.find(b"\n")]
        self._separator = max(",;\t|", key=lambda one: head.count(one.encode()))
        frame = pl.read_csv(data, separator=self._separator, infer_schema=False, n_rows=1)
        self.columns = tuple(name or f"column_{n + 1}" for n, name in enumerate(frame.columns))

    def read(self, columns: Collection[str] | None) -> Table:
        """Read all rows."""
        frame = pl.read_csv(self._data, separator=self._separator, infer_schema=False, empty_string_is_null=True)
        frame.columns = list(self.columns)
        return Table(frame=frame, locate=rows_as_json(frame), loose=self.columns)

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns, typed by their content."""
        return pl.DataFrame([typed_by_content(column) for column in self.read(None).frame.head(n_rows).iter_columns()])
