"""Decisions that were made, with what came of them: as columns to learn from, and as entries of the ledger.

A row's action is what the policy chose, with the chance that it had, whether or not people followed: what is learnt is
what *proposing* an action brings (intention to treat). Its cost is what was really spent, also on what somebody did
instead. What came of a case counts for each decision about it when learning, and once in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl

from truenorth.action.deciding import decide
from truenorth.action.decision_table import Table
from truenorth.action.inputs import Inputs, decode_inputs
from truenorth.action.learnt_effects import numbers_of, row_of
from truenorth.action.ledger import ENTRY
from truenorth.action.overrides import Override, compare_overrides
from truenorth.action.split_check import SplitCheck, check_split
from truenorth.action.values import DO_NOTHING, Decision, Logged, Offer, Prior

Answer = Literal["followed", "overridden"]


class End(NamedTuple):
    """How a case ended: whether its outcome was achieved and what that is worth, what it earned, promises, its time."""

    achieved: bool
    value_cents: int
    revenue_cents: int
    kept: int
    broken: int
    customer_us: int


class Past(NamedTuple):
    """A decision of the policy; what people made of it (None: nothing yet), what was spent, how the case ended."""

    decision: Decision
    inputs: Inputs
    answer: Answer | None
    spent_cents: int
    end: End | None


def past_of(decision: Decision, answer: Answer | None, spent_cents: int, end: End | None) -> Past:
    """A decision with its inputs read."""
    return Past(decision, decode_inputs(decision.inputs), answer, spent_cents, end)


def newest_offers(past: Sequence[Past]) -> Mapping[str, Offer]:
    """Each action as it was offered last."""
    return {
        offer.name: offer for one in sorted(past, key=lambda one: one.decision.at_us) for offer in one.inputs.actions
    }


def priors_of(past: Sequence[Past]) -> Mapping[str, Prior]:
    """What was believed of each action last."""
    return {name: offer.prior for name, offer in newest_offers(past).items()}


def table_of(past: Sequence[Past]) -> Table:
    """Columns to learn from and to judge policies on, in order of time; `ValueError` where there is no decision."""
    if not past:
        raise ValueError("no decision")
    past = sorted(past, key=lambda one: (one.decision.at_us, one.decision.id))
    offers = newest_offers(past)
    actions = (DO_NOTHING, *sorted(offers))
    code = {name: place for place, name in enumerate(actions)}
    numbers = [numbers_of(one.inputs.context) for one in past]
    names, context = _context(numbers)
    ends = [one.end for one in past]
    chances = np.array([_chances(one.decision, actions) for one in past])
    log = Logged(
        names=names,
        actions=actions,
        context=context,
        action=np.array([code[one.decision.chosen] for one in past]),
        propensity=np.array([one.decision.propensity for one in past]),
        eligible=(chances > 0) | (np.array(actions) == DO_NOTHING),
        chances=chances,
        achieved=np.array([np.nan if end is None else float(end.achieved) for end in ends]),
        value_cents=np.array([np.nan if end is None else float(end.value_cents + end.revenue_cents) for end in ends]),
        cost_cents=np.array([float(one.spent_cents) for one in past]),
        time_us=np.array([one.decision.at_us for one in past]),
        holdout=np.array([one.decision.holdout for one in past]),
        unit=_codes(_unit(one) for one in past),
    )
    stake = np.array([float(one.inputs.at_stake_cents) for one in past])
    costs = np.array([0.0, *(float(offers[name].cost_cents) for name in actions[1:])])
    return Table(log, stake, costs)


def intended(past: Past) -> str:
    """What would have been chosen if the case were not held out; what was chosen, where it is not."""
    if not past.decision.holdout:
        return past.decision.chosen
    return decide(msgspec.structs.replace(past.inputs, is_held_out=False)).chosen


def entries_of(past: Sequence[Past], period_of: Callable[[int], str]) -> pl.DataFrame:
    """Entries of the ledger (`truenorth.action.ledger.ENTRY`): one for each case that has ended.

    A case stands under the first action that was intended for it, in the period of that decision (`period_of` its
    microseconds since 1970 UTC), with all that was spent on it. Cases for which nothing ever was are left out, unless
    something was spent on them. An `exempt` action is never held out.
    """
    cases: dict[tuple[str, str], list[Past]] = {}
    for one in sorted(past, key=lambda one: (one.decision.at_us, one.decision.id)):
        if one.end is not None:
            cases.setdefault((one.decision.journey, one.decision.case), []).append(one)
    found = [entry for of_case in cases.values() if (entry := _entry(of_case, period_of)) is not None]
    return pl.DataFrame(found, schema=ENTRY)


def split_of(past: Sequence[Past], share_of: Mapping[int, float]) -> SplitCheck | None:
    """Whether as many cases are held out as is meant; ``share_of`` a version of the journey. None where none is meant.

    A case counts by its first decision. Versions that mean another share than the newest decision's do not.
    """
    in_time = sorted(past, key=lambda one: (one.decision.at_us, one.decision.id))
    share = share_of.get(in_time[-1].decision.versions.journey) if in_time else None
    if not share:
        return None
    first = {one.decision.case: one.decision for one in reversed(in_time)}
    counted = [decision.holdout for decision in first.values() if share_of.get(decision.versions.journey) == share]
    return check_split(sum(counted), len(counted) - sum(counted), share)


def overrides_of(past: Sequence[Past]) -> tuple[Override, ...]:
    """For each action, what overriding its proposal brought over following it: of settled cases, answered proposals."""
    rows = [
        one for one in past if one.answer and one.end and one.decision.chosen != DO_NOTHING and not one.decision.holdout
    ]
    if not rows:
        return ()
    _, context = _context([numbers_of(one.inputs.context) for one in rows])
    net = [one.end.value_cents + one.end.revenue_cents - one.spent_cents for one in rows if one.end]
    return compare_overrides(
        np.array([one.decision.chosen for one in rows]),
        np.array([one.answer == "overridden" for one in rows]),
        np.array(net, np.float64),
        context,
        _codes(_unit(one) for one in rows),
    )


def _entry(of_case: Sequence[Past], period_of: Callable[[int], str]) -> dict[str, object] | None:
    spent = sum(one.spent_cents for one in of_case)
    wanted = [(one, action) for one in of_case if (action := intended(one)) != DO_NOTHING]
    if not wanted and not spent:
        return None
    first, action = wanted[0] if wanted else (of_case[0], DO_NOTHING)
    end, candidate = first.end, first.decision.candidate(action)
    assert end is not None
    return {
        "action": action,
        "journey": first.decision.journey,
        "period": period_of(first.decision.at_us),
        "unit": first.decision.case,
        "holdout": first.decision.holdout and first.decision.chosen != action,
        "cost_cents": spent,
        "revenue_cents": end.revenue_cents,
        "achieved": int(end.achieved),
        "kept": end.kept,
        "broken": end.broken,
        "customer_us": end.customer_us,
        "expected_cost_cents": candidate.parts.cost_cents,
        "expected_revenue_cents": candidate.parts.revenue_cents,
        "expected_achieved": _chance(first.inputs) + candidate.dp,
    }


def _chance(inputs: Inputs) -> float:
    """The chance of the outcome without acting; certain where nothing says otherwise."""
    context = inputs.context
    risk = context.risk if context.risk is not None else context.base_risk
    return 1.0 - (risk or 0.0)


def _context(numbers: Sequence[Mapping[str, float]]) -> tuple[tuple[str, ...], np.ndarray]:
    """The columns that tell cases apart; one of zeros where none does."""
    names = sorted({name for one in numbers for name in one})
    rows = np.array([row_of(one, names) for one in numbers], np.float64).reshape(len(numbers), len(names))
    varies = (rows != rows[:1]).any(0)
    if not varies.any():
        return ("nothing",), np.zeros((len(numbers), 1))
    return tuple(name for name, kept in zip(names, varies, strict=True) if kept), rows[:, varies]


def _chances(decision: Decision, actions: Sequence[str]) -> list[float]:
    """With which chance the policy would have chosen each action."""
    shares = {one.action: one.propensity for one in decision.candidates}
    return [shares.get(name, 0.0) for name in actions]


def _unit(past: Past) -> str:
    """A customer, or a case that has none."""
    customer = past.decision.customer
    return f"case {past.decision.case}" if customer is None else f"customer {customer}"


def _codes(units: Iterable[str]) -> np.ndarray:
    return np.unique(list(units), return_inverse=True)[1].astype(np.int64)
