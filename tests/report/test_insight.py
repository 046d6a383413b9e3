"""Insights: exact numbers by hand, and what must hold for any replay."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.replays import CASES, EVENTS, T0, MadeReplay, diced, frame, hours, journey, tiny
from truenorth.insight import (
    cumulative_incidence,
    direct_follows,
    event_types,
    n_variants,
    outcome_trend,
    overview,
    points_of_failure,
    promise_breaks,
    promise_verdicts,
    starts_and_ends,
    time_to_outcome,
    variants,
)
from truenorth.insight.trend import chosen_period

HOUR = 3_600_000_000


def test_direct_follows_by_hand() -> None:
    rows = direct_follows(tiny()).rows()
    assert rows == [
        ("call", "check", 2, 2, 2.5 * HOUR, 1.0),
        ("check", "done", 2, 2, 12.0 * HOUR, 0.5),
        ("call", "leave", 1, 1, 5.0 * HOUR, 0.0),
        ("check", "check", 1, 1, 1.0 * HOUR, 0.0),
    ]


def test_event_types_by_hand() -> None:
    table = event_types(tiny()).rows_by_key("type", named=True, unique=True)
    assert table["check"]["kind"] == "decision"
    assert (table["check"]["n"], table["check"]["n_cases"], table["check"]["case_share"]) == (3, 2, 0.5)
    assert table["check"]["handover_share"] == pytest.approx(2 / 3)
    assert table["check"]["median_next_us"] == 6 * HOUR  # 6, 1 and 18 hours
    assert table["check"]["position"] == 0.5  # 1/2, 1/3 and 2/3
    assert table["done"]["median_next_us"] is None


def test_kind_is_what_most_events_have_and_moments_win_ties() -> None:
    rows = [{"case": "1", "type": "a", "time": hours(i), "moment": i == 0, "decision": i == 1} for i in range(2)]
    rows += [{"case": "1", "type": "b", "time": hours(i), "decision": i == 2, "internal": i != 2} for i in (2, 3, 4)]
    kinds = dict(event_types(frame(rows, EVENTS)).select("type", "kind").iter_rows())
    assert kinds == {"a": "moment", "b": "internal"}


def test_events_without_type_or_flags() -> None:
    log = pl.DataFrame({"case": ["1", "1", "2"], "time": [hours(0), hours(1), hours(0)]})
    assert direct_follows(log).select("source", "target", "n").rows() == [("(no type)", "(no type)", 1)]
    assert event_types(log).select("kind", "internal").rows() == [("internal", 3)]


def test_starts_and_ends_by_hand() -> None:
    assert set(starts_and_ends(tiny()).rows()) == {
        ("need", "call", 4), ("achieved", "done", 2), ("failed", "leave", 1), ("open", "call", 1),
    }  # fmt: skip


def test_variants_by_hand() -> None:
    table = variants(tiny(), top=None)
    assert table["types"].to_list() == [
        ["call"], ["call", "leave"], ["call", "check", "done"], ["call", "check", "check", "done"],
    ]  # fmt: skip
    assert table["label"][3] == "call → check ×2 → done"  # noqa: RUF001
    assert table["achieved_share"].to_list() == [None, 0.0, 1.0, 1.0]
    assert table["median_us"].to_list() == [None, 5 * HOUR, 10 * HOUR, 20 * HOUR]
    assert table["cumulated"][-1] == 1.0


def test_variants_compare_types_not_text() -> None:
    paths = {"1": ["a → b"], "2": ["a", "b"], "3": ["a → b"]}
    rows = [
        {"case": case, "type": kind, "time": hours(i)} for case, path in paths.items() for i, kind in enumerate(path)
    ]
    cases = [{"case": case, "opened": hours(0), "outcome": "open"} for case in paths]
    table = variants(MadeReplay(journey=journey(), cases=frame(cases, CASES), events=frame(rows, EVENTS)))
    assert table.select("n", "length").rows() == [(2, 1), (1, 2)]


def test_time_to_outcome_by_hand() -> None:
    table = time_to_outcome(tiny()).rows_by_key("outcome", named=True, unique=True)
    assert (table["achieved"]["n"], table["achieved"]["median_us"]) == (2, 15 * HOUR)
    assert table["abandoned"]["n"] == 0
    assert table["abandoned"]["median_us"] is None
    assert table["open"]["max_us"] == 10 * HOUR


def test_cumulative_incidence_by_hand() -> None:
    """At 5 h 1 of 4 fails; at 10 h 1 of 3 achieves and one is censored; at 20 h the last one achieves."""
    assert cumulative_incidence(tiny()).rows() == [
        (0, 4, 0.0, 0.0, 0.0, 1.0),
        (5 * HOUR, 4, 0.0, 0.25, 0.0, 0.75),
        (10 * HOUR, 3, 0.25, 0.25, 0.0, pytest.approx(0.5)),
        (20 * HOUR, 1, 0.75, 0.25, 0.0, pytest.approx(0.0)),
    ]


def test_what_must_hold_is_watched_for_less_long() -> None:
    """With a hold of 95 h all are watched until hour 5: the failure at 5 h counts, the achieved ones are censored."""
    held = tiny(journey=journey(holds_for_us=95 * HOUR))
    assert cumulative_incidence(held).rows()[1:] == [
        (5 * HOUR, 3, 0.0, pytest.approx(1 / 3), 0.0, pytest.approx(2 / 3))
    ]


def test_outcome_trend_by_hand() -> None:
    table = outcome_trend(tiny(), "1d")
    assert table["cases"].to_list() == [3, 0, 0, 1]
    assert table["achieved_share"].to_list() == [2 / 3, None, None, None]


@pytest.mark.parametrize(
    ("days", "every"), [(1, "1h"), (30, "1d"), (200, "1w"), (1500, "1mo"), (5000, "1q"), (9000, "1y")]
)
def test_period_gives_at_most_sixty(days: int, every: str) -> None:
    assert chosen_period(pl.Series([T0, T0 + timedelta(days=days)])) == every


def test_promises_by_team_of_the_event_that_started_them() -> None:
    made = [
        {"case": "1", "promise": "p", "instance": 1, "verdict": "broken", "started_by": "e0"},
        {"case": "1", "promise": "p", "instance": 2, "verdict": "kept", "started_by": "e1"},
        {"case": "3", "promise": "p", "instance": 1, "verdict": "broken", "started_by": "e8"},
        {"case": "4", "promise": "q", "instance": 1, "verdict": "open", "started_by": "e9"},
    ]
    replay = tiny(made)
    table = promise_breaks(replay, "team")
    assert table.select("group", "made", "kept", "broken", "open", "broken_share").rows() == [
        ("front", 2, 0, 1, 1, 1.0), (None, 1, 0, 1, 0, 1.0), ("back", 1, 1, 0, 0, 0.0),
    ]  # fmt: skip
    assert promise_breaks(replay, "team", "q")["group"].to_list() == ["front"]
    assert promise_verdicts(replay).select("group", "made", "open").rows() == [("p", 3, 0), ("q", 1, 1)]
    assert promise_breaks(replay, "actor").height == 0


def test_a_promise_never_made_is_listed_with_zeros() -> None:
    replay = tiny(journey=journey(["never_made"]))
    assert promise_verdicts(replay).row(0)[:3] == ("never_made", 0, 0)


def failing(n_bad: int, n_good: int) -> MadeReplay:
    """All cases call and end; those of the first kind also pass `bad`. Half of those fail, none of the others."""
    rows, cases = [], []
    for number in range(n_bad + n_good):
        bad, fails = number < n_bad, number < n_bad // 2
        path = ["call", *(["bad"] if bad else []), "leave" if fails else "done"]
        rows += [{"case": str(number), "type": kind, "time": hours(i)} for i, kind in enumerate(path)]
        outcome = "failed" if fails else "achieved"
        end = hours(len(path) - 1)
        cases.append({
            "case": str(number), "opened": hours(0), "outcome": outcome, "outcome_time": end,
            "reason": "event" if fails else None, "value": -40.0 if fails else 100.0,
        })  # fmt: skip
    table = frame(cases, CASES)
    return MadeReplay(journey=journey(value={"achieved": 100, "failed": -40}), cases=table, events=frame(rows, EVENTS))


def test_points_of_failure_by_hand() -> None:
    table = points_of_failure(failing(40, 60)).filter(pl.col("kind") == "event")
    # All pass `call`, so it has no others to compare with; `done` and `leave` give the verdict, so they are no points.
    assert table["point"].to_list() == ["bad"]
    row = table.row(0, named=True)
    assert (row["n"], row["n_failed"], row["n_others"], row["n_failed_others"]) == (40, 20, 60, 0)
    assert (row["rate"], row["rate_others"], row["difference"], row["excess"]) == (0.5, 0.0, 0.5, 20.0)
    assert row["value_lost"] == pytest.approx(40 * (100 - 30))
    assert row["value_lost_low"] < row["value_lost"] < row["value_lost_high"]
    assert row["difference_low"] == pytest.approx(0.3402, abs=1e-4)  # Wilson: 20/40 from 0.3520, 0/60 to 0.0602
    assert row["clear"]


def test_points_need_enough_cases_on_either_side() -> None:
    assert points_of_failure(failing(29, 60)).height == 0
    assert points_of_failure(failing(40, 29)).height == 0
    assert points_of_failure(failing(29, 60), min_cases=1).height > 0


def test_points_without_values_are_ranked_by_excess() -> None:
    made = failing(40, 60)
    table = points_of_failure(MadeReplay(journey=journey(), cases=made.cases, events=made.events))
    assert table["excess"].to_list() == sorted(table["excess"], reverse=True)


def test_overview_by_hand() -> None:
    numbers = overview(tiny())
    assert (numbers.n_cases, numbers.n_decided, numbers.value, numbers.cost) == (4, 3, 160.0, 12.0)
    assert numbers.achieved_share == pytest.approx(2 / 3)
    assert numbers.cost_per_achieved == 6.0


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
def test_sums_add_up(seed: int, n: int) -> None:
    replay = diced(n, seed, n_open=min(n, 5))
    n_events = replay.events.height
    assert direct_follows(replay)["n"].sum() == n_events - n
    types = event_types(replay)
    assert types["n"].sum() == n_events
    assert types["share"].sum() == pytest.approx(1)
    ends = starts_and_ends(replay)
    assert ends.filter(pl.col("end") == "need")["n"].sum() == n
    assert ends.filter(pl.col("end") != "need")["n"].sum() == n
    ways = variants(replay, top=None)
    assert ways["n"].sum() == n
    assert ways.height == n_variants(replay)
    assert outcome_trend(replay)["cases"].sum() == n
    assert promise_verdicts(replay)["made"].sum() == replay.promises.height
    assert promise_breaks(replay, "channel")["made"].sum() == replay.promises.height
    curves = cumulative_incidence(replay)
    assert curves.select(pl.sum_horizontal("achieved", "failed", "abandoned", "undecided")).to_series().to_list() == (
        pytest.approx([1.0] * curves.height)
    )
    for name in ("achieved", "failed", "abandoned"):
        assert curves[name].is_sorted()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_direct_follows_equals_counting_pairs(seed: int) -> None:
    replay = diced(20, seed)
    counts: dict[tuple[str, str], int] = {}
    for _, own in replay.events.group_by("case", maintain_order=True):
        types = own["type"].to_list()
        for pair in pairwise(types):
            counts[pair] = counts.get(pair, 0) + 1
    table = direct_follows(replay)
    assert {(row[0], row[1]): row[2] for row in table.iter_rows()} == counts


def test_empty_replay() -> None:
    empty = MadeReplay(journey=journey(["p"]), cases=frame([], CASES), events=frame([], EVENTS))
    assert direct_follows(empty).height == 0
    assert event_types(empty).height == 0
    assert starts_and_ends(empty).height == 0
    assert variants(empty).height == 0
    assert points_of_failure(empty).height == 0
    assert outcome_trend(empty).height == 0
    assert cumulative_incidence(empty).height == 1
    assert overview(empty).achieved_share is None
    assert promise_verdicts(empty)["made"].to_list() == [0]
