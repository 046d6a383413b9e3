"""Events that have left the table of events: still duplicates when they come again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from truenorth.store.database import Database
from truenorth.store.event_rows import KEY, Row
from truenorth.store.hashing import event_hash
from truenorth.store.tables import GONE_KEY

N_AT_ONCE = 500
"""Values that one statement asks for."""


class GoneKeys:
    """Hashes of the source and id of events that are no more in the table."""

    def __init__(self, database: Database, salt: bytes) -> None:
        self._database = database
        self._salt = salt

    def add(self, connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
        """Remember sources and ids of events that leave the table."""
        rows = [{"hash": hashed} for hashed in sorted({event_hash(self._salt, *key) for key in keys})]
        if rows:
            connection.execute(self._database.insert(GONE_KEY).on_conflict_do_nothing(), rows)

    def without(self, connection: Connection, rows: list[Row]) -> list[Row]:
        """The events that have not been here before; rows as `event_rows` makes them."""
        if connection.execute(select(GONE_KEY.c.hash).limit(1)).first() is None:
            return rows
        hashes = [event_hash(self._salt, *row[KEY]) for row in rows]
        known: set[bytes] = set()
        for start in range(0, len(hashes), N_AT_ONCE):
            asked = GONE_KEY.c.hash.in_(hashes[start : start + N_AT_ONCE])
            known.update(map(bytes, connection.scalars(select(GONE_KEY.c.hash).where(asked))))
        return [row for row, hashed in zip(rows, hashes, strict=True) if hashed not in known]


def in_parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Values in lists short enough for one statement."""
    for start in range(0, len(values), N_AT_ONCE):
        yield values[start : start + N_AT_ONCE]
