"""JSON Lines: one event a line; a file that is one array of events is accepted too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from truenorth.logs.content import Content, as_utf8
from truenorth.logs.log import QUARANTINE_SCHEMA
from truenorth.logs.records import Flattener, Record
from truenorth.logs.table import Table, shorten, unreadable
from truenorth.logs.times import looks_like_instants

_WORDS = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", type(None): "null"}


class JsonLinesSource:
    """A file of JSON events that was read; ``as_stored``: the ``properties`` of an exported one keep their paths."""

    defaults: Mapping[str, str] = {}

    def __init__(self, path: Path, content: Content, *, as_stored: bool = False) -> None:
        data, notes = as_utf8(content.data)
        self._notes = (*content.notes, *notes, *((content.cut,) if content.cut else ()))
        is_array = data.lstrip()[:1] == b"["
        events = Flattener(n_levels=1 if as_stored else 2)
        read = _array(path, data, events) if is_array else _lines(data, content.cut, events)
        self._lines, self._bad, self._text = read.lines, read.bad, read.text
        flat = read.events.table()
        self._notes = (*self._notes, *flat.notes)
        self.aliases = flat.aliases
        self._frame = flat.frame if read.lines else pl.DataFrame(schema={"time": pl.String})
        self._dated = flat.texts
        self.columns = tuple(self._frame.columns)

    def read(self, columns: Collection[str] | None) -> Table:
        """Hand over the events."""
        del columns
        bad = pl.DataFrame(self._bad, schema=QUARANTINE_SCHEMA, orient="row")
        return Table(
            frame=self._frame,
            locate=self._locate,
            dated=self._dated,
            position=_positions(self._lines, self._bad),
            quarantine=bad,
            notes=self._notes,
        )

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first events, all columns."""
        head = self._frame.head(n_rows)
        return head.with_columns(
            instants for name in self._dated if (instants := looks_like_instants(head[name])) is not None
        )

    def _locate(self, rows: pl.Series) -> pl.DataFrame:
        taken = rows.to_list()
        texts = [shorten(self._text(row)) for row in taken]
        return pl.DataFrame(
            {"line": [self._lines[row] for row in taken], "row": texts}, schema={"line": pl.Int64, "row": pl.String}
        )


@dataclass(eq=False)
class _Read:
    """The events of a file, the line (in an array: the number) of each, its text, and what is wrong with the rest."""

    events: Flattener
    lines: list[int] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    text: Callable[[int], str] = str


def _lines(data: bytes, cut: str, events: Flattener) -> _Read:
    read = _Read(events)
    decode = msgspec.json.Decoder().decode
    texts = data.split(b"\n")
    n_last = 0
    for number, line in enumerate(texts, start=1):
        if not line.strip():
            continue
        n_last = number
        record, reason = _decoded(decode, line)
        if record is None:
            read.bad.append((number, reason, shorten(line.decode(errors="replace").strip())))
        else:
            read.events.add(record)
            read.lines.append(number)
    if read.bad and read.bad[-1][0] == n_last and not data.endswith(b"\n"):
        number, reason, text = read.bad[-1]
        read.bad[-1] = (number, f"the file ends in the middle of this line: {cut or reason}", text)
    read.text = lambda row: texts[read.lines[row] - 1].decode(errors="replace").strip()
    return read


def _decoded(decode: Any, line: bytes) -> tuple[Record | None, str]:
    try:
        record = decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return None, f"no JSON: {str(error) or 'nested too deeply'}"
    if not isinstance(record, dict):
        return None, f"{_WORDS.get(type(record), 'something else')} where an event is a JSON object"
    return record, ""


def _array(path: Path, data: bytes, events: Flattener) -> _Read:
    """Events of an array, numbered from 1."""
    try:
        items = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        hint = "is the file complete? JSON Lines (one event a line) can be read even if it is cut"
        raise unreadable(path, "a JSON array of events", str(error) or "too deep nesting", hint) from error
    read = _Read(events)
    for number, item in enumerate(items, start=1):
        if isinstance(item, dict):
            read.events.add(item)
            read.lines.append(number)
        else:
            reason = f"{_WORDS.get(type(item), 'something else')} where an event is a JSON object"
            read.bad.append((number, reason, shorten(msgspec.json.encode(item).decode())))
    read.text = lambda row: msgspec.json.encode(items[read.lines[row] - 1]).decode()
    return read


def _positions(numbers: Sequence[int], bad: Sequence[tuple[int, str, str]]) -> pl.Series | None:
    """Places among all rows, unreadable ones included."""
    if not bad:
        return None
    everything = pl.Series([*numbers, *(number for number, *_ in bad)], dtype=pl.Int64)
    return everything.rank("ordinal").cast(pl.Int64).head(len(numbers))
