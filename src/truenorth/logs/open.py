"""Opening a log file: its format by its name, else by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from os import fspath
from pathlib import Path
from typing import NamedTuple

import polars as pl

from truenorth.logs.canonical import no_time, to_log
from truenorth.logs.content import Content, as_utf8, has_name, is_pipe, load, read_bytes
from truenorth.logs.delimited import DelimitedSource
from truenorth.logs.jsonl import JsonLinesSource
from truenorth.logs.log import Log, Progress
from truenorth.logs.mapping import Plan, plan
from truenorth.logs.ocel import OcelSource
from truenorth.logs.ocel_json import is_ocel, read_ocel_json
from truenorth.logs.ocel_sqlite import SQLITE, read_ocel_sqlite
from truenorth.logs.parquet import PARQUET, ParquetSource
from truenorth.logs.table import Source, unreadable
from truenorth.logs.xes import XesSource
from truenorth.spec.counted import counted
from truenorth.spec.problems import TruenorthError

SUPPORTED = "CSV, Parquet, JSON Lines, XES or OCEL 2.0 (JSON, SQLite)"
SUFFIXES = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json",
    ".jsonocel": "json",
    ".xes": "xes",
    ".parquet": "binary",
    ".sqlite": "binary",
    ".db": "binary",
}
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"ARROW1": "an Arrow (Feather) file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
}
"""Files that people take for logs, by their first bytes."""
STATEMENT = ("other_id", "other_kind")
"""Columns by which an event of an exported log states another id of its customer, and how it is meant."""
LOOK_BYTES = 4_096
SHOWN_BYTES = 40


def read_log(
    path: str | Path,
    *,
    fields: Mapping[str, str] | None = None,
    columns: Collection[str] | None = None,
    object_type: str | None = None,
    on_progress: Progress | None = None,
    as_stored: bool = False,
) -> Log:
    """Read an event log: CSV, Parquet, JSON Lines, XES or OCEL 2.0, compressed or not.

    ``fields`` maps canonical fields to columns of the file (or dotted paths into a JSON event); ``columns`` names the
    only fields and properties that are needed (None: all; ``time`` and ``id`` always come); ``object_type`` chooses
    what a case is in an OCEL file; ``on_progress`` is told the stage and its share; ``as_stored`` leaves the properties
    of an exported log as a store has them, to bring them back into one.

    Raises `UnreadableLog`, and nothing else, whatever the file holds.

    >>> try:
    ...     read_log("missing.csv")
    ... except TruenorthError as error:
    ...     print(error)
    missing.csv: expected a file, found nothing under this name. Hint: check the path
    """
    report = on_progress or _silent
    try:
        return _read(Path(path), fields, columns, _Asked(object_type, as_stored=as_stored), report)
    except TruenorthError:
        raise
    except BaseException as error:
        raise _unforeseen(path, error) from error


def peek(path: str | Path, n_rows: int = 10_000, *, object_type: str | None = None) -> pl.DataFrame:
    """The first rows of a log file under the file's own column names: nothing is mapped, nothing left out.

    Columns have the types that a log would have. Raises `UnreadableLog`.
    """
    try:
        return _open(Path(path), _Asked(object_type, n_rows), _silent).head(n_rows)
    except TruenorthError:
        raise
    except BaseException as error:
        raise _unforeseen(path, error) from error


class _Asked(NamedTuple):
    """What a format may have to know: what a case is, how many rows are wanted, whether properties stay as stored."""

    object_type: str | None
    n_rows: int | None = None
    as_stored: bool = False


def _read(
    path: Path,
    fields: Mapping[str, str] | None,
    columns: Collection[str] | None,
    asked: _Asked,
    report: Progress,
) -> Log:
    report("reading", 0.0)
    source = _open(path, asked, report)
    name = fspath(path)
    chosen = plan(name, source.columns, fields, source.defaults, source.aliases)
    if "time" not in chosen.fields:
        raise no_time(name, source)
    report("reading", 1.0)
    log = to_log(name, source, chosen, columns, report)
    if not asked.as_stored:
        log = replace(log, notes=(*log.notes, *_not_joined(source, chosen)))
    if asked.object_type is None or isinstance(source, OcelSource):
        return log
    note = f"only logs in OCEL have types of objects: '{asked.object_type}' changes nothing"
    return replace(log, notes=(*log.notes, note))


def _not_joined(source: Source, chosen: Plan) -> Iterator[str]:
    """A note where events of an exported log state who is who: the live service heeds it, a replay does not."""
    if not set(STATEMENT) <= set(chosen.properties):
        return
    columns = [chosen.properties[name] for name in STATEMENT]
    stated = source.read(columns).frame.select(pl.all_horizontal(pl.col(columns).is_not_null())).to_series()
    if n := int(stated.sum()):
        told = counted(n, "event states", "events state")
        how = "truenorth export --identities joined makes them one"
        yield f"{told} that two ids are one person's; they stay two: {how}"


def _open(path: Path, asked: _Asked, report: Progress) -> Source:
    once = is_pipe(path)
    if _has_no_lines(path):
        return JsonLinesSource(path, Content(b"", notes=("the file is empty: a log without events",)))
    if path.is_dir() or (not once and read_bytes(path, len(PARQUET)) == PARQUET):
        return ParquetSource(path, as_stored=asked.as_stored)
    content = load(path)
    if once and content.data.startswith(PARQUET):
        raise unreadable(path, "text, or a file", "Parquet data in a pipe", "write it to a file, and name the file")
    report("reading", 0.2)
    if content.data.startswith(SQLITE):
        return OcelSource(path, asked.object_type, *read_ocel_sqlite(path, content))
    return _READERS[_format(path, content)](path, content, asked)


def _has_no_lines(path: Path) -> bool:
    """Whether it is a log without events as JSON Lines have it; of every other format something would be there."""
    return SUFFIXES.get(path.suffix.lower()) == "json lines" and path.is_file() and path.stat().st_size == 0


def _format(path: Path, content: Content) -> str:
    """The format of text, by the file's name, else by how the text begins; what cannot have a name may be CSV too."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    named = next((SUFFIXES[suffix] for suffix in reversed(suffixes) if suffix in SUFFIXES), "")
    start = as_utf8(content.data[:LOOK_BYTES])[0].lstrip()[:LOOK_BYTES]
    foreign = next((what for magic, what in FOREIGN.items() if content.data.startswith(magic)), "")
    if foreign or named == "binary":
        raise unreadable(path, SUPPORTED, foreign or _shown(content.data), "export the log in one of these formats")
    if named:
        return named
    if start.startswith(b"<") and (b"<log" in start or b"<trace" in start):
        return "xes"
    if start.startswith((b"{", b"[")):
        return "json"
    if not has_name(path):
        return "delimited"
    hint = "name the file by its format, such as log.csv or log.jsonl.gz"
    raise unreadable(path, SUPPORTED, _shown(content.data), hint)


def _shown(data: bytes) -> str:
    head = data[:SHOWN_BYTES]
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return f"text that begins with {head.decode()!r}"
    return f"data that begins with the bytes {head[:8].hex(' ')}"


def _json(path: Path, content: Content, asked: _Asked) -> Source:
    data, _notes = as_utf8(content.data)
    if data.lstrip().startswith(b"{") and is_ocel(data):
        return OcelSource(path, asked.object_type, *read_ocel_json(path, content))
    return JsonLinesSource(path, content, as_stored=asked.as_stored)


_READERS: Mapping[str, Callable[[Path, Content, _Asked], Source]] = {
    "delimited": lambda path, content, _: DelimitedSource(path, content),
    "json lines": lambda path, content, asked: JsonLinesSource(path, content, as_stored=asked.as_stored),
    "json": _json,
    "xes": lambda path, content, asked: XesSource(path, content, asked.n_rows),
}


def _unforeseen(path: str | Path, error: BaseException) -> BaseException:
    """Whatever a library makes of bytes that nobody foresaw is an unreadable log; an interruption stays one."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        return error
    library = type(error).__module__.partition(".")[0]
    found = f"something that {library} cannot read: {str(error)[:200] or type(error).__name__}"
    return unreadable(fspath(path), SUPPORTED, found, "is the file complete? export or copy it again")


def _silent(_stage: str, _share: float) -> None:
    """Report to nobody."""
