"""Drafts of journeys: checked and tried without being published, compared, taken back."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from server.desk import JOURNEY, Desk
from truenorth.server.newest import Newest
from truenorth.spec.model import Journey
from truenorth.store.opening import open_store

DRAFTS = "/api/v1/drafts"
BROKEN = JOURNEY.replace("journey: support", "journey: support\nwrong_key: 1")


def tried(desk: Desk, text: str, **options: Any) -> Any:
    return desk.ask("POST", f"{DRAFTS}/trial", "analyst", content=text, params={"days": 366, **options}).json()


def test_a_check_says_everything_and_publishes_nothing(desk: Desk) -> None:
    before = desk.get("/api/v1/journeys/support", "viewer")
    said = desk.ask("POST", f"{DRAFTS}/check", "viewer", content=BROKEN).json()
    assert [one["path"] for one in said["problems"] if one["severity"] == "error"] == ["$.wrong_key"]
    assert desk.ask("POST", f"{DRAFTS}/check", "viewer", content=JOURNEY).json()["name"] == "support"
    assert desk.get("/api/v1/journeys/support", "viewer") == before


def warned(desk: Desk, text: str) -> list[tuple[str, str, str]]:
    said = desk.ask("POST", f"{DRAFTS}/check", "viewer", content=text).json()
    of_log = [one for one in said["problems"] if one["expected"] == "a field of the log"]
    return [(one["path"], one["found"], one["hint"]) for one in of_log]


def test_a_field_that_no_event_has_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert warned(desk, JOURNEY) == []
    wrong = JOURNEY.replace("achieved: type = 'Fixed'", "achieved: typ = 'Fixed'")
    ((path, found, hint),) = warned(desk, wrong)
    assert (path, found, hint) == ("$.outcome.achieved", "'typ', which no event has", "did you mean 'type'?")
    monkeypatch.setattr("truenorth.server.newest.N_EVENTS", 10)
    assert warned(desk, wrong)[0][1] == "'typ', which none of the newest 10 events has"


def test_where_nothing_has_come_nothing_is_said_of_fields(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/empty.db") as store:
        held = Newest(store.events, perf_counter)
        assert held.columns(Journey(name="a")) == {}


def test_the_live_text_changes_nothing(desk: Desk) -> None:
    found = tried(desk, JOURNEY)
    assert found["cases"]["before"] == found["cases"]["after"] > 0
    assert found["differ"] == 0
    assert found["outcome"]["before"] == found["outcome"]["after"]
    assert all(change["before"] == change["after"] for change in found["promises"].values())


def test_what_is_tried_agrees_with_the_summary(desk: Desk) -> None:
    said = desk.get("/api/v1/summary", "viewer", journey="support")
    found = tried(desk, JOURNEY)["outcome"]["before"]
    assert {name: n for name, n in said["outcome"].items() if n} == found


def test_another_outcome_is_told_case_by_case(desk: Desk) -> None:
    found = tried(desk, JOURNEY.replace("achieved: type = 'Fixed'", "achieved: type = 'Never'"))
    assert found["outcome"]["after"].get("achieved", 0) == 0
    n_achieved = found["outcome"]["before"]["achieved"]
    assert found["differ"] >= n_achieved > 0
    assert {one["before"] for one in found["examples"]} >= {"achieved"}
    assert len(found["examples"]) == found["differ"]


def test_a_promise_that_is_new_has_nothing_before(desk: Desk) -> None:
    promised = JOURNEY.replace("promises:", "promises:\n  - {name: brand_new, never: type = 'Fixed'}", 1)
    change = tried(desk, promised)["promises"]["brand_new"]
    assert change["before"] == {}
    assert sum(change["after"].values()) > 0


def test_cases_that_opened_long_ago_are_left_out(desk: Desk) -> None:
    assert tried(desk, JOURNEY, days=1)["cases"]["after"] < tried(desk, JOURNEY)["cases"]["after"]


def test_a_draft_with_errors_is_not_tried(desk: Desk) -> None:
    answer = desk.ask("POST", f"{DRAFTS}/trial", "analyst", content=BROKEN)
    assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "$.wrong_key")


def test_a_journey_that_is_not_live_yet_is_all_new(desk: Desk) -> None:
    found = tried(desk, JOURNEY.replace("journey: support", "journey: other"))
    assert (found["cases"]["before"], found["differ"]) == (0, 0)
    assert found["cases"]["after"] > 0


def test_versions_can_be_compared_and_taken_back(desk: Desk) -> None:
    other = (
        JOURNEY + "title: Another title\n" if "title:" not in JOURNEY else JOURNEY.replace("title: ", "title: Un", 1)
    )
    path = "/api/v1/journeys/support"
    assert desk.ask("PUT", path, "analyst", content=other).json()["version"] == 2
    lines = desk.get(f"{path}/difference", "viewer", of=1, to=2)["lines"]
    assert any(line.startswith("+title:") for line in lines)
    assert desk.get(f"{path}/versions/1", "viewer")["text"] == JOURNEY
    again = desk.ask("POST", f"{path}/versions/1/publish", "analyst").json()
    assert (again["version"], again["state"]) == (3, "live")
    assert desk.get(path, "viewer")["text"] == JOURNEY
    assert desk.ask("GET", f"{path}/versions/9", "viewer").json()["code"] == "unknown_version"


def test_a_log_becomes_a_draft_that_has_no_errors(desk: Desk) -> None:
    rows = [f"{n},{kind},2026-01-{1 + n % 20:02}T{9 + hour:02}:00:00Z" for n in range(60) for hour, kind in STEPS]
    log = "case,type,time\n" + "\n".join(rows) + "\n"
    answer = desk.ask("POST", f"{DRAFTS}/discover?file=tickets.csv", "analyst", content=log)
    assert answer.status_code == 200, answer.text
    said = desk.ask("POST", f"{DRAFTS}/check", "viewer", content=answer.json()["text"]).json()
    assert [one for one in said["problems"] if one["severity"] == "error"] == []


STEPS = list(enumerate(("Asked", "Taken up", "Answered", "Closed")))


@pytest.mark.parametrize(
    ("file", "content"), [("log.pdf", b"%PDF-1.7"), ("log.csv", b""), ("log.csv", b"\xff\xfe\x00")]
)
def test_what_is_no_log_is_refused_in_words(desk: Desk, file: str, content: bytes) -> None:
    answer = desk.ask("POST", f"{DRAFTS}/discover", "analyst", content=content, params={"file": file})
    assert answer.status_code == 422, answer.text
    assert "truenorth-log-" not in answer.text


def test_a_log_is_called_by_its_name(desk: Desk) -> None:
    answer = desk.ask("POST", f"{DRAFTS}/discover", "analyst", content=b"\x00\x01", params={"file": "log.csv"})
    assert [one["path"] for one in answer.json()["problems"]] == ["log.csv"]


def test_a_name_of_a_log_is_no_path(desk: Desk) -> None:
    answer = desk.ask("POST", f"{DRAFTS}/discover", "analyst", content="x", params={"file": "../log.csv"})
    assert answer.status_code == 422
