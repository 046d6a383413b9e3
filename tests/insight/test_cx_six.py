"""How it feels and what an outcome costs: exact numbers by hand, laws, and logs that cannot tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from report.replays import CASES, EVENTS, MadeReplay, diced, frame, hours, journey
from truenorth.insight.cx_six import cx_six
from truenorth.insight.outcome_cost import outcome_cost
from truenorth.report.cx_six import feel_section
from truenorth.report.section import Inputs

HOUR = 3_600_000_000


def event(case: str, at: float, kind: str, team: str | None, channel: str = "web") -> dict[str, Any]:
    named = {"case": case, "id": f"{case}{at}", "type": kind, "time": hours(at), "team": team, "channel": channel}
    return {**named, "moment": True, "decision": False, "internal": False, "handover": False}


def two_cases() -> MadeReplay:
    """One case of a customer who is called back; one of another who has to chase by phone, and is lost."""
    events = [
        event("1", 0, "ask", None), event("1", 1, "answer", "line"), event("1", 20, "call back", "line"),
        event("1", 21, "close", "line"),
        event("2", 0, "ask", None), event("2", 2, "answer", "line"), event("2", 80, "chase", None, "phone"),
        event("2", 90, "close", "back"),
    ]  # fmt: skip
    cases = [
        {
            "case": "1",
            "customer": "a",
            "opened": hours(0),
            "outcome": "achieved",
            "outcome_time": hours(21),
            "cost": 5.0,
        },
        {
            "case": "2",
            "customer": "b",
            "opened": hours(0),
            "outcome": "failed",
            "outcome_time": hours(100),
            "cost": 7.0,
        },
        {"case": "3", "customer": "c", "opened": hours(0), "outcome": "open", "cost": 2.0},
    ]
    return MadeReplay(journey=journey(), events=frame(events, EVENTS), cases=frame(cases, CASES))


def test_six_figures_by_hand() -> None:
    by_name = {one.name: one for one in cx_six(two_cases()).figures}
    assert list(by_name) == ["convenient", "easy", "fast", "trackable", "personalised", "predictive"]
    assert (
        by_name["convenient"].value == 0.0
    )  # only the second case has two moments of the customer's own: two channels
    assert by_name["easy"].value == 1.5
    assert by_name["fast"].value == 21 * HOUR
    # Case 1: known from hour 1 on. Case 2: 48 of the hours from 2 on, and from 90 to 100.
    assert by_name["trackable"].value == pytest.approx((20 + 48 + 10) / 121)
    assert by_name["personalised"].value == pytest.approx(2 / 3)  # "back" has not been seen in case 2 before
    # Longer than an hour: 1 -> 20 ended by us; 0 -> 2 by us, 2 -> 80 by the customer, 80 -> 90 by us.
    assert by_name["predictive"].value == pytest.approx(3 / 4)


def test_cost_per_achieved_holds_what_the_others_cost() -> None:
    cost = outcome_cost(two_cases())
    assert (cost.per_achieved, cost.open_cost, cost.n_decided) == (12.0, 2.0, 2)
    assert cost.parts == {"achieved": 5.0, "failed": 7.0, "abandoned": 0.0}


def test_parts_add_up_and_shares_are_shares() -> None:
    replay = diced(400, seed=2)
    cost = outcome_cost(replay)
    assert cost.per_achieved is not None
    assert cost.low is not None
    assert cost.high is not None
    assert sum(cost.parts.values()) == pytest.approx(cost.per_achieved)
    assert cost.low < cost.per_achieved < cost.high
    assert cost.cost + cost.open_cost == pytest.approx(replay.cases["cost"].sum())
    for one in cx_six(replay).figures:
        if one.value is not None and one.low is not None and one.high is not None:
            assert one.low <= one.value <= one.high
            assert one.unit != "share" or (one.low >= 0 and one.high <= 1)


def test_a_log_that_names_an_actor_everywhere_does_not_show_what_customers_do() -> None:
    replay = two_cases()
    everybody = MadeReplay(
        journey=journey(), events=replay.events.with_columns(team=pl.lit("line")), cases=replay.cases
    )
    by_name = {one.name: one for one in cx_six(everybody).figures}
    for name in ("convenient", "easy", "predictive"):
        assert by_name[name].value is None
        assert "unseen" in by_name[name].missing
    assert by_name["personalised"].value == 1.0


def test_an_empty_replay_tells_nothing() -> None:
    empty = MadeReplay(journey=journey(), events=frame([], EVENTS), cases=frame([], CASES))
    assert all(one.value is None and one.missing for one in cx_six(empty).figures)
    assert outcome_cost(empty).per_achieved is None


def test_what_cannot_be_told_is_not_told_as_zero() -> None:
    free = two_cases()
    free = replace(free, cases=free.cases.with_columns(pl.lit(0.0).alias("cost")))
    section = feel_section(free, Inputs())
    assert section.finding.startswith("The decided cases have no cost")
    assert list(section.tables) == ["six"]
    empty = replace(free, events=free.events.clear(), cases=free.cases.clear())
    assert feel_section(empty, Inputs()).finding.startswith("No case is decided yet")
    reasons = {one.missing for one in cx_six(empty).figures}
    assert reasons == {"there is no moment", "no case was achieved"}
