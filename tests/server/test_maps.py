"""The map of a journey as JSON: parts add up to the whole, points of failure lead to their cases."""

from __future__ import annotations

from typing import Any

import pytest

from server.desk import NOW_US, Desk, story
from server.test_given import desk as empty_desk
from truenorth.insight.failure import cases_of_point, points_of_failure
from truenorth.server.api.context import instant
from truenorth.server.api.maps import replay_of

__all__ = ["empty_desk"]

PATH = "/api/v1/journeys/support"


def of(found: Any) -> dict[str, Any]:
    return {node["name"]: node for node in found["nodes"] if node["key"].startswith("type:")}


def test_the_map_counts_what_the_log_has(read_desk: Desk) -> None:
    found = read_desk.get(f"{PATH}/map", "viewer")
    summary = read_desk.get("/api/v1/summary", journey="support")
    assert found["n_cases"] == summary["cases"]
    assert found["n_achieved"] == summary["outcome"]["achieved"]
    assert sum(node["n"] for node in of(found).values()) == sum(
        row.events for row in read_desk.store.results.cases("support")
    )
    assert {"need", "achieved", "failed", "open"} <= {node["key"] for node in found["nodes"]}
    lost = summary["outcome"]["failed"] + summary["outcome"]["abandoned"]
    assert sum(node["lost"] for node in of(found).values()) == lost
    assert sum(node["repeats"] for node in of(found).values()) == sum(
        node["n"] - node["n_cases"] for node in of(found).values()
    )


def test_parts_add_up_to_the_whole(read_desk: Desk) -> None:
    middle = instant(NOW_US - 185 * 3_600_000_000)
    both = read_desk.get(f"{PATH}/map/compared", "viewer", until=middle, other_since=middle)
    whole = read_desk.get(f"{PATH}/map", "viewer")
    assert both["one"]["n_cases"] > 0 < both["other"]["n_cases"]
    assert both["one"]["n_cases"] + both["other"]["n_cases"] == whole["n_cases"]
    for name, node in of(whole).items():
        assert node["n"] == sum(of(both[part]).get(name, {"n": 0})["n"] for part in ("one", "other"))
    gaps = [abs(one["case_share"] - one["other_case_share"]) for one in both["differences"]]
    assert gaps == sorted(gaps, reverse=True)


def test_a_category_is_a_field_of_the_first_event(read_desk: Desk) -> None:
    slices = read_desk.get(f"{PATH}/slices", "viewer", by="topic")
    assert slices == {"categories": ["line"], "channels": []}
    found = read_desk.get(f"{PATH}/map", "viewer", by="topic", category="line")
    assert found["n_cases"] == read_desk.get(f"{PATH}/map", "viewer")["n_cases"]
    for asked in ({"by": "topic", "category": "other"}, {"channel": "web"}, {"category": "line"}):
        nothing = read_desk.get(f"{PATH}/map", "viewer", **asked)
        assert (nothing["n_cases"], nothing["nodes"], nothing["achieved"]) == (0, [], None)


def test_a_point_of_failure_leads_to_its_cases(read_desk: Desk) -> None:
    assert read_desk.get(f"{PATH}/failures", "viewer") == []  # 30 cases are too few on either side
    replay = replay_of(read_desk.app.state.context, "support")
    points = points_of_failure(replay, min_cases=1).to_dicts()
    assert {"event", "promise"} <= {row["kind"] for row in points}
    for row in points:
        cases = cases_of_point(replay, row["kind"], row["source"], row["target"])
        assert (cases.height, cases["failed"].sum()) == (row["n"], row["n_failed"])
    (first, *_) = points
    said = read_desk.get(
        f"{PATH}/failures/cases", "analyst", **{k: v for k in ("kind", "source", "target") if (v := first[k])}
    )
    assert len(said) == first["n"]
    assert [one["failed"] for one in said] == sorted((one["failed"] for one in said), reverse=True)


def test_events_that_come_are_on_the_map_in_a_while(empty_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = empty_desk
    assert desk.ask("GET", f"{PATH}/map").status_code == 422  # there is nothing yet
    desk.judge(*story()[:50])
    before = desk.get(f"{PATH}/map")
    desk.judge(*story()[50:])
    assert desk.get(f"{PATH}/map") == before
    monkeypatch.setattr("truenorth.server.judged_logs.AGE_S", 0.0)
    assert desk.get(f"{PATH}/map")["n_cases"] > before["n_cases"]
