"""What acting in a journey brought, and what another policy would have: from the decisions of a store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from truenorth.action.ledger import Line, keep_books
from truenorth.action.off_policy import Evaluation
from truenorth.action.overrides import Override
from truenorth.action.past import Past, entries_of, overrides_of, priors_of, split_of, table_of
from truenorth.action.split_check import SplitCheck
from truenorth.action.what_if import Asked, evaluate_policy
from truenorth.server.acting.past_decisions import read_past
from truenorth.server.published import parsed
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import Store

Tell = Callable[[str, float], Any]
Per = Literal["day", "month", "year"]
PERIODS: dict[Per, str] = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The books of a journey, sums of the acted-upon by name, and what overriding proposals brought.

    ``split``: whether the holdout is as large as it is meant to be; None where nothing is held out.
    """

    journey: str
    per: Per
    lines: tuple[Line, ...]
    totals: dict[str, int]
    overrides: tuple[Override, ...]
    split: SplitCheck | None


def ledger_of(store: Store, journey: str, per: Per, on_progress: Tell) -> Ledger:
    """The books of acting in a journey; `TruenorthError` where nothing was ever decided."""
    past = decided(store, journey, on_progress)
    on_progress("keeping the books", 0.5)
    books = keep_books(entries_of(past, lambda at_us: _period(at_us, per)))
    overrides = overrides_of(past)
    split = split_of(past, {one.version: parsed(one.text).holdout for one in store.journeys.versions(journey)})
    on_progress("keeping the books", 1.0)
    return Ledger(journey=journey, per=per, lines=books.lines, totals=books.totals, overrides=overrides, split=split)


def evaluation_of(store: Store, journey: str, asked: Asked, on_progress: Tell) -> Evaluation:
    """What a policy would have brought in a journey; `TruenorthError` where nothing can be said of it."""
    past = decided(store, journey, on_progress)
    on_progress("judging the policy", 0.2)
    found = evaluate_policy(table_of(past), asked, priors_of(past))
    on_progress("judging the policy", 1.0)
    return found


def decided(store: Store, journey: str, on_progress: Tell) -> list[Past]:
    """The decisions of the policy about a journey; `TruenorthError` where there are none."""
    past = read_past(store, journey, on_progress)
    if not past:
        hint = "decisions are made by 'truenorth serve', POST /api/v1/decide and 'truenorth decide'"
        raise TruenorthError([Problem(path=journey, expected="decisions of this journey", found="none", hint=hint)])
    return past


def _period(at_us: int, per: Per) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime(PERIODS[per])
