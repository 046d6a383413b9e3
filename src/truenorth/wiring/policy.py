"""Puts together what it takes to judge a policy, to learn what actions do, and to keep the books of acting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import polars as pl

from truenorth.action.decision_table import Table, read_table
from truenorth.action.learnt_effects import LearntAction, encode_effects, learn_effects
from truenorth.action.ledger import Line, keep_books
from truenorth.action.off_policy import Evaluation
from truenorth.action.overrides import Override
from truenorth.action.past import Past, entries_of, newest_offers, overrides_of, table_of
from truenorth.action.proof import PROVEN
from truenorth.action.what_if import Asked
from truenorth.action.what_if import evaluate_policy as judged
from truenorth.server.acting.past_decisions import read_past
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import Store
from truenorth.wiring.store import existing_store, now_us, user_name

Tell = Callable[[str, float], Any]
Per = Literal["day", "month", "year"]
PERIODS: dict[Per, str] = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of a journey's actions, as which version, from how many decisions, and how many settled ones.

    ``caution``: standard deviations that are taken off an effect before it is acted on; `is_proven`: whether acting on
    what was learnt did better than doing nothing, on decisions that it was not learnt from.
    """

    journey: str
    version: str
    n_decisions: int
    n_settled: int
    caution: float
    is_proven: bool
    actions: tuple[LearntAction, ...]


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The books of a journey, sums of the acted-upon by name, and what overriding proposals brought."""

    journey: str
    per: Per
    lines: tuple[Line, ...]
    totals: dict[str, int]
    overrides: tuple[Override, ...]


def asked_for(policy: str, limit: float | None, least_ess: float) -> Asked:
    """What is asked; ``limit`` in money."""
    return Asked(policy=policy, limit_cents=None if limit is None else round(limit * 100), least_ess=least_ess)


def evaluate_file(path: Path, asked: Asked, on_progress: Tell) -> Evaluation:
    """Judge a policy on a Parquet or JSON Lines file of decisions; `TruenorthError` for one that cannot be used."""
    on_progress("reading decisions", 0.0)
    table = read_table(_frame(path))
    return _judged(table, asked, on_progress)


def evaluate_store(url: str, journey: str, asked: Asked, on_progress: Tell) -> Evaluation:
    """Judge a policy on the decisions of a store; `TruenorthError` where it has none."""
    with existing_store(url) as store:
        past = _past(store, journey, on_progress)
    return _judged(table_of(past), asked, on_progress)


def learn(url: str, journey: str, on_progress: Tell) -> Learning:
    """Learn what the actions of a journey do, and keep it: decisions ask it from now on."""
    with existing_store(url) as store:
        past = _past(store, journey, on_progress)
        table = table_of(past)
        n_settled = sum(one.end is not None for one in past)
        if not n_settled:
            hint = "learn when the cases of some decisions have ended"
            raise TruenorthError([Problem(path=journey, expected="settled decisions", found="none", hint=hint)])
        on_progress("learning", 0.5)
        priors = {name: offer.prior for name, offer in newest_offers(past).items()}
        effects, found = learn_effects(table, priors)
        row = store.effects.add(journey, encode_effects(effects), n_decisions=len(past), now_us=now_us())
        store.audit.note(user_name(), "learnt effects", about=f"{journey}: {row.version}", now_us=now_us())
        on_progress("learning", 1.0)
    return Learning(
        journey=journey,
        version=row.version,
        n_decisions=len(past),
        n_settled=n_settled,
        caution=effects.caution,
        is_proven=effects.caution == PROVEN,
        actions=tuple(found),
    )


def ledger(url: str, journey: str, per: Per, on_progress: Tell) -> Ledger:
    """The books of acting in a journey."""
    with existing_store(url) as store:
        past = _past(store, journey, on_progress)
    on_progress("keeping the books", 0.5)
    books = keep_books(entries_of(past, lambda at_us: _period(at_us, per)))
    overrides = overrides_of(past)
    on_progress("keeping the books", 1.0)
    return Ledger(journey=journey, per=per, lines=books.lines, totals=books.totals, overrides=overrides)


def _past(store: Store, journey: str, on_progress: Tell) -> Sequence[Past]:
    past = read_past(store, journey, on_progress)
    if not past:
        hint = "decisions are made by 'truenorth serve', POST /api/v1/decide and 'truenorth decide'"
        raise TruenorthError([Problem(path=journey, expected="decisions of this journey", found="none", hint=hint)])
    return past


def _period(at_us: int, per: Per) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime(PERIODS[per])


def _judged(table: Table, asked: Asked, on_progress: Tell) -> Evaluation:
    on_progress("judging the policy", 0.2)
    found = judged(table, asked)
    on_progress("judging the policy", 1.0)
    return found


def _frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        expected = "decisions as Parquet (.parquet) or JSON Lines"
        raise TruenorthError([Problem(path=str(path), expected=expected, found=str(error).splitlines()[0])]) from None
