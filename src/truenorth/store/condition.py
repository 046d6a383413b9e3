"""Facts about a store that tell whether it is well: read only, and quick on a large one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select, text

from truenorth.store.database import Database
from truenorth.store.history import files_after
from truenorth.store.tables import ARCHIVE_FILE, EVENT, REFUSED

SQLITE_DURABLE = {"journal_mode": "wal", "synchronous": "2"}
POSTGRES_DURABLE = {"fsync": "on", "full_page_writes": "on"}
"""What has to be set so that what was acknowledged survives a power cut."""


class Recent(NamedTuple):
    """The newest arrivals: events, and what was refused since the first of them. ``newest_us``: the last arrival."""

    n_events: int
    n_refused: int
    newest_us: int | None


class Condition:
    """What there is to know about the state of a database that has its tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def clock_us(self) -> int | None:
        """The database's clock; None where it has none of its own (SQLite)."""
        if self._database.is_sqlite:
            return None
        with self._database.reading() as connection:
            asked = text("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
            return int(connection.scalar(asked) or 0)

    def unsafe_settings(self) -> dict[str, str]:
        """The settings on which durability depends and that are not as they have to be."""
        wanted = SQLITE_DURABLE if self._database.is_sqlite else POSTGRES_DURABLE
        show = "pragma" if self._database.is_sqlite else "show"
        found = self._database.run_alone(*(f"{show} {name}" for name in wanted))
        values = {name: str(row[0]) for name, row in zip(wanted, found, strict=True)}
        return {name: value for name, value in values.items() if value != wanted[name]}

    def n_bytes(self) -> int:
        """The size of the database."""
        if self._database.path is not None:
            return Path(self._database.path).stat().st_size
        with self._database.reading() as connection:
            return int(connection.scalar(text("select pg_database_size(current_database())")) or 0)

    def archive_files(self) -> list[tuple[Path, int]]:
        """The path of every file of archived events, and the size in bytes that it should have."""
        with self._database.reading() as connection:
            sized = select(ARCHIVE_FILE.c.first_position, ARCHIVE_FILE.c.n_bytes)
            sizes = {row.first_position: row.n_bytes for row in connection.execute(sized)}
            return [(Path(file.path), sizes[file.first_position]) for file in files_after(connection)]

    def recent(self, n_events: int) -> Recent:
        """The newest events of the table, at most so many, and what was refused meanwhile."""
        newest = select(EVENT.c.received_us).order_by(EVENT.c.position.desc()).limit(n_events).subquery()
        spans = select(func.count(), func.min(newest.c.received_us), func.max(newest.c.received_us))
        with self._database.reading() as connection:
            n_found, first_us, last_us = connection.execute(spans).one()
            since = select(func.count()).select_from(REFUSED).where(REFUSED.c.received_us >= (first_us or 0))
            return Recent(n_found, connection.scalar(since) or 0, last_us)

    def n_after(self, position: int) -> int:
        """How many events came after a position, archived ones too; positions have gaps, and say only how many at most.

        Of a file that the position lies in, the events are not counted one by one: it is taken to end with them.
        """
        in_table = select(func.count()).select_from(EVENT).where(EVENT.c.position > position)
        in_files = select(ARCHIVE_FILE.c.n_events, ARCHIVE_FILE.c.last_position)
        with self._database.reading() as connection:
            files = connection.execute(in_files.where(ARCHIVE_FILE.c.last_position > position)).all()
            n_archived: int = sum(min(file.n_events, file.last_position - position) for file in files)
            return int(connection.scalar(in_table) or 0) + n_archived
