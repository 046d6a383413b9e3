"""What leaders look at agrees with the cases behind it; what was refused finds its way out of the quarantine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.desk import HOUR_US, NOW_US, Desk


@pytest.mark.parametrize("days", [1, 7, 90])
def test_figures_are_those_of_the_cases(read_desk: Desk, days: int) -> None:
    (found,) = read_desk.get("/api/v1/true-north", role="viewer", days=days)
    cases = read_desk.all_pages("/api/v1/cases", 1_000, journey="support")
    for outcome in ("achieved", "failed", "abandoned", "open"):
        assert found[outcome] == sum(case["outcome"] == outcome for case in cases)
    decided = [(_decided(case), case) for case in cases if case["outcome"] != "open"]
    for period in (found["now"], found["before"]):
        within = [case for at, case in decided if period["from"] <= at < period["to"]]
        assert period["achieved"] + period["failed"] + period["abandoned"] == period["service"]["n"] == len(within)
        assert period["opened"] == sum(period["from"] <= case["opened"] < period["to"] for case in cases)
        if within:
            mean = sum(case["cost"] for case in within) / len(within)
            assert period["cost"]["value"] == pytest.approx(mean)
    assert found["now"]["from"] == found["before"]["to"]
    listed = read_desk.all_pages("/api/v1/cases", 1_000, journey="support", outcome="achieved", decided_days=days)
    assert len(listed) == found["now"]["achieved"]


def _decided(case: dict[str, Any]) -> str:
    """What was achieved has been known since the case closed: before that it could have been reopened."""
    return str(case["closed"] if case["outcome"] == "achieved" else case["outcome_time"])


def test_nobody_is_named_to_a_leader(read_desk: Desk) -> None:
    text = json.dumps(read_desk.get("/api/v1/true-north", role="viewer"))
    assert not any(f'"C{n}"' in text or f'"T{n:03}"' in text for n in range(30))


def test_what_is_at_stake_is_what_the_risks_say(read_desk: Desk) -> None:
    (found,) = read_desk.get("/api/v1/true-north", journey="support")
    risks = read_desk.all_pages("/api/v1/risks", 1_000, journey="support")
    assert found["at_stake"] == pytest.approx(sum(risk["avoidable"] for risk in risks))
    assert (found["watched"], found["at_risk"]) == (len(risks), sum(risk["p_failed"] >= 0.5 for risk in risks))


def test_arrivals_count_the_newest_events(read_desk: Desk) -> None:
    found = read_desk.get("/api/v1/arrivals")
    assert (found["duplicates"], found["refused"], found["looked_at"]) == (3, 5, found["last_position"])
    assert sum(source["n"] for source in found["sources"]) == found["looked_at"]


def test_what_is_put_right_becomes_an_event_and_leaves(desk: Desk) -> None:
    still = desk.ask("POST", "/api/v1/quarantine/1/retry", json={}).json()
    assert (still["taken"], "JSON" in still["reason"]) == (False, True)
    right = json.dumps({"type": "track", "event": "Fixed", "userId": "C1", "messageId": "right-1"})
    torn = desk.ask("POST", "/api/v1/quarantine/1/retry", json={"text": "{torn"}).json()
    assert "$: expected JSON, found text that is none (" in str(torn)
    first = desk.ask("POST", "/api/v1/quarantine/1/retry", json={"text": right}).json()
    again = desk.ask("POST", "/api/v1/quarantine/2/retry", json={"text": right}).json()
    assert (first["taken"], again["taken"], again["duplicate"]) == (True, False, True)
    assert desk.ask("DELETE", "/api/v1/quarantine/3").status_code == 204
    assert [one["number"] for one in desk.get("/api/v1/quarantine")["items"]] == [4, 5]
    assert desk.ask("POST", "/api/v1/quarantine/1/retry", json={}).status_code == 404
    (event,) = [one.event for one in desk.store.events.read() if one.event.id == "right-1"]
    assert (event.source, event.type, event.customer) == ("shop", "Fixed", "C1")
    assert abs(event.received_us - NOW_US) < HOUR_US
    noted = [one["what"] for one in desk.get("/api/v1/audit", newest=True)["items"]]
    assert noted[1].startswith("dismissed")
