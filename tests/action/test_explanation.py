"""Explanations agree with what is decided; what would have changed it does."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings

from action.making import any_inputs, plain_inputs
from truenorth.action.deciding import decide
from truenorth.action.explanation import alternatives, counterfactuals, reasons
from truenorth.action.guards import Reacted, stamping
from truenorth.action.inputs import Inputs
from truenorth.action.values import DO_NOTHING, Context, Offer

CALL = Offer(name="call_back", cost_cents=1200)
CHECK = Offer(name="check", cost_cents=100)


@given(any_inputs())
@settings(max_examples=50, deadline=None)
def test_every_decision_has_three_reasons_and_its_alternatives_stayed(inputs: Inputs) -> None:
    decision = decide(inputs)
    assert all(reasons(decision))
    assert len(reasons(decision)) == 3
    for one in alternatives(decision):
        assert one.stage is None
        assert one.action != decision.chosen
    list(counterfactuals(decision))


def transferred(inputs: Inputs, n: int, risk: float) -> Inputs:
    context = msgspec.structs.replace(inputs.context, measures={"handovers": float(n)}, risk=risk)
    return msgspec.structs.replace(inputs, context=context)


def test_with_no_second_transfer_nothing_would_have_been_proposed() -> None:
    def risk_if(context: Context) -> float:
        return 0.22 if context.measures["handovers"] < 2 else 0.6

    inputs = transferred(plain_inputs(CALL, situations={"call_back": "risk >= 0.4"}), 2, 0.6)
    said = list(counterfactuals(decide(inputs), risk_if))
    assert "with no second transfer the risk would have been 0.22 and nothing would have been proposed" in said


def test_another_action_would_have_been_proposed() -> None:
    situations = {"call_back": "handovers > 0", "check": "handovers = 0"}
    inputs = transferred(plain_inputs(CALL, CHECK, situations=situations), 1, 0.6)
    assert "with no transfer 'check' would have been proposed" in list(counterfactuals(decide(inputs)))


def test_the_nearest_risk_that_changes_the_choice_is_told() -> None:
    decision = decide(plain_inputs(CALL, situations={"call_back": "risk >= 0.4"}))
    assert list(counterfactuals(decision)) == ["with a risk of 39 % nothing would have been proposed"]
    assert decision.chosen != DO_NOTHING


def test_who_never_looks_is_seen_and_who_does_is_not() -> None:
    stamps = [Reacted("call", "accepted", 900_000)] * 40
    looks = [Reacted("credit", "accepted", 9_000_000)] * 40
    differs = [Reacted("visit", kind, 900_000) for kind in ("accepted", "declined") * 20]
    few = [Reacted("letter", "accepted", 1)] * 29
    found = {one.action: one.is_suspect for one in stamping([*stamps, *looks, *differs, *few])}
    assert found == {"call": True, "credit": False, "visit": False, "letter": False}
