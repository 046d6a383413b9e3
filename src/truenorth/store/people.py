"""The rights of people: what is held about somebody, and its erasure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.acting_tables import DECISION
from truenorth.store.archive import Archive
from truenorth.store.belongings import (
    Person,
    cases_judged,
    derived_rows,
    person_of,
    positions_in_table,
    refused_numbers,
)
from truenorth.store.database import Database, Turn
from truenorth.store.event_rows import clean
from truenorth.store.forget import KEPT_NAMES, forget_events, forget_keys
from truenorth.store.gone import GoneKeys, in_parts
from truenorth.store.history import FileOfEvents, again_if_replaced, files_after
from truenorth.store.pseudonyms import decisions_about, make_pseudonymous
from truenorth.store.suppression import Suppression
from truenorth.store.tables import (
    AUDIT,
    CASE_ROW,
    EVENT,
    OUTBOX,
    PROGRESS,
    PROMISE_ROW,
    RECEIPT,
    REFUSED,
    RISK,
    RISK_PAST,
    SIGNAL,
    SNAPSHOT,
)

MAX_IDS = 10_000
"""Ids of one person that one erasure or export takes."""
KEPT_PROGRESS = {"journey", "watermark_us", "told"}
"""What a journey's progress keeps when it has to begin anew: its counts and its position do not."""
ERASED = "(erased)"
"""What stands in the audit instead of an id."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that was done. It names no id.

    ``counts`` says how many rows of each table were removed (``statements``: how many events of others lost what they
    said about these ids; ``decision``: how many go on without the person). ``scrubbed_us`` is the instant from which no
    trace is left in SQLite's files; null as long as `scrub` has not run.
    """

    number: int
    erased_us: int
    asked_by: str
    n_ids: int
    counts: dict[str, int]
    scrubbed_us: int | None = None


class People:
    """What is held about a person, given all their ids, and how it goes."""

    def __init__(self, database: Database, archive: Archive, gone: GoneKeys, suppression: Suppression) -> None:
        self._database = database
        self._archive = archive
        self._gone = gone
        self._suppression = suppression

    def everything_about(self, ids: Collection[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Every row about a person by table, archived events among ``event``; JSON is decoded. Sorted by key.

        Also events of others that state one of the ids. Raises `TruenorthError` for no ids or too many.
        """
        _check(ids)
        return again_if_replaced(lambda: self._everything_about(ids))

    def _everything_about(self, ids: Collection[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        with self._database.reading() as connection:
            person = person_of(connection, ids)
            stated = EVENT.c.other_id.in_(person.ids)
            stating = connection.scalars(select(EVENT.c.position).where(stated)).all()
            positions = sorted({*positions_in_table(connection, person), *stating})
            events: list[dict[str, Any]] = []
            for file in files_after(connection):
                events += _rows_of(file, person)
            events += _rows(connection, EVENT, "position", positions)
            refused = _rows(connection, REFUSED, "number", refused_numbers(connection, person))
            derived = derived_rows(connection, person)
            decisions = _decisions(connection, person)
        found: dict[str, Sequence[Mapping[str, Any]]] = {EVENT.name: events, REFUSED.name: refused, **derived}
        found[DECISION.name] = decisions
        return {table: [_readable(row) for row in rows] for table, rows in found.items()}

    def was_erased(self, id: str) -> bool:  # noqa: A002  # the field's name
        """Whether an id is one of somebody who was erased: it should not be written down again."""
        with self._database.reading() as connection:
            return self._suppression.has(connection, clean(id))

    def erase(self, ids: Collection[str], *, asked_by: str, now_us: int, scrub: bool = True) -> Receipt:
        """Remove everything about a person, for good; nothing of these ids comes in again.

        One transaction removes rows, replaces archived files, suppresses the ids and writes the receipt. Snapshots of
        all journeys go and their progress begins anew, with the watermark kept. With ``scrub``, `scrub` follows;
        without, somebody calls it later. Raises `TruenorthError` for no ids or too many.
        """
        _check(ids)
        self._archive.remove_doomed()
        with self._database.reading() as connection:
            files = files_after(connection)
        self._archive.doom(*map(self._archive.successor, files))
        with self._database.writing(Turn.EVENTS, Turn.RESULTS) as connection:
            person = person_of(connection, ids)
            self._suppression.add(connection, person.ids, now_us)
            counts = self._erase_events(connection, person) | _erase_derived(connection, person)
            values = {"erased_us": now_us, "asked_by": asked_by, "n_ids": len(person.ids)}
            written = (
                insert(RECEIPT)
                .values(**values, counts=msgspec.json.encode(counts).decode())
                .returning(RECEIPT.c.number)
            )
            number = connection.execute(written).scalar_one()
        self._archive.remove_doomed()
        if scrub:
            self.scrub(now_us)
        return next(receipt for receipt in self.receipts(number - 1) if receipt.number == number)

    def receipts(self, after: int = 0, *, limit: int = 1_000) -> Sequence[Receipt]:
        """Erasures that were done, oldest first."""
        newer = select(RECEIPT).where(RECEIPT.c.number > after).order_by(RECEIPT.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(newer).mappings().all()
        return [Receipt(**{**row, "counts": msgspec.json.decode(row["counts"], type=dict[str, int])}) for row in rows]

    def scrub(self, now_us: int) -> None:
        """Leave no trace of what was erased in the database's own files, and note it on the receipts.

        SQLite: the file is written anew without its free space, and the write-ahead log is emptied; others wait
        meanwhile. PostgreSQL: dead rows are vacuumed; their bytes are written over when their pages are used again.
        """
        with self._database.reading() as connection:
            last = connection.scalar(select(func.max(RECEIPT.c.number)).where(RECEIPT.c.scrubbed_us.is_(None)))
        if last is None:
            return
        if self._database.is_sqlite:
            self._database.rewrite_file()
        else:
            self._database.run_alone("vacuum")
        with self._database.writing() as connection:
            open_ones = (RECEIPT.c.number <= last) & RECEIPT.c.scrubbed_us.is_(None)
            connection.execute(update(RECEIPT).where(open_ones).values(scrubbed_us=now_us))

    def _erase_events(self, connection: Connection, person: Person) -> dict[str, int]:
        n_events = forget_events(connection, self._gone, positions_in_table(connection, person))
        stated = EVENT.c.other_id.in_(person.ids)
        n_silenced = connection.execute(update(EVENT).where(stated).values(other_id=None, other_kind=None)).rowcount
        n_archived = 0
        for file in files_after(connection):
            flags = (
                pl.scan_parquet(file.path, glob=False).select(owned=person.owned(), stated=person.stated()).collect()
            )
            if not (flags["owned"] | flags["stated"]).any():
                continue
            frame = pl.read_parquet(file.path, glob=False)
            forget_keys(connection, self._gone, frame.filter(flags["owned"]).select(*KEPT_NAMES).rows())
            silent = pl.when(~person.stated()).then(pl.col("other_id", "other_kind"))
            self._archive.rewrite(connection, file, frame.with_columns(silent).filter(~flags["owned"]).rows())
            n_archived += int(flags["owned"].sum())
            n_silenced += int((flags["stated"] & ~flags["owned"]).sum())
        return {"event": n_events, "archived_event": n_archived, "statements": n_silenced}


def _erase_derived(connection: Connection, person: Person) -> dict[str, int]:
    found = derived_rows(connection, person)
    pseudonymous = {DECISION.name: make_pseudonymous(connection, _decisions(connection, person))}
    counts = {REFUSED.name: _delete(connection, REFUSED, [{"number": n} for n in refused_numbers(connection, person)])}
    signals = [{"signal": row["number"]} for row in found[SIGNAL.name]]
    counts[OUTBOX.name] = _delete(connection, OUTBOX, signals)
    for table in (SIGNAL, PROMISE_ROW, RISK, RISK_PAST, CASE_ROW):
        names = [column.name for column in table.primary_key]
        counts[table.name] = _delete(
            connection, table, [{name: row[name] for name in names} for row in found[table.name]]
        )
    counts[SNAPSHOT.name] = connection.execute(delete(SNAPSHOT)).rowcount
    anew = dict.fromkeys((column.name for column in PROGRESS.c if column.name not in KEPT_PROGRESS), 0)
    connection.execute(update(PROGRESS).values(anew))
    noted = update(AUDIT).where(AUDIT.c.about.in_(person.ids)).values(about=ERASED)
    return {**counts, AUDIT.name: connection.execute(noted).rowcount, **pseudonymous}


def _decisions(connection: Connection, person: Person) -> list[dict[str, Any]]:
    return decisions_about(connection, sorted(person.ids), cases_judged(connection, person))


def _delete(connection: Connection, table: Table, keys: Sequence[Mapping[str, Any]]) -> int:
    """Delete the rows that have these values in these columns; how many there were."""
    if not keys:
        return 0
    of_key = [table.c[name] == bindparam(f"this_{name}") for name in keys[0]]
    values = [{f"this_{name}": value for name, value in key.items()} for key in keys]
    return connection.execute(delete(table).where(*of_key), values).rowcount


def _rows(connection: Connection, table: Table, column: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for some in in_parts(values):
        these = select(table).where(table.c[column].in_(some)).order_by(table.c[column])
        found += map(dict, connection.execute(these).mappings())
    return found


def _rows_of(file: FileOfEvents, person: Person) -> list[dict[str, Any]]:
    scan = pl.scan_parquet(file.path, glob=False)
    return scan.filter(person.owned() | person.stated()).collect().rows(named=True)


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _decoded(value) if isinstance(value, bytes) else value for name, value in row.items()}


def _decoded(value: bytes) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return value.decode(errors="replace")


def _check(ids: Collection[str]) -> None:
    if not 0 < len(ids) <= MAX_IDS or isinstance(ids, str):
        expected = f"from one to {MAX_IDS:,} ids of one person"
        found = "a text" if isinstance(ids, str) else f"{len(ids):,}"
        hint = "give a list of the person's ids, in parts if there are more"
        raise TruenorthError([Problem(path="ids", expected=expected, found=found, hint=hint)])
