"""XES, the standard format of process mining (IEEE 1849).

Attributes of events are columns by their key, attributes of traces by ``case:`` and their key. Defaults that a file
declares for all events (``global``) are what a tool would write into a new event; no event gets them here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from truenorth.logs.content import Content, as_utf8
from truenorth.logs.duplicates import KEYS
from truenorth.logs.log import QUARANTINE_SCHEMA
from truenorth.logs.records import MOST_COLUMNS
from truenorth.logs.table import Table, shorten
from truenorth.logs.times import looks_like_instants
from truenorth.logs.xes_elements import read_elements
from truenorth.logs.xes_plain import TRACE_PREFIX, Attribute, Codes, Elements, read_plain

DEFAULTS = {
    "case": "case:concept:name",
    "type": "concept:name",
    "time": "time:timestamp",
    "actor": "org:resource",
    "team": "org:group",
    "cost": "cost:total",
}
UNNAMED = "unnamed"
UTF_8 = re.compile(rb"<\?xml[^>]*encoding=[\"']utf-?8[\"']", re.IGNORECASE)
DECLARED = re.compile(rb"<\?xml[^>]*encoding=")
EVENT = re.compile(rb"<event[\s>/]")


class XesSource:
    """An XES file that was read."""

    defaults: Mapping[str, str] = DEFAULTS
    aliases: Mapping[str, str] = {}

    def __init__(self, path: Path, content: Content, n_events: int | None = None) -> None:
        self._data = content.data
        self._notes = content.notes
        self._bad: list[tuple[int, str, str]] = []
        self._places: list[tuple[int, int, int]] = []
        plain = None if content.cut else read_plain(content.data, n_events)
        self._elements = plain if plain is not None else self._read_carefully(path, content.cut)
        self._of_events, self._of_traces = _named(self._elements)
        self.columns = (*self._of_events, *self._of_traces) or (DEFAULTS["time"],)
        if len(self.columns) >= MOST_COLUMNS:
            self._notes = (*self._notes, f"only the first {MOST_COLUMNS:,} different keys of attributes are read")

    def _read_carefully(self, path: Path, cut: str) -> Elements:
        encoding = None
        if UTF_8.match(self._data.lstrip()) or not DECLARED.match(self._data.lstrip()):
            self._data, notes = as_utf8(self._data)
            self._notes = (*self._notes, *notes)
            encoding = "utf-8"
        read = read_elements(path, self._data, encoding, cut)
        self._places = read.places
        if read.cut:
            self._notes = (*self._notes, read.cut)
        if read.unfinished:
            line, text = read.unfinished
            self._bad.append((line, f"this event is not complete: {read.cut}", text))
        return read.elements

    def read(self, columns: Collection[str] | None) -> Table:
        """Hand over the events."""
        if not self._elements.n_events:
            frame = pl.DataFrame(schema=dict.fromkeys(self.columns, pl.String))
            return Table(frame=frame, locate=self._locate, quarantine=self._quarantine(), notes=self._notes)
        names = [name for name in self.columns if columns is None or name in columns]
        frame = pl.DataFrame([self._column(name) for name in names])
        return Table(
            frame=frame,
            locate=self._locate,
            dated=[name for name in names if self._attribute(name).tags == {"date"}],
            quarantine=self._quarantine(),
            notes=self._notes,
            keys=(*KEYS, "case"),  # an event that several traces hold belongs to each of their cases
        )

    def _quarantine(self) -> pl.DataFrame:
        return pl.DataFrame(self._bad, schema=QUARANTINE_SCHEMA, orient="row")

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first events, all columns."""
        table = self.read(None)
        head = table.frame.head(n_rows)
        dated = (looks_like_instants(head[name]) for name in table.dated)
        return head.with_columns(column for column in dated if column is not None)

    def _attribute(self, name: str) -> Attribute:
        return self._of_events[name] if name in self._of_events else self._of_traces[name]

    def _column(self, name: str) -> pl.Series:
        elements, attribute = self._elements, self._attribute(name)
        if name in self._of_events:
            return _spread(_typed(attribute), attribute.owner, elements.n_events).alias(name)
        n_traces = max(int(elements.trace_of_event.max(initial=-1)), int(attribute.owner[-1])) + 1
        column = _spread(_typed(attribute), attribute.owner, n_traces)
        trace = pl.Series(elements.trace_of_event)
        return column.gather(trace.set(trace < 0, None) if (elements.trace_of_event < 0).any() else trace).alias(name)

    def _locate(self, rows: pl.Series) -> pl.DataFrame:
        places = self._places or list(_event_places(self._data))
        taken = [places[row] for row in rows.to_list()]
        texts = [shorten(self._data[start:end].decode(errors="replace")) for _, start, end in taken]
        return pl.DataFrame(
            {"line": [line for line, _, _ in taken], "row": texts}, schema={"line": pl.Int64, "row": pl.String}
        )


def _event_places(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Line, first and last byte of each event of a plain file."""
    line, before = 1, 0
    for found in EVENT.finditer(data):
        start = found.start()
        line += data.count(b"\n", before, start)
        before = start
        yield line, start, data.find(b"</event>", start) + len(b"</event>")


def _named(elements: Elements) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
    """Attributes by the names of their columns, each name once."""
    of_traces = {TRACE_PREFIX + (one.name or UNNAMED): one for one in elements.of_traces[: MOST_COLUMNS // 2]}
    of_events: dict[str, Attribute] = {}
    for one in elements.of_events[: MOST_COLUMNS - len(of_traces)]:
        name = one.name or UNNAMED
        while name in of_traces or name in of_events:
            name += "_2"
        of_events[name] = one
    return of_events, of_traces


def _spread(values: pl.Series, owner: Codes, n: int) -> pl.Series:
    """Values at the places of their owners, null elsewhere."""
    if len(values) == n:
        return values
    at = np.full(n, -1, dtype=np.int64)
    at[owner] = np.arange(len(owner))
    places = pl.Series(at)
    return values.gather(places.set(places < 0, None))


def _typed(attribute: Attribute) -> pl.Series:
    """The values in the type that their tags say; as text where tags differ or a value is not of its type."""
    values = attribute.values()
    tags = attribute.tags
    if "string" in tags or "id" in tags or "list" in tags or "container" in tags:
        return values
    values = values.set(values == "", None)
    if tags == {"int"}:
        typed = values.cast(pl.Int64, strict=False)
    elif tags <= {"float", "int"}:
        typed = values.cast(pl.Float64, strict=False)
    elif tags == {"boolean"}:
        lower = values.str.to_lowercase()
        typed = (lower == "true").set(~lower.is_in(["true", "false"]), None)
    else:
        return values
    return values if typed.null_count() > values.null_count() else typed
