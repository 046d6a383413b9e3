"""Parquet files: typed columns, only those that are needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from truenorth.logs.table import Table, rows_as_json

PARQUET = b"PAR1"


class ParquetSource:
    """A Parquet file whose schema was read."""

    defaults: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self, path: Path) -> None:
        self._path = path
        self.columns = tuple(pl.read_parquet_schema(path))

    def read(self, columns: Collection[str] | None) -> Table:
        """Read the given columns."""
        frame = pl.read_parquet(self._path, columns=None if columns is None else list(columns), glob=False)
        return Table(frame=frame, locate=rows_as_json(frame))

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns."""
        return pl.read_parquet(self._path, n_rows=n_rows, glob=False)
