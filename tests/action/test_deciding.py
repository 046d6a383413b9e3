"""Laws of decisions, then each stage by example."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from action.making import HOUR_US, NOW_US, any_inputs, plain_inputs
from truenorth.action.accounts import taken_by
from truenorth.action.deciding import decide
from truenorth.action.inputs import EVERYTHING, Contacts, Inputs
from truenorth.action.record import (
    decode_decision,
    encode_decision,
    is_reproduced,
    replay_decision,
)
from truenorth.action.values import DO_NOTHING, STAGES, Effect, Offer
from truenorth.spec.acting import Frequency, Grant, Limit, Need
from truenorth.spec.counted import MINUS
from truenorth.store.pseudonyms import pseudonymous

CALL = Offer(name="call_back", cost_cents=1200, channel="phone")
CREDIT = Offer(name="credit", cost_cents=5000, needs=(Need("goodwill", 5000),))


@given(any_inputs())
@settings(deadline=None)
def test_a_decision_is_made_again_bit_by_bit(inputs: Inputs) -> None:
    record = encode_decision(decide(inputs))
    assert encode_decision(replay_decision(record)) == record
    assert is_reproduced(pseudonymous(record, "erased-1"))


@given(any_inputs())
@settings(deadline=None)
def test_propensities_sum_to_one_over_what_can_be_chosen(inputs: Inputs) -> None:
    decision = decide(inputs)
    assert sum(one.propensity for one in decision.candidates) == pytest.approx(1, abs=1e-9)
    assert all(one.propensity == 0 for one in decision.candidates if one.stage not in {None, "value"})
    assert all(one.propensity == 0 or inputs.explore for one in decision.candidates if one.stage == "value")
    assert decision.propensity == decision.candidate(decision.chosen).propensity
    assert all(0 <= one.propensity <= 1 for one in decision.candidates)


@given(any_inputs())
@settings(deadline=None)
def test_every_candidate_stays_or_says_where_it_fell_and_why(inputs: Inputs) -> None:
    decision = decide(inputs)
    assert [one.action for one in decision.candidates] == [DO_NOTHING, *(action.name for action in inputs.actions)]
    assert all(one.words for one in decision.candidates if one.stage in STAGES)
    assert decision.candidate(DO_NOTHING).stage is None
    assert decision.candidate(decision.chosen).stage is None


@given(any_inputs())
@settings(deadline=None)
def test_values_add_up(inputs: Inputs) -> None:
    for one in decide(inputs).candidates:
        assert one.value_cents == one.parts.outcome_cents + one.parts.revenue_cents - one.parts.cost_cents


@given(any_inputs())
@settings(deadline=None)
def test_what_is_chosen_fits_into_every_limit(inputs: Inputs) -> None:
    decision = decide(inputs)
    action = next((one for one in inputs.actions if one.name == decision.chosen), None)
    if action is None:
        return
    taken = {account.name: amount for account, amount in taken_by(action)}
    if inputs.budget_cents is not None and action.cost_cents:
        assert inputs.used.get("budget//money/day", 0) + action.cost_cents <= inputs.budget_cents
    if action.capacity is not None:
        assert inputs.used.get(f"capacity/{action.name}/times/day", 0) < action.capacity
    for need in action.needs:
        assert any(
            all(fits(limit, need, inputs.used, taken) for limit in grant.limits)
            for grant in inputs.grants
            if grant.permission == need.permission
        )


def fits(limit: Limit, need: Need, used: Any, taken: dict[str, int]) -> bool:
    amount = 1 if limit.unit == "times" else need.amount_cents or 0
    return amount + used.get(f"person/{need.permission}/{limit.unit}/{limit.per}", 0) <= limit.amount


@given(any_inputs())
@settings(max_examples=50, deadline=None)
def test_the_held_out_and_the_stopped_are_left_alone(inputs: Inputs) -> None:
    stopped = decide(msgspec.structs.replace(inputs, stopped=(EVERYTHING,)))
    assert stopped.chosen == DO_NOTHING
    held = decide(msgspec.structs.replace(inputs, is_held_out=True))
    by_right = {action.name for action in inputs.actions if action.exempt}
    assert held.chosen in {DO_NOTHING, *by_right}


def changed(**changes: Any) -> dict[str, Any]:
    return changes


@pytest.mark.parametrize(
    ("action", "changes", "stage", "words"),
    [
        (CALL, {}, None, ""),
        (CALL, {"stopped": ("call_back",)}, "eligibility", "this action is stopped"),
        (CALL, {"is_held_out": True}, "eligibility", "held out"),
        (CALL, {"under_way": ("call_back",)}, "eligibility", "under way"),
        (CALL, {"situations": {"call_back": "risk > 0.9"}}, "eligibility", "not a situation for it: risk > 0.9"),
        (CALL, {"contacts": Contacts(consent=False)}, "eligibility", "not agreed"),
        (CALL, {"contacts": Contacts(is_over=True)}, "contact", "left alone"),
        (CALL, {"contacts": Contacts(is_open=False, opens_us=NOW_US + HOUR_US)}, "contact", "again in 1 h"),
        (
            CALL,
            {"frequencies": (Frequency(1, 24 * HOUR_US),), "contacts": Contacts(counts=(1,))},
            "contact",
            "1 contact in 1 d; at most 1",
        ),
        (
            msgspec.structs.replace(CALL, cooldown_us=48 * HOUR_US),
            {"contacts": Contacts(last_us={"call_back": NOW_US - HOUR_US})},
            "contact",
            "the customer had it 1 h ago; not again within 2 d",
        ),
        (CREDIT, {"grants": ()}, "authority", "the permission 'goodwill' is not theirs"),
        (
            CREDIT,
            {"grants": (Grant("goodwill", (Limit(2000, "money", "case"),)),)},
            "authority",
            "EUR 50.00 is more than the EUR 20.00 a case that they may",
        ),
        (
            CREDIT,
            {
                "grants": (Grant("goodwill", (Limit(8000, "money", "day"),)),),
                "used": {"person/goodwill/money/day": 4000},
            },
            "budget",
            "EUR 40.00 is left of the EUR 80.00 a day that they may, EUR 50.00 is needed",
        ),
        (
            CREDIT,
            {"budget_cents": 10_000, "used": {"budget//money/day": 6_000}},
            "budget",
            "EUR 40.00 is left of today's budget of EUR 100.00",
        ),
        (
            msgspec.structs.replace(CALL, capacity=3),
            {"used": {"capacity/call_back/times/day": 3}},
            "capacity",
            "all 3 of today are taken",
        ),
        (msgspec.structs.replace(CALL, cost_cents=6000), {}, "value", f"not worth it: EUR {MINUS}10.50 expected"),
    ],
)
def test_each_stage_says_what_it_removed_and_why(action: Offer, changes: Any, stage: str | None, words: str) -> None:
    decision = decide(plain_inputs(action, **changes))
    found = decision.candidate(action.name)
    assert found.stage == stage
    assert words in found.words
    assert decision.chosen == (action.name if stage is None else DO_NOTHING)


def test_one_grant_that_allows_is_enough() -> None:
    small, large = Limit(2000, "money", "case"), Limit(50_000, "money", "day")
    decision = decide(plain_inputs(CREDIT, grants=(Grant("goodwill", (small,)), Grant("goodwill", (large,)))))
    assert decision.candidate("credit").stage != "authority"


def test_what_nobody_knows_is_not_claimed() -> None:
    context = msgspec.structs.replace(plain_inputs(CALL).context, risk=None)
    nothing = Effect(mean=0.0, low=0.0, high=0.0, sd=0.0)
    decision = decide(plain_inputs(CALL, context=context, effects={"call_back": nothing}, draws={"call_back": 0.0}))
    assert "no benefit is claimed" in decision.candidate("call_back").words


def test_a_record_keeps_all_of_a_decision() -> None:
    decision = decide(plain_inputs(CALL, CREDIT))
    assert decode_decision(encode_decision(decision)) == decision


def test_a_record_without_the_person_names_neither_case_nor_customer() -> None:
    record = pseudonymous(encode_decision(decide(plain_inputs(CALL))), "erased-1")
    kept = decode_decision(record)
    assert (kept.case, kept.customer) == ("erased-1", None)
    assert b'"T1"' not in kept.inputs
    assert b'"ann"' not in kept.inputs
