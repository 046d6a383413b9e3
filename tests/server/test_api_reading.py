"""What the API says is what the store holds, and what a replay of the same events says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import truenorth as tn
from server.desk import HOSTILE, JOURNEY, N_CASES, NOW_US, PATIENT, Desk, story
from truenorth.events import Event
from truenorth.server.api.context import instant
from truenorth.server.api.export import line_of
from truenorth.server.api.flags import flags_of
from truenorth.server.api.routes import api_templates
from truenorth.server.api.totals import Totals
from truenorth.spec.load import parse_journey
from truenorth.store.ports import Stored
from truenorth.store.rows import Progress


def replayed(desk: Desk, folder: Path) -> Any:
    """A replay of what the service exports."""
    path = folder / "export.jsonl"
    path.write_bytes(desk.ask("GET", "/api/v1/export", "analyst").content)
    return tn.replay(parse_journey(JOURNEY), path, now=datetime.fromtimestamp(NOW_US / 1e6, UTC))


def test_the_summary_is_that_of_a_replay(read_desk: Desk, tmp_path: Path) -> None:
    said = read_desk.get("/api/v1/summary", "viewer", journey="support")
    summary = replayed(read_desk, tmp_path).summary
    assert (said.pop("seconds"), summary.pop("seconds") >= 0) == (0.0, True)
    assert (said.pop("quarantined"), said.pop("duplicates")) == (5, 3)
    assert {**said, "quarantined": 0, "duplicates": 0} == summary
    assert list(said["outcome"]) == list(summary["outcome"])


def test_cases_and_promises_are_those_of_a_replay(read_desk: Desk, tmp_path: Path) -> None:
    replay = replayed(read_desk, tmp_path)
    cases = read_desk.get("/api/v1/cases", "agent", journey="support", limit=1000)["items"]
    assert list(cases[0]) == replay.cases.columns
    promises = read_desk.get("/api/v1/promises", "agent", journey="support", limit=1000)["items"]
    assert list(promises[0]) == replay.promises.columns
    for said, frame, key in (
        (cases, replay.cases, ("case",)),
        (promises, replay.promises, ("case", "promise", "instance")),
    ):
        expected = [{name: as_shown(value) for name, value in row.items()} for row in frame.sort(key).to_dicts()]
        assert said == expected


def as_shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(int(value.replace(tzinfo=UTC).timestamp()) * 1_000_000 + value.microsecond)
    return value


def test_a_case_is_shown_with_its_promises_and_events(read_desk: Desk) -> None:
    events = [event for event in story() if event.case == "T012"]
    said = read_desk.get("/api/v1/cases/T012", "agent", journey="support")
    listed = read_desk.get("/api/v1/promises", "agent", journey="support", limit=1000)["items"]
    assert said["promises"] == [one for one in listed if one["case"] == "T012"]
    assert [event["id"] for event in said["events"]] == [event.id for event in events]
    assert said["events"][0]["time"] == instant(events[0].time_us)
    assert said["events"][0]["properties"] == {"properties": {"topic": "line", "n": 1}}
    assert [event["handover"] for event in said["events"]].count(True) == said["case"]["handovers"]
    assert (said["case"]["case"], said["more_events"]) == ("T012", False)


def test_events_of_cases_are_those_of_a_replay(read_desk: Desk, tmp_path: Path) -> None:
    replay = replayed(read_desk, tmp_path)
    flags = ["moment", "decision", "internal", "handover"]
    for case in replay.cases["case"]:
        said = read_desk.get(f"/api/v1/cases/{case}", journey="support")["events"]
        assert [[event[name] for name in ("id", *flags)] for event in said] == [
            list(row) for row in replay.events_of(case).select("id", *flags).rows()
        ]


def test_episodes_of_a_key_are_told_apart(desk: Desk) -> None:
    kinds = ["Contact", "Fixed", "Note", "Contact", "Taken up"]  # the third comes after the close
    events = [
        Event(source="s", id=f"x{n}", type=kind, time_us=NOW_US - 9 + n, received_us=NOW_US, customer="C9", case="K#2")
        for n, kind in enumerate(kinds)
    ]
    desk.judge(*events)
    first, second = (desk.get(f"/api/v1/cases/{case}", journey="support") for case in ("K%232", "K%232%232"))
    assert [event["id"] for event in first["events"]] == ["x0", "x1"]
    assert [event["id"] for event in second["events"]] == ["x3", "x4"]
    assert (first["case"]["outcome"], second["case"]["outcome"]) == ("achieved", "open")


def test_flags_of_events_that_hold_little_or_something_else() -> None:
    text = JOURNEY.replace("type in ('Contact', 'Fixed')", "level + 1 > 3")
    events = [
        Event(source="s", id=f"y{n}", type="Contact", time_us=n, received_us=NOW_US, case=f"N{n}", properties=level)
        for n, level in enumerate((b'{"level": 5}', b"{}", b'{"level": "high"}'))
    ]
    moments = [
        flags and flags[1].moment
        for one in events
        for flags in [flags_of(parse_journey(text), one.case or "", None, [Stored(1, one)])]
    ]
    assert moments == [True, False, False]


def test_sums_beyond_all_numbers_are_null(desk: Desk) -> None:
    dear = [
        Event(source="s", id=f"z{n}", type="Contact", time_us=NOW_US - 1, received_us=NOW_US, case="D", cost=1.7e308)
        for n in range(3)
    ]
    desk.judge(*dear)
    assert desk.get("/api/v1/summary", journey="support")["cost"] is None
    assert desk.get("/api/v1/cases/D", journey="support")["case"]["cost"] is None


def test_a_long_case_is_shown_in_part(read_desk: Desk) -> None:
    desk = Desk(read_desk.store, bounds=msgspec.structs.replace(PATIENT, case_events=2))
    whole = read_desk.get("/api/v1/cases/T012", journey="support")["events"]
    said = desk.get("/api/v1/cases/T012", journey="support")
    assert len(whole) > 2
    assert (said["events"], said["more_events"]) == (whole[:2], True)


def test_sums_that_took_two_seconds_are_used_again_for_five() -> None:
    class Slow:
        n_made = 0

        def progress(self, journey: str) -> Progress:
            return Progress(position=self.n_made)

        def totals(self, journey: str) -> dict[str, Any]:
            self.n_made += 1
            clock.now_s += 2.0
            return {}

    class Clock:
        now_s = 0.0

    clock, slow = Clock(), Slow()
    totals = Totals(slow, lambda: clock.now_s)  # type: ignore[arg-type]
    positions = []
    for pause_s in (0.0, 4.9, 0.2, 4.9, 0.2):
        clock.now_s += pause_s
        positions.append(totals.of("j")[0].position)
    assert positions == [0, 0, 1, 1, 2]


def test_filters_of_cases(read_desk: Desk) -> None:
    whole = read_desk.get("/api/v1/cases", journey="support", limit=1000)["items"]
    assert len(whole) == N_CASES
    for outcome in ("achieved", "failed", "abandoned", "open"):
        some = read_desk.get("/api/v1/cases", journey="support", outcome=outcome, limit=1000)["items"]
        assert some == [case for case in whole if case["outcome"] == outcome]
    theirs = read_desk.get("/api/v1/cases", journey="support", customer="browser-1")["items"]
    assert [case["case"] for case in theirs] == ["T001", "T013", "T025"]


def test_filters_of_promises_and_signals(read_desk: Desk) -> None:
    promises = read_desk.get("/api/v1/promises", journey="support", limit=1000)["items"]
    broken = read_desk.get("/api/v1/promises", journey="support", verdict="broken", promise="taken_up")["items"]
    assert broken == [one for one in promises if (one["verdict"], one["promise"]) == ("broken", "taken_up")] != []
    signals = read_desk.get("/api/v1/signals", limit=1000)["items"]
    opened = read_desk.get("/api/v1/signals", limit=1000, kind="opened", journey="support")["items"]
    assert opened == [one for one in signals if one["kind"] == "opened"] != []
    assert read_desk.get("/api/v1/signals", journey="other")["items"] == []


def test_an_export_can_be_taken_up_where_it_broke_off(read_desk: Desk) -> None:
    whole = read_desk.ask("GET", "/api/v1/export", "analyst").content.splitlines(keepends=True)
    assert len(whole) == len(story())
    lines: list[bytes] = []
    while True:
        after = msgspec.json.decode(lines[-1])["log_position"] if lines else 0
        page = read_desk.ask("GET", f"/api/v1/export?after={after}&limit=7").content.splitlines(keepends=True)
        if not page:
            break
        lines += page
    assert lines == whole


def test_what_did_not_fit_a_field_is_no_field_in_an_export(tmp_path: Path) -> None:
    said = b'{"cost":"much","log_position":"x","properties":{"revenue":"none","feeling":9,"position":3}}'
    event = Event(source="s", id="1", type="t", time_us=0, received_us=0, case="c", properties=said)
    path = tmp_path / "export.jsonl"
    path.write_bytes(line_of(Stored(7, event)))
    log = tn.read_log(path)
    (row,) = log.events.to_dicts()
    assert log.quarantine.height == 0
    assert (row["log_position"], row["properties.log_position"], row["position"]) == (7, "x", 3)
    assert [row[f"properties.{name}"] for name in ("cost", "revenue", "feeling")] == ["much", "none", 9]
    assert [row.get(name) for name in ("cost", "revenue", "feeling")] == [None] * 3


def test_hostile_text_stays_text(read_desk: Desk) -> None:
    answer = read_desk.ask("GET", "/api/v1/quarantine", "analyst")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (first, *_) = answer.json()["items"]
    assert (first["reason"], HOSTILE in first["raw"]) == (f"time '{HOSTILE}' is no instant", True)
    case = read_desk.get("/api/v1/cases/T011", journey="support")
    assert case["events"][0]["text"] == HOSTILE
    unknown = read_desk.ask("GET", "/api/v1/cases/" + "%3Cscript%3E", params={"journey": HOSTILE})
    assert (unknown.status_code, "script" in unknown.text) == (404, False)


def test_journeys(read_desk: Desk) -> None:
    named = {"name": "support", "version": 1, "published": instant(NOW_US)}
    assert read_desk.get("/api/v1/journeys", "viewer") == [{**named, "title": "support"}]
    whole = read_desk.get("/api/v1/journeys/support", "viewer")
    assert whole == {**named, "state": "live", "text": JOURNEY, "versions": [{**named, "state": "live"}]}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/journeys/other", "unknown_journey"),
        ("/api/v1/summary?journey=other", "unknown_journey"),
        ("/api/v1/cases?journey=other", "unknown_journey"),
        ("/api/v1/promises?journey=other", "unknown_journey"),
        ("/api/v1/cases/T000?journey=other", "unknown_journey"),
        ("/api/v1/cases/other?journey=support", "unknown_case"),
        ("/api/v1/nothing", "unknown_page"),
        ("/nothing", "unknown_page"),
    ],
)
def test_what_there_is_not(read_desk: Desk, path: str, code: str) -> None:
    answer = read_desk.ask("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "after=x", "after=WzFd", "after=W10", "after=%00", "after=WyJhIiwiYiJd", "outcome=lost"],
)
def test_what_cannot_be_asked_for(read_desk: Desk, query: str) -> None:
    answer = read_desk.ask("GET", f"/api/v1/cases?journey=support&{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] in {"invalid", "bad_cursor"}


def test_what_is_wrong_with_a_request_is_said(read_desk: Desk) -> None:
    answer = read_desk.ask("GET", "/api/v1/cases", params={"limit": 5000, "outcome": "fail"})
    told = {one["path"]: (one["expected"], one["found"]) for one in answer.json()["problems"]}
    assert answer.status_code == 422
    assert told == {
        "query.journey": ("a value", "nothing"),
        "query.limit": ("less than or equal to 1000", "something else"),
        "query.outcome": ("'achieved', 'failed', 'abandoned' or 'open'", "something else"),
    }


def test_a_misspelt_parameter_is_never_left_out(read_desk: Desk) -> None:
    answer = read_desk.ask("GET", "/api/v1/cases", params={"journey": "support", "outcom": "failed", "zz": 1})
    problems = {one["path"]: one for one in answer.json()["problems"]}
    assert answer.status_code == 422
    assert problems["query.outcom"]["hint"] == "did you mean 'outcome'?"
    assert problems["query.zz"]["hint"] == "leave it out"


@pytest.mark.parametrize(
    ("method", "path"), sorted({(m, p) for p in api_templates().values() for m in ("GET", "POST")})
)
def test_no_page_leaves_an_unknown_parameter_out(read_desk: Desk, method: str, path: str) -> None:
    answer = read_desk.ask(method, path, params={"zz": 1})
    assert answer.status_code in {405, 422}
    if answer.status_code == 422:
        assert "query.zz" in {one["path"] for one in answer.json()["problems"]}
