"""Future states of journeys: what is to become of each element, and why. A future state is its fates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import and_, delete, select

from truenorth.store.console_tables import FATE
from truenorth.store.database import Database, Turn
from truenorth.store.upsert import upsert

Fate = Literal["keep", "remove", "improve", "add"]


class FateRow(msgspec.Struct, frozen=True, kw_only=True):
    """The fate of an element (``type:Contact``, ``promise:taken_up``, ``new:Call back``), with a note."""

    journey: str
    future: str
    element: str
    fate: Fate
    note: str = ""
    by: str
    at_us: int


class Futures:
    """What people plan; nothing here is concluded from the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: FateRow) -> None:
        """Set the fate of an element; a future state begins with its first."""
        with self._database.writing(Turn.DECISIONS) as connection:
            upsert(self._database, connection, FATE, FateRow.__struct_fields__, [tuple(msgspec.structs.astuple(row))])

    def of(self, journey: str, future: str | None = None) -> Sequence[FateRow]:
        """The fates of a journey's future states, or of one, by future and element."""
        asked = select(FATE).where(FATE.c.journey == journey).order_by(FATE.c.future, FATE.c.element)
        if future is not None:
            asked = asked.where(FATE.c.future == future)
        with self._database.reading() as connection:
            return [FateRow(**row) for row in connection.execute(asked).mappings()]

    def remove(self, journey: str, future: str, element: str | None = None) -> int:
        """Forget the fate of an element, or a whole future state; how many fates there were."""
        these = and_(FATE.c.journey == journey, FATE.c.future == future)
        if element is not None:
            these = and_(these, FATE.c.element == element)
        with self._database.writing(Turn.DECISIONS) as connection:
            return connection.execute(delete(FATE).where(these)).rowcount
