"""Many rows written by one statement, compiled once: SQLAlchemy's own way takes twice as long for each row.

SQLite runs the statement for each row. PostgreSQL takes each column as an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, Text, bindparam, func, select, true
from sqlalchemy.dialects import postgresql, sqlite

from truenorth.store.database import Database, Insert

Row = tuple[Any, ...]
Names = tuple[str, ...]


def insert_all(database: Database, connection: Connection, table: Table, names: Names, rows: Sequence[Row]) -> int:
    """Insert rows of the columns ``names`` in their order, save those that are there already; how many are new."""
    return _write(database, connection, table, names, rows, replaces=False)


def upsert(database: Database, connection: Connection, table: Table, names: Names, rows: Sequence[Row]) -> None:
    """Insert rows of the columns ``names``; one whose key is there already takes the place of the old one."""
    keys = [names.index(column.name) for column in table.primary_key]
    newest = {tuple(row[at] for at in keys): row for row in rows}
    _write(database, connection, table, names, list(newest.values()), replaces=True)


def _write(
    database: Database, connection: Connection, table: Table, names: Names, rows: Sequence[Row], *, replaces: bool
) -> int:
    if not rows:
        return 0
    if database.is_sqlite:
        return connection.exec_driver_sql(_by_row(table, names, replaces), list(rows)).rowcount
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return connection.execute(_by_column(table, names, replaces), columns).rowcount


@cache
def _by_row(table: Table, names: Names, replaces: bool) -> str:
    """SQLite: the statement for a row, its values in the order of ``names``."""
    one: Any = select(*(bindparam(name) for name in names)).where(true())  # without a condition ON reads like a join's
    new = sqlite.insert(table).from_select(names, one)
    return str(_resolved(new, table, names, replaces).compile(dialect=sqlite.dialect()))


@cache
def _by_column(table: Table, names: Names, replaces: bool) -> Any:
    """PostgreSQL: the statement for all rows; what is numbered is numbered in their order."""
    types = {name: Text() if isinstance(table.c[name].type, Text) else table.c[name].type for name in names}
    arrays: list[Any] = [bindparam(name, type_=postgresql.ARRAY(types[name])) for name in names]
    given = func.unnest(*arrays).table_valued(*names, with_ordinality="n", name="given").render_derived()
    in_order = select(*(given.c[name] for name in names)).order_by(given.c.n)
    new = postgresql.insert(table).from_select(names, in_order)
    return _resolved(new, table, names, replaces).execution_options(preserve_rowcount=True)


def _resolved(new: Insert, table: Table, names: Names, replaces: bool) -> Insert:
    keys = [column.name for column in table.primary_key]
    values = {name: new.excluded[name] for name in names if name not in keys}
    if replaces and values:
        return new.on_conflict_do_update(index_elements=keys, set_=values)
    return new.on_conflict_do_nothing()
