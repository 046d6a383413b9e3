"""The command as a person types it: what it prints, writes, sends and returns."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import truenorth as tn
from simulate.test_stream import KEY, receiver
from truenorth.cli import simulate as cli_simulate
from truenorth.cli.app import app
from truenorth.simulate.company import Company
from truenorth.simulate.faults import parse_faults
from truenorth.spec.load import parse_journey

HELP = """\
truenorth: 1
journey: help
only: journey = 'help'
outcome: {achieved: type = 'Closed', within: 9d}
promises: [{name: no_ping_pong, at_most: 1, of: handover}]
"""
SMALL = ("--customers", "60", "--days", "20")
PROGRAM = [sys.executable, "-c", "from truenorth.cli.app import main; main()", "simulate"]
SUMMARY_KEYS = [
    *("customers", "days", "start", "seed", "events", "arrivals", "faults", "written", "streamed", "seconds"),
]


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simulate(*arguments: str) -> Result:
    done = CliRunner().invoke(app, ["simulate", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def made(*arguments: str) -> dict[str, Any]:
    done = simulate(*SMALL, "--json", *arguments)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_the_defaults_are_those_of_the_company() -> None:
    shown = {name: one.default for name, one in inspect.signature(cli_simulate.simulate).parameters.items()}
    company = Company()
    defaults = shown["customers"], shown["days"], shown["start"].date(), shown["surveys"]
    assert defaults == (company.n_customers, company.days, company.start, company.surveys)


def test_a_log_that_can_be_replayed_and_its_truth(tmp_path: Path) -> None:
    summary = made("--out", "log.parquet", "--truth", "truth.json")
    assert list(summary) == SUMMARY_KEYS
    assert summary["written"] == ["log.parquet", "truth.json"]
    assert summary["events"] == summary["arrivals"] == pl.read_parquet(tmp_path / "log.parquet").height > 0
    assert json.loads((tmp_path / "truth.json").read_text())
    assert tn.replay(parse_journey(HELP), tmp_path / "log.parquet").summary["cases"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        made("--out", f"{name}.csv", "--seed", seed, "--faults", "duplicates=0.1,identity=0.2")
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("name", ["log.parquet", "log.csv.zst", "log.jsonl.gz", "log.xes.gz", "log.json", "log.sqlite"])
def test_every_format_reads_back(tmp_path: Path, name: str) -> None:
    n_events = made("--out", name)["events"]
    log = tn.read_log(tmp_path / name, object_type="case" if name.endswith(("json", "sqlite")) else None)
    assert (log.n_events, log.quarantine.height, log.n_duplicates) == (n_events, 0, 0)


def test_one_journey_alone(tmp_path: Path) -> None:
    whole = made("--out", "all.parquet")
    alone = made("--out", "help.parquet", "--journey", "help")
    assert 0 < alone["events"] < whole["events"]
    replays = [tn.replay(parse_journey(HELP), tmp_path / name) for name in ("all.parquet", "help.parquet")]
    assert replays[0].cases.equals(replays[1].cases)


@pytest.mark.parametrize("faults", ["", "duplicates=1,identity=1,clock_skew=1,missing=1"])
def test_a_company_to_which_nothing_happens(faults: str) -> None:
    nobody = ("--customers", "1", "--days", "1", "--faults", faults)
    for name in ("log.parquet", "log.csv", "log.jsonl.gz", "log.xes"):
        assert made(*nobody, "--out", name, "--truth", "t.json")["events"] == 0
    assert pl.read_parquet("log.parquet").is_empty()
    with receiver() as server:
        assert made("--customers", "1", "--days", "1", "--to", server.url, "--write-key", KEY)["events"] == 0


def test_faults_are_counted_and_told(tmp_path: Path) -> None:
    text = "duplicates=0.1,disorder=0.1,lateness=0.1,clock_skew=0.3,missing=0.1,identity=0.5"
    summary = made("--out", "log.parquet", "--truth", "t.json", "--faults", text)
    assert set(summary["faults"]) == set(parse_faults(text).__struct_fields__)
    assert all(summary["faults"].values())
    assert summary["arrivals"] == pl.read_parquet(tmp_path / "t.faults.parquet").height > summary["events"]
    told = simulate(*SMALL, "--out", "log.csv", "--faults", text).stdout
    assert f"{summary['events']:,} events" in told
    assert f"{summary['faults']['duplicates']:,} duplicates, " in told


@pytest.mark.parametrize(
    "option",
    [
        ("--no-surveys",),
        ("--incentive", "handle_time"),
        ("--drift", "channel=0.9@3"),
        ("--start", "2025-06-01"),
        ("--days", "21"),
        ("--customers", "120"),
    ],
)
def test_a_switch_changes_what_happens(tmp_path: Path, option: tuple[str, ...]) -> None:
    made("--out", "plain.csv")
    made("--out", "other.csv", *option)
    assert (tmp_path / "other.csv").read_bytes() != (tmp_path / "plain.csv").read_bytes()


def test_a_stream(tmp_path: Path) -> None:
    with receiver() as server:
        to = ("--to", server.url, "--write-key", KEY, "--speed", "inf", "--as-now")
        summary = made("--out", "log.parquet", *to)
    assert summary["streamed"]["n_delivered"] == summary["events"] == len(server.taken)
    ids = pl.read_parquet(tmp_path / "log.parquet")["id"].to_list()
    assert [message["messageId"] for message in server.taken] == ids
    assert KEY not in json.dumps(summary)


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUENORTH_WRITE_KEY", "secret")
    with receiver() as server:
        made("--to", server.url, "--speed", "inf", "--journey", "move")
    assert {request["writeKey"] for request in server.requests} == {"secret"}


def test_an_interruption_ends_with_a_summary(tmp_path: Path) -> None:
    with receiver() as server:
        to = ("--to", server.url, "--write-key", KEY, "--speed", "50000", "--json")
        with subprocess.Popen([*PROGRAM, *SMALL, *to], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            while process.poll() is None and not server.requests:
                sleep(0.05)
            os.kill(process.pid, signal.SIGINT)
            out, _ = process.communicate()
    streamed = json.loads(out)["streamed"]
    assert process.returncode == 130
    assert streamed["interrupted"]
    assert 0 < streamed["n_sent"] < streamed["n_events"]
    assert streamed["n_delivered"] == len(server.taken)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "a file to write or a receiver"),
        (("--out", "log.docx"), 2, "a file name that ends in"),
        (("--out", "none/log.csv"), 2, "no such folder"),
        (("--out", "log.csv", "--truth", "none/truth.json"), 2, "no such folder"),
        (("--out", "log.csv", "--days", "0"), 2, "days: expected a whole number"),
        (("--out", "log.csv", "--customers", "many"), 2, "Invalid value for '--customers'"),
        (("--out", "log.csv", "--start", "soon"), 2, "Invalid value for '--start'"),
        (("--out", "log.csv", "--journey", "hlp"), 2, "did you mean 'help'?"),
        (("--out", "log.csv", "--faults", "latness=0.1"), 2, "did you mean 'lateness'?"),
        (("--out", "log.csv", "--faults", "disorder=7"), 2, "a rate from 0 to 1"),
        (("--out", "log.csv", "--incentive", "hand_time"), 2, "'hand_time'"),
        (("--out", "log.csv", "--drift", "staffing"), 2, "WHAT=SIZE@DAY"),
        (("--out", "log.csv", "--drift", "weather=0.2@3"), 2, "'weather'"),
        (("--to", "http://127.0.0.1:1"), 2, "needs the receiver's write key"),
        (("--to", "http://127.0.0.1:1", "--write-key", KEY, "--speed", "0"), 2, "speed: expected a number"),
        (("--to", "http://127.0.0.1:1", "--write-key", KEY, "--faults", "clock_skew=0.1"), 2, "no clock_skew"),
        (("--to", "http://127.0.0.1:1", "--write-key", KEY, *SMALL), 1, "a receiver that listens"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    arguments: tuple[str, ...], status: int, message: str, tmp_path: Path
) -> None:
    done = simulate(*arguments)
    words = " ".join(done.output.replace("│", " ").split())
    assert done.exit_code == status, words
    assert message in words
    assert list(tmp_path.iterdir()) == []
