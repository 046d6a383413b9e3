"""Insights of the service: what a replay of the same events says, made once, never from what is no more."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isclose
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

import truenorth as tn
from server.desk import HOUR_US, JOURNEY, NOW_US, PATIENT, Desk, desk_in
from truenorth.events import Event
from truenorth.insight.slices import opened_between
from truenorth.report.document import document
from truenorth.report.section import Inputs
from truenorth.report.subjects import ELSEWHERE, SUBJECTS, subject
from truenorth.spec.load import parse_journey

MIDDLE = datetime.fromtimestamp((NOW_US - 185 * HOUR_US) / 1e6, UTC)
KPIS = """\
truenorth: 1
kpis:
- {name: contacts, owner: Service, formula: {count: type = 'Contact'}, better: lower}
"""


@pytest.fixture(scope="module")
def asked_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_in(tmp_path_factory.mktemp("desk")) as desk:
        yield desk
        desk.app.state.context.insights.close()


def replayed(desk: Desk, folder: Path) -> Any:
    path = folder / "export.jsonl"
    path.write_bytes(desk.ask("GET", "/api/v1/export", "analyst").content)
    return tn.replay(parse_journey(JOURNEY), path, now=datetime.fromtimestamp(NOW_US / 1e6, UTC))


def plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


def same(one: Any, other: Any) -> bool:
    """Whether values are the same; numbers that are added up in another order may differ in their last digits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-12)
    return bool(one == other)


@pytest.mark.parametrize("name", ["moments", "feel", "concentration", "maturity", "decisions"])
@pytest.mark.parametrize("window", [{}, {"from": MIDDLE.isoformat()}, {"to": MIDDLE.isoformat()}])
def test_an_answer_is_that_of_a_replay(asked_desk: Desk, tmp_path: Path, name: str, window: dict[str, str]) -> None:
    said = asked_desk.get(f"/api/v1/insight/{name}", "analyst", journey="support", wait=30, **window)
    since, until = (MIDDLE if key in window else None for key in ("from", "to"))
    replay = replayed(asked_desk, tmp_path)
    part = opened_between(replay, since, until)
    assert (part.cases.height < replay.cases.height) == bool(window)
    section = subject(name).make(part, Inputs())
    for key, value in plain(document(subject(name), section, part)).items():
        assert same(said[key], value), key
    assert list(said["tables"]) == list(section.tables)


def test_a_table_as_csv(asked_desk: Desk, tmp_path: Path) -> None:
    answer = asked_desk.ask("GET", "/api/v1/insight/moments?journey=support&format=csv&wait=30")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    frame = subject("moments").make(replayed(asked_desk, tmp_path), Inputs()).answer.to_frame()
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["type"] for row in rows] == frame["type"].to_list()
    assert list(rows[0]) == frame.columns


def test_every_subject_is_listed_with_what_may_be_asked(asked_desk: Desk) -> None:
    listed = {one["name"]: one for one in asked_desk.get("/api/v1/insight", "viewer")}
    assert list(listed) == [*(one.name for one in SUBJECTS), *ELSEWHERE]
    for one in SUBJECTS:
        assert list(listed[one.name]["options"]) == list(one.options)
        assert listed[one.name]["why_not"] is None
    assert all(listed[name]["why_not"] for name in ELSEWHERE)


def test_what_is_asked_wrongly(asked_desk: Desk) -> None:
    for path, status, code in (
        ("nothing?journey=support", 404, "unknown_subject"),
        ("practitioners?journey=support", 404, "unknown_subject"),
        ("gap?journey=nothing", 404, "unknown_journey"),
        ("moments?journey=support&seed=1", 422, "invalid"),
        ("gap?journey=support&unknown=1", 422, "invalid"),
        ("gap?journey=support&from=soon", 422, "invalid"),
        ("maturity?journey=support&answer=perhaps", 422, "invalid"),
        ("kpis?journey=support", 422, "no_file"),
        ("foresight?journey=support", 422, "no_file"),
        ("concentration?journey=support&of=nothing&wait=30", 422, "invalid"),
    ):
        answer = asked_desk.ask("GET", f"/api/v1/insight/{path}")
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    broken = asked_desk.ask("POST", "/api/v1/insight/kpis?journey=support", content="truenorth: 1\nkpi: []")
    assert (broken.status_code, broken.json()["code"]) == (422, "invalid")
    assert {problem["path"] for problem in broken.json()["problems"]} >= {"$.kpi", "$.kpis"}


def test_kpis_are_sent_as_a_file(asked_desk: Desk) -> None:
    answer = asked_desk.ask("POST", "/api/v1/insight/kpis?journey=support&wait=60", content=KPIS)
    assert answer.status_code == 200, answer.text
    assert "contacts" in answer.json()["tables"]["kpis"]["rows"][0][0]


def test_whoever_does_not_wait_is_told_how_far_it_is(desk: Desk) -> None:
    """With the worker held up, the first asker is told so; then the answer is there, and made once for both."""
    insights = desk.app.state.context.insights
    release = _hold(insights)
    try:
        first = desk.ask("GET", "/api/v1/insight/feel?journey=support&wait=0")
        second = desk.ask("GET", "/api/v1/insight/maturity?journey=support&wait=0")
    finally:
        release()
    assert (first.status_code, first.headers["retry-after"]) == (202, "2")
    assert (first.json()["state"], second.json()["ahead"]) == ("being made", 1)
    made = [desk.get("/api/v1/insight/feel", journey="support", wait=30)["made"] for _ in range(2)]
    assert made[0] == made[1]
    insights.close()


def _hold(insights: Any) -> Any:
    """Keep the worker busy until what is returned is called."""
    from threading import Event  # noqa: PLC0415

    gate = Event()
    insights._worker.submit(gate.wait, 30)
    return gate.set


def test_too_many_questions_are_turned_away(tmp_path: Path) -> None:
    few = msgspec.structs.replace(PATIENT, insight_waiting=1)
    with desk_in(tmp_path, bounds=few) as desk:
        insights = desk.app.state.context.insights
        release = _hold(insights)
        try:
            statuses = [
                desk.ask("GET", f"/api/v1/insight/{name}?journey=support&wait=0").status_code
                for name in ("feel", "feel", "maturity")
            ]
        finally:
            release()
        insights.close()
    assert statuses == [202, 202, 429]


def test_a_large_log_is_for_the_command_line(tmp_path: Path) -> None:
    with desk_in(tmp_path, bounds=msgspec.structs.replace(PATIENT, insight_events=10)) as desk:
        answer = desk.ask("GET", "/api/v1/insight/feel?journey=support")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_events")


def test_nothing_of_an_erased_person_or_an_older_version_is_shown(desk: Desk) -> None:
    path, query = "/api/v1/insight/concentration", {"journey": "support", "of": "customer", "wait": 30}
    before = desk.get(path, **query)
    assert "C3" in json.dumps(before)
    assert desk.ask("DELETE", "/api/v1/customers/C3").status_code == 200
    desk.judge()
    after = desk.get(path, **query)
    assert "C3" not in json.dumps(after)
    assert after["cases"] < before["cases"]
    changed = JOURNEY.replace("abandoned_after: 20d", "abandoned_after: 1d")
    assert desk.ask("PUT", "/api/v1/journeys/support", content=changed).status_code == 200
    desk.judge()
    assert desk.get(path, **query)["version"] == 2
    desk.app.state.context.insights.close()


def test_while_events_come_an_answer_is_kept_for_some_minutes(tmp_path: Path) -> None:
    clock = [0.0]
    with desk_in(tmp_path, elapsed_s=lambda: clock[0]) as desk:
        ask = {"journey": "support", "wait": 30}
        first = desk.get("/api/v1/insight/feel", **ask)
        desk.now_us += HOUR_US
        new = Event(source="s", id="new", type="Contact", time_us=NOW_US + 1, received_us=NOW_US + 1, case="new")
        desk.judge(new)
        clock[0] += PATIENT.insight_age_seconds - 1
        assert desk.get("/api/v1/insight/feel", **ask) == first
        clock[0] += 2
        assert desk.get("/api/v1/insight/feel", **ask) == first  # the old one, while a new one is made
        desk.app.state.context.insights._worker.shutdown(wait=True)
        assert desk.get("/api/v1/insight/feel", **ask)["cases"] == first["cases"] + 1


def test_it_is_noted_in_the_audit(desk: Desk) -> None:
    desk.get("/api/v1/insight/feel", "analyst", journey="support", wait=30)
    noted = desk.get("/api/v1/audit")["items"][-1]
    assert (noted["who"], noted["what"], noted["about"]) == ("analyst's", "read an insight", "feel of support")
    desk.app.state.context.insights.close()


def test_a_window_cuts_no_case(asked_desk: Desk, tmp_path: Path) -> None:
    replay = replayed(asked_desk, tmp_path)
    parts = [opened_between(replay, None, MIDDLE), opened_between(replay, MIDDLE, None)]
    for name in ("cases", "events", "promises"):
        whole: pl.DataFrame = getattr(replay, name)
        halves = [getattr(part, name) for part in parts]
        assert sum(half.height for half in halves) == whole.height
        for half in halves:
            assert half.equals(whole.filter(pl.col("case").is_in(half["case"].unique().implode())))
