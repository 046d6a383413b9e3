"""What the runner of a journey concludes: cases, promises, how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, delete, func, or_, select

from truenorth.store.database import Database, Turn
from truenorth.store.gone import in_parts
from truenorth.store.rows import CaseEvent, CaseRow, Judged, NewSignal, Outcome, Progress, PromiseRow
from truenorth.store.tables import (
    CASE_EVENT,
    CASE_ROW,
    EVENT,
    MONEY,
    OUTBOX,
    PROGRESS,
    PROMISE_ROW,
    RECEIPT,
    SIGNAL,
    SNAPSHOT,
    WEBHOOK,
)
from truenorth.store.upsert import insert_all, upsert

_OF_CASE = select(*(CASE_ROW.c[name] for name in CaseRow.__struct_fields__)).where(
    CASE_ROW.c.journey == bindparam("journey"), CASE_ROW.c.case == bindparam("case")
)
_PROMISES_OF_CASE = (
    select(*(PROMISE_ROW.c[name] for name in PromiseRow.__struct_fields__))
    .where(PROMISE_ROW.c.journey == bindparam("journey"), PROMISE_ROW.c.case == bindparam("case"))
    .order_by(PROMISE_ROW.c.promise, PROMISE_ROW.c.instance)
)
_HISTORY_COLUMNS = [CASE_EVENT.c[name] for name in CaseEvent.__struct_fields__]
_HISTORY = (
    select(*_HISTORY_COLUMNS)
    .where(CASE_EVENT.c.journey == bindparam("journey"), CASE_EVENT.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(*_HISTORY_COLUMNS)
)
_PROGRESS = select(*(PROGRESS.c[name] for name in Progress.__struct_fields__)).where(
    PROGRESS.c.journey == bindparam("journey")
)
_N_ERASURES = select(func.max(RECEIPT.c.number))
_ENDS_OF = select(
    *(CASE_ROW.c[name] for name in ("case", "customer", "opened_us", "outcome", "outcome_time_us", "closed_us"))
).where(CASE_ROW.c.journey == bindparam("journey"), CASE_ROW.c.customer.in_(bindparam("customers", expanding=True)))
_BY_OUTCOME = (
    select(CASE_ROW.c.outcome, func.count())
    .where(CASE_ROW.c.journey == bindparam("journey"))
    .group_by(CASE_ROW.c.outcome)
)
_LAST_SIGNAL = select(func.max(SIGNAL.c.number))
_ACTIVE_WEBHOOKS = select(WEBHOOK.c.number, WEBHOOK.c.kinds).where(WEBHOOK.c.state == "active")


class Outdated(Exception):
    """Somebody was erased since the runner looked, or another runner has gone on: nothing was written.

    Begin anew from the snapshot and the log.
    """


class CountedPromises(NamedTuple):
    """Promises made in a time. ``counts``: promise, verdict and how many; ``more``: others were made, and not counted.

    ``broken``: the last ones that were; case, promise, started, decided, verdict.
    """

    counts: list[tuple[Any, ...]]
    broken: list[tuple[Any, ...]]
    more: bool


class Results:
    """Results of journeys, by journey; nothing here cannot be made again from the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def n_erasures(self) -> int:
        """How many erasures there have been: what was read before one may hold what is erased."""
        with self._database.reading() as connection:
            return n_erasures_of(connection)

    def write(self, journey: str, judged: Judged, *, n_erasures: int) -> Sequence[int]:
        """Keep all of one step or nothing; the numbers of its signals, which wait at every webhook that wants them.

        ``n_erasures`` is what `n_erasures` said before the step's events were read; Outdated if it is more by now, or
        if the progress is another one than the step follows.
        """
        with self._database.writing(Turn.RESULTS) as connection:
            goes_on = judged.follows is None or judged.follows == _progress(connection, journey)
            if not goes_on or n_erasures_of(connection) != n_erasures:
                raise Outdated
            if judged.from_scratch:
                for table in (CASE_ROW, PROMISE_ROW, CASE_EVENT, SNAPSHOT, PROGRESS):
                    connection.execute(delete(table).where(table.c.journey == journey))
            self._write_rows(connection, journey, judged)
            self._write_state(connection, journey, judged)
            return write_signals(self._database, connection, journey, judged.signals)

    def progress(self, journey: str) -> Progress:
        """How far a journey has come; after an erasure position 0 with the watermark as it was."""
        with self._database.reading() as connection:
            return _progress(connection, journey) or Progress()

    def state(self, journey: str) -> tuple[Progress | None, dict[int, bytes], int]:
        """Where a runner begins, all of one instant: how far it has come, its chunks by number, how many erasures.

        The progress is None where no runner has begun with the journey.
        """
        of_journey = select(SNAPSHOT.c.chunk, SNAPSHOT.c.blob).where(SNAPSHOT.c.journey == journey)
        with self._database.reading() as connection:
            chunks = {chunk: bytes(blob) for chunk, blob in connection.execute(of_journey)}
            return _progress(connection, journey), chunks, n_erasures_of(connection)

    def chunk(self, journey: str, number: int) -> tuple[Progress, bytes | None]:
        """How far a journey has come, and one chunk of its runner's state of the same instant."""
        of_journey = select(SNAPSHOT.c.blob).where(SNAPSHOT.c.journey == journey, SNAPSHOT.c.chunk == number)
        with self._database.reading() as connection:
            blob = connection.scalar(of_journey)
            return _progress(connection, journey) or Progress(), None if blob is None else bytes(blob)

    def cases_since(self, journey: str, since_us: int) -> Sequence[str]:
        """The ids of all cases that are not closed, or were not before an instant."""
        late = or_(CASE_ROW.c.closed_us.is_(None), CASE_ROW.c.closed_us >= since_us)
        asked = select(CASE_ROW.c.case).where(CASE_ROW.c.journey == journey, late).order_by(CASE_ROW.c.case)
        with self._database.reading() as connection:
            return list(connection.scalars(asked))

    def ends_of(self, journey: str, customers: Sequence[str]) -> list[tuple[Any, ...]]:
        """The cases of some customers: case, customer, opened, outcome, instant of the outcome, closed."""
        found: list[tuple[Any, ...]] = []
        with self._database.reading() as connection:
            for some in in_parts(sorted(set(customers))):
                found += map(tuple, connection.execute(_ENDS_OF, {"journey": journey, "customers": some}))
        return found

    def next_dues(self, journey: str, cases: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Of some cases, the open promise that is due first: its instant and its name, those that there are."""
        found: dict[str, tuple[int, str]] = {}
        columns = (PROMISE_ROW.c.case, PROMISE_ROW.c.due_us, PROMISE_ROW.c.promise)
        waiting = and_(PROMISE_ROW.c.journey == journey, PROMISE_ROW.c.verdict == "open", PROMISE_ROW.c.due_us > 0)
        with self._database.reading() as connection:
            for some in in_parts(sorted(set(cases))):
                for case, *due in connection.execute(select(*columns).where(waiting, PROMISE_ROW.c.case.in_(some))):
                    found[case] = min(found.get(case, (due[0], due[1])), (due[0], due[1]))
        return found

    def promises_between(self, journey: str, since_us: int, until_us: int, *, limit: int) -> list[tuple[Any, ...]]:
        """Promises made in a time, the newest first: case, promise, started, decided (or null), verdict."""
        with self._database.reading() as connection:
            return [tuple(row) for row in connection.execute(_newest_promises(journey, since_us, until_us, limit))]

    def counted_promises(
        self, journey: str, since_us: int, until_us: int, *, limit: int, n_broken: int
    ) -> CountedPromises:
        """The same counted by the database, and those of them that were broken last."""
        newest = _newest_promises(journey, since_us, until_us, limit).subquery()
        promise, verdict = newest.c.promise, newest.c.verdict
        counts = select(promise, verdict, func.count()).group_by(promise, verdict)
        last = (newest.c.decided_us.desc(), newest.c.case, promise)
        broken = select(newest).where(verdict == "broken").order_by(*last).limit(n_broken)
        n_made = select(func.count()).where(_made_in(journey, since_us, until_us))
        with self._database.reading() as connection:
            return CountedPromises(
                counts=[tuple(row) for row in connection.execute(counts)],
                broken=[tuple(row) for row in connection.execute(broken)],
                more=connection.execute(n_made).scalar_one() > limit,
            )

    def holders(self, journey: str, keys: Sequence[str], name: Literal["team", "channel"]) -> list[tuple[Any, ...]]:
        """The events of some case keys that name a team, or a channel: key, instant, name; those not archived."""
        of_event = CASE_EVENT.join(EVENT, EVENT.c.position == CASE_EVENT.c.position)
        named = select(CASE_EVENT.c.key, CASE_EVENT.c.time_us, EVENT.c[name]).select_from(of_event)
        found: list[tuple[Any, ...]] = []
        with self._database.reading() as connection:
            for some in in_parts(sorted(set(keys))):
                of_keys = and_(CASE_EVENT.c.journey == journey, CASE_EVENT.c.key.in_(some), EVENT.c[name].is_not(None))
                rows = connection.execute(named.where(of_keys).order_by(CASE_EVENT.c.time_us, CASE_EVENT.c.position))
                found += [tuple(row) for row in rows]
        return found

    def failing_times(self, journey: str, *, limit: int = 1_000) -> Sequence[int]:
        """From the opening to the verdict, microseconds, of some cases that did not reach their outcome."""
        took = CASE_ROW.c.outcome_time_us - CASE_ROW.c.opened_us
        missed = and_(CASE_ROW.c.journey == journey, CASE_ROW.c.outcome.in_(("failed", "abandoned")))
        with self._database.reading() as connection:
            return list(connection.scalars(select(took).where(missed).order_by(CASE_ROW.c.case).limit(limit)))

    def of_customers(self, customers: Sequence[str], *, limit: int = 1_000) -> list[tuple[str, CaseRow]]:
        """The cases of some customers in all journeys, the newest first."""
        names = CaseRow.__struct_fields__
        theirs = select(CASE_ROW.c.journey, *(CASE_ROW.c[name] for name in names)).where(
            CASE_ROW.c.customer.in_(customers)
        )
        newest = theirs.order_by(CASE_ROW.c.opened_us.desc(), CASE_ROW.c.journey, CASE_ROW.c.case).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(newest).all()
        return [(journey, CaseRow(**dict(zip(names, values, strict=True)))) for journey, *values in rows]

    def history(self, journey: str, keys: Sequence[str]) -> Sequence[CaseEvent]:
        """The events of some case keys: by key, then in the order of the case (time, position)."""
        found: list[CaseEvent] = []
        with self._database.reading() as connection:
            for some in in_parts(sorted(set(keys))):
                found += [CaseEvent(*row) for row in connection.execute(_HISTORY, {"journey": journey, "keys": some})]
        return found

    def case(self, journey: str, case: str) -> tuple[CaseRow, Sequence[PromiseRow]] | None:
        """A case with its promises by name and instance, or None."""
        this = {"journey": journey, "case": case}
        with self._database.reading() as connection:
            found = connection.execute(_OF_CASE, this).mappings().first()
            rows = connection.execute(_PROMISES_OF_CASE, this).mappings().all()
        return (CaseRow(**found), [PromiseRow(**row) for row in rows]) if found else None

    def rows_of(self, journey: str, cases: Sequence[str]) -> tuple[list[CaseRow], list[PromiseRow]]:
        """The rows of some cases and of their promises, those that there are."""
        columns = [PROMISE_ROW.c[name] for name in PromiseRow.__struct_fields__]
        found: tuple[list[CaseRow], list[PromiseRow]] = ([], [])
        with self._database.reading() as connection:
            for some in in_parts(sorted(set(cases))):
                rows = connection.execute(_cases(journey).where(CASE_ROW.c.case.in_(some))).mappings()
                found[0].extend(CaseRow(**row) for row in rows)
                of_cases = and_(PROMISE_ROW.c.journey == journey, PROMISE_ROW.c.case.in_(some))
                promises = connection.execute(select(*columns).where(of_cases)).mappings()
                found[1].extend(PromiseRow(**row) for row in promises)
        return found

    def cases(
        self,
        journey: str,
        *,
        after: str = "",
        limit: int = 1_000,
        outcome: Outcome | None = None,
        customers: Sequence[str] | None = None,
    ) -> Sequence[CaseRow]:
        """The next cases after one, by id; only those with an outcome or of some customers if given."""
        asked = _cases(journey).where(CASE_ROW.c.case > after).order_by(CASE_ROW.c.case).limit(limit)
        if outcome is not None:
            asked = asked.where(CASE_ROW.c.outcome == outcome)
        if customers is not None:
            asked = asked.where(CASE_ROW.c.customer.in_(customers))
        with self._database.reading() as connection:
            return [CaseRow(**row) for row in connection.execute(asked).mappings()]

    def outcomes(self, journey: str) -> dict[str, int]:
        """The cases of a journey by outcome, those that occur."""
        with self._database.reading() as connection:
            return _by_outcome(connection, journey)

    def totals(self, journey: str) -> dict[str, Any]:
        """Sums over the cases of a journey, named as in the summary of a replay.

        ``cases``; ``outcome`` and ``promises`` (by promise) as counts by verdict, those that occur; ``moments``,
        ``decisions``, ``handovers``, ``internal``, ``cost``, ``revenue``, ``value``.
        """
        summed = [CASE_ROW.c[name] for name in ("moments", "decisions", "handovers", "internal", *MONEY)]
        sums = select(func.count().label("cases"), *(func.coalesce(func.sum(one), 0).label(one.name) for one in summed))
        promise, verdict = PROMISE_ROW.c.promise, PROMISE_ROW.c.verdict
        verdicts = select(promise, verdict, func.count()).group_by(promise, verdict).order_by(promise, verdict)
        with self._database.reading() as connection:
            row = connection.execute(sums.where(CASE_ROW.c.journey == journey)).mappings().one()
            by_outcome = _by_outcome(connection, journey)
            by_promise: dict[str, dict[str, int]] = {}
            for name, given, n in connection.execute(verdicts.where(PROMISE_ROW.c.journey == journey)):
                by_promise.setdefault(name, {})[given] = n
        totals = {name: float(n) if name in MONEY else int(n) for name, n in row.items()}
        return {**totals, "outcome": by_outcome, "promises": by_promise}

    def _write_rows(self, connection: Connection, journey: str, judged: Judged) -> None:
        if judged.anew:
            for table in (CASE_ROW, PROMISE_ROW):
                gone = delete(table).where(table.c.journey == journey, table.c.case == bindparam("gone"))
                connection.execute(gone, [{"gone": case} for case in judged.anew])
        kinds: tuple[tuple[Table, type[msgspec.Struct], Sequence[msgspec.Struct]], ...] = (
            (CASE_ROW, CaseRow, judged.cases),
            (PROMISE_ROW, PromiseRow, judged.promises),
            (CASE_EVENT, CaseEvent, judged.case_events),
        )
        for table, kind, values in kinds:
            names = ("journey", *kind.__struct_fields__)
            rows = [(journey, *msgspec.structs.astuple(value)) for value in values]
            upsert(self._database, connection, table, names, rows)

    def _write_state(self, connection: Connection, journey: str, judged: Judged) -> None:
        chunks = [(journey, *chunk) for chunk in judged.chunks.items()]
        upsert(self._database, connection, SNAPSHOT, ("journey", "chunk", "blob"), chunks)
        names = ("journey", *Progress.__struct_fields__)
        upsert(self._database, connection, PROGRESS, names, [(journey, *msgspec.structs.astuple(judged.progress))])


def _newest_promises(journey: str, since_us: int, until_us: int, limit: int) -> Select[Any]:
    asked = select(*(PROMISE_ROW.c[name] for name in ("case", "promise", "started_us", "decided_us", "verdict")))
    newest = (PROMISE_ROW.c.started_us.desc(), PROMISE_ROW.c.case, PROMISE_ROW.c.promise)
    return asked.where(_made_in(journey, since_us, until_us)).order_by(*newest).limit(limit)


def _made_in(journey: str, since_us: int, until_us: int) -> ColumnElement[bool]:
    started_us = PROMISE_ROW.c.started_us
    return and_(PROMISE_ROW.c.journey == journey, started_us >= since_us, started_us < until_us)


def write_signals(
    database: Database, connection: Connection, journey: str, signals: Sequence[NewSignal]
) -> Sequence[int]:
    """Give signals in a transaction that has the turn of results; their numbers.

    No other transaction numbers any meanwhile, so they follow one another.
    """
    if not signals:
        return ()
    names = ("journey", *NewSignal.__struct_fields__)
    rows = [(journey, *msgspec.structs.astuple(signal)) for signal in signals]
    insert_all(database, connection, SIGNAL, names, rows)
    last = connection.execute(_LAST_SIGNAL).scalar_one()
    numbers = range(last - len(signals) + 1, last + 1)
    hooks = connection.execute(_ACTIVE_WEBHOOKS).all()
    waiting = [
        (number, hook.number, "pending", 0, 0)
        for hook in hooks
        for number, signal in zip(numbers, signals, strict=True)
        if not (kinds := msgspec.json.decode(hook.kinds)) or signal.kind in kinds
    ]
    insert_all(database, connection, OUTBOX, ("signal", "webhook", "state", "attempts", "next_us"), waiting)
    return numbers


def _cases(journey: str) -> Any:
    return select(*(CASE_ROW.c[name] for name in CaseRow.__struct_fields__)).where(CASE_ROW.c.journey == journey)


def _progress(connection: Connection, journey: str) -> Progress | None:
    row = connection.execute(_PROGRESS, {"journey": journey}).first()
    return Progress(*row) if row else None


def n_erasures_of(connection: Connection) -> int:
    """How many erasures there have been, as a transaction sees it."""
    return connection.scalar(_N_ERASURES) or 0


def _by_outcome(connection: Connection, journey: str) -> dict[str, int]:
    return dict(connection.execute(_BY_OUTCOME, {"journey": journey}).all())
