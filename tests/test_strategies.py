"""What is made up covers what it should: every verdict, every rule's rare branch, ties and clock changes."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from oracle import Verdicts, evaluate
from oracle.conditions import condition, kinds_of
from oracle.journey import kind_of
from strategies import (
    FLAG_TESTS,
    PLAIN_TESTS,
    Journey,
    Log,
    Sample,
    conditions,
    journeys,
    journeys_with_logs,
    logs,
    random_pack,
)

NEVER_DIFFERENT = {*FLAG_TESTS, "handover", "not handover", "true", "false", "nothing = 1", "nothing is null"}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def judged_pack() -> list[tuple[Sample, Verdicts]]:
    return [(sample, judge(sample)) for sample in random_pack(7, 2000)]


def judge(sample: Sample) -> Verdicts:
    journey, events, columns, now = sample
    return evaluate(journey, events, columns=columns, now=now)


def cases() -> list[dict[str, Any]]:
    return [row for _, verdicts in judged_pack() for row in verdicts.cases]


def specs() -> list[dict[str, Any]]:
    return [spec for (journey, *_), _ in judged_pack() for spec in journey["promises"]]


def outcomes() -> list[dict[str, Any]]:
    return [sample[0]["outcome"] for sample, _ in judged_pack() if "outcome" in sample[0]]


def test_every_verdict_of_cases_occurs_often() -> None:
    found = Counter((row["outcome"], row["reason"]) for row in cases())
    verdicts = [("achieved", None), ("failed", "event"), ("failed", "late"), ("abandoned", "silence"), ("open", None)]
    assert set(found) == set(verdicts)
    assert min(found.values()) >= 100, found


def test_every_verdict_of_every_kind_of_promise_occurs_often() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for (journey, *_), verdicts in judged_pack():
        kinds = {spec["name"]: kind_of(spec) for spec in journey["promises"]}
        found.update((kinds[row["promise"]], row["verdict"]) for row in verdicts.promises)
    expected = {(kind, verdict) for kind in ("response", "rhythm") for verdict in ("kept", "broken", "lapsed", "open")}
    expected |= {(kind, verdict) for kind in ("absence", "limit", "total") for verdict in ("kept", "broken", "open")}
    expected |= {("precedence", "kept"), ("precedence", "broken")}
    assert set(found) == expected
    assert min(found.values()) >= 50, found


@pytest.mark.parametrize(
    ("name", "at_least"), [("no_key", 500), ("filtered", 500), ("before_need", 500), ("after_close", 500)]
)
def test_every_sort_of_event_outside_cases_occurs(name: str, at_least: int) -> None:
    assert sum(verdicts.summary[name] for _, verdicts in judged_pack()) >= at_least


def test_rare_turns_of_a_case_occur() -> None:
    rows = cases()
    turns = {
        "second episode": sum(row["case"].endswith("#2") for row in rows),
        "third episode": sum(row["case"].endswith("#3") for row in rows),
        "reopened": sum(row["reopened"] > 0 for row in rows),
        "reopened twice": sum(row["reopened"] > 1 for row in rows),
        "late, then resolved": sum(row["reason"] == "late" and row["resolved"] is not None for row in rows),
        "late, then closed otherwise": sum(
            row["reason"] == "late" and row["closed"] is not None and row["resolved"] is None for row in rows
        ),
        "late at a reopening": sum(row["reason"] == "late" and row["reopened"] > 0 for row in rows),
        "failed while resolved": sum(row["reason"] == "event" and row["resolved"] is not None for row in rows),
        "held": sum(row["outcome"] == "achieved" and row["closed"] != row["resolved"] for row in rows),
        "resolved, not final": sum(row["outcome"] == "open" and row["resolved"] is not None for row in rows),
        "hand-over": sum(row["handovers"] > 0 for row in rows),
        "moment": sum(row["moments"] > 0 for row in rows),
        "decision": sum(row["decisions"] > 0 for row in rows),
        "worth something": sum(row["value"] != 0 for row in rows),
        "without customer": sum(row["customer"] is None for row in rows),
    }
    assert min(turns.values()) >= 10, turns


def test_times_tie_and_meet_deadlines_to_the_microsecond() -> None:
    found: Counter[str] = Counter()
    for (_, events, _, now), verdicts in judged_pack():
        times = [event["time"] for event in events]
        found["tie"] += len(times) != len(set(times))
        found["beside by one"] += bool({time + 1 for time in times} & set(times))
        found["out of order"] += any(before > after for before, after in pairwise(times))
        dues = {row["due"] for row in verdicts.promises if row["due"] is not None}
        found["at due"] += bool(dues & set(times))
        found["after due by one"] += bool({due + 1 for due in dues} & set(times))
        found["now"] += now is not None
        found["now in the middle"] += now is not None and bool(times) and min(times) <= now < max(times)
        found["now at due"] += now in dues
        found["empty"] += not events
    assert min(found.values()) >= 10, found
    assert min(found["tie"], found["out of order"], found["at due"]) >= 200, found


def test_every_key_of_a_promise_occurs() -> None:
    found = Counter((kind_of(spec), key) for spec in specs() for key in spec if key != "name")
    optional = {
        ("response", "unless"),
        ("response", "calendar"),
        ("rhythm", "calendar"),
        ("absence", "within"),
        ("absence", "after"),
        ("absence", "calendar"),
        ("limit", "after"),
        ("total", "after"),
        ("total", "where"),
    }
    assert optional <= set(found)
    assert min(found[key] for key in optional) >= 50, found


def test_every_combination_of_outcome_keys_occurs() -> None:
    keys = ("failed", "within", "holds_for", "reopened", "abandoned_after", "value")
    found = {tuple(key in spec for key in keys) for spec in outcomes()}
    possible = 2**4 * 3  # `reopened` only together with `holds_for`
    assert len(found) == possible
    assert any("calendar" in spec for spec in outcomes())


def test_logs_differ_in_their_columns() -> None:
    found = Counter(name for (_, _, columns, _), _ in judged_pack() for name in columns)
    for name in ("case", "customer", "team", "actor", "cost", "flag"):
        assert 100 <= found[name] <= 1950, (name, found[name])
    assert all({"id", "time", "type"} <= columns for (_, _, columns, _), _ in judged_pack())
    assert all({"case", "customer"} & columns for (_, _, columns, _), _ in judged_pack())


def test_deadlines_cross_changes_of_clocks() -> None:
    zones: Counter[str] = Counter()
    for (journey, *_), verdicts in judged_pack():
        on_calendar = {spec["name"]: spec["calendar"] for spec in journey["promises"] if "calendar" in spec}
        for row in verdicts.promises:
            if row["promise"] in on_calendar:
                zones[journey["calendars"][on_calendar[row["promise"]]].get("timezone", "default")] += 1
    assert set(zones) == {"Europe/Rome", "America/New_York", "Asia/Kolkata", "UTC", "default"}


def test_a_pack_follows_from_its_seed() -> None:
    assert random_pack(3, 20) == random_pack(3, 20) == random_pack(3, 25)[:20]
    assert random_pack(3, 20) != random_pack(4, 20)


@pytest.mark.parametrize("text", [*PLAIN_TESTS, *FLAG_TESTS])
def test_every_test_is_a_condition_that_some_events_meet_or_fail(text: str) -> None:
    events = [event for (_, events, *_), _ in judged_pack()[:40] for event in events]
    kinds = kinds_of(events)
    flags = {"moment": True, "decision": False, "internal": False, "handover": False}
    met = {condition(text, kinds)({**event, **flags}) for event in events}
    assert met <= {True, False}
    assert len(met) == 2 or text in NEVER_DIFFERENT, met


@QUICK
@given(conditions())
def test_conditions_can_be_read(text: str) -> None:
    condition(text, kinds_of([{"n": 1, "x": 0.5, "flag": True, "tag": "a", "odd name": "b"}]))


@QUICK
@given(journeys())
def test_journeys_are_valid(journey: Journey) -> None:
    names = [spec["name"] for spec in journey["promises"]]
    assert len(names) == len(set(names))
    spec = journey.get("outcome", {})
    assert "holds_for" in spec or "reopened" not in spec
    used = {part["calendar"] for part in [spec, *journey["promises"]] if "calendar" in part}
    assert used <= set(journey.get("calendars", {}))


@QUICK
@given(logs())
def test_logs_hold_what_their_columns_say(log: Log) -> None:
    events, columns = log
    assert all(set(event) == columns for event in events)
    assert len({event["id"] for event in events}) == len(events)


@QUICK
@given(journeys_with_logs())
def test_the_oracle_judges_them(sample: Sample) -> None:
    verdicts = judge(sample)
    summary = verdicts.summary
    outside = sum(summary[name] for name in ("no_key", "filtered", "before_need", "after_close"))
    assert summary["events"] == outside + sum(row["events"] for row in verdicts.cases)
