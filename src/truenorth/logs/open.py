"""Opening a log file of any format."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import fspath
from pathlib import Path

import polars as pl

from truenorth.logs.canonical import to_log
from truenorth.logs.content import Content, load
from truenorth.logs.delimited import DelimitedSource
from truenorth.logs.jsonl import JsonLinesSource
from truenorth.logs.log import Log, Progress
from truenorth.logs.mapping import plan
from truenorth.logs.parquet import ParquetSource
from truenorth.logs.table import Source, unreadable
from truenorth.logs.xes import XesSource


def read_log(
    path: str | Path,
    *,
    fields: Mapping[str, str] | None = None,
    columns: Collection[str] | None = None,
    object_type: str | None = None,
    on_progress: Progress | None = None,
) -> Log:
    """Read an event log.

    ``fields`` maps canonical fields to columns of the file (or dotted paths into a JSON event); ``columns`` names the only
    fields and properties that are needed (None: all); ``object_type`` chooses what a case is in an OCEL file.

    Raises `UnreadableLog`, and nothing else, whatever the file holds.
    """
    source = _open(Path(path), on_progress)
    name = fspath(path)
    chosen = plan(name, source.columns, fields, source.defaults, source.aliases)
    table = source.read(None if columns is None else chosen.columns(columns))
    return to_log(name, table, chosen, columns, on_progress)


def peek(path: str | Path, n_rows: int = 10_000) -> pl.DataFrame:
    """The first rows of a log file under the file's own column names, nothing mapped, nothing left out."""
    return _open(Path(path), None).head(n_rows)


def _open(path: Path, on_progress: Progress | None) -> Source:
    if path.suffix == ".parquet":
        return ParquetSource(path)
    content = load(path)
    if on_progress:
        on_progress("reading", 0.3)
    if content.data.startswith(b"PAR1"):
        return ParquetSource(path)
    return XesSource(path, content) if content.data[:1000].lstrip().startswith(b"<") else _text(path, content)


def _text(path: Path, content: Content) -> Source:
    if content.data.lstrip()[:1] in (b"{", b"["):
        return JsonLinesSource(path, content)
    return DelimitedSource(path, content)
