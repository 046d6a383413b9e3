"""The commands as a person types them: what they print, write and return; bad input never shows a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer

import truenorth as tn
from truenorth import results
from truenorth.cli.app import app
from truenorth.cli.frame import progress
from truenorth.spec.problems import TruenorthError

EXAMPLES = Path(__file__).parent.parent / "examples" / "support"
LOG, JOURNEY = str(EXAMPLES / "log.csv"), str(EXAMPLES / "journey.yaml")
BAD_JOURNEY = "bad_journey.yaml"
MISFIT = "misfit.yaml"
MISFIT_TEXT = """truenorth: 1
journey: a
outcome: {achieved: type = 'b'}
promises:
  - {name: p, never: type = 'c'}
  - {name: q, at_most: 1, total: channel}
"""
SUMMARY_KEYS = [
    *("events", "quarantined", "duplicates", "filtered", "no_key", "before_need", "after_close", "cases", "outcome"),
    *("promises", "moments", "decisions", "handovers", "internal", "cost", "revenue", "value", "seconds"),
]


def truenorth(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from truenorth.cli.app import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert "Traceback" not in done.stderr
    return done


def test_help_names_every_command() -> None:
    out = truenorth("--help").stdout
    assert all(name in out for name in ("check", "replay", "explain", "discover", "report", "convert", "simulate"))


RUN_UNTIL_STOPPED = {"demo", "serve", "runner", "foreseer"}
"""Commands without --json: they have no result; what they tell, their routes tell as JSON."""


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, inner in command.commands.items():
        yield from _commands(inner, f"{name} {part}".strip())


def test_every_command_that_ends_has_json_and_an_example() -> None:
    commands = dict(_commands(typer.main.get_command(app)))
    silent = {name for name, one in commands.items() if not any("--json" in option.opts for option in one.params)}
    assert silent == RUN_UNTIL_STOPPED
    assert not {name for name, one in commands.items() if "Example" not in (one.epilog or "")}


def test_check_a_good_file() -> None:
    done = truenorth("check", JOURNEY, "--log", LOG, "--today", "2026-06-01")
    assert done.returncode == 0
    assert "0 errors, 0 warnings" in done.stdout


def test_check_reports_every_problem_at_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("truenorth: 1\njourney: a\noutcom: {}\npromises:\n  - {name: p, never: type =, within: 2 dayz}\n")
    done = truenorth("check", str(bad), "--json")
    found = json.loads(done.stdout)
    errors = {(problem["path"], problem["line"]) for problem in found["problems"] if problem["severity"] == "error"}
    assert done.returncode == 1
    assert not found["ok"]
    assert errors == {("$.outcom", 3), ("$.promises[0].never", 5), ("$.promises[0].within", 5)}


def test_replay_prints_the_summary_alone_as_json() -> None:
    done = truenorth("replay", LOG, "--journey", JOURNEY, "--json")
    assert done.returncode == 0
    assert list(json.loads(done.stdout)) == SUMMARY_KEYS


def test_replay_reads_what_another_program_prints() -> None:
    command = [sys.executable, "-c", "from truenorth.cli.app import main; main()"]
    arguments = ["replay", "/dev/stdin", "-j", JOURNEY, "--json"]
    with Path(LOG).open("rb") as file:
        redirected = subprocess.run([*command, *arguments], stdin=file, capture_output=True, check=True)
    piped = subprocess.run([*command, *arguments], input=Path(LOG).read_bytes(), capture_output=True, check=True)
    named = truenorth("replay", LOG, "-j", JOURNEY, "--json").stdout
    came = [{**json.loads(printed), "seconds": 0} for printed in (redirected.stdout, piped.stdout, named)]
    assert came[0] == came[1] == came[2]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_replay_writes_its_tables(tmp_path: Path, suffix: str) -> None:
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[suffix]
    done = truenorth("replay", LOG, "--journey", JOURNEY, "--out", str(tmp_path / "out"), "--format", suffix, "--json")
    summary = json.loads(done.stdout)
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [f"cases.{suffix}", f"promises.{suffix}", "quarantine.csv", "summary.json"]
    assert read(tmp_path / "out" / f"cases.{suffix}").height == summary["cases"]
    instances = sum(sum(verdicts.values()) for verdicts in summary["promises"].values())
    assert read(tmp_path / "out" / f"promises.{suffix}").height == instances
    assert pl.read_csv(tmp_path / "out" / "quarantine.csv").height == summary["quarantined"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary


def test_replay_as_of_an_instant_leaves_out_what_came_later() -> None:
    early = json.loads(truenorth("replay", LOG, "-j", JOURNEY, "--now", "2026-03-20", "--json").stdout)
    late = json.loads(truenorth("replay", LOG, "-j", JOURNEY, "--now", "2027-01-01T00:00Z", "--json").stdout)
    assert 0 < early["events"] < late["events"]
    assert late["outcome"]["open"] == 0


def test_an_event_in_the_future_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("case,type,time\nc,Contact,2026-01-01\nc,Contact,2199-01-01\n")
    log = str(tmp_path / "log.csv")
    assert "as of 2199-01-01 00:00 UTC, in the future" in truenorth("replay", log, "-j", JOURNEY).stderr
    assert "in the future" not in truenorth("replay", log, "-j", JOURNEY, "--now", "2026-01-02").stderr
    assert "future" not in truenorth("replay", log, "-j", JOURNEY, "--json", "--now", "2026-01-02").stdout


def test_explain_a_case() -> None:
    case = "T0001"
    done = truenorth("explain", LOG, "-j", JOURNEY, "--case", case, "--timezone", "Europe/Dublin")
    assert done.returncode == 0
    assert f"Case {case}" in done.stdout
    as_json = json.loads(truenorth("explain", LOG, "-j", JOURNEY, "--case", case, "--json").stdout)
    assert as_json["case"]["case"] == case
    assert len(as_json["events"]) == as_json["case"]["events"]


def test_explain_shows_of_an_endless_case_its_ends_and_what_was_broken(tmp_path: Path) -> None:
    times = [f"2024-01-{1 + n // 24:02}T{n % 24:02}:00" for n in range(700)]
    rows = [f"c,{'asked' if n % 2 else 'answered'},{time}\n" for n, time in enumerate(times)]
    (tmp_path / "long.csv").write_text("case,type,time\n" + "".join(rows))
    (tmp_path / "j.yaml").write_text(
        "truenorth: 1\njourney: j\npromises:\n"
        "  - {name: soon, after: type = 'asked', expect: type = 'answered', within: 1h}\n"
        "  - {name: at_once, after: type = 'asked', expect: type = 'answered', within: 1m}\n"
    )
    done = truenorth("explain", str(tmp_path / "long.csv"), "-j", str(tmp_path / "j.yaml"), "-c", "c")
    lines = done.stdout.splitlines()
    assert "... 500 events in between; --json has all of them ..." in lines
    assert lines[-1] == "... and 149 broken, 2 open, 349 kept more; --json has all of them"
    assert len(lines) < 450


def test_convert_and_back(tmp_path: Path) -> None:
    before = json.loads(truenorth("replay", LOG, "-j", JOURNEY, "--json").stdout)
    for name in ("log.xes.gz", "log.parquet", "log.jsonl.gz", "log.csv.zst"):
        told = json.loads(truenorth("convert", LOG, str(tmp_path / name), "--json").stdout)
        assert told["written"] == [str(tmp_path / name)]
        assert all(told[key] == before[key] for key in ("events", "quarantined", "duplicates"))
        after = json.loads(truenorth("replay", str(tmp_path / name), "-j", JOURNEY, "--json").stdout)
        rows = {"quarantined", "duplicates", "seconds"}  # bad rows are not written
        assert {k: n for k, n in after.items() if k not in rows} == {k: n for k, n in before.items() if k not in rows}


def test_discover_writes_a_draft_that_checks_and_replays(tmp_path: Path) -> None:
    draft = str(tmp_path / "draft.yaml")
    assert truenorth("discover", LOG, "-o", draft).returncode == 0
    assert truenorth("check", draft, "--log", LOG).returncode == 0
    assert truenorth("replay", LOG, "-j", draft, "--json").returncode == 0
    again = truenorth("discover", LOG, "-o", draft)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_discover_prints_its_draft_as_json_and_where_it_went(tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    shown, written = truenorth("discover", LOG, "--json"), truenorth("discover", LOG, "-o", str(path), "--json")
    draft = json.loads(shown.stdout)
    assert draft == {"draft": path.read_text(), "written": []}
    assert json.loads(written.stdout) == {**draft, "written": [str(path)]}


def test_report_writes_one_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = truenorth("report", LOG, "-j", JOURNEY, "-o", str(page), "--from", "2026-03-10", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert "<title>" in page.read_text()
    later = tn.replay(JOURNEY, LOG).cases.filter(pl.col("opened") >= datetime(2026, 3, 10, tzinfo=UTC))
    assert told == {"written": [str(page)], "events": later["events"].sum(), "cases": later.height}


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("check", "nothing.yaml"), 1, "truenorth discover"),
        (("replay", "nothing.csv", "-j", JOURNEY), 1, "nothing.csv"),
        (("replay", ".", "-j", JOURNEY), 1, "expected"),
        (("replay", LOG, "-j", LOG), 1, "error"),
        (("replay", JOURNEY, "-j", JOURNEY), 1, "error"),
        (("replay", LOG, "-j", BAD_JOURNEY), 1, "bad_journey.yaml:2 $.jorney expected a known key"),
        (("replay", LOG, "-j", MISFIT), 1, "error misfit.yaml:6 $.promises[1].total expected a field that holds"),
        (("insight", "gap", LOG, "-j", MISFIT), 1, "error misfit.yaml:6 $.promises[1].total"),
        (("replay", LOG, "-j", JOURNEY, "--map", "case"), 2, "FIELD=COLUMN"),
        (("replay", LOG, "-j", JOURNEY, "--map", "cse=case"), 2, "did you mean 'case'?"),
        (("replay", LOG, "-j", JOURNEY, "--map", "case=Case ID"), 1, "Case ID"),
        (("replay", LOG, "-j", JOURNEY, "--now", "yesterday"), 2, "is no instant"),
        (("explain", LOG, "-j", JOURNEY, "--case", "nobody"), 1, "cases are called"),
        (("explain", LOG, "-j", JOURNEY, "--case", "T0001", "--timezone", "Mars/Base"), 2, "no time zone"),
        (("convert", LOG, "log.docx"), 1, ".docx"),
        (("replay", LOG, "-j", JOURNEY, "--out", "/proc/none"), 1, "error /proc/none expected a place to write to"),
        (("replay", LOG, "-j", JOURNEY, "--out", LOG), 1, "File exists name a folder: it is made where there is none"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    arguments: tuple[str, ...], status: int, message: str, tmp_path: Path
) -> None:
    (tmp_path / BAD_JOURNEY).write_text("truenorth: 1\njorney: a\n")
    (tmp_path / MISFIT).write_text(MISFIT_TEXT)
    done = truenorth(*arguments, cwd=tmp_path)
    words = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert done.returncode == status, words
    assert message in words


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed = tn.replay(JOURNEY, LOG)

    def full(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError("No space left on device (os error 28)")

    monkeypatch.setitem(results._SINKS, "parquet", full)
    with pytest.raises(TruenorthError, match="No space left"):
        tn.write_results(replayed, tn.read_log(LOG), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("lines", "told"), [(True, "reading\njudging\n"), (False, "")])
def test_each_stage_is_a_line_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], lines: bool, told: str
) -> None:
    with progress(lines=lines) as tell:
        for stage, share in (("reading", 0.0), ("reading", 0.5), ("judging", 0.0)):
            tell(stage, share)
    assert capsys.readouterr().err == told
