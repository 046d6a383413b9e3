"""The commands that look ahead, from a log to what is printed; the rows are made-up ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from foresight.tables import table
from truenorth.cli.app import app
from truenorth.foresight.backtest import backtest
from truenorth.foresight.model import Foresight
from truenorth.foresight.rows import Cases
from truenorth.foresight.train import Effort
from truenorth.foresight.vocabulary import Vocabulary
from truenorth.wiring import foresight as wiring_foresight

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows(monkeypatch):
    """Rows of a made-up table, whatever the log; few threads."""
    vocabulary = Vocabulary(types=("x",))
    for name in ("table_of_log", "table_of_replay"):
        monkeypatch.setattr(wiring_foresight, name, lambda *_asked, **_more: table(700))
    for name in ("vocabulary_of_log", "vocabulary_of_replay"):
        monkeypatch.setattr(wiring_foresight, name, lambda *_asked, **_until: vocabulary)
    monkeypatch.setattr(wiring_foresight, "n_threads", lambda: 1)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    times = [START + timedelta(hours=i) for i in range(6)]
    pl.DataFrame({"case": list("aabbcc"), "type": ["x", "lost", "x", "y", "x", "y"], "time": times}).write_csv(path)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_backtest_prints_all_it_found(rows, log, tmp_path):
    page = tmp_path / "page.html"
    done = run("backtest", log, "--label-event", "lost", "--html", page)
    assert done.exit_code == 0, done.output
    for words in (
        "AUC",
        "calibration error",
        "lead time",
        "cost a case",
        "time remaining",
        "next event",
        "goes to work",
    ):
        assert words in done.output
    assert "Reliability" in page.read_text(encoding="utf-8") or "came" in page.read_text(encoding="utf-8")


def test_a_column_that_is_left_out_is_not_learnt_from(rows, log, monkeypatch):
    asked = []
    real = wiring_foresight.vocabulary_of_log
    monkeypatch.setattr(
        wiring_foresight, "vocabulary_of_log", lambda *given, **more: asked.append(more["without"]) or real(*given)
    )
    done = run("backtest", log, "--label-event", "lost", "--without", "closed_at", "--without", "resolved_by")
    assert done.exit_code == 0, done.output
    assert asked == [("closed_at", "resolved_by")]


@pytest.mark.parametrize(("cut", "until"), [("before-label", ("lost",)), ("never", ())])
def test_cases_are_cut_before_the_label_unless_told_otherwise(rows, log, monkeypatch, cut, until):
    asked = []
    real = wiring_foresight.table_of_log
    monkeypatch.setattr(
        wiring_foresight, "table_of_log", lambda *given, **_more: asked.append(given[1].until) or real(*given)
    )
    done = run("backtest", log, "--label-event", "lost", "--cut", cut)
    assert done.exit_code == 0, done.output
    assert asked == [until]


def test_what_only_silence_tells_is_alarmed_in_silence(tmp_path, monkeypatch):
    """All cases begin alike; the lost ones end after a month in which nothing happens, the others at once."""
    monkeypatch.setattr(wiring_foresight, "n_threads", lambda: 1)
    lost = np.random.default_rng(0).random(1_600) < 0.5
    opened = [START + timedelta(days=i) for i in range(len(lost))]
    ended = [
        at + (timedelta(days=30) if is_lost else timedelta(hours=5)) for at, is_lost in zip(opened, lost, strict=True)
    ]
    case = [str(i) for i in range(len(lost))]
    types = ["asked"] * len(lost) + ["lost" if one else "done" for one in lost]
    path = tmp_path / "log.csv"
    pl.DataFrame({"case": case * 2, "type": types, "time": opened + ended}).write_csv(path)

    def cost(*more: str) -> float:
        done = run("backtest", path, "--label-event", "lost", "--until-event", "done", "--json", *more)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["costs"][0]["cost"]

    came = lost[1_200:].mean()
    assert cost() >= min(0.5, came)  # as dear as one of the constants
    assert came / 2 <= cost("--in-silence") <= 1.1 * came / 2  # all who are lost are acted for, and hardly anybody else


def test_json_holds_the_same_findings(rows, log):
    done = run("backtest", log, "--label-event", "lost", "--json")
    found = json.loads(done.stdout)
    expected, _ = backtest(table(700), effort=Effort(n_threads=1))
    assert found["n_test"] == expected.n_test
    assert found["models"][0]["auc"]["value"] == pytest.approx(expected.models[0].auc.value)
    assert {"buckets", "reliability", "lead", "per_day", "costs", "remaining", "next", "promises", "verdict"} <= set(
        found
    )


def test_a_trained_model_is_kept_and_can_be_read(rows, tmp_path):
    out = tmp_path / "support.foresight"
    log, journey = "examples/support/log.csv", "examples/support/journey.yaml"
    done = run("train", log, "-j", journey, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    foresight = Foresight.from_bytes(out.read_bytes())
    assert found["version"] == foresight.version
    assert foresight.journey == "support"
    assert foresight.metrics["n_test"] == found["backtest"]["n_test"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either a journey or a label"),
        (["--label", "type"], "needs the value"),
        (["--label", "typ", "--positive", "x"], "did you mean 'type'"),
        (["--label-event", "los"], "did you mean 'lost'"),
        (["--label-event", "lost", "--until-event", "yy"], "'yy'"),
        (["--label-event", "lost", "--until-event", "y", "--cut", "never"], "end at no event"),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_to_do(rows, log, arguments, words):
    done = run("backtest", log, *arguments)
    assert done.exit_code in (1, 2)
    assert words in " ".join(done.output.replace("│", " ").split())


def test_a_survey_answer_belongs_to_the_latest_case_opened_before_it():
    cases = Cases(
        id=pl.Series(["a", "a#2", "b"]),
        opened_us=np.array([10, 100, 50]),
        ended_us=np.array([20, 120, 60]),
        outcome=np.array([0, 1, 0], np.int8),
        customer=pl.Series(["p", "p", "q"]),
    )
    events = pl.DataFrame(
        {
            "case": ["a", "a", "a", "a", "c"],
            "source": ["survey", "survey", "survey", "crm", "survey"],
            "time": pl.Series([30, 40, 130, 5, 1], dtype=pl.Datetime("us", "UTC")),
        }
    )
    assert wiring_foresight.survey_answers(events, cases).tolist() == [30, 130, -1]
    assert wiring_foresight.survey_answers(events.drop("source"), cases) is None
