"""The commands about models as a person types them, and the foreseer as a process."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event as Flag
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from server.foreseeing.shop import settle, story
from server.test_runner_process import within
from truenorth.cli.app import app
from truenorth.server.runner import Runner, now_us
from truenorth.server.runner_process import RunnerProcess
from truenorth.store.opening import open_store
from truenorth.wiring.service import foreseer_command, pace_of

SOON_S = 120.0


@pytest.fixture
def url(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TRUENORTH_DB", f"sqlite:///{own_file}")
    return f"sqlite:///{own_file}"


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == status, done.output
    return done.output


def told(*arguments: str, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status))


def test_the_life_of_a_model(url: str) -> None:
    (model,) = told("models", "list")
    version = model["version"]
    assert (model["journey"], model["state"]) == ("shop", "shadow")
    assert version in run("models", "list", "--journey", "shop")
    assert told("models", "list", "--journey", "other") == []
    assert told("models", "promote", "shop", version)[0]["state"] == "live"
    with open_store(url) as store:
        row = store.models.find("shop", version)
        assert row is not None
        poor = msgspec.structs.replace(row, version="poor", beats=False, why="no better than chance")
        store.models.add(poor, b"")
    refused = told("models", "promote", "shop", "poor", status=1)
    assert "no better than chance" in json.dumps(refused)
    assert told("models", "promote", "shop", "poor", "--insist")[0]["state"] == "live"
    assert told("models", "show", "shop")["version"] == "poor"
    assert told("models", "roll-back", "shop")[0]["version"] == version
    assert told("models", "show", "shop")["version"] == version
    assert told("models", "retire", "shop", version)[0]["state"] == "retired"
    shown = told("models", "show", "shop", version)
    assert shown["metrics"]["n_cases"] > 100
    assert "learnt from 2026-01-01" in run("models", "show", "shop", version)
    with open_store(url) as store:
        store.models.put_level("shop", version, 0.3, now_us=row.data_to_us)
        noted = [(one.what, one.about) for one in store.audit.read()]
    assert ("promoted a model although it is not better", "shop poor") in noted
    assert ("rolled back to a model", f"shop {version}") in noted
    assert "level of its risks: +0.30" in run("models", "show", "shop", version)
    assert told("models", "show", "shop", version)["level"] == 0.3


def test_watching_and_training_on_a_store(url: str) -> None:
    (before,) = told("models", "list")
    told("models", "promote", "shop", before["version"])
    seen = told("models", "watch", "shop")
    assert seen["since_us"] == before["data_to_us"]
    assert "cases have ended since" in run("models", "watch", "shop")
    assert "next: truenorth models promote shop" in run("train", "--db", url, "--journey", "shop", "--seed", "7")
    states = {row["version"]: row["state"] for row in told("models", "list")}
    assert len(states) == 2
    assert states.pop(before["version"]) == "live"
    assert list(states.values()) == ["shadow"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("models", "promote", "shop", "unknown"), "a model of shop"),
        (("models", "watch", "shop"), "a model of shop"),
        (("models", "show", "shop"), "a model of shop"),
        (("models", "roll-back", "shop"), "was live before"),
        (("train", "--journey", "other"), "a live journey: shop"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(url: str, arguments: tuple[str, ...], message: str) -> None:
    more = ("--db", url) if arguments[0] == "train" else ()
    assert message in json.dumps(told(*arguments, *more, status=1))


def test_the_foreseer_as_a_process(url: str) -> None:
    with open_store(url) as store:
        (model,) = store.models.list()
        store.models.promote("shop", model.version, now_us=1)
        asked = msgspec.structs.replace(story()[0], id="new", case="new", time_us=now_us() - 2_000_000)
        store.events.append([asked])
        settle(Runner(store, lateness_us=0))
        beside = RunnerProcess(foreseer_command(pace_of("1s")), Flag().set)
        beside.start()
        try:
            within(SOON_S, lambda: store.risks.all("shop", model.version), "risk")
            within(SOON_S, lambda: beside.status.n_cases == 1, "word of the case")
        finally:
            beside.stop()
