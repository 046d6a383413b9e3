"""What a store keeps of a backtest is the backtest."""

from __future__ import annotations

import math

import msgspec

from console.story_model import backtest
from truenorth.foresight.told import backtest_of


def test_what_is_kept_as_json_is_read_back() -> None:
    kept = msgspec.json.encode(backtest())
    read = backtest_of(msgspec.json.decode(kept))
    assert read is not None
    assert msgspec.json.encode(read) == kept


def test_what_cannot_be_said_is_nan() -> None:
    read = backtest_of(msgspec.json.decode(msgspec.json.encode(backtest())))
    assert read is not None
    assert math.isnan(read.models[1].auc.value)
    assert read.models[0].auc.value == 0.81


def test_other_figures_are_none() -> None:
    assert backtest_of({"auc": 0.7}) is None
