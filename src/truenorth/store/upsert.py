"""Many rows written by one statement, compiled once: SQLAlchemy's own way takes twice as long for each row.

SQLite gets up to 256 rows with a statement that inserts: the driver lets other threads run at each, and a thread that
computes gives way only after milliseconds. A statement that replaces is faster one row at a time. PostgreSQL takes each
column as an array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from truenorth.store.database import Database, Insert

MOST_ROWS = 256
"""Rows of one statement for SQLite."""

Row = tuple[Any, ...]
Names = tuple[str, ...]


def insert_all(database: Database, connection: Connection, table: Table, names: Names, rows: Sequence[Row]) -> int:
    """Insert rows of the columns ``names`` in their order, save those that are there already; how many are new."""
    return _write(database, connection, table, names, rows, replaces=False)


def upsert(database: Database, connection: Connection, table: Table, names: Names, rows: Sequence[Row]) -> None:
    """Insert rows of the columns ``names``; one whose key is there already takes the place of the old one."""
    _write(database, connection, table, names, rows, replaces=True)


def _write(
    database: Database, connection: Connection, table: Table, names: Names, rows: Sequence[Row], *, replaces: bool
) -> int:
    if not rows:
        return 0
    if database.is_sqlite and replaces:
        return connection.exec_driver_sql(_by_rows(table, names, 1, replaces), list(rows)).rowcount
    if database.is_sqlite:
        return sum(
            connection.exec_driver_sql(_by_rows(table, names, len(some), replaces), tuple(chain(*some))).rowcount
            for some in _in_powers(rows)
        )
    if replaces:  # PostgreSQL's statement may write each row once only
        keys = [names.index(column.name) for column in table.primary_key]
        rows = list({tuple(row[at] for at in keys): row for row in rows}.values())
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return connection.execute(_by_column(table, names, replaces), columns).rowcount


def _in_powers(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows in parts of 256, the rest in smaller powers of 2: there are few statements to compile."""
    at, size = 0, MOST_ROWS
    while at < len(rows):
        while size > len(rows) - at:
            size //= 2
        yield rows[at : at + size]
        at += size


@cache
def _by_rows(table: Table, names: Names, n_rows: int, replaces: bool) -> str:
    """SQLite: the statement for some rows, their values in the order of ``names``, which is that of the table."""
    rows: list[dict[str, Any]] = [{name: bindparam(f"{name} {at}") for name in names} for at in range(n_rows)]
    statement = _resolved(sqlite.insert(table).values(rows), table, names, replaces).compile(dialect=sqlite.dialect())
    assert statement.positiontup == [f"{name} {at}" for at in range(n_rows) for name in names]
    return str(statement)


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
