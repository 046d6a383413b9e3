"""`truenorth evaluate-policy` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from action.test_learning import ACTIONS, a_log
from truenorth.cli.app import app


@pytest.fixture
def decisions(tmp_path: Path) -> Path:
    log = a_log(1_500, 11)
    frame = pl.DataFrame(
        {
            "action": [ACTIONS[code] for code in log.action],
            "propensity": log.propensity,
            "achieved": log.achieved,
            "value": log.value_cents / 100,
            "cost": log.cost_cents / 100,
            "a": log.context[:, 0],
            "b": log.context[:, 1].astype(bool),
            "customer": [str(n) for n in log.unit],
        }
    )
    frame.write_parquet(tmp_path / "decisions.parquet")
    frame.write_ndjson(tmp_path / "decisions.jsonl")
    return tmp_path / "decisions.parquet"


def told(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["evaluate-policy", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_the_same_from_both_formats(decisions: Path) -> None:
    one, other = (
        json.loads(told(str(path), "--policy", "call", "--json"))
        for path in (decisions, decisions.with_suffix(".jsonl"))
    )
    assert one == other
    assert one["n"] == 1_500
    assert one["gain"]["low_cents"] < 10_000 * 0.15 - 500 < one["gain"]["high_cents"] + 1_000


def test_what_is_learnt_and_a_limit(decisions: Path) -> None:
    free = json.loads(told(str(decisions), "--json"))
    assert free["verdict"] in {"better", "undecided"}
    cheap = json.loads(told(str(decisions), "--limit", "1", "--json"))
    assert cheap["dr"]["mean_cents"] < free["dr"]["mean_cents"]
    assert "effective sample size" in told(str(decisions), "--policy", "letter")


def test_what_cannot_be_used_is_told(decisions: Path, tmp_path: Path) -> None:
    assert "expected learnt, or one of" in told(str(decisions), "--policy", "nonsense", status=1)
    bad = tmp_path / "bad.parquet"
    pl.read_parquet(decisions).drop("propensity", "cost").write_parquet(bad)
    said = told(str(bad), status=1)
    assert "propensity" in said
    assert "cost" in said
