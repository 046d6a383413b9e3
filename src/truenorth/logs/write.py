"""Writing event logs: the format is that of the file's name, and what was written reads back the same."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from os import fspath
from pathlib import Path

import polars as pl
import zstandard

from truenorth.logs.log import INSTANT, Log
from truenorth.logs.whole import whole_file
from truenorth.logs.write_ocel import write_ocel_json, write_ocel_sqlite
from truenorth.logs.write_xes import write_xes
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import Problem, TruenorthError

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
COMPRESSIONS = (".gz", ".zst")


def write_events(events: Log | pl.DataFrame, path: str | Path) -> None:
    """Write events to a CSV, Parquet, JSON Lines, XES or OCEL 2.0 file (``.gz`` and ``.zst`` compress text).

    Ids that are nothing but the rows' positions are left out where the format allows it. The file appears as a whole or
    not at all. Raises `TruenorthError` for a name of another format or a place where nothing can be written.

    >>> from tempfile import TemporaryDirectory
    >>> from truenorth.logs.open import read_log
    >>> frame = pl.DataFrame({"type": ["Closed"], "time": ["2024-05-01T10:00:00Z"]})
    >>> with TemporaryDirectory() as folder:
    ...     write_events(frame, f"{folder}/log.csv.gz")
    ...     read_log(f"{folder}/log.csv.gz").events["type"].to_list()
    ['Closed']
    """
    target = Path(path)
    compression = target.suffix.lower() if target.suffix.lower() in COMPRESSIONS else ""
    suffix = Path(target.stem).suffix.lower() if compression else target.suffix.lower()
    frame = events.events if isinstance(events, Log) else events
    if suffix in _BINARY and not compression:
        with whole_file(target) as temporary:
            _BINARY[suffix](frame, temporary)
    elif suffix in _TEXT:
        with whole_file(target) as temporary:
            _compressed(_TEXT[suffix](frame), temporary, compression)
    else:
        known = ", ".join((*_TEXT, *_BINARY))
        raise TruenorthError(
            [Problem(path=fspath(path), expected=f"a file name that ends in {known}", found=f"'{target.name}'")]
        )


def write_quarantine(log: Log, path: str | Path) -> None:
    """Write the rows that could not be read to a CSV file: line, reason, row. Raises `TruenorthError`."""
    with whole_file(path) as temporary:
        log.quarantine.write_csv(temporary)


def _compressed(data: bytes, path: Path, compression: str) -> None:
    if compression == ".gz":
        data = gzip.compress(data, mtime=0)
    elif compression == ".zst":
        data = zstandard.ZstdCompressor().compress(data)
    path.write_bytes(data)


def without_positions(frame: pl.DataFrame) -> pl.DataFrame:
    """The events without an ``id`` that only says which row they stand in: reading gives it anew."""
    if "id" not in frame.columns or not frame["id"].dtype.is_integer():
        return frame
    positions = pl.int_range(1, frame.height + 1, eager=True)
    return frame.drop("id") if bool((frame["id"] == positions).all()) else frame


def _csv(frame: pl.DataFrame, separator: str = ",") -> bytes:
    """What is no finite number is left empty: as text it would make its whole column text."""
    times = pl.col(INSTANT).dt.strftime(INSTANT_FORMAT)
    finite = [
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name, kind in frame.schema.items() if kind.is_float()
    ]
    text = without_positions(frame).with_columns(times, *finite).write_csv(separator=separator, quote_style="necessary")
    return text.encode()


def _json_lines(frame: pl.DataFrame) -> bytes:
    """Canonical fields at the top, everything else in ``properties``."""
    frame = without_positions(frame).with_columns(pl.col(INSTANT).dt.strftime(INSTANT_FORMAT))
    fields = [name for name in frame.columns if name in CANONICAL_TYPES]
    others = [name for name in frame.columns if name not in CANONICAL_TYPES]
    if others:
        frame = frame.select(*fields, pl.struct(others).alias("properties"))
    return frame.write_ndjson().encode() or b"\n"


def _parquet(frame: pl.DataFrame, path: Path) -> None:
    without_positions(frame).write_parquet(path)


_TEXT: Mapping[str, Callable[[pl.DataFrame], bytes]] = {
    ".csv": _csv,
    ".tsv": lambda frame: _csv(frame, "\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".xes": write_xes,
    ".json": write_ocel_json,
    ".jsonocel": write_ocel_json,
}
_BINARY: Mapping[str, Callable[[pl.DataFrame, Path], None]] = {
    ".parquet": _parquet,
    ".sqlite": write_ocel_sqlite,
    ".db": write_ocel_sqlite,
}
