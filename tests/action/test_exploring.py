"""Trying: whatever may be worth it has its share, nothing else has, and a decision says that it was a trial."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings

from action.making import any_inputs, plain_inputs
from truenorth.action.belief import Belief
from truenorth.action.deciding import decide
from truenorth.action.explanation import reasons
from truenorth.action.exploring import TRIED, may_be_tried
from truenorth.action.funnel import candidates_of
from truenorth.action.inputs import Inputs
from truenorth.action.record import encode_decision, is_reproduced
from truenorth.action.values import DO_NOTHING, Effect, Offer
from truenorth.spec.acting import Need, Prior

CALL = Offer(name="call", cost_cents=1_200)
VISIT = Offer(name="visit", cost_cents=6_000)
POOR = Effect(mean=0.01, low=-0.19, high=0.21, sd=0.1)


def poor(**changes: object) -> Inputs:
    """A call that is believed not to be worth it, and may be; trying is on."""
    given = {"effects": {"call": POOR, "visit": POOR}, "draws": {"call": 0.01, "visit": 0.01}, "explore": 0.1}
    return plain_inputs(CALL, VISIT, **{**given, **changes})


@given(any_inputs())
@settings(deadline=None)
def test_whatever_may_be_tried_has_its_share_and_a_coin_finds_it(inputs: Inputs) -> None:
    names = may_be_tried(inputs, candidates_of(inputs))
    found: Counter[str] = Counter()
    for place in range(3 * len(names)):
        coin = inputs.explore * (place + 0.5) / (3 * len(names))
        found[decide(msgspec.structs.replace(inputs, coin=coin)).chosen] += 1
    assert found == Counter(dict.fromkeys(names, 3))
    decision = decide(inputs)
    assert all(decision.candidate(name).propensity >= inputs.explore / len(names) - 1e-8 for name in names)


@given(any_inputs())
@settings(deadline=None)
def test_without_a_trial_the_choice_is_that_of_a_policy_that_never_tries(inputs: Inputs) -> None:
    never = decide(msgspec.structs.replace(inputs, explore=0.0))
    assert decide(msgspec.structs.replace(inputs, coin=0.999)).chosen == never.chosen


def test_an_action_has_a_chance_as_long_as_its_interval_reaches_its_cost() -> None:
    decision = decide(poor())
    assert decision.chosen == DO_NOTHING
    assert decision.candidate("call").stage == "value"
    assert [one.propensity for one in decision.candidates] == [0.933333334, 0.033333333, 0.033333333]
    sure = decide(poor(effects={"call": POOR, "visit": msgspec.structs.replace(POOR, high=0.18)}))
    assert [one.propensity for one in sure.candidates] == [0.95, 0.05, 0.0]  # 0.18 of 330 EUR is less than 60 EUR


def test_a_trial_says_that_it_is_one() -> None:
    decision = decide(poor(coin=0.05))
    assert (decision.chosen, decision.candidate("call").stage) == ("call", None)
    assert decision.candidate("call").words == TRIED
    assert reasons(decision)[1].startswith(f"{TRIED}; -8.70 EUR expected")


@pytest.mark.parametrize(
    "changes",
    [
        {"explore": 0.0},
        {"only": "visit"},
        {"is_held_out": True},
        {"stopped": ("*",)},
        {"actions": (msgspec.structs.replace(CALL, exempt="legal"), VISIT)},
        {"actions": (msgspec.structs.replace(CALL, needs=(Need("goodwill"),)),)},
    ],
)
def test_nothing_is_tried_where_it_must_not_be(changes: dict[str, object]) -> None:
    inputs = poor(coin=0.05, **changes)
    assert may_be_tried(inputs, candidates_of(inputs)) == ()
    assert all(one.words != TRIED for one in decide(inputs).candidates)


def test_who_believes_that_nothing_helps_still_doubts() -> None:
    inputs = plain_inputs(CALL)
    offer = msgspec.structs.replace(CALL, prior=Prior(0.0))
    effect = Belief().effects(inputs.context, [offer])["call"]
    assert (effect.mean, effect.low) == (0.0, 0.0)
    assert effect.high > 0


def test_a_record_from_before_there_were_trials_is_made_again() -> None:
    decision = decide(plain_inputs(CALL))
    inputs = msgspec.json.decode(decision.inputs)
    older = msgspec.json.encode({name: value for name, value in inputs.items() if name not in {"explore", "coin"}})
    assert is_reproduced(encode_decision(msgspec.structs.replace(decision, inputs=older)))
