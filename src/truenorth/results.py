"""A replay's results as files: cases, promises, the summary, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl
from polars.io.plugins import register_io_source

from truenorth.engine.replay import Replay
from truenorth.logs import Log, write_quarantine
from truenorth.logs.whole import folder_at, whole_file

Format = Literal["parquet", "csv", "jsonl"]

_SINKS: Mapping[Format, Callable[[pl.LazyFrame, Path], object]] = {
    "parquet": pl.LazyFrame.sink_parquet,
    "csv": pl.LazyFrame.sink_csv,
    "jsonl": pl.LazyFrame.sink_ndjson,
}


def write_results(replay: Replay, log: Log, folder: str | Path, *, format: Format = "parquet") -> list[Path]:  # noqa: A002
    """Write ``cases``, ``promises``, ``summary.json`` and, where there is any, ``quarantine.csv`` into a folder.

    The tables are made and written in parts, so that they need not fit into memory. Returns the files written.
    `TruenorthError` where the folder cannot be written.
    """
    folder = folder_at(folder)
    written = [
        write_table(replay.case_parts, folder / f"cases.{format}", format),
        write_table(replay.promise_parts, folder / f"promises.{format}", format),
        folder / "summary.json",
    ]
    with whole_file(written[-1]) as unfinished:
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(replay.summary), indent=2) + b"\n")
    quarantine = folder / "quarantine.csv"
    quarantine.unlink(missing_ok=True)
    if log.quarantine.height:
        write_quarantine(log, quarantine)
        written.append(quarantine)
    return written


def write_table(parts: Callable[[], Iterator[pl.DataFrame]], path: Path, format: Format) -> Path:  # noqa: A002
    """Stream a table into a file, which appears as a whole or not at all; the file."""
    schema = next(parts()).schema

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, _n_rows: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        for part in parts():
            kept = part if predicate is None else part.filter(predicate)
            yield kept if columns is None else kept.select(columns)

    with whole_file(path) as unfinished:
        _SINKS[format](register_io_source(source, schema=schema, is_pure=True), unfinished)
    return path
