"""The small company's decisions in a store, each with how its case ended."""

from __future__ import annotations

from truenorth.action.past import Past
from truenorth.action.record import encode_decision
from truenorth.store.decisions import DecisionRow, DecisionState
from truenorth.store.opening import Store
from truenorth.store.rows import CaseRow, Judged, Progress

JOURNEY = """\
truenorth: 1
journey: support
need: type = "opened"
outcome: {achieved: type = "solved"}
holdout: 10%
"""
ACTIONS = """\
actions:
  - {name: call, cost: 5, prior: {recovers: 0.06, strength: 2}}
  - {name: letter, cost: 4, prior: {recovers: 0.06, strength: 2}}
"""


def row_of(past: Past) -> DecisionRow:
    decision, acts = past.decision, past.decision.chosen != "do_nothing"
    state: DecisionState = "nothing" if not acts else "done" if past.answer == "followed" else "declined"
    chosen = decision.candidate(decision.chosen)
    return DecisionRow(
        id=decision.id, journey=decision.journey, case=decision.case, customer=decision.customer, asker="anna",
        team=None, origin="asked", at_us=decision.at_us, chosen=decision.chosen,
        taken=decision.chosen if acts else None,
        channel=None, state=state, expires_us=None, propensity=decision.propensity, holdout=int(decision.holdout),
        value_cents=chosen.value_cents, cost_cents=chosen.parts.cost_cents,
        actual_cents=past.spent_cents if state == "done" else None, record=encode_decision(decision),
    )  # fmt: skip


def case_of(past: Past) -> CaseRow:
    assert past.end is not None
    ended_us = past.decision.at_us + past.end.customer_us
    return CaseRow(
        case=past.decision.case, customer=past.decision.customer, opened_us=past.decision.at_us, closed_us=ended_us,
        outcome="achieved" if past.end.achieved else "failed", reason="event", outcome_time_us=ended_us,
        kept=past.end.kept, broken=past.end.broken, value=past.end.value_cents / 100,
    )  # fmt: skip


def fill(store: Store, past: list[Past]) -> None:
    with store.decisions.taking(0) as taking:
        for one in past:
            taking.add(row_of(one), ())
    progress = store.results.progress("support")
    judged = Judged(progress=Progress(progress.position, progress.watermark_us), cases=[case_of(one) for one in past])
    store.results.write("support", judged, n_erasures=0)
