"""Policies: the oracle is best, capacity holds, propensities are kept."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.simulate import ACTIONS, Choices, Company, Constant, Moments, Oracle, Random, World
from truenorth.simulate.asking import capacities
from truenorth.simulate.policies import Policy, code_of
from truenorth.spec.problems import TruenorthError

COMPANY = Company(spillover=False)
CONSTANTS = [Constant(action.name) for action in ACTIONS]


@pytest.fixture(scope="module")
def closed() -> World:
    """A world in which no case touches another, so that the values of policies are exact."""
    return World(COMPANY, seed=2)


def policies() -> st.SearchStrategy[Policy]:
    return st.sampled_from([*CONSTANTS, Random(), Oracle()])


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda one: ACTIONS[one.action].name)
def test_the_oracle_is_no_worse_than_any_constant(closed: World, constant: Constant) -> None:
    best = closed.policy_value(closed.oracle_policy())
    other = closed.policy_value(constant)
    assert best.n_cases == other.n_cases > 1000
    assert best.nothing_eur == other.nothing_eur
    assert best.expected_eur >= other.expected_eur
    assert best.gain_eur > 5


def test_doing_nothing_is_worth_nothing(closed: World) -> None:
    value = closed.policy_value(Constant("do_nothing"))
    assert (value.gain_eur, value.lived_gain_eur, value.cost_eur) == (0, 0, 0)


def test_the_useless_letter_is_worth_its_cost(closed: World) -> None:
    value = closed.policy_value(Constant("apology_letter"))
    assert value.lived_gain_eur == pytest.approx(-value.cost_eur)
    assert value.gain_eur == pytest.approx(-value.cost_eur)


def test_what_is_expected_is_lived(closed: World) -> None:
    """The oracle knows chances, not luck: over many cases both gains are near one another."""
    value = closed.policy_value(Oracle())
    assert value.lived_gain_eur == pytest.approx(value.gain_eur, abs=4 * 150 / np.sqrt(value.n_cases))


@settings(max_examples=20, deadline=None)
@given(policies(), st.floats(0, 1.5), st.integers(0, 2**40))
def test_capacity_is_never_exceeded(policy: Policy, capacity: float, seed: int) -> None:
    company = Company(n_customers=800, days=12, capacity=capacity)
    lived = World(company, seed).run(policy=policy)
    limits = dict(zip((action.name for action in ACTIONS), capacities(company).tolist(), strict=True))
    done = lived.decisions.group_by(pl.col("time").dt.date(), pl.col("action").cast(pl.String)).len()
    assert all(n <= limits[action] for _, action, n in done.iter_rows())
    refused = lived.decisions.filter("refused")
    assert (refused["action"] == "do_nothing").all()


@settings(max_examples=10, deadline=None)
@given(policies(), st.integers(0, 2**40))
def test_what_is_decided_is_done_once_and_paid(policy: Policy, seed: int) -> None:
    lived = World(Company(n_customers=800, days=25), seed).run(policy=policy)
    types = {action.event: action for action in ACTIONS[1:]}
    done = lived.events().filter(pl.col("type").cast(pl.String).is_in(list(types)))
    decided = dict(
        lived.decisions.filter(pl.col("action") != "do_nothing")
        .select("case", pl.col("action").cast(pl.String))
        .iter_rows()
    )
    assert done["case"].is_unique().all()
    for case, type_, cost in done.select("case", pl.col("type").cast(pl.String), "cost").iter_rows():
        assert decided.pop(case) == types[type_].name
        assert cost == types[type_].cost_eur
    assert len(decided) <= 200  # decided within the last hour or two


def test_a_policy_sees_what_can_be_seen(closed: World) -> None:
    seen: list[Moments] = []

    class Watching:
        knows_truth = False

        def __call__(self, moments: Moments) -> Choices:
            seen.append(moments)
            angry = moments.trigger == 3
            return Choices(np.where(angry, code_of("goodwill_credit"), 0), np.full(len(angry), 0.5))

    decisions = closed.run(policy=Watching()).decisions
    assert sum(len(moments.time_us) for moments in seen) == decisions.height
    assert all(len(moments.gain_eur) == 0 for moments in seen)
    assert all((moments.time_us // 3_600_000_000 == moments.time_us[0] // 3_600_000_000).all() for moments in seen)
    assert (decisions["propensity"] == 0.5).all()
    credited = decisions.filter((pl.col("action") == "goodwill_credit") | pl.col("refused"))
    assert (credited["trigger"] == "complaint").all()
    assert credited.height == (decisions["trigger"] == "complaint").sum()
    assert set(decisions["trigger"]) == {"promise_broken", "second_contact", "complaint"}


def test_propensities_of_a_random_policy_are_its_frequencies(closed: World) -> None:
    lived = World(Company(capacity=1000), 3).run(policy=Random())
    shares = lived.decisions["action"].value_counts(normalize=True)["proportion"]
    assert len(shares) == len(ACTIONS)
    assert abs(shares - 1 / len(ACTIONS)).max() < 4 * np.sqrt(1 / len(ACTIONS) / lived.decisions.height)  # type: ignore[operator]
    assert (lived.decisions["propensity"] == 1 / len(ACTIONS)).all()


def test_two_that_decide_are_one_too_many() -> None:
    with pytest.raises(TruenorthError, match="no actions set by do, found call_back_now"):
        World(COMPANY, do={"call_back_now": "on"}).run(policy=Random())


@pytest.mark.parametrize(
    ("action", "propensity", "message"),
    [([99], [1.0], "Choices.action"), ([0, 0], [1.0, 1.0], "Choices: expected 1"), ([0], [0.0], "Choices.propensity")],
)
def test_senseless_choices_are_refused(action: list[int], propensity: list[float], message: str) -> None:
    class Senseless:
        knows_truth = False

        def __call__(self, moments: Moments) -> Choices:
            n = len(moments.time_us) - 1
            return Choices(np.array(action + [0] * n), np.array(propensity + [1.0] * n))

    with pytest.raises(TruenorthError, match=message):
        World(Company(n_customers=500, days=10), 1).run(policy=Senseless())
