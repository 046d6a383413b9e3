"""Writing OCEL 2.0: an event stays an event, its case and its customer become objects of these types."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from truenorth.logs.cases import CASE_PREFIX, of_cases
from truenorth.logs.log import INSTANT

CASE, CUSTOMER = "case", "customer"
INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
BEGINNING = "1970-01-01T00:00:00Z"
"""When the attributes of an object have their values from, as the standard recommends."""

JSON_TYPES = {"text": "string", "integer": "integer", "number": "float", "boolean": "boolean", "instant": "time"}
SQL_TYPES = {"text": "TEXT", "integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN", "instant": "TIMESTAMP"}
NO_TYPE = "event"


@dataclass
class _Event:
    id: str
    type: str
    time: str
    attributes: dict[str, Any]
    objects: dict[str, str] = field(default_factory=dict)


@dataclass
class _Content:
    """What a log becomes: events, objects with their types and attributes, the kinds of all attributes."""

    events: dict[tuple[str | None, str], _Event] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    event_kinds: dict[str, str] = field(default_factory=dict)
    case_kinds: dict[str, str] = field(default_factory=dict)


def write_ocel_json(frame: pl.DataFrame) -> bytes:
    """OCEL 2.0 as JSON.

    Events of the same id become one event that touches several cases.
    """
    content = _content(frame)
    event_types = dict.fromkeys(event.type for event in content.events.values())
    object_types = dict.fromkeys(content.types.values())
    kinds = {CASE: content.case_kinds}
    return msgspec.json.encode(
        {
            "objectTypes": [{"name": one, "attributes": _declared(kinds.get(one, {}))} for one in object_types],
            "eventTypes": [{"name": one, "attributes": _declared(content.event_kinds)} for one in event_types],
            "objects": [
                {"id": one, "type": kind, "attributes": _since(content.attributes.get(one, {})), "relationships": []}
                for one, kind in content.types.items()
            ],
            "events": [
                {
                    "id": event.id,
                    "type": event.type,
                    "time": event.time,
                    "attributes": [{"name": name, "value": value} for name, value in event.attributes.items()],
                    "relationships": [{"objectId": one, "qualifier": role} for one, role in event.objects.items()],
                }
                for event in content.events.values()
            ],
        }
    )


def _declared(kinds: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": JSON_TYPES[kind]} for name, kind in kinds.items()]


def _since(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "time": BEGINNING, "value": value} for name, value in values.items()]


def _content(frame: pl.DataFrame) -> _Content:
    content = _Content()
    inner = of_cases(frame)
    shared = _shared_names(frame)
    own = [name for name in frame.columns if name not in (*inner, "id", "type", "time", CASE)]
    if CUSTOMER in own and not shared:
        own.remove(CUSTOMER)
    content.event_kinds = {name: kind for name in own if (kind := _kind(frame.schema[name]))}
    content.case_kinds = {name.removeprefix(CASE_PREFIX): _kind(frame.schema[name]) for name in inner}
    ids = frame["id"].cast(pl.String) if "id" in frame.columns else pl.Series(map(str, range(1, frame.height + 1)))
    sources = dict.fromkeys(frame["source"].to_list()) if "source" in frame.columns else {None: None}
    texts = frame.with_columns(pl.col(INSTANT).dt.strftime(INSTANT_FORMAT))
    for identity, row in zip(ids, texts.iter_rows(named=True), strict=True):
        key = (row.get("source"), identity)
        event = content.events.get(key)
        if event is None:
            name = identity if len(sources) == 1 else f"{row['source'] or ''}/{identity}"
            values = {one: row[one] for one in content.event_kinds if row[one] is not None}
            event = _Event(name, _type(row), row["time"], values)
            content.events[key] = event
        _touch(content, event, row, inner, shared)
    return content


def _touch(content: _Content, event: _Event, row: dict[str, Any], inner: list[str], shared: set[str]) -> None:
    case, customer = row.get(CASE), row.get(CUSTOMER)
    if case is not None:
        event.objects[case] = CASE
        if case not in content.types:
            content.types[case] = CASE
            values = {one.removeprefix(CASE_PREFIX): row[one] for one in inner if row[one] is not None}
            content.attributes[case] = values
    if customer is not None:
        name = f"{CUSTOMER}:{customer}" if customer in shared else customer
        event.objects[name] = CUSTOMER
        content.types[name] = CUSTOMER


def _type(row: dict[str, Any]) -> str:
    return NO_TYPE if "type" not in row else row["type"] or ""


def _shared_names(frame: pl.DataFrame) -> set[str]:
    """Names that are both a case and a customer: an id can be that of one object only."""
    if not {CASE, CUSTOMER} <= set(frame.columns):
        return set()
    return set(frame[CASE].drop_nulls().unique()) & set(frame[CUSTOMER].drop_nulls().unique())


def _kind(dtype: pl.DataType) -> str:
    if dtype == pl.Null:
        return ""
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    return "instant" if dtype == INSTANT else "text"


def write_ocel_sqlite(frame: pl.DataFrame, path: Path) -> None:
    """OCEL 2.0 as an SQLite database."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(files("truenorth.logs").joinpath("ocel.sql").read_text())
        _fill(connection, _content(frame))


def _fill(connection: sqlite3.Connection, content: _Content) -> None:
    events = list(content.events.values())
    _insert(connection, "event", [(event.id, event.type) for event in events])
    _insert(connection, "object", list(content.types.items()))
    touches = [(event.id, one, role) for event in events for one, role in event.objects.items()]
    _insert(connection, "event_object", touches)
    for name, table in _tables(event.type for event in events):
        _insert(connection, "event_map_type", [(name, table)])
        mine = [event for event in events if event.type == name]
        columns = _create(connection, f"event_{table}", content.event_kinds, ())
        rows = [(event.id, event.time, *(event.attributes.get(one) for one in columns)) for event in mine]
        _insert(connection, f"event_{table}", rows)
    for name, table in _tables(content.types.values()):
        _insert(connection, "object_map_type", [(name, table)])
        kinds = content.case_kinds if name == CASE else {}
        columns = _create(connection, f"object_{table}", kinds, ("ocel_changed_field",))
        objects = [one for one, kind in content.types.items() if kind == name]
        values = [[content.attributes.get(one, {}).get(column) for column in columns] for one in objects]
        pairs = zip(objects, values, strict=True)
        _insert(connection, f"object_{table}", [(one, BEGINNING, None, *own) for one, own in pairs])


def _tables(types: Any) -> Iterator[tuple[str, str]]:
    """A name for the table of each type."""
    for number, name in enumerate(dict.fromkeys(types), start=1):
        yield name, f"{re.sub('[^A-Za-z0-9]', '', name)}{number}"


def _create(connection: sqlite3.Connection, table: str, kinds: dict[str, str], extra: tuple[str, ...]) -> list[str]:
    columns = {"ocel_id": "TEXT", "ocel_time": "TIMESTAMP", **dict.fromkeys(extra, "TEXT")}
    taken = {name.casefold() for name in columns}
    for name, kind in kinds.items():
        own = name
        while own.casefold() in taken:  # names of columns in SQLite differ in more than their case
            own += "_2"
        taken.add(own.casefold())
        columns[own] = SQL_TYPES[kind]
    written = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE TABLE {_quoted(table)} ({written})")
    return list(kinds)


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {_quoted(table)} VALUES ({marks})", rows)  # noqa: S608 - quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
