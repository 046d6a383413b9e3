"""A log that is made part by part, written as it comes: it need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from os import fspath
from pathlib import Path
from typing import Literal

import polars as pl
from polars import selectors as cs
from polars.io.plugins import register_io_source

from truenorth.logs import write_events
from truenorth.logs.whole import whole_file
from truenorth.logs.write import INSTANT_FORMAT
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import Problem, TruenorthError

Compression = Literal["uncompressed", "gzip", "zstd"]
COMPRESSIONS: Mapping[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
GROUPED = (".xes", ".json", ".jsonocel")
"""Formats that group events by case, or make objects of them: all must be there before the first is written."""
BINARY = (".parquet", ".sqlite", ".db")
"""Formats that are not compressed as a whole; SQLite is of those that group, too."""


def write_parts(parts: Iterable[pl.DataFrame], path: str | Path) -> int:
    """Write events that come in parts of one schema to one file; its name tells the format. Returns their number.

    CSV, TSV, JSON Lines (each also with ``.gz`` or ``.zst``) and Parquet are written part by part; XES and OCEL, which
    group events by case, once all are there. What was written reads back as `write_events` would have it, but for ids:
    they are always written. The file appears as a whole or not at all. `TruenorthError` as from `write_events`,
    ValueError without a single part.

    >>> from tempfile import TemporaryDirectory
    >>> part = pl.DataFrame({"id": ["a"], "time": ["2026-01-01"]}).with_columns(pl.col("time").str.to_datetime("%F"))
    >>> with TemporaryDirectory() as folder:
    ...     write_parts([part, part], f"{folder}/log.csv.gz")
    2
    """
    target = Path(path)
    check_target(target)
    parts = iter(parts)
    first = next(parts, None)
    if first is None:
        raise ValueError("a log has at least one part, which may be empty")
    counted = _Counted(chain([first], parts))
    sink = _sink(target)
    if sink is None:
        write_events(pl.concat(counted), target)
    else:
        with whole_file(target) as unfinished:
            sink(_frame(counted, first.schema), unfinished)
    return counted.n_events


def check_target(path: str | Path) -> None:
    """`TruenorthError` for a name of another format or a folder that is not there: before a long run, not after it.

    >>> check_target("log.parquet")
    """
    target = Path(path)
    suffix, compression = _format(target)
    known = (*_TEXT, *GROUPED, *(BINARY if compression == "uncompressed" else ()))
    if suffix not in known:
        expected, found = f"a file name that ends in {', '.join(known)}", f"'{target.name}'"
        raise TruenorthError([Problem(path=fspath(path), expected=expected, found=found)])
    check_folder(target)


def check_folder(path: Path) -> None:
    """`TruenorthError` for a file in a folder that is not there.

    >>> check_folder(Path("log.parquet"))
    """
    if not path.parent.is_dir():
        hint = "make it first, or name another"
        raise TruenorthError(
            [Problem(path=fspath(path.parent), expected="a folder to write to", found="no such folder", hint=hint)]
        )


def _format(path: Path) -> tuple[str, Compression]:
    """What a file's name says: the ending that names the format, and the compression."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    named = Path(path.stem) if compression else path
    return named.suffix.lower(), compression or "uncompressed"


class _Counted:
    """Parts, and how many events have come in them."""

    def __init__(self, parts: Iterator[pl.DataFrame]) -> None:
        self._parts = parts
        self.n_events = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for part in self._parts:
            self.n_events += part.height
            yield part


def _frame(parts: Iterable[pl.DataFrame], schema: pl.Schema) -> pl.LazyFrame:
    """All parts as one frame that can be run through once."""

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, _n_rows: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        for part in parts:
            kept = part if predicate is None else part.filter(predicate)
            yield kept if columns is None else kept.select(columns)

    return register_io_source(source, schema=schema)


def _sink(path: Path) -> Callable[[pl.LazyFrame, Path], object] | None:
    suffix, compression = _format(path)
    if suffix == ".parquet":
        return pl.LazyFrame.sink_parquet
    return partial(_TEXT[suffix], compression=compression) if suffix in _TEXT else None


def _plain(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Instants as text, and no number that is none."""
    texts = cs.datetime().dt.strftime(INSTANT_FORMAT)
    floats = [name for name, kind in frame.collect_schema().items() if kind.is_float()]
    return frame.with_columns(texts, *(pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name in floats))


def _csv(frame: pl.LazyFrame, path: Path, compression: Compression, separator: str = ",") -> None:
    _plain(frame).sink_csv(path, separator=separator, compression=compression, check_extension=False)


def _json_lines(frame: pl.LazyFrame, path: Path, compression: Compression) -> None:
    """Canonical fields at the top, everything else in ``properties``."""
    names = frame.collect_schema().names()
    others = [name for name in names if name not in CANONICAL_TYPES]
    properties = [pl.struct(others).alias("properties")] if others else []
    shaped = _plain(frame).select(*(name for name in names if name in CANONICAL_TYPES), *properties)
    shaped.sink_ndjson(path, compression=compression, check_extension=False)


_TEXT: Mapping[str, Callable[..., None]] = {
    ".csv": _csv,
    ".tsv": partial(_csv, separator="\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
