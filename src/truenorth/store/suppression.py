"""Erased people: none of their events comes in again."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from threading import Lock

from sqlalchemy import Connection, bindparam, select

from truenorth.events import Refused
from truenorth.store.database import Database
from truenorth.store.event_rows import CUSTOMER, OTHER_ID, Row, clean, without_statement
from truenorth.store.hashing import person_hash
from truenorth.store.tables import SUPPRESSION

_NEWER = select(SUPPRESSION.c.number, SUPPRESSION.c.hash).where(SUPPRESSION.c.number > bindparam("after"))
JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Suppression:
    """Keyed hashes of the ids of erased people.

    All of them are held in memory, about 100 bytes each; what other processes add is read before each batch.
    """

    def __init__(self, database: Database, salt: bytes) -> None:
        self._database = database
        self._salt = salt
        self._known: set[bytes] = set()
        self._up_to = 0
        self._lock = Lock()

    def add(self, connection: Connection, ids: Collection[str], now_us: int) -> None:
        """Suppress some ids from now on."""
        rows = [{"hash": person_hash(self._salt, one), "erased_us": now_us} for one in sorted(ids)]
        connection.execute(self._database.insert(SUPPRESSION).on_conflict_do_nothing(), rows)

    def has(self, connection: Connection, id: str) -> bool:  # noqa: A002  # the field's name
        """Whether an id is suppressed."""
        return self._is_in(self._refreshed(connection), id)

    def without_erased(self, connection: Connection, rows: list[Row]) -> list[Row]:
        """The events of people who were not erased; rows as `event_rows` makes them.

        An event of somebody else that states an erased id as theirs too is kept without that statement.
        """
        erased = self._refreshed(connection)
        if not erased:
            return rows
        kept = [row for row in rows if not self._is_in(erased, row[CUSTOMER])]
        return [without_statement(row) if self._is_in(erased, row[OTHER_ID]) else row for row in kept]

    def refused_without_erased(self, connection: Connection, refused: Sequence[Refused]) -> Sequence[Refused]:
        """Refused items in which no erased id stands as a JSON text."""
        erased = self._refreshed(connection) if refused else None
        if not erased:
            return refused
        return [one for one in refused if not any(self._is_in(erased, text) for text in set(json_texts(one.raw)))]

    def _is_in(self, erased: set[bytes], id: str | None) -> bool:  # noqa: A002  # the field's name
        return id is not None and person_hash(self._salt, id) in erased

    def _refreshed(self, connection: Connection) -> set[bytes]:
        rows = connection.execute(_NEWER, {"after": self._up_to}).all()
        with self._lock:
            self._known.update(bytes(row.hash) for row in rows)
            self._up_to = max([self._up_to, *(row.number for row in rows)])
            return self._known


def json_texts(raw: bytes) -> Iterator[str]:
    """Whatever stands in quotes in some bytes and is a JSON text, whether or not the whole is JSON.

    >>> list(json_texts(b'{"userId": "Zo\\\\u00eb", "n": 1, "cut o'))
    ['userId', 'Zo\xeb', 'n']
    """
    for found in JSON_TEXT.findall(raw):
        try:
            yield clean(json.loads(found.decode(errors="replace"), strict=False))
        except json.JSONDecodeError:
            continue
