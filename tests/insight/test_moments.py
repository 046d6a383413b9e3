"""Moments and the causal flow: a slow second reading of the rule, and the simulated company's own books."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight.company import lived, replay_of
from report.replays import diced, empty, tiny
from truenorth.insight import causal_flow
from truenorth.insight.coded import coded
from truenorth.insight.failure_demand import COMPLAINT_FEELING, REASONS, failure_demand
from truenorth.insight.moments import BEFORE_FIRST, moments
from truenorth.insight.replayed import Replayed
from truenorth.simulate.model import COST_EUR


def read_slowly(replay: Replayed) -> tuple[dict[str, float], Counter[tuple[str, str, str]]]:
    """Cost by the moment that bears it, and what each moment caused: event by event, as the rule is written."""
    cost: dict[str, float] = defaultdict(float)
    caused: Counter[tuple[str, str, str]] = Counter()
    case = moment = None
    for event in replay.events.iter_rows(named=True):
        if event["case"] != case:
            case, moment = event["case"], None
        for kind in ("handover", "decision", "internal"):
            if event[kind]:
                caused[moment or BEFORE_FIRST, kind, event["type"]] += 1
        bearer = event["type"] if event["moment"] else moment or BEFORE_FIRST
        cost[bearer] += event["cost"] or 0.0
        if event["moment"]:
            moment = event["type"]
    return cost, caused


@pytest.mark.parametrize("replay", [tiny(), diced(150, seed=1), diced(150, seed=2, n_types=9)], ids=["tiny", "a", "b"])
def test_agrees_with_the_rule_read_slowly(replay: Replayed) -> None:
    found = moments(replay)
    cost, caused = read_slowly(replay)
    flow = {(row["moment"], row["kind"], row["type"]): row["n"] for row in found.flow.iter_rows(named=True)}
    assert flow == dict(caused)
    for row in found.types.filter(pl.col("n_moments") > 0).iter_rows(named=True):
        assert row["caused_cost"] + moment_cost(replay, row["type"]) == pytest.approx(cost[row["type"]])
    assert found.totals["before_cost"] == pytest.approx(cost.get(BEFORE_FIRST, 0.0))


def moment_cost(replay: Replayed, name: str) -> float:
    return float(replay.events.filter((pl.col("type") == name) & pl.col("moment"))["cost"].sum())


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_the_books_balance(seed: int, n_cases: int) -> None:
    replay = diced(n_cases, seed=seed, n_open=n_cases // 3)
    found, events = moments(replay), coded(replay)
    bearer = causal_flow.bearers(events)
    borne = sum(events.cost[bearer == at].sum() for at in set(bearer.tolist()) if at >= 0)
    assert borne + found.totals["before_cost"] == pytest.approx(found.totals["cost"])
    for kind in ("handover", "decision", "internal"):
        rows = found.flow.filter(pl.col("kind") == kind)
        total = found.totals["internal" if kind == "internal" else f"{kind}s"]
        assert rows["n"].sum() == total
    assert found.work["n"].sum() == (~events.by_customer).sum()
    assert found.types["n"].sum() == replay.events.height


def test_what_a_case_does_later_changes_no_cause() -> None:
    replay = diced(80, seed=3, n_open=0)
    events = coded(replay)
    cause = causal_flow.causes(events)
    index = [i for i in range(events.n_events) if cause[i] >= 0]
    assert all(cause[i] < i and events.moment[cause[i]] and events.case[cause[i]] == events.case[i] for i in index)


@pytest.mark.parametrize("journey", ["connect", "help", "bill", "move"])
def test_the_costs_of_the_company_are_found_to_the_cent(journey: str) -> None:
    """The model says what an event costs; who bears it is said by the rule: both together make every moment's cost."""
    replay = replay_of(journey)
    found = moments(replay)
    expected: dict[str, float] = defaultdict(float)
    for case in replay.events.partition_by("case", maintain_order=True):
        moment = BEFORE_FIRST
        for kind, is_moment in case.select("type", "moment").iter_rows():
            moment = kind if is_moment else moment
            expected[moment] += COST_EUR.get(kind, 0.0)
    shown = {row["type"]: row["cost"] for row in found.types.iter_rows(named=True) if row["kind"] == "moment"}
    assert shown.keys() == expected.keys() - {BEFORE_FIRST}
    for name, cost in shown.items():
        assert cost == pytest.approx(expected[name], abs=0.005), name
    assert sum(shown.values()) + found.totals["before_cost"] == pytest.approx(found.totals["cost"])


def test_failure_demand_is_found_where_it_was_made() -> None:
    """Every complaint, chaser and second call that the company's customers make before an end is one; answers are
    none."""
    replay = replay_of("help")
    events = coded(replay)
    reason, names = failure_demand(events), events.type_names.to_list()
    by_type = Counter((names[kind], why >= 0) for kind, why in zip(events.type.tolist(), reason.tolist(), strict=True))
    assert by_type["Called again", False] == by_type["Hung up", False] == 0
    assert by_type["Reopened", False] == 0
    assert by_type["Asked for help", True] == by_type["Left", True] == by_type["Answered", True] == 0
    assert by_type["Chased", True] / (by_type["Chased", True] + by_type["Chased", False]) > 0.95
    missed = (events.type == names.index("Complained")) & (reason < 0)
    assert (events.number("feeling")[missed] > COMPLAINT_FEELING).all()
    assert by_type["Complained", True] > 3 * by_type["Complained", False]
    assert set(reason.tolist()) == set(range(-1, len(REASONS)))


def test_a_moment_that_goes_with_misery_is_called_so() -> None:
    types = moments(replay_of("help")).types
    mood = dict(types.select("type", "mood").iter_rows())
    assert mood["Complained"] == mood["Chased"] == mood["Answer corrected"] == "misery"
    assert mood["Details sent"] != "misery"


def test_alignment_follows_the_journey_file() -> None:
    alignment = dict(moments(replay_of("help")).types.select("type", "alignment").iter_rows())
    assert alignment["Called back"] == alignment["Closed"] == alignment["Asked for help"] == "serves"
    assert alignment["Left"] == alignment["Reopened"] == alignment["Asked again"] == alignment["Transferred"] == "harms"
    assert alignment["Hung up"] == "not linked"


def test_an_empty_log_has_no_moments() -> None:
    found = moments(empty())
    assert found.types.height == found.flow.height == 0
    assert found.totals["cost"] == 0


def test_plain_values_hold_everything() -> None:
    found: dict[str, Any] = moments(tiny()).to_dict()
    assert {"totals", "types", "flow", "demand", "work", "rules"} == set(found)


def test_only_ripe_cases_tell_of_a_trend() -> None:
    """In a world without drift nothing gets more or fewer, though late cases that are decided are the quick ones."""
    types = moments(replay_of("help")).types
    assert types.filter(pl.col("trend") != "steady")["type"].to_list() == []
    assert lived().height > 0
