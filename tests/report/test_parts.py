"""A report of parts: what was asked for is there, nothing else is, and every subject has its way to the reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from report.replays import diced
from truenorth import insight
from truenorth.cli.app import app
from truenorth.cli.insight import app as insight_app
from truenorth.report import PARTS, chosen_parts, report_html
from truenorth.report.section import Inputs
from truenorth.report.subjects import ELSEWHERE, SUBJECTS
from truenorth.spec.problems import TruenorthError

ANCHORS = {
    **{name: name for name in ("canvas", "outcome", "promises", "journey", "variants", "quality")},
    "points": "failure",
    "time": "pace",
    "breaks": "where",
    **{one.name: f"insight-{one.name}" for one in SUBJECTS},
}
FUNCTIONS = {
    "gap": "gap", "moments": "moments", "failure": "causes_of_failure", "decisions": "decision_register",
    "kpis": "audit_kpis", "initiatives": "assess", "pace": "pace_of_change", "feel": "cx_six",
    "concentration": "concentration", "voice": "voice", "maturity": "maturity", "practitioners": "distil",
}  # fmt: skip
SUPPORT = Path(__file__).parents[2] / "examples" / "support"
COMPANY = Path(__file__).parents[2] / "examples" / "company"
KPIS = "truenorth: 1\nkpis: [{name: contacts, owner: Ada, better: lower, formula: {count: type = 'Contact'}}]"
TRIED = "truenorth: 1\ninitiatives: [{name: new_dashboard, owner: Ada, cost: {once: 600}}]"


def anchors(page: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', page)


@pytest.mark.parametrize("part", [name for name in PARTS if name not in {"gap", "failure", "decisions", "pace"}])
def test_a_part_alone(part: str) -> None:
    page = report_html(diced(60), Inputs(), [part])
    expected = [] if part in {"kpis", "foresight"} else [ANCHORS[part]]  # no audit without KPIs, nor without a backtest
    assert anchors(page) == re.findall(r'<li><a href="#([^"]+)"', page) == expected


def test_parts_are_those_asked_for_without_those_left_out() -> None:
    assert chosen_parts() == frozenset(PARTS)
    assert chosen_parts(["gap", "voice"]) == {"gap", "voice"}
    assert chosen_parts([], ["gap"]) == frozenset(PARTS) - {"gap"}
    with pytest.raises(TruenorthError) as error:
        chosen_parts(["gab"], ["voise"])
    assert [(one.path, one.found) for one in error.value.problems] == [("--only", "'gab'"), ("--without", "'voise'")]
    with pytest.raises(TruenorthError):
        chosen_parts(["gap"], ["gap"])


def test_every_subject_is_a_function_a_command_and_a_part() -> None:
    commands = {command.name or command.callback.__name__ for command in insight_app.registered_commands}  # type: ignore[union-attr]
    names = [*(one.name for one in SUBJECTS if one.name != "foresight"), "practitioners"]  # foresight: `backtest`
    assert len(names) == len(FUNCTIONS) == 12
    for name in names:
        assert name in commands
        assert callable(getattr(insight, FUNCTIONS[name]))
        assert (name in PARTS) != (name in ELSEWHERE)


def test_the_command_takes_what_the_commands_of_insight_take(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(KPIS)
    (tmp_path / "tried.yaml").write_text(TRIED)
    page = tmp_path / "report.html"
    arguments = [
        *("report", SUPPORT / "log.csv", "-j", SUPPORT / "journey.yaml", "-o", page),
        *("--kpis", tmp_path / "kpis.yaml", "--initiatives", tmp_path / "tried.yaml", "--as-of", "2031-01-01"),
        *("--only", "kpis", "--only", "initiatives", "--only", "decisions", "--only", "maturity", "--only", "quality"),
        *("--without", "quality", "--from", "2026-03-10", "--exclude", "topic", "--seed", "3"),
        *("--answer", "may_act_at_once=no"),
    ]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert anchors(text) == ["insight-decisions", "insight-kpis", "insight-initiatives", "insight-maturity"]
    opened = "all that opened from 10 March 2026, 00:00 UTC"
    for said in ("contacts", "new_dashboard", "forgotten as of 2031-01-01", opened):
        assert said in text, said


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--only", "gab", "did you mean"), ("--from", "soon", "no instant"), ("--answer", "perhaps", "may_act_at_once")],
)
def test_what_cannot_be_asked_of_the_command(option: str, value: str, said: str) -> None:
    arguments = ["report", str(SUPPORT / "log.csv"), "-j", str(SUPPORT / "journey.yaml"), option, value]
    result = CliRunner().invoke(app, arguments, terminal_width=400)
    assert result.exit_code == 2
    assert said in result.output


def test_every_part_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "report.md").read_text()
    for name in PARTS:
        assert f"`{name}`" in page
