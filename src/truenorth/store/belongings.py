"""Which rows are about a person."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from truenorth.store.event_rows import clean
from truenorth.store.gone import N_AT_ONCE, in_parts
from truenorth.store.history import files_after
from truenorth.store.tables import AUDIT, CASE_ROW, EVENT, PROMISE_ROW, REFUSED, RISK, RISK_PAST, SIGNAL


class Person(NamedTuple):
    """The ids of a person, and the cases whose events without a customer are theirs.

    Those are the cases that have events of this person and of no other customer.
    """

    ids: frozenset[str]
    cases: frozenset[str]

    def owned(self) -> pl.Expr:
        """True for events of a file that are theirs."""
        unnamed = pl.col("customer").is_null() & pl.col("case").is_in(list(self.cases))
        return pl.col("customer").is_in(list(self.ids)).fill_null(False) | unnamed.fill_null(False)

    def stated(self) -> pl.Expr:
        """True for events of a file that state one of their ids as somebody's other id."""
        return pl.col("other_id").is_in(list(self.ids)).fill_null(False)


def person_of(connection: Connection, ids: Collection[str]) -> Person:
    """What is theirs beyond the events that name them."""
    known = frozenset(map(clean, ids))
    mine = EVENT.c.customer.in_(known) & EVENT.c.case.is_not(None)
    scan = _archived(connection)
    of_file = pl.col("customer").is_in(list(known)) & pl.col("case").is_not_null()
    cases = _cases(connection, scan, mine, of_file)
    unnamed = _among(connection, scan, cases, EVENT.c.customer.is_(None), pl.col("customer").is_null())
    others = EVENT.c.customer.is_not(None) & EVENT.c.customer.not_in(known)
    shared = _among(connection, scan, unnamed, others, ~pl.col("customer").is_in(list(known)))
    return Person(known, frozenset(unnamed - shared))


def positions_in_table(connection: Connection, person: Person) -> list[int]:
    """Where the table has events of theirs, in order."""
    found = set(connection.scalars(select(EVENT.c.position).where(EVENT.c.customer.in_(person.ids))))
    for some in in_parts(sorted(person.cases)):
        unnamed = EVENT.c.customer.is_(None) & EVENT.c.case.in_(some)
        found.update(connection.scalars(select(EVENT.c.position).where(unnamed)))
    return sorted(found)


def cases_judged(connection: Connection, person: Person) -> list[tuple[str, str]]:
    """The journey and id of each of their cases that a journey knows."""
    theirs = select(CASE_ROW.c.journey, CASE_ROW.c.case).where(CASE_ROW.c.customer.in_(person.ids))
    return [(journey, case) for journey, case in connection.execute(theirs.order_by(*theirs.selected_columns))]


def refused_numbers(connection: Connection, person: Person) -> list[int]:
    """Refused items in which one of the ids stands as a JSON text."""
    written = {json.dumps(one, ensure_ascii=escaped).encode() for one in person.ids for escaped in (False, True)}
    pattern = re.compile(b"|".join(map(re.escape, sorted(written))))
    items = select(REFUSED.c.number, REFUSED.c.raw).order_by(REFUSED.c.number).execution_options(yield_per=N_AT_ONCE)
    return [number for number, raw in connection.execute(items) if pattern.search(raw)]


def derived_rows(connection: Connection, person: Person) -> dict[str, list[dict[str, Any]]]:
    """What was concluded and noted about them, by table."""
    cases = cases_judged(connection, person)
    found: dict[str, list[dict[str, Any]]] = {}
    for table in (CASE_ROW, PROMISE_ROW, RISK, RISK_PAST, SIGNAL):
        rows = {}
        for condition in _about(table, person, cases):
            for row in connection.execute(select(table).where(condition)).mappings():
                rows[tuple(row[column.name] for column in table.primary_key)] = dict(row)
        found[table.name] = [rows[key] for key in sorted(rows)]
    found[AUDIT.name] = [
        dict(row) for row in connection.execute(select(AUDIT).where(AUDIT.c.about.in_(person.ids))).mappings()
    ]
    return found


def _about(table: Table, person: Person, cases: Sequence[tuple[str, str]]) -> Iterator[ColumnElement[bool]]:
    if "customer" in table.c:
        yield table.c.customer.in_(person.ids)
    for some in in_parts(cases):
        yield or_(*(and_(table.c.journey == journey, table.c.case == case) for journey, case in some))


def _archived(connection: Connection) -> pl.LazyFrame | None:
    paths = [file.path for file in files_after(connection)]
    return pl.scan_parquet(paths, glob=False).select("customer", "case") if paths else None


def _cases(
    connection: Connection, scan: pl.LazyFrame | None, in_table: ColumnElement[bool], in_file: pl.Expr
) -> set[str]:
    found = {case for case in connection.scalars(select(EVENT.c.case).where(in_table).distinct()) if case is not None}
    if scan is not None:
        found.update(scan.filter(in_file).select(pl.col("case").unique()).collect()["case"])
    return found


def _among(
    connection: Connection,
    scan: pl.LazyFrame | None,
    cases: set[str],
    in_table: ColumnElement[bool],
    in_file: pl.Expr,
) -> set[str]:
    """Those of some cases that have an event of which the condition holds."""
    found: set[str] = set()
    for some in in_parts(sorted(cases)):
        of_these = pl.col("case").is_in(list(some)) & in_file
        found |= _cases(connection, scan, EVENT.c.case.in_(some) & in_table, of_these)
    return found
