"""Rows written whether or not they are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from truenorth.store.database import Database


def upsert(database: Database, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is there already takes the place of the old one. All rows have the same columns."""
    if not rows:
        return
    new = database.insert(table)
    keys = [column.name for column in table.primary_key]
    values = {name: new.excluded[name] for name in rows[0] if name not in keys}
    whole = new.on_conflict_do_update(index_elements=keys, set_=values) if values else new.on_conflict_do_nothing()
    connection.execute(whole, rows)
