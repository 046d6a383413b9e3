"""The gap of each statement, what measures it, and the register of decisions."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from insight.company import replay_of, world
from report.replays import CANVAS, MadeReplay, diced, empty, journey, tiny
from truenorth.insight.causes import causes_of_failure
from truenorth.insight.gap import gap
from truenorth.insight.measured_by import measured_statements
from truenorth.insight.rules import decision_register
from truenorth.report.gap import gap_section
from truenorth.report.rules import decisions_section
from truenorth.report.section import Inputs
from truenorth.spec.expressions import Condition, Literal
from truenorth.spec.load import load_journey, parse_journey
from truenorth.spec.model import Decision

ALWAYS, NEVER = Condition("true", Literal(True)), Condition("false", Literal(False))
HEAD = "truenorth: 1\njourney: a\n"


def measured(statement: str, rest: str) -> str | None:
    made = parse_journey(f"{HEAD}canvas: {{outcome: ['{statement}']}}\n{rest}")
    return measured_statements(made)[0].by


OUTCOME = "outcome: {achieved: type = 'b', within: 3d, holds_for: 7d, reopened: type = 'c'}\n"
PROMISES = """promises:
  - {name: called_back, after: type = 'x', expect: type = 'y', within: 24h}
  - {name: confirmed, after: type = 'x', expect: type = 'z', within: 24h}
  - {name: date_confirmed, after: type = 'x', expect: type = 'z', within: 24h}
  - {name: explained, after: type = 'x', expect: type = 'z', within: 1h}
  - {name: asked_once, never: type = 'q'}
"""


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        ("Online within 3 days of ordering", "outcome"),
        ("Still online 7 days later", "outcome"),
        ("Called back within 24 hours where we said so", "called_back"),
        ("A confirmed date within 24 hours", "date_confirmed"),
        ("An explanation within one hour", "explained"),
        ("Asked once and never again", "asked_once"),
        ("Told within 24 hours", None),
        ("Online within 4 days", None),
        ("An explanation within 2 hours", None),
        ("Happy", None),
    ],
)
def test_statements_are_matched_where_there_is_no_doubt(statement: str, by: str | None) -> None:
    assert measured(statement, OUTCOME + PROMISES) == by


def test_the_journey_says_it_better() -> None:
    canvas = "canvas: {outcome: [One, Two], measures: [{statement: 2, by: asked_once, target: 95%}]}\n"
    one, two = measured_statements(parse_journey(HEAD + canvas + OUTCOME + PROMISES))
    assert (one.by, two.by, two.target, two.why) == (None, "asked_once", 0.95, "the journey file says so")


@pytest.mark.parametrize(
    ("measures", "path"),
    [
        ("[{statement: 3, by: outcome}]", "$.canvas.measures[0].statement"),
        ("[{statement: 0, by: outcome}]", "$.canvas.measures[0].statement"),
        ("[{statement: 1.5, by: outcome}]", "$.canvas.measures[0].statement"),
        ("[{statement: 1, by: asked_twice}]", "$.canvas.measures[0].by"),
        ("[{statement: 1, by: outcome}, {statement: 1, by: outcome}]", "$.canvas.measures[1].statement"),
        ("[{statement: 1, by: outcome, target: 120%}]", "$.canvas.measures[0].target"),
        ("[{statement: 1, by: outcome, target: high}]", "$.canvas.measures[0].target"),
        ("[{by: outcome}]", "$.canvas.measures[0].statement"),
        ("[{statement: 1, by: outcome, aim: 1}]", "$.canvas.measures[0].aim"),
        ("everything", "$.canvas.measures"),
    ],
)
def test_what_is_wrong_with_measures_is_said(measures: str, path: str) -> None:
    loaded = load_journey(f"{HEAD}canvas: {{outcome: [One, Two], measures: {measures}}}\n{OUTCOME}{PROMISES}")
    assert [problem.path for problem in loaded.errors] == [path]
    assert loaded.errors[0].line == 3


# --- the gap ---------------------------------------------------------------------------------------------------------


def test_the_gap_is_target_less_actual_and_counts_ripe_cases() -> None:
    replay = replay_of("help")
    made = gap(replay)
    for row in made.statements.iter_rows(named=True):
        assert row["gap"] == pytest.approx(row["target"] - row["actual"])
        assert row["actual"] == pytest.approx(1 - row["n_missed"] / row["n"])
        assert row["actual_low"] < row["actual"] < row["actual_high"]
    ripe = replay.watermark - timedelta(days=21)  # type: ignore[operator]
    cases = replay.cases.filter((pl.col("opened") <= ripe) & (pl.col("outcome") != "open"))
    outcome = made.statements.row(0, named=True)
    assert (outcome["measured_by"], outcome["n"]) == ("outcome", cases.height)
    assert outcome["n_missed"] == cases.filter(pl.col("outcome") != "achieved").height


def test_who_is_hit_is_who_was_planted() -> None:
    """Severity raises failing by construction, and nothing else by as much."""
    row = gap(replay_of("help")).statements.row(0, named=True)
    assert row["group"] == "severity = 2"
    assert row["group_actual"] < row["actual"]


def test_what_keeping_a_promise_would_bring_is_about_the_truth() -> None:
    truth = world().truth()
    made = gap(replay_of("help")).closing
    for name in ("called_back", "right_first_time"):
        row = made.filter(pl.col("promise") == name).row(0, named=True)
        brought = -truth.cause(f"help.{name}").p_achieved * row["n_broken"]
        assert row["fewer_failed_low"] <= brought <= row["fewer_failed_high"]
        assert row["clear"]


def test_the_gap_and_the_points_of_failure_say_the_same() -> None:
    """One definition of what is clear, may be chance or is not told; and no value of what is not told."""
    replay = replay_of("help")
    points = causes_of_failure(replay, kinds=("promise",))
    made = gap(replay, causes=points)
    said = dict(points.points.select("point", "certainty").iter_rows())
    assert {"clear", "may be chance"} <= set(made.closing["certainty"])
    assert all(row["certainty"] == said[row["promise"]] for row in made.closing.iter_rows(named=True))
    blind = points.points.with_columns(certainty=pl.lit("not alike"))
    value = gap(replay, causes=msgspec.structs.replace(points, points=blind)).statements["value"]
    assert value.is_null().to_list() == [False, False, True, True], "two are measured by the outcome itself"


def test_not_measured_is_said_and_never_guessed() -> None:
    made = gap(diced(200)).statements
    assert made["measured_by"].to_list() == [None] * len(CANVAS["outcome"])
    assert made["actual"].to_list() == [None]
    assert "canvas.measures" in made["why"][0]


def test_no_canvas_no_statement() -> None:
    assert gap(tiny()).statements.height == 0
    assert gap(empty()).statements.height == 0


# --- decisions -------------------------------------------------------------------------------------------------------


def test_what_a_rule_promises_is_kept_before_the_rule_is_doubted() -> None:
    """Admitting an error harms nobody in the company, not correcting it does; a transfer harms by itself."""
    steps = dict(decision_register(replay_of("bill", 12_000)).rules.select("name", "next_step").iter_rows())
    assert steps["admit"].startswith("keep 'corrected' first")
    assert steps["transfer"].startswith("ask whether cases go better without it")


def ruled(*decisions: Decision, n_cases: int = 200) -> MadeReplay:
    made = diced(n_cases, seed=5, n_open=1)
    return MadeReplay(
        journey=msgspec.structs.replace(journey(), decisions=decisions), cases=made.cases, events=made.events,
        watermark=made.watermark,
    )  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.dates(date(2015, 1, 1), date(2024, 4, 1)), st.dates(date(2024, 4, 1), date(2034, 1, 1)))
def test_a_review_is_old_after_two_years_and_stays_so(reviewed: date, as_of: date) -> None:
    rule = Decision(when=NEVER, name="r", kind="operational", owner="o", reason="r", reviewed=reviewed)
    assume((as_of.month, as_of.day) != (2, 29))
    forgotten = decision_register(ruled(rule, n_cases=2), as_of=as_of).rules["forgotten"][0]
    is_old = (reviewed.year + 2, reviewed.month, reviewed.day) < (as_of.year, as_of.month, as_of.day)
    assert ("not reviewed for 2 years" in forgotten) == is_old


def test_forgotten_rules_say_why_and_regulatory_ones_are_protected() -> None:
    bare = Decision(when=NEVER)
    law = Decision(when=ALWAYS, name="law", kind="regulatory", owner="o", reason="r", reviewed=date(2000, 1, 1))
    found = decision_register(ruled(bare, law), as_of=date(2024, 6, 1)).rules
    assert found["forgotten"].to_list() == [
        ["no owner", "no reason", "never reviewed", "never fires"],
        ["not reviewed for 2 years"],
    ]
    assert found["protected"].to_list() == [False, True]
    assert found["next_step"][0].startswith("remove it")
    assert "remove" not in found["next_step"][1]
    assert found["n"].to_list() == [0, diced(200, seed=5, n_open=1).events.height]


def test_counts_and_costs_are_those_of_the_events() -> None:
    replay = replay_of("help")
    found = decision_register(replay).rules
    transferred = replay.events.filter(pl.col("type") == "Transferred")
    row = found.filter(pl.col("name") == "transfer").row(0, named=True)
    assert (row["n"], row["n_cases"]) == (transferred.height, transferred["case"].n_unique())
    assert row["cost"] == pytest.approx(1.5 * transferred.height)
    assert row["adjusted_low"] > 0, "a transfer costs customers their outcome"
    assert np.isfinite(row["wait_us"])


def test_the_log_s_end_is_the_day_unless_another_is_named() -> None:
    replay = replay_of("help")
    assert decision_register(replay).as_of == replay.watermark.date()  # type: ignore[union-attr]
    assert decision_register(replay, as_of=date(2030, 1, 1)).rules["forgotten"].list.len().min() == 1


def test_no_decisions_no_rows() -> None:
    assert decision_register(tiny()).rules.height == decision_register(empty()).rules.height == 0


def test_without_cases_nothing_is_said_of_statements_and_rules() -> None:
    nobody = empty()
    canvas = {"outcome": ("Online within 3 days",)}
    rule = Decision(name="a", when=ALWAYS)
    asked = msgspec.structs.replace(nobody.journey, canvas=canvas, decisions=(rule,))
    made = MadeReplay(journey=asked, cases=nobody.cases, events=nobody.events, watermark=nobody.watermark)
    assert gap_section(made, Inputs()).finding.startswith("No case opened")
    assert decisions_section(made, Inputs()).finding.startswith("No case opened")
