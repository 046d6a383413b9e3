"""Decisions of the policy come back as columns, as what was learnt, as books."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from action.company import AT_STAKE, CALL, DOUBT, LETTER, past_decisions
from action.making import plain_inputs
from truenorth.action.deciding import decide
from truenorth.action.learnt_effects import LearntEffects, decode_effects, encode_effects, learn_effects
from truenorth.action.ledger import keep_books
from truenorth.action.past import Past, entries_of, intended, overrides_of, split_of, table_of
from truenorth.action.proof import PROVEN, UNPROVEN
from truenorth.action.record import encode_decision, is_reproduced
from truenorth.action.values import Context, Effect
from truenorth.spec.acting import Offer

OFFERS = (CALL, LETTER)
HELPFUL = 0.5


@cache
def company(effect: float) -> Sequence[Past]:
    return past_decisions(2_500, seed=4, effect=effect)


@cache
def learnt(effect: float) -> LearntEffects:
    return learn_effects(table_of(company(effect)), {"call": DOUBT, "letter": DOUBT})[0]


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """So that no law is the first to ask."""
    learnt(HELPFUL)


def a_case(handovers: float) -> Context:
    measures = {"handovers": handovers, "events": 3.0}
    return Context(journey="support", case="new", customer=None, at_us=0, base_risk=0.6, measures=measures)


@given(st.permutations(range(40)))
def test_columns_do_not_depend_on_the_order_of_decisions(order: list[int]) -> None:
    past = list(company(HELPFUL)[:40])
    one, other = table_of(past), table_of([past[place] for place in order])
    for left, right in zip(one.log[2:], other.log[2:], strict=True):
        assert np.array_equal(left, right)


def test_propensities_are_those_of_the_decisions() -> None:
    log = table_of(company(HELPFUL)).log
    assert log.actions == ("do_nothing", "call", "letter")
    assert log.names == ("handovers",)
    shares = np.array([one.decision.propensity for one in company(HELPFUL)])
    assert np.array_equal(log.propensity, shares)
    assert log.eligible[np.arange(len(log.action)), log.action].all()
    assert (log.action[log.holdout] == 0).all()
    assert not log.eligible[log.holdout, 1:].any()


def test_an_open_case_teaches_nothing() -> None:
    log = table_of([one._replace(end=None) for one in company(HELPFUL)[:5]]).log
    assert np.isnan(log.achieved).all()
    assert np.isnan(log.value_cents).all()


def test_what_helps_is_found_and_decisions_ask_it() -> None:
    effects = learnt(HELPFUL)
    assert effects.caution == PROVEN
    helped, dull = effects.effects(a_case(1.0), OFFERS), effects.effects(a_case(0.0), OFFERS)
    assert helped["call"].source == "data"
    assert helped["call"].low < 0.5 < helped["call"].high
    assert helped["call"].low > 0.2
    assert abs(dull["call"].mean) < 0.15
    assert abs(helped["letter"].mean) < 0.15


def test_where_nothing_helps_decisions_stop_acting() -> None:
    effects = learnt(0.0)
    assert effects.caution == UNPROVEN
    for handovers in (0.0, 1.0):
        case = a_case(handovers)
        found = effects.effects(case, OFFERS)
        decision = decide(
            plain_inputs(
                *OFFERS, context=case, effects=found, draws={"call": 0.9, "letter": 0.9}, at_stake_cents=AT_STAKE
            )
        )
        assert decision.chosen == "do_nothing"
        assert {one.stage for one in decision.candidates if one.action != "do_nothing"} == {"value"}
        assert is_reproduced(encode_decision(decision))


def test_until_an_action_was_tried_its_belief_decides() -> None:
    table = table_of(company(HELPFUL)[:90])
    effects = learn_effects(table, {"call": DOUBT, "letter": DOUBT})[0]
    assert {one.source for one in effects.effects(a_case(1.0), OFFERS).values()} == {"prior"}
    unknown = Offer(name="visit", prior=DOUBT)
    assert learnt(HELPFUL).effects(a_case(1.0), [unknown])["visit"].source == "prior"


@given(st.floats(0, 1), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_what_is_kept_says_the_same_to_the_last_bit(handovers: float, one: float, other: float) -> None:
    kept = decode_effects(encode_effects(learnt(HELPFUL)), "learnt/7")
    assert kept.version == "learnt/7"
    case, uniforms = a_case(handovers), np.array([one, other])
    assert kept.effects(case, OFFERS) == learnt(HELPFUL).effects(case, OFFERS)
    assert kept.draw(case, OFFERS, uniforms) == learnt(HELPFUL).draw(case, OFFERS, uniforms)


@given(st.floats(0.0, 0.3), st.floats(0.001, 0.2), st.floats(0, 3), st.integers(0, 5_000))
def test_caution_only_ever_removes(mean: float, sd: float, caution: float, cost_cents: int) -> None:
    offer = Offer(name="call", cost_cents=cost_cents)
    bold = Effect(mean=mean, low=mean - 2 * sd, high=mean + 2 * sd, sd=sd, n=200, source="data")
    shy = msgspec.structs.replace(bold, caution=caution)
    stages = [decide(plain_inputs(offer, effects={"call": one})).candidate("call").stage for one in (bold, shy)]
    assert stages[1] == "value" or stages[0] == stages[1]


def test_a_held_out_case_stands_under_what_was_intended() -> None:
    held = [one for one in company(HELPFUL) if one.decision.holdout]
    assert {intended(one) for one in held} == {"do_nothing", "call", "letter"}
    assert all(one.decision.chosen == "do_nothing" for one in held)
    entries = entries_of(company(HELPFUL), lambda _at: "2026")
    assert entries["holdout"].sum() == sum(intended(one) != "do_nothing" for one in held)


def test_books_of_decisions_balance_and_find_what_acting_changed() -> None:
    books = keep_books(entries_of(company(HELPFUL), lambda at_us: str(at_us // 10**13)))
    assert books.totals["cost_cents"] == sum(one.spent_cents for one in company(HELPFUL))
    assert sum(line.cost.actual for line in books.lines) == books.totals["cost_cents"]
    whole = keep_books(entries_of(company(HELPFUL), lambda _at: "all"))
    call = next(line for line in whole.lines if line.action == "call")
    assert call.achieved.increment is not None
    assert call.achieved.increment.low < 0.25 < call.achieved.increment.high


def test_a_case_is_entered_once() -> None:
    first = next(one for one in company(HELPFUL) if one.decision.chosen == "call")
    again = first._replace(
        decision=msgspec.structs.replace(first.decision, id="f" * 24, at_us=first.decision.at_us + 1)
    )
    entries = entries_of([again, first], lambda _at: "all")
    assert entries.height == 1
    assert entries["cost_cents"].to_list() == [2 * first.spent_cents]


def test_overrides_are_judged_by_action() -> None:
    assert {one.action for one in overrides_of(company(HELPFUL))} == {"call", "letter"}
    assert overrides_of([one._replace(answer=None) for one in company(HELPFUL)]) == ()


def test_no_decision_is_no_table() -> None:
    with pytest.raises(ValueError, match="no decision"):
        table_of([])


def test_the_split_counts_each_case_once_by_its_first_decision() -> None:
    past = company(HELPFUL)
    held = {one.decision.case for one in past if one.decision.holdout}
    cases = {one.decision.case for one in past}
    found = split_of(past, {1: len(held) / len(cases)})
    assert found is not None
    assert (found.n_holdout, found.n_treated) == (len(held), len(cases) - len(held))
    assert found.is_sound
    asked = split_of([one for one in past if not one.decision.holdout], {1: len(held) / len(cases)})
    assert asked is not None
    assert not asked.is_sound
    assert "sample-ratio mismatch" in asked.words


def test_a_split_of_another_share_is_not_counted() -> None:
    early, late = company(HELPFUL)[:100], company(HELPFUL)[100:]
    versions = msgspec.structs.replace(late[0].decision.versions, journey=2)
    late = [one._replace(decision=msgspec.structs.replace(one.decision, versions=versions)) for one in late]
    found = split_of([*early, *late], {1: 0.5, 2: 0.1})
    assert found is not None
    assert found.n_holdout + found.n_treated == len({one.decision.case for one in late})
    assert split_of([*early, *late], {1: 0.5, 2: 0.0}) is None
    assert split_of([], {}) is None
