"""The journeys under examples/ are sound, and the made-up log beside them gives what is committed with it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from agreement import assert_log_agrees
from truenorth.engine.replay import Replay, replay
from truenorth.logs import Log, read_log
from truenorth.spec.lint import check_journey
from truenorth.spec.load import parse_journey

EXAMPLES = Path(__file__).parent.parent / "examples"
SUPPORT = EXAMPLES / "support"
JOURNEYS = sorted(path for path in EXAMPLES.rglob("*.yaml") if path.parent.name not in {"webhooks", "steering"})
TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def log() -> Log:
    return read_log(SUPPORT / "log.csv")


@pytest.fixture(scope="module")
def support(log: Log) -> Replay:
    journey = parse_journey((SUPPORT / "journey.yaml").read_text())
    return replay(journey, log.events, n_quarantined=log.quarantine.height, n_duplicates=log.n_duplicates)


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.stem)
def test_journey_is_sound(path: Path) -> None:
    checked = check_journey(path.read_text(), today=TODAY, name=path.name)
    assert checked.journey is not None, checked.errors
    unknown_to_outsiders = [problem for problem in checked.warnings if problem.found == "no review date"]
    assert [problem for problem in checked.warnings if problem not in unknown_to_outsiders] == []
    assert not (unknown_to_outsiders and path.parent == SUPPORT)


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.stem)
def test_journey_is_complete(path: Path) -> None:
    journey = parse_journey(path.read_text())
    assert set(journey.canvas) - {"measures"} == {"customer", "expects", "believes", "affects", "outcome", "one_liner"}
    assert 4 <= len(journey.promises) <= 9
    assert f"({path.relative_to(EXAMPLES)})" in (EXAMPLES / "README.md").read_text()


def test_all_kinds_of_promise_are_shown() -> None:
    kinds = {promise.kind for path in JOURNEYS for promise in parse_journey(path.read_text()).promises}
    assert len(kinds) == 6
    assert {promise.kind for promise in parse_journey((SUPPORT / "journey.yaml").read_text()).promises} == kinds


def test_summary_is_the_committed_one(support: Replay) -> None:
    found = {key: value for key, value in support.summary.items() if key != "seconds"}
    assert found == json.loads((SUPPORT / "summary.json").read_text())


def test_support_equals_the_oracle(log: Log) -> None:
    assert_log_agrees((SUPPORT / "journey.yaml").read_text(), log.events)


def test_quarantine_names_the_lines(log: Log) -> None:
    assert log.quarantine["line"].to_list() == [311, 742, 1208, 1777, 2304, 2950]
    assert log.n_duplicates == 4


# --- cases read by hand -----------------------------------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def case_of(support: Replay, name: str) -> dict[str, Any]:
    return support.cases.row(by_predicate=pl.col("case") == name, named=True)


def verdicts_of(support: Replay, name: str) -> dict[str, list[str]]:
    rows = support.promises.filter(pl.col("case") == name)
    grouped = rows.group_by("promise", maintain_order=True).agg("verdict")
    return dict(zip(grouped["promise"], grouped["verdict"].to_list(), strict=True))


def due_of(support: Replay, name: str, promise: str, instance: int = 1) -> datetime:
    chosen = (pl.col("case") == name) & (pl.col("promise") == promise) & (pl.col("instance") == instance)
    due: datetime = support.promises.row(by_predicate=chosen, named=True)["due"]
    return due


def test_reopened_and_held(support: Replay) -> None:
    """Contact on Easter Monday 09:40, taken up Tuesday, fixed 8 April, back 10 April, fixed that day, then silence."""
    case = case_of(support, "T0134")
    assert (case["outcome"], case["reason"], case["reopened"], case["handovers"]) == ("achieved", None, 1, 1)
    assert case["outcome_time"] == case["resolved"] == utc("04-10 16:35:05")
    assert case["closed"] == utc("04-17 16:35:05")
    assert case["cost"] == 4 + 1.5 + 3.5 + 2.5 + 2.5 + 6 + 4 + 2.5 + 6
    assert verdicts_of(support, "T0134")["stays_fixed"] == ["broken", "kept"]
    # the desk opens on Tuesday at 08:00 in Dublin, which is 07:00 UTC: two hours later is due
    assert due_of(support, "T0134", "taken_up") == utc("04-07 09:00")


def test_given_up(support: Replay) -> None:
    """Contact on 2 March, asked a question at 12:06:07, no answer ever."""
    case = case_of(support, "T0002")
    assert (case["outcome"], case["reason"], case["resolved"]) == ("abandoned", "silence", None)
    assert case["outcome_time"] == case["closed"] == utc("03-07 12:06:07")
    assert verdicts_of(support, "T0002")["kept_informed"] == ["kept", "kept", "broken"]


def test_customer_left(support: Replay) -> None:
    """Chased on 5 March at 14:50 (answered at 16:56), again on 6 March at 05:54 (never answered), left at 23:48."""
    case = case_of(support, "T0003")
    assert (case["outcome"], case["reason"], case["closed"]) == ("failed", "event", utc("03-06 23:48:04"))
    found = verdicts_of(support, "T0003")
    assert found["chase_answered"] == ["kept", "broken"]
    assert due_of(support, "T0003", "chase_answered", 2) == utc("03-06 11:00")
    assert found["kept_informed"] == ["kept", "kept", "broken", "lapsed"]
    assert found["no_bad_news"] == ["broken"]  # -0.61 at the second chase


def test_late_after_a_reopening(support: Replay) -> None:
    """Contact on 2 March 08:40:27, fixed on the 3rd, back 24 minutes before the week is over, left on the 13th."""
    case = case_of(support, "T0001")
    assert (case["outcome"], case["reason"], case["reopened"]) == ("failed", "late", 1)
    assert case["outcome_time"] == utc("03-09 08:40:27")
    assert case["closed"] == utc("03-13 08:35:24")
    assert verdicts_of(support, "T0001")["chase_answered"] == ["kept", "lapsed"]
