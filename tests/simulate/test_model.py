"""The declaration is in order: shares add up, names are found, time suffices."""

from __future__ import annotations

import pytest

from truenorth.simulate import model
from truenorth.simulate.customers import make_customers
from truenorth.simulate.journeys import CONSEQUENCES, JOURNEYS, SPILLOVER
from truenorth.simulate.lived import FIELD_TYPES, INTERNAL_TYPES, TELEPHONY_TYPES, WRITTEN_TYPES
from truenorth.simulate.model import JourneyModel
from truenorth.simulate.tables import N_SLOTS, SIGNS, TYPES

one_journey = pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
OVERFLOW_H = 14.0
NIGHT_H = 13.0


@pytest.mark.parametrize(
    "shares",
    [
        model.SEVERITY_SHARES,
        *model.CHANNEL_SHARES.values(),
        tuple(segment.share for segment in model.SEGMENTS),
        *(tuple(category.share for category in journey.categories) for journey in JOURNEYS),
        *(
            tuple(script.share(outcome, paid) for script in model.SCRIPTS)
            for outcome in model.OUTCOMES
            for paid in (model.Incentives(), *model.INCENTIVES.values())
        ),
    ],
)
def test_shares_add_up(shares: tuple[float, ...]) -> None:
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


@one_journey
def test_steps_and_causes_name_one_another(journey: JourneyModel) -> None:
    causes = [cause.name for cause in journey.causes]
    assert len(set(causes)) == len(causes) <= N_SLOTS
    steps = [step.cause for step in journey.steps if step.cause]
    assert sorted(steps) == sorted(cause.name for cause in journey.causes if cause.kind != "wait")
    kinds = {cause.name: cause.kind for cause in journey.causes}
    assert all(kinds[step.cause] in {step.kind, step.kind + "s"} for step in journey.steps if step.cause)
    assert [cause.kind for cause in journey.causes][:2] == ["wait", "transfers"]
    assert journey.steps[-1].kind == "settle"
    assert {journey.first_team, journey.second_team} <= set(model.QUEUE_TEAMS)
    assert {step.team for step in journey.steps} <= {*model.TEAMS, ""}


@one_journey
def test_no_step_is_silent_long_enough_to_be_taken_for_abandoned(journey: JourneyModel) -> None:
    """A broken promise is done at the latest after one and a half times its time, and a night."""
    longest_h = max(1.5 * step.due_h + NIGHT_H for step in journey.steps)
    assert max(longest_h, 2 * OVERFLOW_H, 40 + NIGHT_H) < 24 * journey.abandoned_after_d


def test_actions_answer_to_what_there_is() -> None:
    words = {
        *SIGNS,
        "severe",
        *(f"journey:{one.name}" for one in JOURNEYS),
        *(f"segment:{one.name}" for one in model.SEGMENTS),
    }
    assert all(set(rule.when) <= words for action in model.ACTIONS for rule in action.rules)
    assert [action.name for action in model.ACTIONS if not action.rules] == ["do_nothing", "apology_letter"]


def test_types_of_events_are_known() -> None:
    named = {*model.COST_EUR, *model.REVENUE_EUR, *FIELD_TYPES, *INTERNAL_TYPES, *TELEPHONY_TYPES, *WRITTEN_TYPES}
    assert named | {row.event for script in model.SCRIPTS for row in script.rows} <= set(TYPES)
    assert len(TYPES) < 256


def test_spillover_and_consequences_name_journeys() -> None:
    names = {journey.name for journey in JOURNEYS}
    assert {journey for journey, _ in SPILLOVER} | {need for needs in SPILLOVER.values() for need in needs} <= names
    assert {outcome for _, outcome in SPILLOVER} <= set(model.OUTCOMES)
    assert {one.journey for one in CONSEQUENCES} <= names


def test_a_customer_is_the_same_in_companies_of_any_size() -> None:
    assert (make_customers(50, 3) == make_customers(500, 3)[:50]).all()
    assert (make_customers(50, 3) != make_customers(50, 4)).any()
