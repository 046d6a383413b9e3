"""What the store has of decisions that were made, and of what came of their cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from truenorth.action.past import Answer, End, Past, past_of
from truenorth.action.record import decode_decision
from truenorth.store.decisions import DecisionRow
from truenorth.store.opening import Store
from truenorth.store.rows import CaseRow

MOST_DECISIONS = 100_000
"""The newest of a journey that are looked at."""
AT_ONCE = 2_000
"""Decisions between two words of progress."""

ANSWERS: dict[str, Answer] = {
    "accepted": "followed", "done": "followed", "changed": "overridden", "declined": "overridden",
}  # fmt: skip


def read_past(store: Store, journey: str, on_progress: Callable[[str, float], object]) -> list[Past]:
    """The policy's decisions about a journey, oldest first, each with what was spent until the case's next one.

    What people chose by themselves (``changed``, ``approved``) is no decision of the policy; its cost is.
    """
    rows = store.decisions.since(0, journey=journey, limit=MOST_DECISIONS)
    ends = _ends(store, journey, rows)
    found: list[Past] = []
    for place, (row, spent_cents) in enumerate(_spent(rows)):
        if place % AT_ONCE == 0:
            on_progress("reading decisions", place / len(rows))
        found.append(past_of(decode_decision(row.record), ANSWERS.get(row.state), spent_cents, ends.get(row.case)))
    return found


def _ends(store: Store, journey: str, rows: Sequence[DecisionRow]) -> dict[str, End]:
    cases, _ = store.results.rows_of(journey, [row.case for row in rows])
    return {case.case: end for case in cases if (end := _end(case)) is not None}


def _end(case: CaseRow) -> End | None:
    """How a case ended; None while its outcome is open."""
    if case.outcome == "open":
        return None
    until_us = next(
        (at for at in (case.resolved_us, case.closed_us, case.outcome_time_us) if at is not None), case.opened_us
    )
    return End(
        achieved=case.outcome == "achieved",
        value_cents=round(case.value * 100),
        revenue_cents=round(case.revenue * 100),
        kept=case.kept,
        broken=case.broken,
        customer_us=until_us - case.opened_us,
    )


def _spent(rows: Sequence[DecisionRow]) -> Iterator[tuple[DecisionRow, int]]:
    """The policy's decisions in order of time, with what was spent from each until the case's next one."""
    of_policy: dict[str, DecisionRow] = {}
    spent: dict[str, int] = {}
    last: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (row.at_us, row.id)):
        if row.origin in {"asked", "proposed"}:
            of_policy[row.id], last[row.case] = row, row.id
        before = last.get(row.case)
        if before is not None:
            spent[before] = spent.get(before, 0) + _cost(row)
    return ((row, spent[id]) for id, row in of_policy.items())  # noqa: A001  # the column's name


def _cost(row: DecisionRow) -> int:
    """What a decision cost: its actual cost, or what it holds for good; nothing while it is only proposed."""
    if row.state == "done" and row.actual_cents is not None:
        return row.actual_cents
    return row.cost_cents if row.state in {"accepted", "done"} else 0
