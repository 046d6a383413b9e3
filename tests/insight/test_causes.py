"""Adjusted points of failure: laws, and the truth of the simulated company."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.company import replay_of, world
from report.replays import diced, empty, tiny
from truenorth.insight.candidates import candidates
from truenorth.insight.causes import Causes, causes_of_failure, certainty, reading_order
from truenorth.insight.coded import NEVER_US, coded
from truenorth.insight.known_before import columns_before, opening_facts, positions_at, tracks

JOURNEYS = ("connect", "help", "bill", "move")
OTHER_CONTRAST = "no_ping_pong"
"""The truth compares two transfers with none, the promise more than one with at most one."""


@pytest.fixture(scope="module")
def found() -> dict[str, Causes]:
    return {journey: causes_of_failure(replay_of(journey, 12_000)) for journey in JOURNEYS}


def promises(found: dict[str, Causes]) -> list[dict[str, object]]:
    """Rows about promises that the truth knows, with ``true``: what breaking them does to the chance of failing."""
    truth = {(one.journey, one.name): one for one in world(12_000).truth().causes if one.name != OTHER_CONTRAST}
    rows = []
    for journey, causes in found.items():
        for row in causes.points.iter_rows(named=True):
            true = truth.get((journey, row["point"]))
            if true is not None:
                rows.append(row | {"journey": journey, "true": -true.p_achieved, "causal": true.causal})
    return rows


def test_intervals_hold_the_truth(found: dict[str, Causes]) -> None:
    """Of some 25 intervals of 95 % at least 20 hold it: fewer has a chance of about one in a thousand."""
    rows = promises(found)
    assert len(rows) >= 22
    held = [row for row in rows if row["adjusted_low"] <= row["true"] <= row["adjusted_high"]]  # type: ignore[operator]
    assert len(held) >= len(rows) - 5, [row["point"] for row in rows if row not in held]


def test_the_large_causes_are_clear_and_what_is_none_is_not(found: dict[str, Causes]) -> None:
    rows = promises(found)
    clear = {(row["journey"], row["point"]) for row in rows if row["clear"]}
    large = {("help", "called_back"), ("help", "right_first_time"), ("bill", "right_first_time"), ("bill", "corrected")}
    assert large <= clear
    assert not [row["point"] for row in rows if row["clear"] and not row["causal"]]


def test_adjusting_takes_away_what_is_only_confounded(found: dict[str, Causes]) -> None:
    """Late answers in help cause nothing, yet go with failure: load makes both."""
    row = found["help"].points.filter(pl.col("point") == "answered_soon").row(0, named=True)
    assert row["raw_low"] > 0
    assert not row["clear"]


def test_what_answers_failure_demand_is_a_sign(found: dict[str, Causes]) -> None:
    """Customers chase what is late already: that the answer stays late causes nothing in the company."""
    row = found["bill"].points.filter(pl.col("point") == "chase_answered").row(0, named=True)
    assert row["raw_low"] > 0
    assert row["sign"]
    assert "failure demand" in row["eradicate"]


def test_what_the_log_does_not_record_is_not_told(found: dict[str, Causes]) -> None:
    """Only connections and moves are paid for."""
    for journey, causes in found.items():
        told = causes.points["revenue_won"].is_not_null()
        assert told.all() if journey in {"connect", "move"} else not told.any()
        assert causes.points["cost_saved"].is_not_null().all()


def test_signs_stand_last(found: dict[str, Causes]) -> None:
    for causes in found.values():
        assert causes.points["sign"].is_sorted()
    signs = found["help"].points.filter("sign")["point"].to_list()
    assert signs == ["no_bad_mood"]
    assert "cheap_enough" in found["bill"].points.filter("sign")["point"].to_list()


def test_what_follows_from_the_outcome_is_no_candidate(found: dict[str, Causes]) -> None:
    assert "stays_connected" not in found["connect"].points["point"].to_list()
    assert "stays_settled" not in found["move"].points["point"].to_list()


def test_the_same_seed_gives_the_same() -> None:
    replay = replay_of("connect")
    assert causes_of_failure(replay, seed=3).points.equals(causes_of_failure(replay, seed=3).points)


def test_points_add_up(found: dict[str, Causes]) -> None:
    for causes in found.values():
        points = causes.points
        assert (points["n"] <= points["n_at_stake"]).all()
        assert (points["n_at_stake"] <= causes.n_ripe).all()
        for name in ("raw", "adjusted", "fewer_failed", "value_won", "cost_saved", "revenue_won"):
            assert (points[f"{name}_low"] <= points[name]).all()
            assert (points[name] <= points[f"{name}_high"]).all()
        assert points["overlap"].is_between(0, 1).all()
        assert (points["e_value"] >= points["e_value_limit"]).all()
        assert points.select("eradicate", "improve", "automate").null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("replay", [empty(), tiny(), diced(60)], ids=["empty", "tiny", "diced"])
def test_little_data_says_little(replay: object) -> None:
    made = causes_of_failure(replay)  # type: ignore[arg-type]
    assert not made.points.height or not made.points["clear"].any()


# --- what is known before --------------------------------------------------------------------------------------


def test_nothing_later_than_the_point_is_adjusted_for() -> None:
    """Counts before an instant are those of the log cut there."""
    events = coded(replay_of("help"))
    candidate = next(one for one in candidates(events) if one.point == "called_back")
    cases = np.flatnonzero(candidate.at_stake)[:200]
    at_us = candidate.at_us[cases]
    shown = columns_before(events, candidate.earlier, cases, at_us, counts=True)
    transfers = events.type_names.to_list().index("Transferred")
    for row, (case, until) in enumerate(zip(cases, at_us, strict=True)):
        span = slice(events.first[case], events.first[case + 1])
        before = events.time_us[span] < until
        assert shown["events before"][row] == before.sum()
        assert shown["hand-overs before"][row] == events.handover[span][before].sum()
        assert shown["no_ping_pong before"][row] == (events.type[span][before] == transfers).sum()


def test_positions_are_the_first_at_or_after() -> None:
    events = coded(diced(80, seed=4))
    dice = np.random.default_rng(1)
    cases = dice.integers(0, events.n_cases, 300)
    at_us = events.time_us[dice.integers(0, events.n_events, 300)]
    for case, at, position in zip(cases, at_us, positions_at(events, cases, at_us), strict=True):
        times = events.time_us[events.first[case] : events.first[case + 1]]
        assert position == events.first[case] + np.searchsorted(times, at, side="left")


def test_a_column_that_tells_the_outcome_is_left_out() -> None:
    events = coded(replay_of("help"))
    bad = (events.cases["outcome"] != "achieved").to_numpy().astype(float)
    leak = pl.Series("closed_as", np.where(bad == 1, "bad", "good")).gather(events.case)
    with_leak = replay_of("help").events.with_columns(leak)
    made = coded(Changed(replay_of("help"), with_leak))
    opening = opening_facts(made, bad, made.ripe)
    assert opening.suspected == ("closed_as",)
    assert {"severity", "load", "segment", "hour"} <= set(opening.facts.columns)
    assert not {"customer", "text", "case", "cost", "closed_as"} & set(opening.facts.columns)
    assert "load" not in opening_facts(made, bad, made.ripe, exclude=["load"]).facts.columns


class Changed:
    """A replay with other events."""

    def __init__(self, replay: object, events: pl.DataFrame) -> None:
        self._replay, self.events = replay, events

    def __getattr__(self, name: str) -> object:
        return getattr(self._replay, name)


def test_cases_that_are_left_are_not_asked_where_the_others_left_for_want_of_it(found: dict[str, Causes]) -> None:
    """Moves without a switch-over are the quick ones: those that still go on without it are in trouble for other
    reasons. In the company a switch-over helps nobody by being promised."""
    points = found["move"].points
    row = points.filter((pl.col("kind") == "missing") & (pl.col("point") == "Switch-over promised")).row(0, named=True)
    assert row["left_early"] > 0.3
    assert row["certainty"] == "not alike"
    assert (points.filter(pl.col("kind") == "promise")["left_early"] == 0).all(), "promises are asked of all"


def test_signs_have_no_track() -> None:
    names = {track.name for track in tracks(coded(replay_of("help")))}
    assert "no_bad_mood" not in names
    assert {"called_back", "asked_once", "no_ping_pong"} <= names


def test_a_candidate_is_over_before_its_case_is() -> None:
    """Whoever passed a promise did so before the case was resolved or failed by an event."""
    events = coded(replay_of("help"))
    for candidate in candidates(events):
        if candidate.kind == "promise":
            passed = candidate.passed & candidate.at_stake
            assert (candidate.at_us[passed] <= np.minimum(events.over_us, NEVER_US)[passed]).all(), candidate.point


def test_one_place_is_above_another_only_where_intervals_are_apart() -> None:
    """Of comparable points that are no signs; the others have no place, and what is clear is read first."""
    points = causes_of_failure(replay_of("help"), kinds=("promise",)).points
    placed = points.filter(pl.col("comparable") & ~pl.col("sign"))
    assert points["place"].null_count() == points["place_to"].null_count() == points.height - placed.height
    rows = placed.select("place", "place_to", "value_won_low", "value_won_high").rows()
    apart = 0
    for best, worst, low, _ in rows:
        assert 1 <= best <= worst <= placed.height
        for other_best, other_worst, _, other_high in rows:
            assert worst >= other_best or low > other_high
            if low > other_high:
                assert best < other_best
                assert worst < other_worst
                apart += 1
    assert 0 < apart < placed.height * (placed.height - 1) / 2
    clear = points.filter(pl.col("clear") & ~pl.col("sign"))
    assert clear.height > 1
    assert points.head(clear.height).equals(clear)
    assert clear["value_won"].is_sorted(descending=True)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 5)), max_size=12))
def test_what_surely_stands_above_is_read_before(intervals: list[tuple[int, int]]) -> None:
    low = np.array([start for start, _ in intervals])
    high = np.array([start + length for start, length in intervals])
    above = low[:, None] > high[None, :]
    order = reading_order(above)
    assert sorted(order) == list(range(len(intervals)))
    for at, row in enumerate(order):
        assert not above[order[at + 1 :], row].any()
        jumped = [other for other in order[at + 1 :] if other < row]
        assert all(above[order[at:], other].any() for other in jumped), "rows keep their order but for that"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"comparable": False, "clear": False}, "not alike"),
        ({"comparable": True, "clear": True, "raw": 0.2, "adjusted": 0.2, "q_value": 0.01}, "clear"),
        ({"comparable": True, "clear": False, "raw": 1.0, "adjusted": 1.0, "q_value": 1.0}, "is the outcome"),
        ({"comparable": True, "clear": False, "raw": 0.2, "adjusted": 0.2, "q_value": 0.2}, "may be chance"),
        ({"comparable": True, "clear": False, "raw": -0.2, "adjusted": -0.2, "q_value": 0.2}, "may be chance"),
        ({"comparable": True, "clear": False, "raw": -0.2, "adjusted": -0.2, "q_value": 0.01}, "the other way"),
    ],
)
def test_chance_is_told_apart_from_the_other_way(row: dict[str, object], told: str) -> None:
    assert certainty(row) == told
