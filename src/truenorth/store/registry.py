"""What people register: journeys, links, and the audit of what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, and_, bindparam, delete, insert, select, update

from truenorth.store.database import Database, Turn
from truenorth.store.rows import JourneyState, JourneyText, Link, Noted
from truenorth.store.tables import AUDIT, JOURNEY, LINK
from truenorth.store.upsert import upsert

_LIVE = select(JOURNEY).where(JOURNEY.c.state == "live")
_EVERY_LIVE = _LIVE.order_by(JOURNEY.c.name, JOURNEY.c.version)
_NEWEST_LIVE = _LIVE.where(JOURNEY.c.name == bindparam("name")).order_by(JOURNEY.c.version.desc()).limit(1)


class Journeys:
    """Published versions of journey files; none is ever overwritten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, name: str, text: str, *, state: JourneyState = "live", now_us: int) -> JourneyText:
        """The next version of a journey, from 1; the newest version as it is if its text is the same.

        A new version that is live retires the live one before it.
        """
        with self._database.writing(Turn.RESULTS) as connection:
            newest = select(JOURNEY).where(JOURNEY.c.name == name).order_by(JOURNEY.c.version.desc()).limit(1)
            last = connection.execute(newest).mappings().first()
            if last and last["text"] == text and last["state"] == state:
                return JourneyText(**last)
            version = (last["version"] if last else 0) + 1
            if state == "live":
                live = and_(JOURNEY.c.name == name, JOURNEY.c.state == "live")
                connection.execute(update(JOURNEY).where(live).values(state="retired"))
            published = JourneyText(name=name, version=version, text=text, state=state, published_us=now_us)
            connection.execute(insert(JOURNEY).values(msgspec.structs.asdict(published)))
        return published

    def set_state(self, name: str, version: int, state: JourneyState) -> bool:
        """Change the state of a version; false if there is none."""
        this = and_(JOURNEY.c.name == name, JOURNEY.c.version == version)
        with self._database.writing(Turn.RESULTS) as connection:
            return connection.execute(update(JOURNEY).where(this).values(state=state)).rowcount > 0

    def live(self) -> Sequence[JourneyText]:
        """The newest live version of each journey, by name."""
        with self._database.reading() as connection:
            newest = {row["name"]: JourneyText(**row) for row in connection.execute(_EVERY_LIVE).mappings()}
        return list(newest.values())

    def newest_live(self, name: str) -> JourneyText | None:
        """The newest live version of a journey, or None."""
        with self._database.reading() as connection:
            row = connection.execute(_NEWEST_LIVE, {"name": name}).mappings().first()
        return JourneyText(**row) if row else None

    def versions(self, name: str) -> Sequence[JourneyText]:
        """All versions of a journey, oldest first."""
        asked = select(JOURNEY).where(JOURNEY.c.name == name).order_by(JOURNEY.c.version)
        with self._database.reading() as connection:
            return [JourneyText(**row) for row in connection.execute(asked).mappings()]


class Links:
    """Addresses that links of campaigns may redirect to: no others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, link: Link) -> None:
        """Add a link, or change the one of that name."""
        with self._database.writing() as connection:
            upsert(self._database, connection, LINK, Link.__struct_fields__, [msgspec.structs.astuple(link)])

    def find(self, name: str) -> Link | None:
        """The link of a name."""
        with self._database.reading() as connection:
            row = connection.execute(select(LINK).where(LINK.c.name == name)).mappings().first()
        return Link(**row) if row else None

    def remove(self, name: str) -> bool:
        """Remove a link; false if there is none."""
        with self._database.writing() as connection:
            return connection.execute(delete(LINK).where(LINK.c.name == name)).rowcount > 0

    def all(self) -> Sequence[Link]:
        """All links by name."""
        with self._database.reading() as connection:
            return [Link(**row) for row in connection.execute(select(LINK).order_by(LINK.c.name)).mappings()]


class Audit:
    """Who did what, when. Lines are added, never changed, save that an erased person's id goes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, who: str, what: str, *, about: str | None = None, now_us: int) -> None:
        """Add a line; ``about`` is what or whom it was done to."""
        with self._database.writing() as connection:
            connection.execute(insert(AUDIT).values(time_us=now_us, who=who, what=what, about=about))

    def read(self, after: int = 0, *, limit: int = 1_000) -> Sequence[Noted]:
        """The next lines, oldest first."""
        return self._read(select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(limit))

    def read_back(self, before: int = 0, *, limit: int = 1_000) -> Sequence[Noted]:
        """The lines before one, newest first; 0 begins at the newest."""
        asked = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit)
        return self._read(asked.where(AUDIT.c.number < before) if before else asked)

    def _read(self, asked: Select[Any]) -> Sequence[Noted]:
        with self._database.reading() as connection:
            return [Noted(**row) for row in connection.execute(asked).mappings()]
