"""Files of archived events: Parquet, by ranges of position."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from truenorth.logs.whole import whole_file
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.event_rows import FIELDS, Row

ROW_GROUP_ROWS = 5_000
"""Rows of a group: what is read at least, so the cost of finding one event."""
_OTHER_TYPES = {
    **dict.fromkeys(("time_us", "received_us"), pl.Int64()),
    **dict.fromkeys(("cost", "revenue", "feeling"), pl.Float64()),
    "properties": pl.Binary(),
}
SCHEMA = pl.Schema({"position": pl.Int64(), **{name: _OTHER_TYPES.get(name, pl.String()) for name in FIELDS}})


def file_name(store: str, first: int, last: int, version: int) -> str:
    """The name of a file of the events at some positions.

    >>> file_name("0a1b2c3d", 1, 50000, 0)
    'events-0a1b2c3d-000000000001-000000050000-0.parquet'
    """
    return f"events-{store}-{first:012}-{last:012}-{version}.parquet"


def frame_of(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows that begin with their position as a frame."""
    return pl.DataFrame(rows, SCHEMA, orient="row")


def made_folder(folder: Path) -> Path:
    """The absolute path of a folder that is there now; `TruenorthError` where it cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        hint = "name a folder that is yours to write to"
        found = error.strerror or str(error)
        raise TruenorthError([Problem(path=str(folder), expected="a folder", found=found, hint=hint)]) from error
    return folder.resolve()


def refuse_existing(path: Path) -> None:
    """Raise `TruenorthError` where there is a file of that name: it may be the history of another copy of the store."""
    if path.exists():
        hint = "another copy of this store writes to this folder: name another folder"
        raise TruenorthError([Problem(path=str(path), expected="no such file yet", found="one", hint=hint)])


def write_file(path: Path, frame: pl.DataFrame) -> int:
    """Write a file that is on disk, whole, when this returns; its size in bytes.

    Raises `TruenorthError` where it cannot be written.
    """
    with whole_file(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", row_group_size=ROW_GROUP_ROWS)
        _on_disk(temporary)
    _on_disk(path.parent)
    return path.stat().st_size


def remove_file(path: Path) -> None:
    """Remove a file, for good when this returns, if it is there."""
    for name in (path, path.with_name(f".{path.name}.part")):
        name.unlink(missing_ok=True)
    if path.parent.exists():
        _on_disk(path.parent)


def _on_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
