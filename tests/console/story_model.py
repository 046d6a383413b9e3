"""A model of the story's journey, as a store keeps it: its figures are made up, no case was ever foreseen by it."""

from __future__ import annotations

from typing import Any

import msgspec

from server.desk import NOW_US
from truenorth.foresight.alarms import Cost
from truenorth.foresight.backtest import Backtest
from truenorth.foresight.evaluate import Bucket, Lead, Level, PerDay, Reliable, Scored, SeenOut
from truenorth.foresight.metrics import Estimate
from truenorth.foresight.model import Verdict
from truenorth.store.foresight_rows import ModelRow

NAN = float("nan")
DAY_US = 86_400_000_000


def backtest(**changes: Any) -> Backtest:
    """A backtest with figures that are easy to recognise."""
    auc, nothing = Estimate(0.81, 0.76, 0.86), Estimate(NAN, NAN, NAN)
    found = Backtest(
        outcomes=("achieved", "failed", "abandoned"),
        n_cases=400, n_fit=260, n_valid=40, n_test=100, n_censored=9, test_us=NOW_US - 30 * DAY_US, base_rate=0.22,
        verdict=Verdict("trees", live=True, why="trees goes to work: better than <b>guessing</b>"),
        judged="trees",
        models=(Scored("trees", auc, auc, 0.43, 0.038), Scored("base rate", nothing, auc, 0.5, NAN)),
        buckets=(Bucket(1, 1, 100, 100, 0.22, auc, 0.15, 0.04), Bucket(2, 4, 90, 240, 0.22, auc, 0.13, 0.03)),
        reliability=Reliable((0.1, 0.4, 0.8), (0.12, 0.38, 0.81), (100, 100, 100)),
        level=Level(0.21, 0.22, 0.05, 0.03),
        seen_out=SeenOut(21.0, 80, 0.22, 0.031, 0.045, Reliable((0.1, 0.4, 0.8), (0.1, 0.4, 0.8), (80, 80, 80)), ()),
        lead=Lead(0.5, 0.3, reached_on_validation=True, n_cases=100, n_failed=22, n_alarmed=30, precision=auc,
                  recall=auc, lead_days=6.7, lead_days_q1=4.0, lead_days_q3=12.3),
        per_day=PerDay(10, 60, Estimate(0.41, 0.3, 0.5), 0.22),
        costs=(Cost(2.0, 0.4, 0.2, 0.5, 0.22),),
        remaining=None, next=None, promises=(), baseline=(), calibration=(),
    )  # fmt: skip
    return msgspec.structs.replace(found, **changes)


MODEL = ModelRow(
    journey="support",
    version="5f2b8c0e9d7a",
    made_us=NOW_US - DAY_US,
    data_from_us=NOW_US - 90 * DAY_US,
    data_to_us=NOW_US - DAY_US,
    n_cases=400,
    beats=True,
    why="trees goes to work: better than <b>guessing</b>",
    threshold=0.3,
    sight=b"{}",
    features=b"[]",
    metrics=msgspec.json.encode(backtest()),
)
