"""Long tables read page by page; no page looks at more rows than a bound, however few of them are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Table, bindparam, select, tuple_

from truenorth.store.database import Database
from truenorth.store.rows import CaseEvent, CaseRow, Outcome, PromiseRow, Signal, Verdict
from truenorth.store.tables import CASE_EVENT, CASE_ROW, PROMISE_ROW, SIGNAL, case_decided_us

LOOKED_AT = 100_000
"""Most rows that one page looks at: about 50 ms on SQLite."""

_EVENTS_OF_KEY = (
    select(CASE_EVENT.c.position)
    .where(
        CASE_EVENT.c.journey == bindparam("journey"),
        CASE_EVENT.c.key == bindparam("key"),
        CASE_EVENT.c.time_us.between(bindparam("since_us"), bindparam("until_us")),
    )
    .order_by(*(CASE_EVENT.c[name] for name in CaseEvent.__struct_fields__))
    .limit(bindparam("limit"))
)
_LAST_US = 2**63 - 1

T = TypeVar("T", bound=msgspec.Struct)
Place = tuple[str | int | float, ...]
"""Where a page begins: the key of the row before it."""


class Page(NamedTuple, Generic[T]):
    """Some rows, and the place after which the next page begins; None where nothing can come any more.

    A page may be short, or empty, though more rows follow: so many others lay between.
    """

    rows: Sequence[T]
    next: Place | None


class Pages:
    """Cases, promises and signals in the order of their keys.

    All pages of a query together are all its rows, once each, whatever their size.
    """

    def __init__(self, database: Database, looked_at: int = LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    def cases(
        self,
        journey: str,
        *,
        after: Place | None = None,
        limit: int,
        outcome: Outcome | None = None,
        customers: Sequence[str] | None = None,
        decided_from_us: int | None = None,
    ) -> Page[CaseRow]:
        """Cases of a journey by id; only with an outcome, of some customers, decided from an instant on if given."""
        wanted = _equal(CASE_ROW, outcome=outcome)
        if customers is not None:
            wanted.append(CASE_ROW.c.customer.in_(customers))
        if decided_from_us is not None:
            wanted += [CASE_ROW.c.outcome != "open", case_decided_us() >= decided_from_us]
        key = (CASE_ROW.c.case,)
        return self._page(CaseRow, CASE_ROW, key, _equal(CASE_ROW, journey=journey), wanted, after, limit)

    def promises(
        self,
        journey: str,
        *,
        after: Place | None = None,
        limit: int,
        verdict: Verdict | None = None,
        promise: str | None = None,
    ) -> Page[PromiseRow]:
        """Promises of a journey by case, name and instance; only those with a verdict or a name if given."""
        wanted = _equal(PROMISE_ROW, verdict=verdict, promise=promise)
        key = (PROMISE_ROW.c.case, PROMISE_ROW.c.promise, PROMISE_ROW.c.instance)
        return self._page(PromiseRow, PROMISE_ROW, key, _equal(PROMISE_ROW, journey=journey), wanted, after, limit)

    def signals(
        self, *, after: Place | None = None, limit: int, journey: str | None = None, kind: str | None = None
    ) -> Page[Signal]:
        """Signals by number; only those of a journey or a kind if given."""
        wanted = _equal(SIGNAL, journey=journey, kind=kind)
        return self._page(Signal, SIGNAL, (SIGNAL.c.number,), [], wanted, after, limit)

    def events_of_key(self, journey: str, key: str, *, since_us: int, until_us: int | None, limit: int) -> list[int]:
        """The positions of the first events of a case key in a time, both ends included, in the order of the case."""
        until_us = _LAST_US if until_us is None else until_us
        values = {"journey": journey, "key": key, "since_us": since_us, "until_us": until_us, "limit": limit}
        with self._database.reading() as connection:
            return list(connection.scalars(_EVENTS_OF_KEY, values))

    def _page(
        self,
        make: Callable[..., T],
        table: Table,
        key: Sequence[Column[Any]],
        fixed: Sequence[ColumnElement[bool]],
        wanted: Sequence[ColumnElement[bool]],
        after: Place | None,
        limit: int,
    ) -> Page[T]:
        begun = [*fixed, tuple_(*key) > tuple_(*after)] if after is not None else fixed
        names = make.__struct_fields__  # type: ignore[attr-defined]
        asked = select(*(table.c[name] for name in names)).where(*begun, *wanted).order_by(*key).limit(limit + 1)
        last_looked_at = select(*key).where(*begun).order_by(*key).offset(self._looked_at - 1).limit(1)
        with self._database.reading() as connection:
            edge = connection.execute(last_looked_at).first() if wanted else None
            if edge is not None:
                asked = asked.where(tuple_(*key) <= tuple_(*edge))
            rows = connection.execute(asked).mappings().all()
        more = _place(rows[limit - 1], key) if len(rows) > limit else None
        return Page([make(**row) for row in rows[:limit]], more or (tuple(edge) if edge is not None else None))


def _equal(table: Table, **values: str | None) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in values.items() if value is not None]


def _place(row: Mapping[Any, Any], key: Sequence[Column[Any]]) -> Place:
    return tuple(row[column.name] for column in key)
