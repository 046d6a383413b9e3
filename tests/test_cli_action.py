"""Commands about acting, on a store as a service leaves it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.acting_desk import PEOPLE, acting_desk, open_cases
from truenorth.cli.app import app


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    with acting_desk(tmp_path) as desk:
        case = open_cases(desk)[0]
    return f"sqlite:///{tmp_path}/truenorth.db", case


def run(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == status, result.output
    return result.stdout


def test_decide(place: tuple[str, str]) -> None:
    db, case = place
    found = json.loads(run("decide", "support", case, "--as", "bo", "--db", db, "--json"))
    assert found["chosen"] in {"call_back_now", "do_nothing"}
    assert [one["action"] for one in found["candidates"]] == ["do_nothing", "call_back_now", "credit", "gift"]
    assert "that they may" in run("decide", "support", case, "--as", "bo", "--db", db)


def test_a_case_that_is_not_there(place: tuple[str, str]) -> None:
    assert (
        "there is no such case"
        in CliRunner().invoke(app, ["decide", "support", "x", "--as", "bo", "--db", place[0]]).output
    )


def test_a_person_who_is_not_there(place: tuple[str, str]) -> None:
    db, case = place
    found = json.loads(run("decide", "support", case, "--as", "boo", "--db", db, "--json", status=1))["problems"][0]
    assert found["path"] == "--as"
    assert "there is no such person: 'boo'; did you mean 'bo'?" in found["found"]


def test_people(place: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(PEOPLE)
    assert json.loads(run("authority", "load", str(file), "--db", place[0], "--json"))["people"] == 4
    assert "Anna" in run("authority", "list", "--db", place[0])
    file.write_text("people: [{name: x}]")
    run("authority", "load", str(file), "--db", place[0], status=1)


def test_stops(place: tuple[str, str]) -> None:
    db, case = place
    run("actions", "stop", "support", "*", "--reason", "wrong prices", "--db", db)
    assert json.loads(run("decide", "support", case, "--as", "bo", "--db", db, "--json"))["chosen"] == "do_nothing"
    assert "wrong prices" in run("actions", "stopped", "--db", db)
    assert "nothing is switched off" in run("actions", "resume", "support", "*", "--db", db)
    run("actions", "resume", "support", "*", "--db", db, status=1)
