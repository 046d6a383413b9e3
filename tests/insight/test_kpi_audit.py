"""The KPI audit: its arithmetic on every log, and what it finds where the truth is known."""

from __future__ import annotations

import math

import msgspec
import polars as pl
import pytest

from insight.worlds import EXAMPLES, SCOPE, SINCE, Rolled, rolled
from truenorth.insight.kpi_audit import Audit, audit_kpis
from truenorth.insight.kpi_file import Kpi, Reward, parse_kpis
from truenorth.insight.kpi_values import by_week, parts, units
from truenorth.insight.matching import openings
from truenorth.insight.ripe import ripe_cases
from truenorth.simulate.company import Incentive
from truenorth.spec.conditions import parse_condition
from truenorth.spec.problems import TruenorthError

NEUTRAL = {"tested_before_visit", "tests_made", "phone_share", "called_back_in_time", "back_online"}


def kpis(paid_by: str | None = None) -> list[Kpi]:
    reward = Reward(weight=40, since=SINCE.date(), scope=parse_condition(SCOPE))
    found = parse_kpis((EXAMPLES / "steering" / "kpis.yaml").read_bytes())
    return [msgspec.structs.replace(one, reward=reward if one.name == paid_by else None) for one in found]


def flagged(audit: Audit) -> set[str]:
    return {one.kpi.name for one in audit.kpis if one.verdict == "fights the customer"}


@pytest.fixture(scope="module")
def harmed() -> Rolled:
    return rolled(1, n_customers=9_000, incentive="handle_time")


@pytest.fixture(scope="module")
def audit(harmed: Rolled) -> Audit:
    return audit_kpis(harmed.replay, kpis("handle_time"))


def test_the_planted_harm_is_found_and_no_other(audit: Audit) -> None:
    assert "handle_time" in flagged(audit)
    assert not flagged(audit) & NEUTRAL
    found = {one.kpi.name: one for one in audit.kpis}
    assert found["handle_time"].known_harm.startswith("average handle time")
    assert found["called_back_in_time"].verdict == "aligned"
    assert found["back_online"].verdict == "is the outcome"


def test_shares_of_outputs(audit: Audit) -> None:
    assert audit.output_share == 5 / 8
    assert audit.output_paid == 1.0
    example = parse_kpis((EXAMPLES / "steering" / "kpis.yaml").read_bytes())
    assert sum(one.reward.weight for one in example if one.reward) == 100


def test_outcome_measures_are_proposed(audit: Audit) -> None:
    names = [one.name for one in audit.proposals]
    assert names[0] == "outcome_achieved"
    assert {"right_first_time_kept", "called_back_kept"} <= set(names)
    assert "no_bad_mood_kept" not in names, "a feeling is a sign of how a case fares"
    assert all(one.low > 0 for one in audit.proposals[1:])


def test_nothing_is_paid_for(harmed: Rolled) -> None:
    found = audit_kpis(harmed.replay, kpis()[:1])
    assert math.isnan(found.output_paid)
    assert found.to_dict()["output_paid"] is None
    assert [one.level for one in found.kpis[0].evidence] == ["case", "week"]


@pytest.mark.parametrize("name", ["handle_time", "answer_rate", "tests_made", "called_back_in_time", "back_online"])
def test_values_are_those_of_the_log(harmed: Rolled, name: str) -> None:
    """The KPI of all cases, of units and weeks, and case by case add up to the same."""
    replay, kpi = harmed.replay, next(one for one in kpis() if one.name == name)
    cases = ripe_cases(replay)
    frame = cases.hstack(parts(replay, kpi, cases)).with_columns(
        units(replay, kpi.per, cases, openings(replay)).alias("unit"), expected=pl.lit(0.0)
    )
    weeks = by_week(frame)
    assert weeks["n"].sum() == cases.height
    assert (frame["top"].drop_nulls() >= 0).all()
    if kpi.formula.aggregate == "share":
        assert weeks["value"].is_between(0, 1).all()
    if name == "back_online":
        assert frame["top"].sum() == cases["achieved"].sum()


def test_every_wrong_name_at_once(harmed: Rolled) -> None:
    text = """
truenorth: 1
kpis:
- {name: a, owner: b, better: lower, formula: {mean: talks_s}}
- {name: c, owner: b, better: lower, formula: {share: verdict = 'kept'}, per: squad}
- {name: d, owner: b, better: lower, formula: {mean: queue_s}, reward: {weight: 1, scope: regio = 'north'}}
"""
    with pytest.raises(TruenorthError) as caught:
        audit_kpis(harmed.replay, parse_kpis(text))
    found = {one.path: one for one in caught.value.problems}
    assert set(found) == {
        "$.kpis[0].formula.mean", "$.kpis[1].formula.share", "$.kpis[1].per", "$.kpis[2].reward.scope",
    }  # fmt: skip
    assert found["$.kpis[0].formula.mean"].hint == "did you mean 'talk_s'?"
    assert found["$.kpis[0].formula.mean"].line == 4


@pytest.mark.slow
@pytest.mark.parametrize("incentive", ["handle_time", "answer_rate"])
def test_twenty_worlds(incentive: Incentive) -> None:
    """The measure that is paid for is found, and no neutral one, in at least 19 of 20."""
    found = [
        flagged(audit_kpis(rolled(seed, n_customers=24_000, days=84, incentive=incentive).replay, kpis(incentive)))
        for seed in range(20)
    ]
    assert sum(incentive in one for one in found) >= 19
    assert sum(not one & NEUTRAL for one in found) >= 19
