"""Delimited text: CSV and its relatives.

Polars reads a well-formed file at full speed. Its answer is taken only if it accounts for every separator and line of
the file; otherwise `truenorth.logs.delimited_rows` takes the rows apart, and only the good ones are read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from truenorth.logs.content import Content, as_utf8
from truenorth.logs.delimited_rows import Rows, split_rows
from truenorth.logs.kinds import typed_by_content
from truenorth.logs.log import QUARANTINE_SCHEMA
from truenorth.logs.table import Table, shorten, unreadable

SEPARATORS = ",;\t|"
LOOK_BYTES = 65_536
SNIFF_LINES = 50
LONGEST_HEADER_BYTES = 1 << 20


class DelimitedSource:
    """A delimited text file whose header was read."""

    defaults: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self, path: Path, content: Content) -> None:
        data, notes = as_utf8(content.data)
        data = _with_newlines(data)
        self._path = path
        self._cut = content.cut
        self.separator, data, n_skipped = _separator(path, data)
        names, self._body, n_header_lines = _header(path, data, self.separator)
        self._first_line = n_skipped + n_header_lines + 1
        self.columns, renamed = _distinct(names)
        self._notes = (*content.notes, *notes, *renamed)
        if content.cut:
            self._notes = (*self._notes, content.cut)

    def read(self, columns: Collection[str] | None) -> Table:
        """Read all rows; those with too few or too many fields go to the quarantine."""
        del columns  # a row has to be read as a whole to know that it is whole
        return self._read(self._body)

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows, all columns, typed by their content."""
        end = -1
        for _ in range(n_rows):
            end = self._body.find(b"\n", end + 1)
            if end < 0:
                break
        frame = self._read(self._body if end < 0 else self._body[: end + 1]).frame.head(n_rows)
        return pl.DataFrame([typed_by_content(column) for column in frame.iter_columns()])

    def _read(self, body: bytes) -> Table:
        if not self._cut:
            frame = read_whole(body, self.columns, self.separator)
            if frame is not None:
                return Table(
                    frame=frame,
                    locate=lambda rows: self._split(body).locate(rows),
                    loose=self.columns,
                    notes=self._notes,
                )
        return self._read_rows(self._split(body))

    def _split(self, body: bytes) -> Rows:
        return split_rows(body, self.separator, len(self.columns), self._first_line, self._cut)

    def _read_rows(self, rows: Rows) -> Table:
        body = "\n".join(rows.good["row"].to_list()).encode()
        frame = _parse(body, self.columns, self.separator)
        if frame is None or frame.height != rows.good.height:
            raise unreadable(
                self._path, "delimited text", f"quoting that cannot be read with separator '{self.separator}'"
            )
        bad = rows.bad.select("line", "reason", pl.col("row").map_elements(shorten, pl.String, skip_nulls=True))
        return Table(
            frame=frame,
            locate=rows.locate,
            loose=self.columns,
            position=rows.good["position"],
            quarantine=bad.cast(QUARANTINE_SCHEMA),  # type: ignore[arg-type]
            notes=self._notes,
        )


def read_whole(body: bytes, columns: Collection[str], separator: str) -> pl.DataFrame | None:
    """All rows below the header, or None if any has more or fewer fields, or is quoted in a way that might mislead."""
    if b"\0" in body:
        return None
    frame = _parse(body, columns, separator)
    if frame is None:
        return None
    quoted = b'"' in body
    n_separators = body.count(separator.encode())
    n_between = (len(frame.columns) - 1) * frame.height
    if quoted:
        inside = frame.select(
            pl.all().str.count_matches(separator, literal=True).sum().name.prefix("s"),
            pl.all().str.contains('"', literal=True).any().name.prefix("q"),
        ).row(0)
        n_columns = len(frame.columns)
        if any(inside[n_columns:]):
            return None
        n_separators -= sum(inside[:n_columns])
    elif body.count(b"\n") + (not body.endswith(b"\n") and bool(body)) != frame.height:
        return None
    if n_separators != n_between or (frame.width == 1 and frame.to_series().null_count()):
        return None
    return frame


def _parse(body: bytes, columns: Collection[str], separator: str) -> pl.DataFrame | None:
    schema = dict.fromkeys(columns, pl.String)
    if not body:
        return pl.DataFrame(schema=schema)
    try:
        return pl.read_csv(
            body, has_header=False, separator=separator, schema=schema, infer_schema=False, empty_string_is_null=True
        ).with_columns(pl.all().replace("", None))
    except pl.exceptions.PolarsError:
        return None


def _with_newlines(data: bytes) -> bytes:
    """Old Macintosh files end their lines with a carriage return only."""
    head = data[:LOOK_BYTES]
    return data.replace(b"\r", b"\n") if b"\r" in head and b"\n" not in head else data


def _separator(path: Path, data: bytes) -> tuple[str, bytes, int]:
    """The separator, the text from the header on, and the number of lines before it."""
    n_blank = 0
    while (blank := re.match(rb"[ \t]*\r?\n", data)) is not None:
        data = data[blank.end() :]
        n_blank += 1
    declared = re.match(rb'"?sep=(.)"?\r?\n', data)
    if declared and declared[1].decode(errors="replace") in SEPARATORS:
        return declared[1].decode(), data[declared.end() :], n_blank + 1
    text = re.sub(r'"(?:[^"]|"")*"', "", data[:LOOK_BYTES].decode(errors="replace"))
    lines = [line for line in text.splitlines()[:SNIFF_LINES] if line.strip()]
    if not lines:
        raise unreadable(path, "an event log", "nothing but blank lines", "export it again")

    def fit(separator: str) -> tuple[bool, int, int]:
        n = lines[0].count(separator)
        n_alike = sum(line.count(separator) == n for line in lines)
        return n > 0, n_alike if n else 0, n

    return max(SEPARATORS, key=fit), data, n_blank


def _header(path: Path, data: bytes, separator: str) -> tuple[list[str], bytes, int]:
    """Column names, the text below them, and how many lines they take."""
    end, n_lines = -1, 0
    while True:
        found = data.find(b"\n", end + 1, LONGEST_HEADER_BYTES)
        n_lines += 1
        head = data[: found if found >= 0 else LONGEST_HEADER_BYTES]
        if head.count(b'"') % 2 == 0 or found < 0:
            break
        end = found
    if b"\0" in head:
        raise unreadable(path, "text", "NUL bytes in the first line", "export the log as UTF-8 text")
    try:
        names = next(csv.reader([head.decode(errors="replace").rstrip("\r")], delimiter=separator), [])
    except csv.Error as error:
        raise unreadable(path, "a header line with column names", str(error), line=1) from error
    return [name.strip() for name in names], data[len(head) + 1 :], n_lines


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
