"""Old events moved from the table to files, so that the table stays small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from truenorth.spec.problems import Problem
from truenorth.store.archive_files import (
    file_name,
    frame_of,
    made_folder,
    refuse_existing,
    remove_file,
    write_file,
)
from truenorth.store.database import Database, Turn
from truenorth.store.event_rows import KEY, Row
from truenorth.store.gone import GoneKeys
from truenorth.store.history import FileOfEvents, first_since
from truenorth.store.ports import StoreUnavailable
from truenorth.store.tables import ARCHIVE_FILE, DOOMED_FILE, EVENT

FILE_ROWS = 50_000
"""Events of a file: so many are moved by one transaction, for which those who append have to wait."""


class Archived(NamedTuple):
    """What was moved."""

    n_events: int
    n_files: int


class Archive:
    """Files of old events, listed in the store.

    A file counts only if it is listed. It is announced as doomed before it is written, and pardoned by the transaction
    that lists it and takes its events out of the table: after a crash at any instant an event is in one place, and a
    file that is not part of the log is known and goes away at the next opening.
    """

    def __init__(self, database: Database, gone: GoneKeys, name: str) -> None:
        self._database = database
        self._gone = gone
        self._name = name

    def move(self, before_us: int, folder: Path, on_progress: Callable[[int], object] | None = None) -> Archived:
        """Move the events up to the first one that was received at ``before_us`` or later.

        Whole stretches of the log are moved, in the order of arrival, so that files and table never overlap.
        ``on_progress`` is told how many have been moved so far. Raises `TruenorthError` where the folder cannot be
        written to, StoreFull as an append does.
        """
        folder = made_folder(folder)
        self.remove_doomed()
        last = self._last_before(before_us)
        n_events = n_files = 0
        while (n_moved := self._move_some(last, folder)) is not None:
            n_events, n_files = n_events + n_moved, n_files + (n_moved > 0)
            if on_progress is not None:
                on_progress(n_events)
        return Archived(n_events, n_files)

    def relocate(self, folder: Path) -> int:
        """Look for all files in another folder from now on; how many there are. The caller has copied them."""
        with self._database.writing(Turn.EVENTS) as connection:
            return connection.execute(update(ARCHIVE_FILE).values(folder=str(folder.resolve()))).rowcount

    def rewrite(self, connection: Connection, file: FileOfEvents, rows: Sequence[Row]) -> None:
        """Put other rows in the place of a file's, inside the caller's transaction.

        The caller has announced the file's `successor` by `doom`, and calls `remove_doomed` once all is committed.
        """
        this = ARCHIVE_FILE.c.first_position == file.first_position
        path = self.successor(file)
        if not rows:
            connection.execute(delete(ARCHIVE_FILE).where(this))
        elif not _pardoned(connection, path):
            found = "somebody else who is tidying the archive"
            problem = Problem(path=str(path), expected="its turn to write", found=found, hint="try again")
            raise StoreUnavailable(problem)
        else:
            values = {"name": path.name, "version": file.version + 1, "n_events": len(rows)}
            n_bytes = write_file(path, frame_of(rows))
            connection.execute(update(ARCHIVE_FILE).where(this).values(**values, n_bytes=n_bytes))
        connection.execute(insert(DOOMED_FILE).values(folder=file.folder, name=file.name))

    def successor(self, file: FileOfEvents) -> Path:
        """The path of the file that would take a file's place."""
        return Path(file.folder, file_name(self._name, file.first_position, file.last_position, file.version + 1))

    def doom(self, *paths: Path) -> None:
        """Announce files that will be written, and are no part of the log until they are listed."""
        for path in paths:
            refuse_existing(path)
        rows = [{"folder": str(path.parent), "name": path.name} for path in paths]
        if rows:
            with self._database.writing(Turn.EVENTS) as connection:
                connection.execute(self._database.insert(DOOMED_FILE).on_conflict_do_nothing(), rows)

    def remove_doomed(self) -> None:
        """Remove files that are no part of the log: left by a crash, or replaced."""
        with self._database.reading() as connection:
            if connection.execute(select(DOOMED_FILE.c.name).limit(1)).first() is None:
                return
        with self._database.writing(Turn.EVENTS) as connection:
            listed = set(connection.scalars(select(ARCHIVE_FILE.c.name)))
            for row in connection.execute(select(DOOMED_FILE)).all():
                if row.name not in listed:
                    remove_file(Path(row.folder, row.name))
            connection.execute(delete(DOOMED_FILE))

    def _last_before(self, before_us: int) -> int:
        with self._database.reading() as connection:
            first_kept = first_since(connection, before_us)
            newest = connection.scalar(select(func.max(EVENT.c.position))) or 0
        return newest if first_kept is None else first_kept - 1

    def _move_some(self, last: int, folder: Path) -> int | None:
        """Move the oldest events, at most one file of them; how many, or None where there are none."""
        old = select(EVENT.c.position).where(EVENT.c.position <= last).order_by(EVENT.c.position).limit(FILE_ROWS)
        with self._database.reading() as connection:
            positions = connection.scalars(old).all()
        if not positions:
            return None
        first, last = positions[0], positions[-1]
        path = folder / file_name(self._name, first, last, 0)
        self.doom(path)
        with self._database.writing(Turn.EVENTS) as connection:
            found = connection.execute(
                select(EVENT).where(EVENT.c.position.between(first, last)).order_by(EVENT.c.position)
            )
            rows = [tuple(row) for row in found]
            if not rows or not _pardoned(connection, path):
                return 0  # somebody was quicker; look again
            n_bytes = write_file(path, frame_of(rows))
            span = {"first_position": first, "last_position": last, "n_events": len(rows), "n_bytes": n_bytes}
            listed = insert(ARCHIVE_FILE).values(**span, folder=str(folder), name=path.name, version=0)
            connection.execute(listed)
            self._gone.add(connection, (row[1:][KEY] for row in rows))
            connection.execute(delete(EVENT).where(EVENT.c.position.between(first, last)))
        return len(rows)


def _pardoned(connection: Connection, path: Path) -> bool:
    """Take a file off the list of the doomed, as part of a transaction; false if it is not there any more."""
    doomed = (DOOMED_FILE.c.folder == str(path.parent)) & (DOOMED_FILE.c.name == path.name)
    return connection.execute(delete(DOOMED_FILE).where(doomed)).rowcount == 1
