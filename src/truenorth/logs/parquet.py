"""Parquet files: typed columns, only those that are needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property, partial
from pathlib import Path

import polars as pl

from truenorth.logs.packed import unpacked
from truenorth.logs.records import PROPERTIES, Flat
from truenorth.logs.table import Table, rows_as_json, unreadable
from truenorth.spec.model import CANONICAL_TYPES

PARQUET = b"PAR1"


FOLDER_MARK = "_truenorth.json"
"""A folder that holds this file was filled by an export: what its sub-folders are called is no part of the events."""


class ParquetSource:
    """A Parquet file, or the Parquet files of a folder, whose schema was read.

    A column ``properties`` of JSON objects, as an export writes it, is read as the columns that they hold, unless
    ``as_stored``; fields that hold nothing are then no columns, as in JSON Lines: an export has all of them.
    """

    defaults: Mapping[str, str] = {}

    def __init__(self, path: Path, *, as_stored: bool = False) -> None:
        self._files = files_of(path) if path.is_dir() else [path]
        is_partitioned = path.is_dir() and not (path / FOLDER_MARK).exists()
        self._scan = partial(pl.scan_parquet, self._files, glob=False, hive_partitioning=is_partitioned)
        schema = self._scan(n_rows=0).collect_schema()
        self._own = tuple(schema)
        self._may_be_packed = not as_stored and schema.get(PROPERTIES) == pl.String

    @cached_property
    def _inside(self) -> Flat | None:
        """What the column ``properties`` holds; None where it is a column like any other."""
        if not self._may_be_packed:
            return None
        return unpacked(self._scan().select(PROPERTIES).collect().to_series(), self._own)

    @cached_property
    def _beside(self) -> list[str]:
        """The columns beside ``properties`` that hold something, or are no fields."""
        fields = [name for name in self._own if name in CANONICAL_TYPES]
        holds = self._scan().select(pl.col(fields).is_not_null().any() | (pl.len() == 0)).collect().row(0, named=True)
        return [name for name in self._own if name != PROPERTIES and holds.get(name, True)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file, those inside ``properties`` last."""
        inside = self._inside
        return self._own if inside is None else (*self._beside, *inside.frame.columns)

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other ways to name a column inside ``properties``: by its path."""
        return {} if self._inside is None else self._inside.aliases

    def read(self, columns: Collection[str] | None) -> Table:
        """Read the given columns."""
        inside = self._inside
        own = self._own if inside is None else self._beside
        frame = self._scan().select(name for name in own if columns is None or name in columns).collect()
        return _whole(frame, inside, columns)

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns."""
        frame = self._scan(n_rows=n_rows).collect()
        inside = unpacked(frame[PROPERTIES], self._own) if self._may_be_packed else None
        return frame if inside is None else _whole(frame.select(self._beside), inside, None).frame


def _whole(frame: pl.DataFrame, inside: Flat | None, wanted: Collection[str] | None) -> Table:
    if inside is None:
        return Table(frame=frame, locate=rows_as_json(frame))
    more = [column for column in inside.frame.iter_columns() if wanted is None or column.name in wanted]
    whole = frame.with_columns(more)
    return Table(frame=whole, locate=rows_as_json(whole), dated=inside.texts, notes=inside.notes)


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
