"""Events taken out of the log for good, and the end of what is too old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl
from sqlalchemy import Connection, delete, or_, select

from truenorth.store.archive import Archive
from truenorth.store.database import Database, Turn
from truenorth.store.gone import GoneKeys, in_parts
from truenorth.store.history import files_after, first_since
from truenorth.store.tables import (
    CASE_EVENT,
    CASE_ROW,
    EVENT,
    OUTBOX,
    PROGRESS,
    PROMISE_ROW,
    REFUSED,
    RISK,
    RISK_PAST,
    SIGNAL,
)

KEPT_NAMES = ("position", "source", "id", "customer", "case")
"""What has to be known of an event to forget it."""


class Forgotten(NamedTuple):
    """What was too old: events (archived ones too), refused items, judged cases, signals."""

    n_events: int
    n_refused: int
    n_cases: int
    n_signals: int


class Retention:
    """The end of what is older than it may become."""

    def __init__(self, database: Database, archive: Archive, gone: GoneKeys) -> None:
        self._database = database
        self._archive = archive
        self._gone = gone

    def forget(self, before_us: int) -> Forgotten:
        """Remove what arrived before an instant, and cases that were closed and signals that were given before it.

        Events go in the order of arrival, up to the first one received at ``before_us`` or later. They stay known as
        duplicates. A case that is older than what is kept cannot be judged anew when a late event comes.
        """
        self._archive.remove_doomed()
        with self._database.reading() as connection:
            files = files_after(connection)
        self._archive.doom(*map(self._archive.successor, files))
        with self._database.writing(Turn.EVENTS, Turn.RESULTS) as connection:
            n_archived, all_old = self._forget_archived(connection, before_us)
            n_events = self._forget_in_table(connection, before_us) if all_old else 0
            n_refused = connection.execute(delete(REFUSED).where(REFUSED.c.received_us < before_us)).rowcount
            forgotten = Forgotten(n_archived + n_events, n_refused, *_forget_results(connection, before_us))
        self._archive.remove_doomed()
        return forgotten

    def _forget_archived(self, connection: Connection, before_us: int) -> tuple[int, bool]:
        """How many events of files, and whether every archived event was too old."""
        n_events = 0
        for file in files_after(connection):
            frame = pl.read_parquet(file.path, glob=False)
            first_kept = frame.filter(pl.col("received_us") >= before_us)["position"].min()
            old = frame if first_kept is None else frame.filter(pl.col("position") < first_kept)
            if old.height:
                forget_keys(connection, self._gone, old.select(*KEPT_NAMES).rows())
                self._archive.rewrite(connection, file, frame.slice(old.height).rows())
            n_events += old.height
            if first_kept is not None:
                return n_events, False
        return n_events, True

    def _forget_in_table(self, connection: Connection, before_us: int) -> int:
        first_kept = first_since(connection, before_us)
        old = select(EVENT.c.position).order_by(EVENT.c.position)
        if first_kept is not None:
            old = old.where(EVENT.c.position < first_kept)
        return forget_events(connection, self._gone, connection.scalars(old).all())


def forget_events(connection: Connection, gone: GoneKeys, positions: Sequence[int]) -> int:
    """Take events out of the table, and remember that they have been there; how many."""
    for some in in_parts(positions):
        these = EVENT.c.position.in_(some)
        rows = connection.execute(select(*(EVENT.c[name] for name in KEPT_NAMES)).where(these)).all()
        forget_keys(connection, gone, rows)
        connection.execute(delete(EVENT).where(these))
    return len(positions)


def forget_keys(connection: Connection, gone: GoneKeys, rows: Sequence[Sequence[Any]]) -> None:
    """Remember that some events have been there, and forget which case each belonged to; rows of `KEPT_NAMES`."""
    gone.add(connection, [(source, id) for _, source, id, _, _ in rows])  # noqa: A001  # the field's name
    keys = [(key, position) for position, _, _, customer, case in rows for key in (customer, case) if key is not None]
    for journey in connection.scalars(select(PROGRESS.c.journey)).all():
        for some in in_parts(keys):
            these = or_(*((CASE_EVENT.c.key == key) & (CASE_EVENT.c.position == position) for key, position in some))
            connection.execute(delete(CASE_EVENT).where(CASE_EVENT.c.journey == journey, these))


def _forget_results(connection: Connection, before_us: int) -> tuple[int, int]:
    """How many cases and signals."""
    of_case = (PROMISE_ROW.c.journey == CASE_ROW.c.journey) & (PROMISE_ROW.c.case == CASE_ROW.c.case)
    closed = CASE_ROW.c.closed_us < before_us
    connection.execute(delete(PROMISE_ROW).where(select(CASE_ROW.c.case).where(of_case, closed).exists()))
    for table in (RISK, RISK_PAST):
        same = (table.c.journey == CASE_ROW.c.journey) & (table.c.case == CASE_ROW.c.case)
        connection.execute(delete(table).where(select(CASE_ROW.c.case).where(same, closed).exists()))
    n_cases = connection.execute(delete(CASE_ROW).where(closed)).rowcount
    old = SIGNAL.c.time_us < before_us
    connection.execute(delete(OUTBOX).where(OUTBOX.c.signal.in_(select(SIGNAL.c.number).where(old))))
    return n_cases, connection.execute(delete(SIGNAL).where(old)).rowcount
