"""How open cases stand: the newest risk of each by every model that is asked, and a thin history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, func, or_, select, tuple_

from truenorth.store.database import Database, Turn
from truenorth.store.foresight_rows import Foretold, MaturedRow, RiskPoint, RiskRow, SaidRow
from truenorth.store.gone import in_parts
from truenorth.store.pages import LOOKED_AT, Page, Place
from truenorth.store.results import Outdated, n_erasures_of, write_signals
from truenorth.store.tables import CASE_ROW, IS_OPEN, MODEL, RISK, RISK_PAST, case_decided_us
from truenorth.store.upsert import upsert

RISK_NAMES, POINT_NAMES = RiskRow.__struct_fields__, RiskPoint.__struct_fields__
RISKS = [RISK.c[name] for name in RISK_NAMES]
POINTS = [RISK_PAST.c[name] for name in POINT_NAMES]
_BY_LIVE_MODEL = and_(MODEL.c.journey == RISK.c.journey, MODEL.c.version == RISK.c.model, MODEL.c.state == "live")
_OF_CASE = (
    select(*RISKS)
    .join(MODEL, _BY_LIVE_MODEL)
    .where(RISK.c.journey == bindparam("journey"), RISK.c.case == bindparam("case"))
)
_NEWEST = (
    select(*RISKS)
    .where(
        RISK.c.journey == bindparam("journey"),
        RISK.c.model == bindparam("model"),
        RISK.c.case.in_(bindparam("cases", expanding=True)),
    )
    .order_by(RISK.c.case)
)
_ASKED = select(MODEL.c.version).where(MODEL.c.journey == bindparam("journey"), MODEL.c.state.in_(("live", "shadow")))


class Risks:
    """Risks of journeys; nothing here cannot be made again from the log and the models, save the history."""

    def __init__(self, database: Database, looked_at: int = LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    def write(self, journey: str, foretold: Foretold, *, n_erasures: int) -> Sequence[int]:
        """Keep all of one step or nothing; the numbers of its signals.

        ``n_erasures`` is what `Results.n_erasures` said before anything of the step was read: Outdated if it is more by
        now. What is said by a model that is asked no more is left out.
        """
        with self._database.writing(Turn.RESULTS) as connection:
            if n_erasures_of(connection) != n_erasures:
                raise Outdated
            asked = set(connection.scalars(_ASKED, {"journey": journey}))
            for some in in_parts(foretold.ended):
                connection.execute(delete(RISK).where(RISK.c.journey == journey, RISK.c.case.in_(some)))
            for table, kind, values in (
                (RISK, RiskRow, foretold.risks),
                (RISK_PAST, RiskPoint, foretold.points),
            ):
                kept = [value for value in values if value.model in asked]
                rows = [(journey, *map(_plain, msgspec.structs.astuple(value))) for value in kept]
                upsert(self._database, connection, table, ("journey", *kind.__struct_fields__), rows)
            return write_signals(self._database, connection, journey, foretold.signals)

    def newest(self, journey: str, model: str, cases: Sequence[str]) -> list[RiskRow]:
        """The risks of some cases, those that there are, by case."""
        found: list[RiskRow] = []
        with self._database.reading() as connection:
            for some in in_parts(sorted(set(cases))):
                values = {"journey": journey, "model": model, "cases": some}
                found += map(_risk, connection.execute(_NEWEST, values).all())
        return found

    def all(self, journey: str, model: str) -> list[RiskRow]:
        """The risks of all open cases by a model, by case."""
        of = and_(RISK.c.journey == journey, RISK.c.model == model)
        with self._database.reading() as connection:
            return list(map(_risk, connection.execute(select(*RISKS).where(of).order_by(RISK.c.case)).all()))

    def of_case(self, journey: str, case: str) -> RiskRow | None:
        """What the live model says of a case; None where there is no such model or the case is not open."""
        with self._database.reading() as connection:
            row = connection.execute(_OF_CASE, {"journey": journey, "case": case}).first()
        return _risk(row) if row else None

    def past_of(self, journey: str, model: str, case: str) -> list[RiskPoint]:
        """The history of a case's risk, oldest first."""
        of = and_(RISK_PAST.c.journey == journey, RISK_PAST.c.model == model, RISK_PAST.c.case == case)
        with self._database.reading() as connection:
            rows = connection.execute(select(*POINTS).where(of).order_by(RISK_PAST.c.number)).all()
        return [RiskPoint(**dict(zip(POINT_NAMES, row, strict=True))) for row in rows]

    def page(
        self, journey: str, model: str, *, at_least: float = 0.0, after: Place | None = None, limit: int
    ) -> Page[RiskRow]:
        """Risks by avoidable loss, the largest first, then by case; only those of ``at_least`` so much.

        ``after``: the loss and the case of the last row of the page before. A page looks at a bounded number of rows,
        as those of `Pages` do.
        """
        of: list[Any] = [RISK.c.journey == journey, RISK.c.model == model]
        if after is not None:
            loss, case = after
            of.append(or_(RISK.c.avoidable < loss, and_(RISK.c.avoidable == loss, RISK.c.case > case)))
        order = (RISK.c.avoidable.desc(), RISK.c.case)
        edge = select(RISK.c.avoidable, RISK.c.case).where(*of).order_by(*order).offset(self._looked_at - 1).limit(1)
        asked = select(*RISKS).where(*of, RISK.c.p_failed >= at_least).order_by(*order).limit(limit + 1)
        with self._database.reading() as connection:
            last = connection.execute(edge).first() if at_least > 0.0 else None
            if last is not None:
                within = and_(RISK.c.avoidable == last.avoidable, RISK.c.case <= last.case)
                asked = asked.where(or_(RISK.c.avoidable > last.avoidable, within))
            rows = list(map(_risk, connection.execute(asked).all()))
        if len(rows) > limit:
            return Page(rows[:limit], (rows[limit - 1].avoidable, rows[limit - 1].case))
        return Page(rows, tuple(last) if last is not None else None)

    def unforeseen(self, journey: str, model: str, *, limit: int) -> list[tuple[str, str | None]]:
        """Cases, with customers, of which a model has said nothing yet, among the newest ``limit`` that are open."""
        newest = (
            select(CASE_ROW.c.case, CASE_ROW.c.customer, CASE_ROW.c.resolved_us)
            .where(CASE_ROW.c.journey == journey, IS_OPEN)
            .order_by(CASE_ROW.c.opened_us.desc())
            .limit(limit)
            .subquery()
        )
        said = select(1).where(RISK.c.journey == journey, RISK.c.model == model, RISK.c.case == newest.c.case)
        asked = select(newest.c.case, newest.c.customer).where(newest.c.resolved_us.is_(None), ~said.exists())
        with self._database.reading() as connection:
            return [(row.case, row.customer) for row in connection.execute(asked).all()]

    def matured(
        self, journey: str, model: str, *, since_us: int, after: tuple[str, int] = ("", 0), limit: int = 10_000
    ) -> list[MaturedRow]:
        """Points of the history of cases that have ended since an instant, by case and number, after one of them."""
        key = (RISK_PAST.c.case, RISK_PAST.c.number)
        same = and_(CASE_ROW.c.journey == RISK_PAST.c.journey, CASE_ROW.c.case == RISK_PAST.c.case)
        columns = (*key, RISK_PAST.c.at_us, RISK_PAST.c.p_failed, CASE_ROW.c.outcome, CASE_ROW.c.outcome_time_us)
        of_model = and_(RISK_PAST.c.journey == journey, RISK_PAST.c.model == model, tuple_(*key) > tuple_(*after))
        ended = and_(CASE_ROW.c.outcome != "open", case_decided_us() >= since_us)
        asked = select(*columns).select_from(RISK_PAST.join(CASE_ROW, same)).where(of_model, ended).order_by(*key)
        with self._database.reading() as connection:
            return [MaturedRow(*row) for row in connection.execute(asked.limit(limit)).all()]

    def said(
        self, journey: str, model: str, *, since_us: int, after: tuple[str, int] = ("", 0), limit: int = 10_000
    ) -> list[SaidRow]:
        """What a model said of the cases that it first spoke of since an instant, by case and number, after one."""
        first, word, newest = RISK_PAST.alias("first"), RISK_PAST.alias("word"), RISK
        judged = and_(CASE_ROW.c.journey == word.c.journey, CASE_ROW.c.case == word.c.case)
        of_one = [(word.c.journey, journey), (word.c.model, model), (first.c.journey, journey), (first.c.model, model)]
        still = and_(newest.c.journey == journey, newest.c.model == model, newest.c.case == word.c.case)
        columns = (
            word.c.case,
            word.c.number,
            word.c.at_us,
            func.coalesce(word.c.p_learnt, word.c.p_failed),
            word.c.days_said,
            func.coalesce(newest.c.p_learnt, newest.c.p_failed),
            CASE_ROW.c.outcome,
            CASE_ROW.c.outcome_time_us,
        )
        begun = and_(first.c.case == word.c.case, first.c.number == 1, first.c.at_us >= since_us)
        key = (word.c.case, word.c.number)
        of = and_(*(column == value for column, value in of_one), tuple_(*key) > tuple_(*after))
        asked = select(*columns).select_from(word.join(first, begun).join(CASE_ROW, judged).outerjoin(newest, still))
        with self._database.reading() as connection:
            return [SaidRow(*row) for row in connection.execute(asked.where(of).order_by(*key).limit(limit)).all()]


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _risk(row: Any) -> RiskRow:
    values = dict(zip(RISK_NAMES, row, strict=True))
    values["alarmed"] = bool(values["alarmed"])
    return RiskRow(**values)
