"""Ripe cases as a frame: those whose verdict is known, whichever it is, and what was known of them when they opened."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl

from truenorth.insight.coded import coded
from truenorth.insight.known_before import opening_facts
from truenorth.insight.replayed import Replayed


def ripe_cases(replay: Replayed) -> pl.DataFrame:
    """The ripe cases (`coded.CodedEvents.ripe`), with ``achieved`` as 0.0 or 1.0 and money as numbers, 0 for none."""
    events = coded(replay)
    money = [pl.col(name).cast(pl.Float64).fill_null(0.0) for name in ("cost", "revenue", "value")]
    achieved = (pl.col("outcome") == "achieved").cast(pl.Float64).alias("achieved")
    return events.cases.filter(pl.Series(events.ripe)).with_columns(achieved, *money)


def facts_of(replay: Replayed, exclude: Collection[str] = ()) -> pl.DataFrame:
    """What was known of each ripe case when it opened (`known_before.opening_facts`), in the order of `ripe_cases`."""
    events = coded(replay)
    missed = (events.cases["outcome"] != "achieved").to_numpy().astype(np.float64)
    facts = opening_facts(events, missed, events.ripe, exclude).facts
    return facts[np.flatnonzero(events.ripe)]
