"""The commands that audit KPIs, judge initiatives and tell the pace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from insight.worlds import EXAMPLES
from truenorth.cli.app import app

SUPPORT = Path(__file__).parents[2] / "examples" / "support"
LOG, JOURNEY = str(SUPPORT / "log.csv"), str(SUPPORT / "journey.yaml")
KPIS = """
truenorth: 1
kpis:
- {name: contacts, owner: Ada, better: lower, formula: {count: type = 'Contact'}, reward: {weight: 2}}
- {name: back_online, owner: Ada, better: higher, formula: {share: outcome = 'achieved', of: cases}}
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["insight", *arguments])
    return result.exit_code, result.stdout


def test_kpis_as_json(tmp_path: Path) -> None:
    file = tmp_path / "kpis.yaml"
    file.write_text(KPIS)
    status, text = run("kpis", LOG, "-j", JOURNEY, "--kpis", str(file), "--json")
    told = json.loads(text)
    assert status == 0
    assert [one["kind"] for one in told["kpis"]] == ["output", "outcome"]
    assert (told["output_share"], told["output_paid"]) == (0.5, 1.0)


def test_kpis_in_words(tmp_path: Path) -> None:
    file = tmp_path / "kpis.yaml"
    file.write_text(KPIS)
    status, text = run("kpis", LOG, "-j", JOURNEY, "--kpis", str(file))
    assert status == 0
    assert "50.0 % of the KPIs count the company's own work, and 100 % of the reward hangs on those." in text


def test_what_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "kpis.yaml"
    file.write_text(KPIS.replace("formula: {count", "formula: {cuont"))
    status, text = run("kpis", LOG, "-j", JOURNEY, "--kpis", str(file), "--json")
    assert status == 1
    assert json.loads(text)["problems"][0]["path"] == "$.kpis[0].formula.cuont"
    status, text = run("kpis", LOG, "-j", JOURNEY, "--kpis", str(tmp_path / "none.yaml"), "--json")
    assert status == 1
    assert json.loads(text)["problems"][0]["expected"] == "a file of KPIs"


def test_kpis_that_the_log_does_not_fit() -> None:
    status, text = run("kpis", LOG, "-j", JOURNEY, "--kpis", str(EXAMPLES / "steering" / "kpis.yaml"), "--json")
    assert status == 1
    assert len(json.loads(text)["problems"]) > 1


@pytest.mark.parametrize("subject", ["initiatives", "pace"])
def test_without_a_file(subject: str) -> None:
    status, text = run(subject, LOG, "-j", JOURNEY, "--json")
    assert status == 0
    told = json.loads(text)
    assert told["subject"] == subject
    assert told["finding"]


def test_a_slip_in_a_column_to_leave_out_is_told() -> None:
    status, text = run("pace", LOG, "-j", JOURNEY, "--exclude", "chanel", "--json")
    assert status == 1
    problem = json.loads(text)["problems"][0]
    assert (problem["path"], problem["found"]) == ("--exclude", "'chanel'")
    assert "channel" in problem["hint"]
