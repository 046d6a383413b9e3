"""Trying: whatever may be worth it has its share, nothing else has, and a decision says that it was a trial."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings

from action.making import any_inputs, plain_inputs
from truenorth.action.belief import Belief
from truenorth.action.choice import Option, propensities
from truenorth.action.deciding import decide
from truenorth.action.explanation import reasons
from truenorth.action.exploring import TRIED, may_be_tried
from truenorth.action.funnel import candidates_of
from truenorth.action.inputs import Inputs
from truenorth.action.record import encode_decision, is_reproduced
from truenorth.action.values import DO_NOTHING, Effect, Offer
from truenorth.spec.acting import Need, Prior
from truenorth.spec.counted import MINUS

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
@settings(deadline=None, max_examples=30)
def test_the_chance_of_a_choice_is_the_share_of_coins_that_find_it(inputs: Inputs) -> None:
    """Where all effects are known, draws decide nothing and the coin everything."""
    known = {name: msgspec.structs.replace(one, sd=0.0, caution=0.0) for name, one in inputs.effects.items()}
    fixed = msgspec.structs.replace(inputs, effects=known, draws={name: one.mean for name, one in known.items()})
    n = 200
    found = Counter(decide(msgspec.structs.replace(fixed, coin=(place + 0.5) / n)).chosen for place in range(n))
    for one in decide(fixed).candidates:
        assert found[one.action] / n == pytest.approx(one.propensity, abs=0.02)


@given(any_inputs())
@settings(deadline=None)
def test_whoever_never_tries_does_what_is_believed_best(inputs: Inputs) -> None:
    never = msgspec.structs.replace(inputs, explore=0.0, evenly=0.0, doubted=0.0)
    assert decide(msgspec.structs.replace(inputs, coin=0.9999, doubted=0.0)).chosen == decide(never).chosen
    assert all(one.words != TRIED for one in decide(never).candidates)


def test_beliefs_that_nobody_has_measured_are_compared_with_doing_nothing() -> None:
    decision = decide(plain_inputs(CALL, evenly=0.5, coin=0.1))
    assert decision.chosen == DO_NOTHING
    assert [one.propensity for one in decision.candidates] == [
        pytest.approx(0.25, abs=0.01),
        pytest.approx(0.75, abs=0.01),
    ]


@pytest.mark.parametrize(("n", "share"), [(100, 1.0), (700, 1.0), (1_400, 0.25), (7_000, 0.01)])
def test_the_more_an_action_was_taken_the_less_it_is_doubted(n: int, share: float) -> None:
    unsure = Effect(mean=0.1, low=-0.1, high=0.3, sd=0.1, n=n, source="data", caution=2.0)
    inputs = plain_inputs(CALL, effects={"call": unsure}, draws={"call": 0.1}, doubted=700.0)
    assert decide(msgspec.structs.replace(inputs, coin=share * 0.999)).candidate("call").words == TRIED
    if share < 1:
        assert decide(msgspec.structs.replace(inputs, coin=share * 1.001)).chosen == DO_NOTHING
    taken = decide(inputs).candidate("call").propensity
    assert taken == pytest.approx(share * propensities([Option("call", 2_100, 3_300, 0)])["call"], abs=1e-6)


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
    assert reasons(decision)[1].startswith(f"{TRIED}; EUR {MINUS}8.70 expected")


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
    added = {"explore", "evenly", "doubted", "coin"}
    older = msgspec.json.encode({name: value for name, value in inputs.items() if name not in added})
    assert is_reproduced(encode_decision(msgspec.structs.replace(decision, inputs=older)))
