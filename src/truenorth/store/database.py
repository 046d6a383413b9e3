"""One database behind a URL: connections, transactions, and what their failures mean."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from enum import IntEnum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import ConnectionPoolEntry

from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.in_turn import InTurn
from truenorth.store.ports import StoreFull, StoreUnavailable

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another before it gives up."""
SQLITE_CACHE_KIB = 64 * 1024
"""Pages of SQLite kept in memory a connection: the index of events by source and id is met at random places."""
SQLITE_LOG_PAGES = 50_000
"""Pages of the write-ahead log (200 MB) before a commit moves them into the file, if nobody has done so before."""
FORMS = "'sqlite:///truenorth.db' or 'postgresql://user@host/database'"

Insert = postgresql.Insert | sqlite.Insert


class Turn(IntEnum):
    """What is written by one transaction at a time, by the number of its lock in PostgreSQL."""

    SCHEMA = 0x7472_7565_0000
    EVENTS = 0x7472_7565_0001
    RESULTS = 0x7472_7565_0002
    DECISIONS = 0x7472_7565_0003


PASSWORDS = (re.compile(r"(://[^:/@]*:)[^@]*(?=@)"), re.compile(r"([?&][a-z]*password=)[^&]*"))
"""Where a URL has one: before the host, or among its options."""


def without_passwords(url: str) -> str:
    """A database's URL as it was typed, for people to read.

    >>> without_passwords("postgresql://ann:secret@/tn?host=/run/pg&sslpassword=x"), without_passwords("sqlite:///a.db")
    ('postgresql://ann:***@/tn?host=/run/pg&sslpassword=***', 'sqlite:///a.db')
    """
    for password in PASSWORDS:
        url = password.sub(r"\1***", url)
    return url


class Database:
    """Connections to one database; safe to use from any number of threads.

    Reading transactions see one state of the database from beginning to end. Writing ones of the same `Turn` follow one
    another: what the first wrote is visible before the next begins to write.
    """

    def __init__(self, url: str, *, is_durable: bool = True) -> None:
        """``is_durable``: what is written outlives the machine's sudden end; else, with SQLite, only the process's."""
        parsed = _parsed(url)
        self.name = without_passwords(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.path = parsed.database if self.is_sqlite else None
        self._engine = _sqlite_engine(parsed, is_durable) if self.is_sqlite else _postgres_engine(parsed, self.name)
        reading: dict[str, Any] = {"begin": "BEGIN"} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reads = self._engine.execution_options(**reading)
        writing: dict[str, Any] = (
            {"begin": "BEGIN IMMEDIATE"} if self.is_sqlite else {"isolation_level": "READ COMMITTED"}
        )
        self._writes = self._engine.execution_options(**writing)
        self._turns = InTurn(f"{self.path}-turn") if self.is_sqlite else None
        self._one_writer: AbstractContextManager[object] = self._turns or nullcontext()
        self._look: ContextVar[Connection | None] = ContextVar("look", default=None)

    def make_file(self) -> None:
        """SQLite: make the file, for its owner's eyes only, unless it is there."""
        if self.path is not None:
            with suppress(OSError):  # SQLite itself says best why a file cannot be had
                Path(self.path).touch(mode=0o600)

    def insert(self, table: Table) -> Insert:
        """An insert that can say what to do about a row that is there already."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database; StoreUnavailable if there is no connection.

        Within `one_look` it is that one.
        """
        look = self._look.get()
        if look is not None:
            yield look
            return
        with self.failures_explained(), self._reads.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """All that is read in the block, by this thread, is of one state of the database and one transaction.

        Nothing that is written meanwhile is seen in it. Archived events are not to be read in it: their files may be
        replaced.
        """
        with self.reading() as connection:
            before = self._look.set(connection)
            try:
                yield
            finally:
                self._look.reset(before)

    @contextmanager
    def writing(self, *turns: Turn) -> Iterator[Connection]:
        """A transaction that is kept whole, on disk when the block is left, or not at all.

        StoreFull if the disk is, StoreUnavailable if others hold the database too long or it cannot be reached. If the
        connection breaks during the commit itself nobody knows which of the two happened: write again what can be
        written twice.
        """
        with self.failures_explained(), self._one_writer, self._writes.connect() as connection, connection.begin():
            if not self.is_sqlite:
                for turn in sorted(turns):
                    connection.execute(text("select pg_advisory_xact_lock(:turn)"), {"turn": int(turn)})
            yield connection

    def run_alone(self, *statements: str) -> list[tuple[Any, ...]]:
        """Statements that allow no transaction around them; the first row of each."""
        rows: list[tuple[Any, ...]] = []
        with self.failures_explained(), self._one_writer:
            engine = self._engine.execution_options(begin=None, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                for statement in statements:
                    answer = connection.exec_driver_sql(statement)
                    rows.append(tuple(answer.first() or ()) if answer.returns_rows else ())
        return rows

    def lone_connection(self) -> Connection:
        """PostgreSQL: a connection of its own session, in no transaction; closing it ends the session.

        To be used within `failures_explained`.
        """
        connection = self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        connection.detach()
        return connection

    def checkpoint(self) -> None:
        """SQLite: move the write-ahead log into the file while others write on; to be called every second or so.

        Otherwise a commit does it once the log has `SQLITE_LOG_PAGES`, and all writers wait for tenths of a second.
        """
        if not self.is_sqlite:
            return
        with self.failures_explained():
            engine = self._engine.execution_options(begin=None, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                _, n_pages, _ = connection.exec_driver_sql("pragma wal_checkpoint(passive)").one()
        if n_pages > SQLITE_LOG_PAGES // 2:  # it has begun anew too seldom, for want of an instant without writers
            self.run_alone("pragma wal_checkpoint(restart)")

    def rewrite_file(self) -> None:
        """SQLite: write the file anew, without the remains of what was deleted, and empty the write-ahead log.

        StoreUnavailable if somebody reads on and on meanwhile.
        """
        _, (busy, *_) = self.run_alone("vacuum", "pragma wal_checkpoint(truncate)")
        if busy:
            hint = "a long reading transaction is in the way; try again"
            problem = Problem(path=self.name, expected="its turn to empty the log", found="readers", hint=hint)
            raise StoreUnavailable(problem)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._engine.dispose()
        if self._turns is not None:
            self._turns.close()

    @contextmanager
    def failures_explained(self) -> Iterator[None]:
        """What the driver raises in the block as StoreFull or StoreUnavailable, where it means that."""
        try:
            yield
        except (DBAPIError, NoConnectionFree) as error:
            raise _explained(self.name, error) or error from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _bad_url("something else") from None  # what was found may hold a password
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise _bad_url(f"one that begins with {parsed.drivername!r}")
    if parsed.database in {None, "", ":memory:"} or parsed.host:
        raise _bad_url("no path of a file: three slashes before a relative path, four before an absolute one")
    return parsed


def _bad_url(found: str) -> TruenorthError:
    return TruenorthError([Problem(path="database URL", expected=FORMS, found=found, hint="see docs/store.md")])


def _sqlite_engine(url: URL, is_durable: bool) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins no transactions: `begin` below does
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {'FULL' if is_durable else 'OFF'}",
            f"wal_autocheckpoint = {SQLITE_LOG_PAGES}",
            "secure_delete = ON",
            "foreign_keys = ON",
            f"cache_size = -{SQLITE_CACHE_KIB}",
        ):
            connection.execute(f"pragma {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        how = connection.get_execution_options().get("begin", "BEGIN")
        if how:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            try:
                driver.execute(how).close()  # `exec_driver_sql` takes ten times as long
            except sqlite3.OperationalError as error:
                raise OperationalError(how, None, error) from error

    return engine


def _postgres_engine(url: URL, name: str) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args={"application_name": "truenorth"}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: ConnectionPoolEntry) -> None:
        with connection.cursor() as cursor:
            encoding = cursor.execute("show server_encoding").fetchone()[0]
            if encoding != "UTF8":
                hint = "make one: create database ... encoding 'UTF8' template template0"
                problem = Problem(path=name, expected="a database with the encoding UTF8", found=encoding, hint=hint)
                raise TruenorthError([problem])
            cursor.execute(f"set lock_timeout = {BUSY_TIMEOUT_MS}")
            cursor.execute(
                "select set_config('synchronous_commit', 'on', false)"
                " where current_setting('synchronous_commit') = 'off'"
            )
        connection.commit()

    return engine


def _explained(name: str, error: SQLAlchemyError) -> Exception | None:
    """What a failure means to somebody who runs the service, or None where it is a mistake of ours."""
    found = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if _sqlite_code(error) in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        hint = "name another file, or restore it from a backup"
        return TruenorthError([Problem(path=name, expected="a whole SQLite database", found=found, hint=hint)])
    for applies, kind, expected, hint in _FAILURES:
        if applies(error):
            return kind(Problem(path=name, expected=expected, found=found, hint=hint))
    return None


def _sqlite_code(error: SQLAlchemyError) -> int:
    return int(getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)) & 0xFF


def _sqlstate(error: SQLAlchemyError) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _is_full(error: SQLAlchemyError) -> bool:
    return _sqlite_code(error) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR} or _sqlstate(error).startswith("53")


def _is_read_only(error: SQLAlchemyError) -> bool:
    return _sqlite_code(error) == sqlite3.SQLITE_READONLY or _sqlstate(error) == "25006"


def _is_busy(error: SQLAlchemyError) -> bool:
    busy = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return _sqlite_code(error) in busy or _sqlstate(error) in {"55P03", "40001", "40P01"}


def _cannot_be_opened(error: SQLAlchemyError) -> bool:
    return _sqlite_code(error) == sqlite3.SQLITE_CANTOPEN


def _is_away(error: SQLAlchemyError) -> bool:
    if isinstance(error, NoConnectionFree):
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    unanswered = (
        isinstance(error, OperationalError) and not isinstance(error.orig, sqlite3.Error) and not _sqlstate(error)
    )
    return lost or unanswered or _sqlstate(error)[:2] in {"08", "57", "28", "3D"}


_FAILURES: tuple[tuple[Callable[[SQLAlchemyError], bool], type[StoreFull], str, str], ...] = (
    (_is_full, StoreFull, "room to write", "make room on its disk; nothing of this was kept, so send it again"),
    (_is_read_only, StoreFull, "a database that can be written to", "check the rights of its file and folder"),
    (_is_busy, StoreUnavailable, "its turn to write", "another process holds the database; try again"),
    (_cannot_be_opened, StoreUnavailable, "a file in a folder that exists", "make its folder, or check who may use it"),
    (_is_away, StoreUnavailable, "a database that answers", "check that it runs and can be reached; then try again"),
)
