"""The commands about a store as a person types them: what they print, write and return."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truenorth.cli.app import app
from truenorth.store.opening import open_store

EXAMPLES = Path(__file__).parent.parent / "examples" / "support"
LOG = str(EXAMPLES / "log.csv")
DOCS = Path(__file__).parent.parent / "docs"
COMMANDS = [
    *(["doctor"], ["archive"], ["forget"], ["erase"], ["export"], ["import"]),
    *(["keys", word] for word in ("add", "list", "revoke")),
    *(["tokens", word] for word in ("add", "list", "revoke")),
    *(["webhooks", word] for word in ("add", "list", "pause", "resume", "dead", "retry")),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRUENORTH_DB", raising=False)
    return tmp_path


def run(*arguments: str, status: int = 0, answer: str | None = None) -> Result:
    done = CliRunner().invoke(app, arguments, input=answer)
    assert done.exit_code == status, done.output
    return done


def told(*arguments: str, status: int = 0) -> Any:
    """What a command prints as JSON."""
    done = run(*arguments, "--json", status=status)
    return json.loads(done.stdout)


def test_import_export_and_archive(folder: Path) -> None:
    first = told("import", LOG, "--source", "desk")
    assert first == {"new": 3382, "duplicates": 4, "suppressed": 0, "quarantined": 6}
    assert told("import", LOG, "--source", "desk")["new"] == 0
    assert told("export", "--out", "before.jsonl") == {"events": 3382, "position": 3382, "place": "before.jsonl"}
    moved = told("archive", "--before", "2100-01-01", "--folder", "old")
    assert moved == {"events": 3382, "files": 1, "folder": "old"}
    assert told("export", "-o", "after.jsonl")["events"] == 3382
    assert Path("before.jsonl").read_bytes() == Path("after.jsonl").read_bytes()
    told("export", "-o", "after.parquet")
    assert pl.read_parquet("after.parquet")["source"].unique().to_list() == ["desk"]


def test_what_is_too_old_is_forgotten(folder: Path) -> None:
    told("import", LOG, "--source", "desk")
    told("archive", "--before", "2100-01-01", "--folder", "old")
    told("keys", "add", "shop")
    assert told("forget", "--older-than", "1d", "--yes") == {"events": 0, "refused": 0, "cases": 0, "signals": 0}
    assert told("export", "--out", "before.jsonl")["events"] == 3382
    run("forget", "--before", "2100-01-01", answer="n\n", status=1)
    assert told("forget", "--before", "2100-01-01", "--yes") == {"events": 3382, "refused": 6, "cases": 0, "signals": 0}
    assert told("export", "--out", "after.jsonl")["events"] == 0
    assert told("import", LOG, "--source", "desk")["new"] == 0
    run("forget", status=2)


def test_a_person_is_erased_with_all_their_ids(folder: Path) -> None:
    rows = [
        {"id": "1", "type": "seen", "time": "2026-01-01", "customer": "browser-1"},
        {"id": "2", "type": "$id", "time": "2026-01-02", "customer": "ann", "other_id": "browser-1"},
        {"id": "3", "type": "seen", "time": "2026-01-03", "customer": "bob"},
    ]
    rows[1]["other_kind"] = "anonymous"
    Path("log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run("import", "log.jsonl")
    declined = run("erase", "ann", answer="n\n", status=1)
    assert "ann, browser-1" in declined.output
    told("export", "-o", "joined.jsonl", "--identities", "joined")
    assert pl.read_ndjson("joined.jsonl")["customer"].to_list() == ["ann", "ann", "bob"]
    assert "--out" in run("export", "--parquet", "p", "--identities", "joined", status=2).output
    receipt = told("erase", "ann", "--yes", "--by", "ticket 4711")
    assert (receipt["n_ids"], receipt["counts"]["event"], receipt["asked_by"]) == (2, 2, "ticket 4711")
    assert receipt["scrubbed_us"]
    assert told("export", "-o", "log2.jsonl")["events"] == 1
    assert "Receipt 2" in run("erase", "bob", "--only", "--yes").output
    run("erase", "ann", "--json", status=2)


def test_a_key_is_replaced_without_a_gap(folder: Path) -> None:
    old, new = (told("keys", "add", "shop")["secret"] for _ in range(2))
    assert told("keys", "revoke", "shop", "--but-newest") == {"changed": 1}
    with open_store("sqlite:///truenorth.db") as store:
        assert (store.access.source_of(old), store.access.source_of(new)) == (None, "shop")
    assert (
        "no such valid write key older than the newest"
        in run("keys", "revoke", "shop", "--but-newest", status=1).output
    )


def test_a_store_that_cannot_be_opened_is_told_as_every_problem_is(folder: Path) -> None:
    told_of = told("keys", "add", "shop", "--db", "sqlite:///nowhere/at/all.db", status=1)
    assert told_of["problems"][0]["hint"] == "make its folder, or check who may use it"
    in_words = run("keys", "add", "shop", "--db", "sqlite:///nowhere/at/all.db", status=1).output
    assert in_words.splitlines()[0] == "error sqlite:///nowhere/at/all.db"


def test_keys_and_tokens(folder: Path) -> None:
    key = told("keys", "add", "shop")
    token = told("tokens", "add", "Ann", "--role", "agent")
    with open_store("sqlite:///truenorth.db") as store:
        assert store.access.source_of(key["secret"]) == "shop"
        found = store.access.token_of(token["secret"])
        assert found is not None
        assert found.role == "agent"
    assert [one["source"] for one in told("keys", "list")] == ["shop"]
    assert [one["label"] for one in told("tokens", "list")] == ["Ann"]
    assert key["secret"] not in run("keys", "list").output
    assert told("keys", "revoke", "shop") == {"changed": 1}
    assert told("tokens", "revoke", "Ann") == {"changed": 1}
    assert told("tokens", "revoke", "Ann", status=1) == {"changed": 0}
    with open_store("sqlite:///truenorth.db") as store:
        assert store.access.source_of(key["secret"]) is None
        noted = [(line.what, line.about) for line in store.audit.read()]
    assert noted[:2] == [("added a write key", "shop"), ("added a token of role agent", "Ann")]
    run("tokens", "add", "Ann", "--role", "king", status=2)


def test_webhooks(folder: Path) -> None:
    made = told("webhooks", "add", "https://crm.example/hook", "--kind", "broken")
    assert made["secret"].startswith("whsec_")
    (listed,) = told("webhooks", "list")
    assert (listed["number"], listed["kinds"], listed["state"], listed["waiting"]) == (1, ["broken"], "active", 0)
    assert "secret" not in listed
    assert made["secret"] not in run("webhooks", "list").output
    assert told("webhooks", "pause", "1") == {"changed": 1}
    assert told("webhooks", "list")[0]["state"] == "paused"
    assert told("webhooks", "resume", "1") == {"changed": 1}
    assert told("webhooks", "resume", "2", status=1) == {"changed": 0}
    assert told("webhooks", "dead") == []
    assert told("webhooks", "retry", "--webhook", "1", "--signal", "7") == {"changed": 0}
    for bad in (["https://10.0.0.1/"], ["http://crm.example/"], ["https://crm.example/", "--kind", "brken"]):
        assert not told("webhooks", "add", *bad, status=1)["ok"]


def test_the_doctor_says_what_is_wrong_by_its_status_too(folder: Path) -> None:
    ill = told("doctor", status=1)
    assert not ill["ok"]
    assert not Path("truenorth.db").exists()
    run("keys", "add", "shop")
    assert told("doctor")["ok"]
    assert "0 wrong" in run("doctor").output


@pytest.mark.parametrize("command", [["archive", "--before", "2026-01-01", "--folder", "a"], ["keys", "list"]])
def test_a_mistake_in_a_name_makes_no_store(folder: Path, command: list[str]) -> None:
    (problem,) = told(*command, "--db", "sqlite:///tuenorth.db", status=1)["problems"]
    assert problem["found"] == "none"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "options", [[], ["--before", "2026-01-01", "--older-than", "1d"], ["--before", "soon"], ["--older-than", "2 dayz"]]
)
def test_when_to_archive(folder: Path, options: list[str]) -> None:
    run("keys", "add", "shop")
    run("archive", "--folder", "old", *options, status=2)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_json_and_a_place_in_the_docs(command: list[str]) -> None:
    shown = run(*command, "--help").output
    assert "Example: truenorth" in shown
    assert "--json" in shown
    pages = (DOCS / "operations.md").read_text() + (DOCS / "webhooks.md").read_text()
    assert f"truenorth {' '.join(command)}" in pages


def test_what_comes_through_a_pipe_needs_a_source(folder: Path) -> None:
    (problem,) = told("import", "/dev/stdin", status=1)["problems"]
    assert (problem["path"], problem["expected"]) == ("--source", "a source")
    assert list(folder.iterdir()) == []


def test_an_import_that_is_stopped_says_what_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("truenorth.wiring.store.import_events", stopped)
    Path("log.csv").write_text("time,type\n2026-01-01,seen\n")
    assert "what was added stays: run it again" in run("import", "log.csv", status=130).output


def test_a_port_that_is_taken_is_told_before_anything_is_made(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told_so = " ".join(run("serve", "--port", str(port), status=1).output.split())
    assert f"127.0.0.1:{port} expected an address to listen on, found Address already in use" in told_so
    assert list(folder.iterdir()) == []


def test_serve_tells_the_lines_of_journeys_that_cannot_be_used(folder: Path) -> None:
    for name in ("a", "b"):
        Path(f"{name}.yaml").write_text(f"truenorth: 1\njourney: {name}\nneeed: type = 'x'\n")
    output = run("serve", "--journeys", ".", "--port", "0", status=1).output
    assert "error a.yaml:3 $.neeed" in output
    assert "error b.yaml:3 $.neeed" in output
