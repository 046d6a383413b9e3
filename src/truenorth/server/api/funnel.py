"""Where candidates of decisions fell and why, what people made of the rest, and the holdout."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from pydantic import BaseModel

from truenorth.action.explanation import why_fallen_in_general
from truenorth.action.record import decode_decision
from truenorth.action.values import DO_NOTHING, STAGES
from truenorth.insight.means import share_of
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.api.decisions import EXAMPLE, DecisionShown, shown_decision
from truenorth.server.api.period import LastDays, Since, Until, period_us
from truenorth.server.auth import Analyst
from truenorth.server.published import parsed
from truenorth.store.decisions import DecisionRow

ROUTER = APIRouter(tags=["action"])
MOST_DECISIONS = 5_000
"""Decisions that a funnel counts: the newest of its period."""
MOST_REASONS = 3
"""Reasons that are shown of each stage: the most frequent."""
MOST_NEWEST = 50
"""Decisions that are named: the newest."""
STATES = ("proposed", "accepted", "changed", "declined", "escalated", "done", "expired")

REASON = {"stage": "authority", "words": "needs goodwill of 50.00, the limit is 20.00", "n": 12}
ACTION = {
    "action": "call_back_now",
    "considered": 120,
    "fell": {"eligibility": 30, "contact": 10, "authority": 12, "budget": 0, "capacity": 2, "value": 16},
    "stayed": 50,
    "chosen": 41,
    "became": {"proposed": 3, "accepted": 8, "changed": 1, "declined": 4, "escalated": 1, "done": 22, "expired": 2},
    "reasons": [REASON],
}
ARM = {"held_out": True, "n_cases": 12, "n_decided": 10, "n_achieved": 6, "share": 0.6, "low": 0.31, "high": 0.83}


class ReasonShown(BaseModel):
    """Why candidates fell at a stage, in plain words, and how many did."""

    model_config = showing(REASON)
    stage: str
    words: str
    n: int


class ActionFunnel(BaseModel):
    """One action: in how many decisions it was considered, fell, stayed and was chosen; what became of the chosen."""

    model_config = showing(ACTION)
    action: str
    considered: int
    fell: dict[str, int]
    stayed: int
    chosen: int
    became: dict[str, int]
    reasons: list[ReasonShown]


class Arm(BaseModel):
    """The cases that were held out, or the others: how many reached their outcome, with the 95 % interval.

    Cases about which something was decided in the period; they stand for themselves only: what acting brought is in
    the ledger. Where fewer than half have ended the share is null: those that end first are mostly those that fail.
    """

    model_config = showing(ARM)
    held_out: bool
    n_cases: int
    n_decided: int
    n_achieved: int
    share: float | None
    low: float | None
    high: float | None


class Funnel(BaseModel):
    """Decisions of a period by action, the declared ``holdout`` (a share) and its arms, and the ``newest`` 50.

    ``more``: only the newest of them are counted.
    """

    model_config = showing(
        {
            "journey": "support",
            "since": "2026-02-06T00:00:00.000000Z",
            "until": "2026-03-06T00:00:00.000000Z",
            "n_decisions": 120,
            "n_nothing": 79,
            "n_escalated": 2,
            "actions": [ACTION],
            "holdout": 0.1,
            "arms": [ARM],
            "newest": [EXAMPLE],
            "more": False,
        }
    )
    journey: str
    since: Instant
    until: Instant
    n_decisions: int
    n_nothing: int
    n_escalated: int
    actions: list[ActionFunnel]
    holdout: float
    arms: list[Arm]
    newest: list[DecisionShown]
    more: bool


@ROUTER.get("/decisions/funnel")
def read_funnel(
    served: Served,
    caller: Analyst,
    journey: Annotated[Text, Query(examples=["support"])],
    since: Since = None,
    until: Until = None,
    days: LastDays = None,
) -> Funnel:
    """How many candidates fell at each stage and why, of the last 28 days or a period. Role: analyst."""
    declared = parsed(served.journey(journey).text)
    now_us = served.now_us()
    since_us, until_us = period_us(now_us, since, until, days)
    found = served.store.decisions.since(since_us, until_us=until_us, journey=journey, limit=MOST_DECISIONS + 1)
    rows = found[:MOST_DECISIONS]
    counts: dict[str, _Count] = defaultdict(_Count.empty)
    for row in rows:
        _count(counts, row, now_us)
    return Funnel(
        journey=journey,
        since=instant(since_us),
        until=instant(until_us),
        n_decisions=len(rows),
        n_nothing=sum(row.chosen == DO_NOTHING for row in rows),
        n_escalated=sum(row.state == "escalated" for row in rows),
        actions=[_shown(action, counts[action]) for action in sorted(counts)],
        holdout=declared.holdout,
        arms=_arms(served, journey, rows),
        newest=[shown_decision(row, now_us) for row in rows[:MOST_NEWEST]],
        more=len(found) > MOST_DECISIONS,
    )


class _Count(NamedTuple):
    """How often what happened to one action."""

    fell: Counter[str]
    reasons: Counter[tuple[str, str]]
    became: Counter[str]
    of: Counter[str]

    @classmethod
    def empty(cls) -> _Count:
        return cls(Counter(), Counter(), Counter(), Counter())


def _count(counts: Mapping[str, _Count], row: DecisionRow, now_us: int) -> None:
    for one in decode_decision(row.record).candidates:
        if one.action == DO_NOTHING:
            continue
        count = counts[one.action]
        count.of["considered"] += 1
        if one.stage is None:
            count.of["stayed"] += 1
        else:
            count.fell[one.stage] += 1
            count.reasons[one.stage, why_fallen_in_general(one.words)] += 1
    if row.chosen != DO_NOTHING:
        counts[row.chosen].of["chosen"] += 1
        counts[row.chosen].became[row.state_at(now_us)] += 1


def _shown(action: str, count: _Count) -> ActionFunnel:
    reasons = [
        ReasonShown(stage=stage, words=words, n=n)
        for wanted in STAGES
        for (stage, words), n in [one for one in count.reasons.most_common() if one[0][0] == wanted][:MOST_REASONS]
    ]
    return ActionFunnel(
        action=action,
        considered=count.of["considered"],
        fell={stage: count.fell[stage] for stage in STAGES},
        stayed=count.of["stayed"],
        chosen=count.of["chosen"],
        became={state: count.became[state] for state in STATES},
        reasons=reasons,
    )


def _arms(served: Context, journey: str, rows: Sequence[DecisionRow]) -> list[Arm]:
    held = {row.case: bool(row.holdout) for row in rows}
    outcomes = {row.case: row.outcome for row in served.store.results.rows_of(journey, list(held))[0]}
    arms: dict[bool, list[str | None]] = {}
    for case, is_held_out in held.items():
        arms.setdefault(is_held_out, []).append(outcomes.get(case))
    return [_arm(is_held_out, arms[is_held_out]) for is_held_out in sorted(arms)]


def _arm(is_held_out: bool, outcomes: Sequence[str | None]) -> Arm:
    n_achieved = outcomes.count("achieved")
    n_decided = sum(outcome not in {None, "open"} for outcome in outcomes)
    share = share_of(n_achieved, n_decided) if 2 * n_decided >= len(outcomes) else share_of(0, 0)
    return Arm(
        held_out=is_held_out,
        n_cases=len(outcomes),
        n_decided=n_decided,
        n_achieved=n_achieved,
        share=share.value,
        low=share.low,
        high=share.high,
    )
