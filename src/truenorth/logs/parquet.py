"""Parquet files: typed columns, only those that are needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import polars as pl
import polars.selectors as cs

from truenorth.logs.table import Table, rows_as_json, unreadable

PARQUET = b"PAR1"


FOLDER_MARK = "_truenorth.json"
"""A folder that holds this file was filled by an export: what its sub-folders are called is no part of the events."""


class ParquetSource:
    """A Parquet file, or the Parquet files of a folder, whose schema was read."""

    defaults: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self, path: Path) -> None:
        self._files = files_of(path) if path.is_dir() else [path]
        is_partitioned = path.is_dir() and not (path / FOLDER_MARK).exists()
        self._scan = partial(pl.scan_parquet, self._files, glob=False, hive_partitioning=is_partitioned)
        self.columns = tuple(self._scan(n_rows=0).collect_schema())

    def read(self, columns: Collection[str] | None) -> Table:
        """Read the given columns."""
        frame = self._scan().select(cs.all() if columns is None else cs.by_name(*columns)).collect()
        return Table(frame=frame, locate=rows_as_json(frame))

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns."""
        return self._scan(n_rows=n_rows).collect()


def files_of(folder: Path) -> list[Path]:
    """The Parquet files of a folder and its sub-folders, in the order of their own names.

    Files and folders whose names begin with a dot or an underline are no part of it, as everywhere where tables are
    folders. Raises `UnreadableLog` where there are none.
    """
    inside = [path for path in folder.rglob("*.parquet") if not _is_hidden(path.relative_to(folder))]
    if not inside:
        raise unreadable(folder, "Parquet files in the folder", "none", "name a log file, or a folder of Parquet files")
    return sorted(inside, key=lambda path: (path.name, path))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)
