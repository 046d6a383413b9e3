"""The log read page by page, wherever its events are: old ones in files, newer ones in the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import polars as pl
from sqlalchemy import Connection, Select, bindparam, select

from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.database import Database
from truenorth.store.event_rows import Row, stored
from truenorth.store.gone import N_AT_ONCE, in_parts
from truenorth.store.ports import Stored
from truenorth.store.tables import ARCHIVE_FILE, EVENT

PAGE_ROWS = 10_000
"""Events that are in memory at a time."""
N_LOOKS = 5
"""How often a page is begun again because an erasure has replaced a file meanwhile."""

T = TypeVar("T")


_NEWER = select(EVENT).where(EVENT.c.position > bindparam("after")).order_by(EVENT.c.position).limit(bindparam("limit"))
_STATING = _NEWER.where(EVENT.c.other_id.is_not(None))
_IDS_AT = select(EVENT.c.position, EVENT.c.id).where(EVENT.c.position.in_(bindparam("positions", expanding=True)))


@cache
def _newer_with(column: str) -> Select[Any]:
    return _NEWER.where(EVENT.c[column].in_(bindparam("values", expanding=True)))


class Wanted(NamedTuple):
    """Which events: the same condition for the table, as a statement that asks for them, and for files."""

    in_table: Select[Any]
    in_file: Callable[[], pl.Expr]
    values: Mapping[str, Any] = {}

    @classmethod
    def all(cls) -> Wanted:
        """Every event."""
        return cls(_NEWER, lambda: pl.lit(True))

    @classmethod
    def stating(cls) -> Wanted:
        """Those that state another id of their customer."""
        return cls(_STATING, lambda: pl.col("other_id").is_not_null())

    @classmethod
    def where(cls, column: str, values: Sequence[Any]) -> Wanted:
        """Those with one of some values in a column."""
        return cls(_newer_with(column), lambda: pl.col(column).is_in(list(values)), {"values": values})


class FileOfEvents(NamedTuple):
    """A row of the archive's list of files."""

    first_position: int
    last_position: int
    folder: str
    name: str
    version: int
    n_events: int
    n_bytes: int

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.folder, self.name)


_FILES_AFTER = (
    select(*(ARCHIVE_FILE.c[name] for name in FileOfEvents._fields))
    .where(ARCHIVE_FILE.c.last_position > bindparam("after"))
    .order_by(ARCHIVE_FILE.c.first_position)
)


class History:
    """Events by position. Each page is one state of the log; nothing is read twice or missed between pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, after: int, limit: int, wanted: Wanted) -> list[Stored]:
        """The first events that are wanted after a position."""
        return again_if_replaced(lambda: self._page(after, limit, wanted))

    def pages(self, wanted: Wanted) -> Iterator[Stored]:
        """All events that are wanted, in the order of arrival."""
        after, is_full = 0, True
        while is_full:
            page = self.page(after, PAGE_ROWS, wanted)
            yield from page
            is_full = len(page) == PAGE_ROWS
            after = page[-1].position if page else after

    def of(self, column: str, values: Sequence[Any]) -> Iterator[Stored]:
        """All events with one of some values in a column, in the order of arrival."""
        if len(values) <= N_AT_ONCE:
            yield from self.pages(Wanted.where(column, values))
            return
        parts = [self.of(column, some) for some in in_parts(values)]
        yield from merge(*parts, key=lambda found: found.position)

    def ids(self, positions: Sequence[int]) -> dict[int, str]:
        """The ids of the events at some positions."""
        found: dict[int, str] = {}
        for some in in_parts(positions):
            with self._database.reading() as connection:
                found.update((row.position, row.id) for row in connection.execute(_IDS_AT, {"positions": some}))
        archived = [position for position in positions if position not in found]
        if archived:
            found.update((place, event.id) for place, event in self.of("position", archived))
        return found

    def _page(self, after: int, limit: int, wanted: Wanted) -> list[Stored]:
        with self._database.reading() as connection:
            rows: list[Row] = []
            for file in files_after(connection, after):
                rows += rows_of_file(file, after, limit - len(rows), wanted.in_file())
                if len(rows) >= limit:
                    break
            else:
                values = {**wanted.values, "after": after, "limit": limit - len(rows)}
                rows += connection.execute(wanted.in_table, values).all()
        return [stored(row) for row in rows]


def files_after(connection: Connection, after: int = 0) -> list[FileOfEvents]:
    """The files with events after a position, in order. All their events come before those of the table."""
    return [FileOfEvents(*row) for row in connection.execute(_FILES_AFTER, {"after": after})]


def first_since(connection: Connection, received_us: int) -> int | None:
    """The first position of the table whose event was received at an instant or later, or None."""
    newer = select(EVENT.c.position).where(EVENT.c.received_us >= received_us).order_by(EVENT.c.position).limit(1)
    return connection.scalar(newer)


def rows_of_file(file: FileOfEvents, after: int, limit: int, wanted: pl.Expr) -> list[Row]:
    """The first rows that are wanted after a position; only the groups of rows that may have some are read."""
    scan = pl.scan_parquet(file.path, glob=False)
    return scan.filter((pl.col("position") > after) & wanted).head(limit).collect().rows()


def again_if_replaced(look: Callable[[], T]) -> T:
    """Look again where a file was replaced between reading the list of files and reading the file."""
    for _ in range(N_LOOKS - 1):
        try:
            return look()
        except FileNotFoundError:
            continue
    try:
        return look()
    except FileNotFoundError as error:
        hint = "put the archive's folder back where it was, or see docs/store.md on moving it"
        problem = Problem(
            path=str(error.filename or error), expected="a file of archived events", found="none", hint=hint
        )
        raise TruenorthError([problem]) from error
