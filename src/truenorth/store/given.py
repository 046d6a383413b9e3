"""Events of promises that were given in one line, and what answers them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from truenorth.store.database import Database
from truenorth.store.event_rows import clean, stored
from truenorth.store.ports import Stored
from truenorth.store.tables import EVENT

SOURCE = "given word"
"""The source of the events that tell of given promises."""


class Given:
    """Looks in the table of events: what is archived is long settled."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, position: int, *, limit: int) -> list[Stored]:
        """The next events of given promises after a position, in the order of arrival."""
        theirs = select(EVENT).where(EVENT.c.source == SOURCE, EVENT.c.position > position)
        with self._database.reading() as connection:
            return [stored(row) for row in connection.execute(theirs.order_by(EVENT.c.position).limit(limit)).all()]

    def first_of(self, customers: Sequence[str], kind: str, since_us: int, until_us: int) -> int | None:
        """When a customer first had an event of a type in a time, both ends included; None where they had none."""
        theirs = EVENT.c.customer.in_([clean(one) for one in customers])
        asked = select(func.min(EVENT.c.time_us)).where(
            theirs, EVENT.c.type == kind, EVENT.c.time_us.between(since_us, until_us)
        )
        with self._database.reading() as connection:
            found: int | None = connection.scalar(asked)
        return found
