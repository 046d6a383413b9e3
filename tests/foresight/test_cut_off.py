"""A log that ends before it shows what becomes of its latest cases: fines, paid at once or collected much later."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from truenorth.foresight import features
from truenorth.foresight.backtest import Asked, Backtest, backtest
from truenorth.foresight.labels import Label, opened_with_label
from truenorth.foresight.split import test_instant as instant_of
from truenorth.foresight.train import Effort

LABEL = Label(positive=("Collect",), take="any", until=("Collect",))
N, HOURS_BETWEEN, HELD_OUT = 3_000, 6, 0.4
FAIL = 0.5


def fines(seed: int) -> pl.DataFrame:
    """One is opened each six hours and sent a day later. Half are paid within 10 days, half collected after 60 to 120.

    The log ends when the last one is opened.
    """
    generator = np.random.default_rng(seed)
    opened_h = np.arange(N) * HOURS_BETWEEN
    is_bad = generator.random(N) < FAIL
    last_h = opened_h + 24 * np.where(is_bad, generator.uniform(60, 120, N), generator.uniform(2, 10, N))
    case = np.arange(N).astype(str)
    parts = [
        pl.DataFrame({"case": case, "hours": hours.astype(float), "type": kinds})
        for hours, kinds in (
            (opened_h, np.full(N, "Create")),
            (opened_h + 24, np.full(N, "Send")),
            (last_h, np.where(is_bad, "Collect", "Pay")),
        )
    ]
    time = pl.lit("2020-01-01").str.to_datetime("%Y-%m-%d", time_zone="UTC") + pl.duration(hours=pl.col("hours"))
    return pl.concat(parts).filter(pl.col("hours") <= opened_h[-1]).with_columns(time=time).sort("time").drop("hours")


@cache
def found() -> Backtest:
    events = fines(1)
    split_us = instant_of(opened_with_label(events, LABEL), HELD_OUT)
    vocabulary = features.vocabulary_of_log(events, LABEL, before_us=split_us)
    table = features.table_of_log(events, LABEL, vocabulary, split_us=split_us)
    return backtest(table, asked=Asked(HELD_OUT), effort=Effort(n_threads=1))[0]


def test_risks_are_judged_where_the_log_goes_on_for_long_enough():
    model, seen = found().models[0], found().seen_out
    days_held_out = HELD_OUT * N * HOURS_BETWEEN / 24
    assert 100 < seen.days < 120
    assert abs(seen.n_cases / found().n_test - (1.0 - seen.days / days_held_out)) < 0.02
    first = seen.buckets[0]
    assert abs(first.base_rate - FAIL) < 0.05
    assert found().buckets[0].base_rate < first.base_rate - 0.1  # who was not collected in time seems to have paid
    assert seen.calibration_error < 0.6 * model.calibration_error


def test_a_level_follows_nothing_where_silences_are_not_seen():
    """Who was sent a fine a month ago and has not paid will not: looked at at events only, nobody says so."""
    level, model = found().level, found().models[0]
    assert level.if_left == model.calibration_error
