"""Delimited text: CSV and its relatives.

Polars reads a well-formed file at full speed. Its answer is taken only if it accounts for every separator and line of
the file; otherwise `truenorth.logs.delimited_rows` takes the rows apart, and only the good ones are read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from truenorth.logs.content import Content, as_utf8
from truenorth.logs.delimited_rows import Rows, split_rows
from truenorth.logs.kinds import typed_by_content
from truenorth.logs.log import QUARANTINE_SCHEMA
from truenorth.logs.table import RAW_ROW_LENGTH, Table, unreadable

SEPARATORS = ",;\t|"
LOOK_BYTES = 65_536
SNIFF_LINES = 50
LONGEST_HEADER_BYTES = 1 << 20
COUNT_BYTES = 1 << 24

BLANK = re.compile(rb"[ \t]*\r?\n")
DECLARED = re.compile(rb'"?sep=([,;\t|])"?\r?\n')
QUOTED = re.compile(r'"(?:[^"]|"")*"')


class DelimitedSource:
    """A delimited text file whose header was read."""

    defaults: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self, path: Path, content: Content) -> None:
        data, notes = as_utf8(content.data)
        data = _with_newlines(data)
        self._path = path
        self._cut = content.cut
        start, n_lines, self._separator = _sniffed(path, data)
        names, self._start, n_lines = _header(path, data, start, n_lines, self._separator)
        self._data = data
        self._n_lines_above = n_lines
        self.columns, renamed = _distinct(names)
        self._notes = (*content.notes, *notes, *renamed)
        if content.cut:
            self._notes = (*self._notes, content.cut)

    def read(self, columns: Collection[str] | None) -> Table:
        """Read all rows; those with too few or too many fields go to the quarantine."""
        del columns  # a row has to be read as a whole to know that it is whole
        if not self._cut:
            frame = read_whole(self._data, self._start, self._n_lines_above, self.columns, self._separator)
            if frame is not None:
                return Table(
                    frame=frame,
                    locate=lambda rows: self._split(self._data[self._start :]).locate(rows),
                    loose=self.columns,
                    notes=self._notes,
                )
        return self._read_rows(self._split(self._data[self._start :]))

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns, typed by their content."""
        end = self._start - 1
        for _ in range(n_rows):
            end = self._data.find(b"\n", end + 1)
            if end < 0:
                break
        body = self._data[self._start : len(self._data) if end < 0 else end + 1]
        frame = self._read_rows(self._split(body)).frame.head(n_rows)
        return pl.DataFrame([typed_by_content(column) for column in frame.iter_columns()])

    def _split(self, body: bytes) -> Rows:
        return split_rows(body, self._separator, len(self.columns), self._n_lines_above + 1, self._cut)

    def _read_rows(self, rows: Rows) -> Table:
        body = rows.good.select(pl.col("row").str.join("\n")).item().encode()
        frame = _parse(body, 0, self.columns, self._separator)
        if frame is None or frame.height != rows.good.height:
            found = f"quoting that cannot be read with separator '{self._separator}'"
            raise unreadable(self._path, "delimited text", found, "export it with another separator, or as Parquet")
        bad = rows.bad.select("line", "reason", pl.col("row").str.slice(0, RAW_ROW_LENGTH))
        return Table(
            frame=frame,
            locate=rows.locate,
            loose=self.columns,
            position=rows.good["position"],
            quarantine=bad.cast(QUARANTINE_SCHEMA),  # type: ignore[arg-type]
            notes=self._notes,
        )


def read_whole(
    data: bytes, start: int, n_lines_above: int, columns: Collection[str], separator: str
) -> pl.DataFrame | None:
    """All rows below the header, or None if any has more or fewer fields, or is quoted in a way that might mislead.

    The header ends at byte ``start``, after ``n_lines_above`` lines.
    """
    if start >= len(data):
        return _parse(b"", 0, columns, separator)
    frame = None if b"\0" in data else _parse(data, n_lines_above, columns, separator)
    if frame is None or (frame.width == 1 and frame.to_series().null_count()):
        return None
    n_separators = count(data, separator, start)
    if data.find(b'"', start) < 0:
        n_lines = count(data, "\n", start) + (not data.endswith(b"\n"))
        return frame if n_lines == frame.height and n_separators == (frame.width - 1) * frame.height else None
    if any(frame.select(pl.all().str.contains('"', literal=True).any()).row(0)):
        return None
    n_inside = sum(frame.select(pl.all().str.count_matches(separator, literal=True).sum()).row(0))
    return frame if n_separators - n_inside == (frame.width - 1) * frame.height else None


def count(data: bytes, character: str, start: int) -> int:
    """How often an ASCII character comes from a place on.

    >>> count(b"a,b,c", ",", 2)
    1
    """
    everything = np.frombuffer(data, dtype=np.uint8)[start:]
    steps = range(0, len(everything), COUNT_BYTES)
    return sum(int(np.count_nonzero(everything[at : at + COUNT_BYTES] == ord(character))) for at in steps)


def _parse(data: bytes, n_lines_above: int, columns: Collection[str], separator: str) -> pl.DataFrame | None:
    schema = dict.fromkeys(columns, pl.String)
    if not data:
        return pl.DataFrame(schema=schema)
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            skip_lines=n_lines_above,
            separator=separator,
            schema=schema,
            infer_schema=False,
            empty_string_is_null=True,
        )
    except pl.exceptions.PolarsError:
        return None
    return frame.with_columns(pl.all().replace("", None)) if b'"' in data and b'""' in data else frame


def _with_newlines(data: bytes) -> bytes:
    """Old Macintosh files end their lines with a carriage return only."""
    head = data[:LOOK_BYTES]
    return data.replace(b"\r", b"\n") if b"\r" in head and b"\n" not in head else data


def _sniffed(path: Path, data: bytes) -> tuple[int, int, str]:
    """Where the header starts, the number of lines above it, and the separator."""
    start, n_lines = 0, 0
    while (blank := BLANK.match(data, start)) is not None:
        start, n_lines = blank.end(), n_lines + 1
    declared = DECLARED.match(data, start)
    if declared:
        return declared.end(), n_lines + 1, declared[1].decode()
    text = QUOTED.sub("", data[start : start + LOOK_BYTES].decode(errors="replace"))
    lines = [line for line in text.splitlines()[:SNIFF_LINES] if line.strip()]
    if not lines:
        raise unreadable(path, "an event log", "nothing but blank lines", "export it again")

    def fit(separator: str) -> tuple[int, int]:
        n = lines[0].count(separator)
        return sum(line.count(separator) == n for line in lines) if n else 0, n

    return start, n_lines, max(SEPARATORS, key=fit)


def _header(path: Path, data: bytes, start: int, n_lines: int, separator: str) -> tuple[list[str], int, int]:
    """Column names, where the rows start, and the number of lines above them."""
    end = start - 1
    while True:
        end = data.find(b"\n", end + 1, start + LONGEST_HEADER_BYTES)
        n_lines += 1
        head = data[start : end if end >= 0 else start + LONGEST_HEADER_BYTES]
        if head.count(b'"') % 2 == 0 or end < 0:
            break
    if b"\0" in head:
        raise unreadable(path, "text", "NUL bytes in the first line", "export the log as UTF-8 text")
    try:
        names = next(
            csv.reader(io.StringIO(head.decode(errors="replace").rstrip("\r"), newline=""), delimiter=separator)
        )
    except (csv.Error, StopIteration) as error:
        raise unreadable(path, "a header line with column names", str(error) or "nothing", line=1) from error
    return [name.strip() for name in names], start + len(head) + 1, n_lines


def _distinct(names: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Every column with a name of its own, and a note for each that had to be changed."""
    known: dict[str, None] = {}
    notes = []
    for place, name in enumerate(names, start=1):
        own = name or f"column_{place}"
        number = 2
        while own in known or (own != name and own in names):
            own = f"{name or f'column_{place}'}_{number}"
            number += 1
        known[own] = None
        if not name:
            notes.append(f"column {place} has no name: it is called '{own}'")
        elif own != name:
            notes.append(f"column {place} is another '{name}': it is called '{own}'")
    return tuple(known), notes
