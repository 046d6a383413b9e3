"""JSON Lines: one event a line; a file that is one array of events is accepted too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from truenorth.logs.content import Content, as_utf8
from truenorth.logs.log import QUARANTINE_SCHEMA
from truenorth.logs.records import Record, flatten
from truenorth.logs.table import Table, shorten, unreadable
from truenorth.logs.times import looks_like_instants

_WORDS = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", type(None): "null"}


class JsonLinesSource:
    """A file of JSON events that was read."""

    defaults: Mapping[str, str] = {}

    def __init__(self, path: Path, content: Content) -> None:
        data, notes = as_utf8(content.data)
        self._notes = (*content.notes, *notes, *((content.cut,) if content.cut else ()))
        if data.lstrip()[:1] == b"[":
            records, self._lines, self._bad = _array(path, data)
            self._texts: Sequence[bytes] = ()
        else:
            records, self._lines, self._bad, self._texts = _lines(data, content.cut)
        self._records = records
        flat = flatten(records)
        self.aliases = flat.aliases
        self._frame = flat.frame if records else pl.DataFrame(schema={"time": pl.String})
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

    def _text(self, row: int) -> str:
        raw = self._texts[row] if self._texts else msgspec.json.encode(self._records[row])
        return raw.decode(errors="replace").strip()


_Bad = list[tuple[int, str, str]]


def _lines(data: bytes, cut: str) -> tuple[list[Record], list[int], _Bad, list[bytes]]:
    """Events, their line numbers, what is wrong with the other lines, and the lines of the events."""
    decode = msgspec.json.Decoder().decode
    records: list[Record] = []
    numbers: list[int] = []
    texts: list[bytes] = []
    bad: _Bad = []
    n_last = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        n_last = number
        record, reason = _decoded(decode, line)
        if record is None:
            bad.append((number, reason, shorten(line.decode(errors="replace").strip())))
            continue
        records.append(record)
        numbers.append(number)
        texts.append(line)
    if bad and bad[-1][0] == n_last and not data.endswith(b"\n"):
        number, reason, text = bad[-1]
        bad[-1] = (number, f"the file ends in the middle of this line: {cut or reason}", text)
    return records, numbers, bad, texts


def _decoded(decode: Any, line: bytes) -> tuple[Record | None, str]:
    try:
        record = decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return None, f"no JSON: {str(error) or 'nested too deeply'}"
    if not isinstance(record, dict):
        return None, f"{_WORDS.get(type(record), 'something else')} where an event is a JSON object"
    return record, ""


def _array(path: Path, data: bytes) -> tuple[list[Record], list[int], _Bad]:
    """Events of an array, numbered from 1."""
    try:
        items = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        hint = "is the file complete? JSON Lines (one event a line) can be read even if it is cut"
        raise unreadable(path, "a JSON array of events", str(error) or "too deep nesting", hint) from error
    records: list[Record] = []
    numbers: list[int] = []
    bad: _Bad = []
    for number, item in enumerate(items, start=1):
        if isinstance(item, dict):
            records.append(item)
            numbers.append(number)
        else:
            reason = f"{_WORDS.get(type(item), 'something else')} where an event is a JSON object"
            bad.append((number, reason, shorten(msgspec.json.encode(item).decode())))
    return records, numbers, bad


def _positions(numbers: Sequence[int], bad: _Bad) -> pl.Series | None:
    """Places among all rows, unreadable ones included."""
    if not bad:
        return None
    everything = pl.Series([*numbers, *(number for number, *_ in bad)], dtype=pl.Int64)
    return everything.rank("ordinal").cast(pl.Int64).head(len(numbers))
