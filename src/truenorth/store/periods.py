"""What was concluded in a time, added up: for comparing a week with the one before."""

from __future__ import annotations

import msgspec
from sqlalchemy import and_, func, select

from truenorth.store.database import Database
from truenorth.store.rows import Outcome
from truenorth.store.tables import CASE_ROW, PROMISE_ROW, RISK, case_decided_us

AMOUNTS = ("cost", "revenue", "value")


class Amounts(msgspec.Struct, frozen=True):
    """Sum and sum of squares of an amount over cases."""

    total: float = 0.0
    squares: float = 0.0


class PeriodSums(msgspec.Struct, frozen=True, kw_only=True):
    """A time of a journey.

    ``outcome``: cases that were decided in it, by verdict; ``amounts``: of these, by `AMOUNTS`. ``n_opened`` cases were
    opened in it, ``n_kept`` and ``n_broken`` promises decided.
    """

    outcome: dict[Outcome, int]
    amounts: dict[str, Amounts]
    n_opened: int
    n_kept: int
    n_broken: int


class AtStake(msgspec.Struct, frozen=True):
    """Open cases that a model looks at: how many, how many of them at a threshold or above it, what may be lost."""

    n_watched: int
    n_at_risk: int
    avoidable: float


class Periods:
    """Sums over cases and promises of a journey; each call reads all of the journey's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sums(self, journey: str, from_us: int, to_us: int) -> PeriodSums:
        """What was decided and opened in a time, its end not included."""
        summed = [func.sum(CASE_ROW.c[name]) for name in AMOUNTS]
        squares = [func.sum(CASE_ROW.c[name] * CASE_ROW.c[name]) for name in AMOUNTS]
        at_us, opened_us, decided_us = case_decided_us(), CASE_ROW.c.opened_us, PROMISE_ROW.c.decided_us
        decided = (
            select(CASE_ROW.c.outcome, func.count(), *summed, *squares)
            .where(CASE_ROW.c.journey == journey, CASE_ROW.c.outcome != "open", at_us >= from_us, at_us < to_us)
            .group_by(CASE_ROW.c.outcome)
        )
        opened = select(func.count()).where(CASE_ROW.c.journey == journey, opened_us >= from_us, opened_us < to_us)
        promises = (
            select(PROMISE_ROW.c.verdict, func.count())
            .where(PROMISE_ROW.c.journey == journey, decided_us >= from_us, decided_us < to_us)
            .group_by(PROMISE_ROW.c.verdict)
        )
        with self._database.reading() as connection:
            rows = connection.execute(decided).all()
            n_opened = int(connection.scalar(opened) or 0)
            verdicts: dict[str, int] = dict(connection.execute(promises).all())
        n = len(AMOUNTS)
        amounts = {
            name: Amounts(sum(float(row[2 + at]) for row in rows), sum(float(row[2 + n + at]) for row in rows))
            for at, name in enumerate(AMOUNTS)
        }
        return PeriodSums(
            outcome={row[0]: int(row[1]) for row in rows},
            amounts=amounts,
            n_opened=n_opened,
            n_kept=verdicts.get("kept", 0),
            n_broken=verdicts.get("broken", 0),
        )

    def at_stake(self, journey: str, model: str, threshold: float) -> AtStake:
        """How the open cases of a journey stand together by a model."""
        of_model = and_(RISK.c.journey == journey, RISK.c.model == model)
        whole = select(func.count(), func.sum(RISK.c.avoidable)).where(of_model)
        at_risk = select(func.count()).where(of_model, RISK.c.p_failed >= threshold)
        with self._database.reading() as connection:
            n_watched, avoidable = connection.execute(whole).one()
            return AtStake(int(n_watched), int(connection.scalar(at_risk) or 0), float(avoidable or 0.0))
