"""`truenorth evaluate-policy` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from action.test_learning import ACTIONS, a_log
from truenorth.action.decision_table import Table
from truenorth.action.off_policy import certain
from truenorth.action.values import Logged, Prior
from truenorth.action.what_if import Asked, evaluate_policy, modelled_gain
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


def test_where_the_log_says_nothing_the_model_of_effects_says_what_it_believes() -> None:
    log = a_log(4_000, 12)
    stake, cost = np.full(4_000, 10_000.0), np.array([0.0, 500.0, 100.0])
    dear = (log.context[:, 2] == 1) & (log.action == 1)  # where the third column is 1, calling was not allowed
    allowed = ~((log.context[:, [2]] == 1) & [False, True, False])
    chances = log.chances * allowed / (log.chances * allowed).sum(1, keepdims=True)
    propensity = np.where(dear, 1.0, chances[np.arange(4_000), log.action])
    kept = log._replace(eligible=allowed, chances=chances, propensity=propensity)
    kept = Logged(kept.names, kept.actions, *(column[~dear] for column in kept[2:]))
    table = Table(kept, stake[~dear], cost)
    seen = evaluate_policy(table, Asked(policy="call"))
    assert seen.modelled is None
    found = evaluate_policy(table, Asked(policy="call", limit_cents=600))
    assert found.verdict == "unsupported"
    assert found.modelled is not None
    effect = np.where(kept.context[:, 0] == 1, 0.3, 0.0) * 10_000
    true = float((effect - 500 - (kept.action == 1) * effect + np.array(cost)[kept.action]).mean())
    assert found.modelled.low_cents < true < found.modelled.high_cents
    assert "nobody has seen it" in found.words


def test_of_what_was_never_taken_the_model_says_what_the_file_believes() -> None:
    log = a_log(400, 13)
    action, alone = np.zeros(400, np.int64), np.tile([True, False, False], (400, 1))
    never = log._replace(
        action=action, propensity=np.ones(400), eligible=alone, chances=alone * 1.0, cost_cents=np.zeros(400)
    )
    table = Table(never, np.full(400, 10_000.0), np.array([0.0, 500.0, 100.0]))
    found = modelled_gain(table, certain(np.ones(400, np.int64), 3), {"call": Prior(0.25)})
    believed = 0.25 * (1 - never.achieved.mean()) * 10_000 - 500
    assert found.mean_cents == pytest.approx(believed, abs=300)
    assert found.low_cents < believed - 500
