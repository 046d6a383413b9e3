"""Puts together what it takes to judge a policy, to learn what actions do, and to keep the books of acting."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from truenorth.action.decision_table import read_table
from truenorth.action.learnt_effects import LearntAction, encode_effects, learn_effects
from truenorth.action.off_policy import Evaluation
from truenorth.action.past import priors_of, table_of
from truenorth.action.proof import PROVEN
from truenorth.action.what_if import Asked, evaluate_policy
from truenorth.server.acting.books import Ledger, Per, Tell, decided, evaluation_of, ledger_of
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.wiring.store import existing_store, now_us, user_name


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


def asked_for(policy: str, limit: float | None, least_ess: float) -> Asked:
    """What is asked; ``limit`` in money."""
    return Asked(policy=policy, limit_cents=None if limit is None else round(limit * 100), least_ess=least_ess)


def evaluate_file(path: Path, asked: Asked, on_progress: Tell) -> Evaluation:
    """Judge a policy on a Parquet or JSON Lines file of decisions; `TruenorthError` for one that cannot be used."""
    on_progress("reading decisions", 0.0)
    table = read_table(_frame(path))
    on_progress("judging the policy", 0.2)
    found = evaluate_policy(table, asked)
    on_progress("judging the policy", 1.0)
    return found


def evaluate_store(url: str, journey: str, asked: Asked, on_progress: Tell) -> Evaluation:
    """Judge a policy on the decisions of a store; `TruenorthError` where it has none."""
    with existing_store(url) as store:
        return evaluation_of(store, journey, asked, on_progress)


def learn(url: str, journey: str, on_progress: Tell) -> Learning:
    """Learn what the actions of a journey do, and keep it: decisions ask it from now on."""
    with existing_store(url) as store:
        past = decided(store, journey, on_progress)
        table = table_of(past)
        n_settled = sum(one.end is not None for one in past)
        if not n_settled:
            hint = "learn when the cases of some decisions have ended"
            raise TruenorthError([Problem(path=journey, expected="settled decisions", found="none", hint=hint)])
        on_progress("learning", 0.5)
        effects, found = learn_effects(table, priors_of(past))
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
        return ledger_of(store, journey, per, on_progress)


def _frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        expected = "decisions as Parquet (.parquet) or JSON Lines"
        raise TruenorthError([Problem(path=str(path), expected=expected, found=str(error).splitlines()[0])]) from None
