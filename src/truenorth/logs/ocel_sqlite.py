"""OCEL 2.0 as an SQLite database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from truenorth.logs.content import Content
from truenorth.logs.ocel import Change, Event, ObjectLog
from truenorth.logs.table import unreadable

SQLITE = b"SQLite format 3\x00"
NEEDED = ("event", "object", "event_object", "event_map_type", "object_map_type")
READ_VERSION = slice(18, 20)
"""Bytes of the header that say whether a write-ahead log belongs to the file; here there is none."""

_Row = dict[str, Any]


def read_ocel_sqlite(path: Path, content: Content) -> tuple[ObjectLog, tuple[str, ...]]:
    """Read an object-centric log from a database, and notes on how it was read.

    Raises `UnreadableLog` if it is damaged or has other tables.
    """
    data = bytearray(content.data)
    data[READ_VERSION] = b"\x01\x01"
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(bytes(data))
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            return _read(path, connection), content.notes
    except (sqlite3.Error, OverflowError) as error:
        raise unreadable(path, "an SQLite database", f"one that cannot be read: {error}", "copy it again") from error


def _read(path: Path, connection: sqlite3.Connection) -> ObjectLog:
    names = {
        str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    }
    missing = [name for name in NEEDED if name not in names]
    if missing:
        shown = ", ".join(sorted(names)[:20]) or "none"
        expected = f"the tables of OCEL 2.0 ({', '.join(missing)} missing)"
        raise unreadable(path, expected, f"tables {shown}", "export the events as CSV or Parquet")
    log = ObjectLog(types={row["ocel_id"]: row["ocel_type"] for row in _texts(connection, "object")})
    touched: dict[str, list[tuple[str, str]]] = {}
    for row in _texts(connection, "event_object"):
        pair = (row["ocel_object_id"], row.get("ocel_qualifier") or "")
        touched.setdefault(row["ocel_event_id"], []).append(pair)
    details = _by_type(connection, "event", names)
    for row in _texts(connection, "event"):
        own = details.get(row["ocel_id"], [{}])[0]
        attributes = {k: v for k, v in own.items() if k not in ("ocel_id", "ocel_time") and v is not None}
        related = touched.get(row["ocel_id"], [])
        log.events.append(Event(row["ocel_id"], row.get("ocel_type"), own.get("ocel_time"), attributes, related))
    for name, rows in _by_type(connection, "object", names).items():
        for row in rows:
            log.changes.extend(_changes(name, row))
    return log


def _changes(name: str, row: _Row) -> list[Change]:
    only = row.get("ocel_changed_field")
    values = {k: v for k, v in row.items() if k not in ("ocel_id", "ocel_time", "ocel_changed_field")}
    return [
        Change(name, key, value, row.get("ocel_time"))
        for key, value in values.items()
        if value is not None and (only is None or key == only)
    ]


def _by_type(connection: sqlite3.Connection, kind: str, names: set[str]) -> dict[str, list[_Row]]:
    """The rows of the tables of all types by the id of the event or object."""
    found: dict[str, list[_Row]] = {}
    for row in _texts(connection, f"{kind}_map_type"):
        table = f"{kind}_{row['ocel_type_map']}"
        if table in names:
            for one in _texts(connection, table):
                found.setdefault(one["ocel_id"], []).append(one)
    return found


def _texts(connection: sqlite3.Connection, table: str) -> list[_Row]:
    """All rows of a table; ids and types as text, what is declared boolean as that."""
    name = table.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - a name from the database itself, quoted
    keys = [column[0] for column in cursor.description]
    declared = connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
    booleans = {key for key, kind in declared if str(kind).upper().startswith("BOOL")}
    return [{key: _plain(key, value, booleans) for key, value in zip(keys, row, strict=True)} for row in cursor]


def _plain(key: str, value: Any, booleans: set[str]) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if key in booleans and value in (0, 1):
        return bool(value)
    if value is not None and not isinstance(value, str) and key in _KEYS:
        return str(value)
    return value


_KEYS = frozenset(
    ("ocel_id", "ocel_type", "ocel_type_map", "ocel_event_id", "ocel_object_id", "ocel_qualifier", "ocel_changed_field")
)
