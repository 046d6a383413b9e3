"""Judging policies, learning and keeping books, on a store with decisions."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from action.company import past_decisions
from action.company_store import ACTIONS, JOURNEY, fill
from server.acting_desk import acting_desk, decide, open_cases
from server.desk import Desk
from truenorth.action.record import decode_decision
from truenorth.cli.app import app
from truenorth.store.opening import open_store


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('policy')}/truenorth.db"
    with open_store(url) as store:
        store.journeys.publish("support", JOURNEY, now_us=0)
        fill(store, past_decisions(1_500, seed=2))
    return url


def run(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == status, result.output
    return result.output


def policy_of(desk: Desk, id: str) -> str:  # noqa: A002  # the column's name
    row = desk.store.decisions.find(id)
    assert row is not None
    return decode_decision(row.record).versions.policy


def asked(url: str, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(*words, "--journey", "support", "--db", url, "--json"))
    return found


def test_policies_are_judged_on_the_decisions_of_a_store(url: str) -> None:
    found = asked(url, "evaluate-policy", "--policy", "call", "--least", "50")
    assert found["verdict"] == "better"
    assert found["unsupported"] == 0
    dull = asked(url, "evaluate-policy", "--policy", "letter", "--least", "50")
    assert dull["verdict"] in {"undecided", "worse"}
    assert "effective sample size" in run("evaluate-policy", "--journey", "support", "--db", url, "--policy", "call")


def test_the_ledger_balances(url: str) -> None:
    found = asked(url, "ledger", "--per", "year")
    lines = found["lines"]
    assert isinstance(lines, list)
    assert isinstance(found["totals"], dict)
    past = past_decisions(1_500, seed=2)
    spent = sum(one.spent_cents for one in past)
    assert sum(line["cost"]["actual"] for line in lines) == found["totals"]["cost_cents"] == spent
    assert {line["action"] for line in lines} == {"call", "letter"}
    rows = pl.read_csv(StringIO(run("ledger", "--journey", "support", "--db", url, "--csv", "--per", "year")))
    assert rows.filter(figure="cost_cents")["actual"].sum() == spent
    shown = run("ledger", "--journey", "support", "--db", url)
    assert "held out" in shown
    assert "overriding" in shown
    assert found["split"]["is_sound"]
    assert found["split"]["words"] in shown


def test_a_journey_without_decisions(url: str) -> None:
    for command in (["evaluate-policy"], ["ledger"], ["actions", "learn"]):
        assert "decisions of this journey" in run(*command, "--journey", "other", "--db", url, status=1)


def test_a_file_or_a_journey_and_not_both(url: str) -> None:
    assert "name either" in run("evaluate-policy", "--db", url, status=2)


def test_the_api_says_the_same(tmp_path: Path) -> None:
    with acting_desk(tmp_path, actions=ACTIONS) as desk:
        fill(desk.store, past_decisions(900, seed=4))
        db = f"sqlite:///{tmp_path}/truenorth.db"
        assert desk.get("/api/v1/ledger", journey="support", per="year") == asked(db, "ledger", "--per", "year")
        plain = desk.ask("GET", "/api/v1/ledger", params={"journey": "support", "format": "csv"})
        assert plain.headers["content-type"].startswith("text/csv")
        assert plain.text == run("ledger", "--journey", "support", "--db", db, "--csv")
        said = desk.get("/api/v1/policies/call/evaluation", journey="support", limit=50, least=20)
        assert said == asked(db, "evaluate-policy", "--policy", "call", "--limit", "50", "--least", "20")
        (problem,) = desk.ask("GET", "/api/v1/policies/x/evaluation", params={"journey": "support"}).json()["problems"]
        assert problem["expected"] == "learnt, or one of do_nothing, call, letter"


def test_decisions_ask_what_was_learnt(tmp_path: Path) -> None:
    with acting_desk(tmp_path, actions=ACTIONS) as desk:
        case = open_cases(desk)[0]
        assert policy_of(desk, decide(desk, case)["decision"]["id"]) == "thompson/4 belief/1"
        fill(desk.store, past_decisions(900, seed=3))
        db = f"sqlite:///{tmp_path}/truenorth.db"
        learnt = asked(db, "actions", "learn")
        assert learnt["version"] == "learnt/1"
        assert "learnt/2" in run("actions", "learn", "--journey", "support", "--db", db)
        assert [row.number for row in desk.store.effects.versions("support")] == [1, 2]
        after = decide(desk, case)["decision"]["id"]
        assert policy_of(desk, after) == "thompson/4 learnt/2"
        assert desk.get(f"/api/v1/decisions/{after}")["reproduced"] is True
