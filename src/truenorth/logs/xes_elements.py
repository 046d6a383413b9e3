"""XES of any shape, element by element.

The careful reader: nested attributes, lists, any quoting and encoding, and files that are cut. Entities are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from xml.parsers import expat

import msgspec
import numpy as np
import polars as pl

from truenorth.logs.table import shorten, unreadable
from truenorth.logs.xes_plain import Attribute, Elements

STEP_BYTES = 1 << 20
VALUES = frozenset(("string", "date", "int", "float", "boolean", "id"))
LISTS = frozenset(("list", "container"))
OBJECT_CENTRIC = frozenset(("object-types", "event-types"))
DEEPEST = 64
"""Attributes inside of more elements than this are left out."""

JOINT = ":"
"""Between the keys of an attribute and of one inside it."""


@dataclass(frozen=True, eq=False)
class Read:
    """What could be read, and for each event where it stands: its line, first and last byte."""

    elements: Elements
    places: list[tuple[int, int, int]]
    cut: str = ""
    unfinished: tuple[int, str] | None = None
    """Line and text of the event in the middle of which the file was cut."""


class _Refused(Exception):
    """The document is something else or wants something that is not done: what was found, and what to do."""


@dataclass(eq=False)
class _Column:
    tags: set[str] = field(default_factory=set)
    values: dict[int, str] = field(default_factory=dict)


class _Walker:
    """Takes the parser's calls and keeps the attributes of traces and events."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self.events: dict[str, _Column] = {}
        self.traces: dict[str, _Column] = {}
        self.trace_of_event: list[int] = []
        self.places: list[tuple[int, int, int]] = []
        self.open_event: tuple[int, int] | None = None
        self.n_traces = 0
        self._in_trace = False
        self._pending: dict[str, tuple[str, str]] = {}
        self._keys: list[str | None] = []
        self._lists: list[tuple[int, str, list[Any]]] = []
        self._depth_of: list[str] = []

    def start(self, tag: str, given: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2]
        above = self._depth_of[-1] if self._depth_of else ""
        self._depth_of.append(name)
        self._keys.append(None)
        if not above and name != "log":
            raise _Refused(f"a document of <{name}>, not of <log>", "is this another kind of XML?")
        if name in OBJECT_CENTRIC and above == "log":
            raise _Refused("an object-centric log as XML", "export it as OCEL 2.0 JSON or SQLite")
        if name == "trace" and above == "log":
            self._in_trace = True
            self.n_traces += 1
        elif name == "event" and above in ("trace", "log"):
            self.open_event = (self._parser.CurrentLineNumber, self._parser.CurrentByteIndex)
            self._pending = {}
        elif name in VALUES or name in LISTS:
            self._attribute(name, given, above)

    def _attribute(self, name: str, given: Mapping[str, str], above: str) -> None:
        if (self.open_event is None and not self._in_trace) or len(self._keys) > DEEPEST:
            return
        key = given.get("key")
        if key is None:
            return
        if self._lists:
            self._lists[-1][2].append(given.get("value", key))
            return
        if above in VALUES:
            outer = self._keys[-2]
            key = f"{outer}{JOINT}{key}" if outer is not None else key
        elif above not in ("event", "trace"):
            return
        self._keys[-1] = key
        if name in LISTS:
            self._lists.append((len(self._keys), key, []))
        elif "value" in given:
            self._keep(key, name, given["value"])

    def _keep(self, key: str, tag: str, value: str) -> None:
        if self.open_event is not None:
            self._pending[key] = (tag, value)
            return
        column = self.traces.setdefault(key, _Column())
        column.tags.add(tag)
        column.values[self.n_traces - 1] = value

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if self._lists and self._lists[-1][0] == len(self._keys):
            _, key, values = self._lists.pop()
            self._keep(key, "list", msgspec.json.encode(values).decode())
        self._keys.pop()
        self._depth_of.pop()
        above = self._depth_of[-1] if self._depth_of else ""
        if name == "event" and self.open_event is not None and above in ("trace", "log"):
            self._finish_event()
        elif name == "trace" and above == "log":
            self._in_trace = False

    def _finish_event(self) -> None:
        assert self.open_event is not None
        number = len(self.places)
        for key, (tag, value) in self._pending.items():
            column = self.events.get(key)
            if column is None:
                column = self.events[key] = _Column()
            column.tags.add(tag)
            column.values[number] = value
        line, start = self.open_event
        self.places.append((line, start, self._parser.CurrentByteIndex + len("</event>")))
        self.trace_of_event.append(self.n_traces - 1 if self._in_trace else -1)
        self.open_event = None

    def refuse(self, *_: Any) -> None:
        raise _Refused("a document that declares entities", "remove the DOCTYPE from the file")


def read_elements(path: Path, data: bytes, encoding: str | None, cut: str = "") -> Read:
    """Read XES text of any shape; of a file that is cut, all events before the cut.

    Raises `UnreadableLog` for what is no XML, with the line where it stops being it.
    """
    parser = expat.ParserCreate(encoding)
    walker = _Walker(parser)
    parser.StartElementHandler = walker.start
    parser.EndElementHandler = walker.end
    parser.EntityDeclHandler = walker.refuse
    try:
        cut = _feed(parser, data, cut)
    except _Refused as error:
        found, hint = error.args
        raise unreadable(path, "XES", found, hint, parser.CurrentLineNumber) from None
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise unreadable(path, "XES", f"XML that is not well-formed: {what}", "export it again", error.lineno) from None
    except (LookupError, ValueError) as error:
        raise unreadable(path, "XES", f"an encoding that is not known ({error})", "save it as UTF-8") from None
    if not walker.places and cut:
        raise unreadable(path, "XES with events", f"no complete event: {cut}", "copy or export the file again")
    return _read(walker, data, cut)


def _feed(parser: expat.XMLParserType, data: bytes, cut: str) -> str:
    """Parse everything; why the document ends too early, if it does."""
    try:
        for start in range(0, len(data), STEP_BYTES):
            parser.Parse(data[start : start + STEP_BYTES], False)
    except expat.ExpatError as error:
        if cut:
            return f"the file breaks off in line {error.lineno}: {cut}"
        raise
    try:
        parser.Parse(b"", True)
    except expat.ExpatError:
        last_line = data.count(b"\n") + 1
        return f"the file breaks off in line {last_line}: {cut or 'the document has no end'}"
    return cut


def _read(walker: _Walker, data: bytes, cut: str) -> Read:
    elements = Elements(
        n_events=len(walker.places),
        trace_of_event=np.array(walker.trace_of_event, dtype=np.int64),
        of_events=_attributes(walker.events),
        of_traces=_attributes(walker.traces),
    )
    unfinished = None
    if walker.open_event is not None:
        line, start = walker.open_event
        unfinished = (line, shorten(data[start : start + 4_000].decode(errors="replace")))
    return Read(elements, walker.places, cut, unfinished)


def _attributes(columns: Mapping[str, _Column]) -> list[Attribute]:
    return [
        Attribute(
            name=name,
            tags=frozenset(column.tags),
            owner=np.fromiter(column.values, dtype=np.int64, count=len(column.values)),
            values=partial(pl.Series, values=list(column.values.values()), dtype=pl.String),
        )
        for name, column in columns.items()
    ]
