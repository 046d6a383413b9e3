"""What was learnt of actions, by journey and version; it holds coefficients and nothing about anybody."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import and_, bindparam, func, insert, select

from truenorth.store.acting_tables import EFFECTS
from truenorth.store.database import Database, Turn

_NEWEST = select(func.max(EFFECTS.c.number)).where(EFFECTS.c.journey == bindparam("journey"))


class EffectsRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version of what was learnt of a journey's actions; ``number`` counts from 1."""

    journey: str
    number: int
    learnt_us: int
    n_decisions: int

    @property
    def version(self) -> str:
        """What decisions call it."""
        return version_of(self.number)


def version_of(number: int) -> str:
    """What decisions call a version.

    >>> version_of(3)
    'learnt/3'
    """
    return f"learnt/{number}"


class EffectVersions:
    """All versions. None is ever changed: decisions name them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, journey: str, blob: bytes, *, n_decisions: int, now_us: int) -> EffectsRow:
        """Keep a new version."""
        with self._database.writing(Turn.DECISIONS) as connection:
            number = int(connection.scalar(_NEWEST, {"journey": journey}) or 0) + 1
            row = EffectsRow(journey=journey, number=number, learnt_us=now_us, n_decisions=n_decisions)
            connection.execute(insert(EFFECTS).values(**msgspec.structs.asdict(row), blob=blob))
        return row

    def newest_number(self, journey: str) -> int | None:
        """The number of the newest version; None where nothing was learnt."""
        with self._database.reading() as connection:
            found = connection.scalar(_NEWEST, {"journey": journey})
        return None if found is None else int(found)

    def read(self, journey: str, number: int) -> bytes:
        """The bytes of a version; `KeyError` where there is none."""
        this = and_(EFFECTS.c.journey == journey, EFFECTS.c.number == number)
        with self._database.reading() as connection:
            found = connection.scalar(select(EFFECTS.c.blob).where(this))
        if found is None:
            raise KeyError((journey, number))
        return bytes(found)

    def versions(self, journey: str) -> Sequence[EffectsRow]:
        """All versions of a journey, oldest first."""
        columns = [EFFECTS.c[name] for name in EffectsRow.__struct_fields__]
        asked = select(*columns).where(EFFECTS.c.journey == journey).order_by(EFFECTS.c.number)
        with self._database.reading() as connection:
            return [EffectsRow(**row) for row in connection.execute(asked).mappings()]
