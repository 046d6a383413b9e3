"""The event log: what arrived, once each, in the order of arrival."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from truenorth.events import Event, Refused
from truenorth.store.database import Database, Turn
from truenorth.store.event_rows import FIELDS, clean, rows_of
from truenorth.store.gone import GoneKeys
from truenorth.store.history import History, Wanted
from truenorth.store.ports import Appended, Arrived, Stored
from truenorth.store.suppression import Suppression
from truenorth.store.tables import ARRIVED, EVENT, REFUSED
from truenorth.store.upsert import insert_all

_LAST_POSITION = select(func.max(EVENT.c.position))


class SqlEventLog:
    """The `EventLog` of a database. Appending transactions follow one another, so positions become visible in order."""

    def __init__(self, database: Database, suppression: Suppression, gone: GoneKeys) -> None:
        self._database = database
        self._suppression = suppression
        self._gone = gone
        self._history = History(database)

    def append(self, events: Sequence[Event], refused: Sequence[Refused] = ()) -> Appended:
        """Add a batch in one transaction; a second ``(source, id)`` changes nothing.

        The batch is on disk when this returns. StoreFull if it cannot be kept: then nothing of it is.
        """
        rows = rows_of(events)
        with self._database.writing(Turn.EVENTS) as connection:
            of_others = self._suppression.without_erased(connection, rows)
            fresh = self._gone.without(connection, of_others)
            n_new = insert_all(self._database, connection, EVENT, FIELDS, fresh)
            kept = self._suppression.refused_without_erased(connection, refused)
            if kept:
                connection.execute(insert(REFUSED), [_refused_row(one) for one in kept])
            n_suppressed = len(rows) - len(of_others) + len(refused) - len(kept)
            appended = Appended(n_new, len(of_others) - n_new, n_suppressed)
            self._count(connection, appended, len(kept))
        return appended

    def arrived(self) -> Arrived:
        """What has ever arrived beside events."""
        with self._database.reading() as connection:
            found = dict(connection.execute(select(ARRIVED.c.what, ARRIVED.c.n)).all())
        return Arrived(*(found.get(what, 0) for what in Arrived._fields))

    def read(self, after: int = 0, *, limit: int = 10_000) -> Sequence[Stored]:
        """The next events in the order of arrival; archived ones too."""
        return self._history.page(after, limit, Wanted.all())

    def refused(self, after: int = 0, *, limit: int = 1_000) -> Sequence[tuple[int, Refused]]:
        """What could not be an event, in the order of arrival."""
        newer = select(REFUSED).where(REFUSED.c.number > after).order_by(REFUSED.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(newer).mappings().all()
        fields = Refused.__struct_fields__
        return [(row["number"], Refused(**{name: row[name] for name in fields})) for row in rows]

    def dismiss(self, number: int) -> bool:
        """Forget something refused, once it is an event or needs to be none; false if there is nothing of it."""
        with self._database.writing(Turn.EVENTS) as connection:
            return connection.execute(delete(REFUSED).where(REFUSED.c.number == number)).rowcount > 0

    def of_customers(self, ids: Sequence[str]) -> Iterator[Stored]:
        """All events of some ids in the order of arrival; archived ones too."""
        return self._history.of("customer", sorted(map(clean, set(ids))))

    def at(self, positions: Sequence[int]) -> Iterator[Stored]:
        """The events at some positions in the order of arrival; archived ones too, none where there is none."""
        return self._history.of("position", sorted(set(positions)))

    def ids_at(self, positions: Sequence[int]) -> dict[int, str]:
        """The ids of the events at some positions, those that there are."""
        return self._history.ids(sorted(set(positions)))

    def statements(self, after: int = 0, *, limit: int = 10_000) -> Sequence[Stored]:
        """The next events that state another id of their customer, in the order of arrival."""
        return self._history.page(after, limit, Wanted.stating())

    def _count(self, connection: Connection, appended: Appended, n_refused: int) -> None:
        counted = zip(Arrived._fields, (appended.n_duplicates, appended.n_suppressed, n_refused), strict=True)
        rows = [{"what": what, "n": n} for what, n in counted if n]
        if rows:
            new = self._database.insert(ARRIVED)
            connection.execute(
                new.on_conflict_do_update(index_elements=["what"], set_={"n": ARRIVED.c.n + new.excluded.n}), rows
            )

    def last_position(self) -> int:
        """The position of the newest event in the table, 0 where there is none."""
        with self._database.reading() as connection:
            return connection.scalar(_LAST_POSITION) or 0


def _refused_row(refused: Refused) -> dict[str, Any]:
    row = msgspec.structs.asdict(refused)
    return {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}
