"""What a store keeps of a backtest is the backtest."""

from __future__ import annotations

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.backtest import Backtest
from truenorth.foresight.told import backtest_of


@given(st.from_type(Backtest))
def test_what_is_kept_as_json_is_read_back(found: Backtest) -> None:
    kept = msgspec.json.encode(found)
    read = backtest_of(msgspec.json.decode(kept))
    assert read is not None
    assert msgspec.json.encode(read) == kept


def test_what_cannot_be_said_is_nan() -> None:
    estimate = {"value": None, "low": None, "high": None}
    model = {"model": "trees", "auc": estimate, "brier": estimate, "log_loss": 0.5, "calibration_error": None}
    read = backtest_of(_metrics(models=[model]))
    assert read is not None
    assert math.isnan(read.models[0].auc.value)
    assert read.models[0].log_loss == 0.5


def test_other_figures_are_none() -> None:
    assert backtest_of({"auc": 0.7}) is None


def _metrics(**changes: object) -> dict[str, object]:
    nothing = {"value": 0.5, "low": 0.4, "high": 0.6}
    lead = {
        "asked_precision": 0.5, "threshold": 0.2, "reached_on_validation": True, "n_cases": 1, "n_failed": 1,
        "n_alarmed": 1, "precision": nothing, "recall": nothing, "lead_days": 1.0, "lead_days_q1": 0.5,
        "lead_days_q3": 2.0,
    }  # fmt: skip
    whole = {
        "outcomes": ["achieved", "failed"], "n_cases": 1, "n_fit": 1, "n_valid": 1, "n_test": 1, "n_censored": 0,
        "test_us": 0, "base_rate": 0.1, "verdict": {"used": "trees", "live": True, "why": "better"}, "judged": "trees",
        "models": [], "buckets": [], "reliability": {"said": [], "came": [], "n": []}, "lead": lead,
        "per_day": {"per_day": 10, "n_looked_at": 1, "precision": nothing, "base_rate": 0.1}, "costs": [],
        "remaining": None, "next": None, "promises": [], "baseline": [], "calibration": [],
    }  # fmt: skip
    return {**whole, **changes}
