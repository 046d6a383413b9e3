"""Puts together what it takes to judge a policy on a file of decisions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from truenorth.action.decision_table import read_table
from truenorth.action.off_policy import Evaluation
from truenorth.action.what_if import Asked
from truenorth.action.what_if import evaluate_policy as judged
from truenorth.spec.problems import Problem, TruenorthError


def evaluate_policy(
    path: Path, policy: str, limit: float | None, least_ess: float, on_progress: Callable[[str, float], Any]
) -> Evaluation:
    """Judge a policy on a Parquet or JSON Lines file of decisions; `TruenorthError` for one that cannot be used."""
    on_progress("reading decisions", 0.0)
    table = read_table(_frame(path))
    on_progress("judging the policy", 0.2)
    cents = None if limit is None else round(limit * 100)
    found = judged(table, Asked(policy=policy, limit_cents=cents, least_ess=least_ess))
    on_progress("judging the policy", 1.0)
    return found


def _frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        expected = "decisions as Parquet (.parquet) or JSON Lines"
        raise TruenorthError([Problem(path=str(path), expected=expected, found=str(error).splitlines()[0])]) from None
