"""One runner, and one foreseer, at a time on a store: who leads, and who waits to take over.

PostgreSQL: a lock of a session of its own, which ends with the session, so with the process. SQLite: a lock of the
operating system on a file beside the database, which ends with the process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from truenorth.store.database import Database

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Lead(NamedTuple):
    """What one process at a time does: its lock's number in PostgreSQL, its file's ending beside SQLite's, its name."""

    number: int
    ending: str
    name: str


RUNNER = Lead(0x7472_7565_1000, "leader", "runner")
FORESEER = Lead(0x7472_7565_1001, "foreseer", "foreseer")
STANDBY_S = 0.5
"""Between two attempts of a standby to take over."""
SILENCE_S = 5
"""PostgreSQL ends a session whose machine has not answered for about three times this long."""


class Lease(Protocol):
    """The lead, as long as it lasts."""

    def is_leading(self) -> bool:
        """Whether this process still leads. Once false, false for ever: to be asked before each step."""
        ...

    def release(self) -> None:
        """Let another one lead."""
        ...


class NoLease:
    """What one has who was stopped before it could lead."""

    def is_leading(self) -> bool:
        """Never."""
        return False

    def release(self) -> None:
        """Nothing to let go of."""


@contextmanager
def leading(
    database: Database,
    stopped: Flag,
    lead: Lead = RUNNER,
    *,
    on_standby: Callable[[], object] | None = None,
) -> Iterator[Lease]:
    """Wait until this process leads, or until stopped; the lead ends with the block.

    ``on_standby`` is called once if somebody else leads. While the database cannot be reached this raises
    StoreUnavailable: the caller tries again.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, leading(Database(f"sqlite:///{folder}/t.db"), Flag()) as lease:
    ...     lease.is_leading()
    True
    """
    lease = take_lead(database, lead)
    if lease is None and on_standby is not None:
        on_standby()
    while lease is None and not stopped.wait(STANDBY_S):
        lease = take_lead(database, lead)
    held: Lease = lease or NoLease()
    try:
        yield held
    finally:
        held.release()


def take_lead(database: Database, lead: Lead = RUNNER) -> Lease | None:
    """The lead if nobody has it. StoreUnavailable where the database cannot be reached."""
    if database.is_sqlite:
        return _FileLease.take(lock_file(database, lead))
    return _SessionLease.take(database, lead)


def has_leader(database: Database) -> bool:
    """Whether some process leads at this moment."""
    if database.is_sqlite and not lock_file(database).exists():
        return False
    lease = take_lead(database)
    if lease is None:
        return True
    lease.release()
    return False


def lock_file(database: Database, lead: Lead = RUNNER) -> Path:
    """The file whose lock is the lead on a SQLite store.

    >>> lock_file(Database("sqlite:////var/lib/truenorth.db"))
    PosixPath('/var/lib/truenorth.db.leader')
    """
    assert database.path is not None
    return Path(f"{database.path}.{lead.ending}")


class _SessionLease:
    """An advisory lock of a session: nobody has to give it back, the server takes it when the session ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection

    @classmethod
    def take(cls, database: Database, lead: Lead) -> _SessionLease | None:
        with database.failures_explained():
            connection = database.lone_connection()
            try:
                for name in ("tcp_keepalives_idle", "tcp_keepalives_interval"):
                    connection.execute(text(f"set {name} = {SILENCE_S}"))
                connection.execute(text("set tcp_keepalives_count = 2"))
                connection.execute(text("set idle_session_timeout = 0"))
                if connection.scalar(text("select pg_try_advisory_lock(:leader)"), {"leader": lead.number}):
                    return cls(connection)
            except BaseException:
                connection.close()
                raise
            connection.close()
        return None

    def is_leading(self) -> bool:
        """Asks the server: a session that it has ended holds no lock."""
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("select 1"))
        except SQLAlchemyError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """End the session."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()


class _FileLease:
    """A lock on a file. Should somebody remove the file, the lock on it means nothing any more."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file: int | None = file

    @classmethod
    def take(cls, path: Path) -> _FileLease | None:
        if fcntl is None:
            raise NotImplementedError("a runner on SQLite needs a system with flock; use PostgreSQL on this one")
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        lease = cls(path, file)
        if not lease.is_leading():  # the file was removed between the two calls
            return None
        os.ftruncate(file, 0)
        os.pwrite(file, b"process %d leads\n" % os.getpid(), 0)
        return lease

    def is_leading(self) -> bool:
        """Whether the file that is locked is still the one at its path."""
        if self._file is None:
            return False
        try:
            is_there = os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            is_there = False
        if not is_there:
            self.release()
        return is_there

    def release(self) -> None:
        """Unlock; the file stays, so that its lock is always the same one."""
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)
