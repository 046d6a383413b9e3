"""What journeys are steered by: their file of KPIs and their file of initiatives, as people wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import and_, delete, select

from truenorth.store.console_tables import STEERING
from truenorth.store.database import Database, Turn
from truenorth.store.upsert import upsert

SteeringKind = Literal["kpis", "initiatives"]


class SteeringFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was kept: its YAML text, who kept it, and when."""

    journey: str
    kind: SteeringKind
    text: str
    by: str
    at_us: int


class SteeringFiles:
    """At most one file of each kind for a journey."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, file: SteeringFile) -> None:
        """Keep a file in the place of the one that was kept."""
        with self._database.writing(Turn.DECISIONS) as connection:
            names = SteeringFile.__struct_fields__
            upsert(self._database, connection, STEERING, names, [tuple(msgspec.structs.astuple(file))])

    def find(self, journey: str, kind: SteeringKind) -> SteeringFile | None:
        """The file of a kind."""
        return next((one for one in self.of(journey) if one.kind == kind), None)

    def of(self, journey: str) -> Sequence[SteeringFile]:
        """The files of a journey, by kind."""
        asked = select(STEERING).where(STEERING.c.journey == journey).order_by(STEERING.c.kind)
        with self._database.reading() as connection:
            return [SteeringFile(**row) for row in connection.execute(asked).mappings()]

    def remove(self, journey: str, kind: SteeringKind) -> bool:
        """Forget a file; false if there was none."""
        this = and_(STEERING.c.journey == journey, STEERING.c.kind == kind)
        with self._database.writing(Turn.DECISIONS) as connection:
            return bool(connection.execute(delete(STEERING).where(this)).rowcount)
