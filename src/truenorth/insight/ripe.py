"""Cases old enough for their verdict to be known, whichever it is: what may be compared over time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from truenorth.insight.coded import coded
from truenorth.insight.known_before import opening_facts
from truenorth.insight.replayed import Replayed

LAST_TO_BE_DECIDED = 0.99
"""Where a journey gives no time limit, this share of the decided cases was decided sooner than what is waited."""


def ripening(replay: Replayed) -> timedelta:
    """How long after its opening a case's verdict is known, whichever it is.

    Failures show sooner than lasting successes, so the youngest cases that are decided are not like the others. With
    ``within`` (no calendar): ``within`` + ``holds_for``. Without: the time in which 99 % of the decided cases were
    decided, plus ``holds_for`` (an achieved verdict is dated by its event, and known that much later).
    """
    outcome = replay.journey.outcome
    holds = timedelta(microseconds=outcome.holds_for_us or 0)
    if outcome.within_us is not None and outcome.calendar is None:
        return timedelta(microseconds=outcome.within_us) + holds
    decided = replay.cases.lazy().filter(pl.col("outcome") != "open")
    took = decided.select((pl.col("outcome_time") - pl.col("opened")).quantile(LAST_TO_BE_DECIDED)).collect().item()
    return (took or timedelta(0)) + holds


def ripe_until(replay: Replayed) -> datetime | None:
    """Cases opened up to this instant are ripe; None for an empty log."""
    return None if replay.watermark is None else replay.watermark - ripening(replay)


def ripe_cases(replay: Replayed) -> pl.DataFrame:
    """The ripe, decided cases with ``achieved`` (0.0 or 1.0) and numbers for ``cost``, ``revenue`` and ``value``."""
    until = ripe_until(replay)
    ripe = pl.lit(False) if until is None else pl.col("opened") <= pl.lit(until, dtype=pl.Datetime("us", "UTC"))
    money = [pl.col(name).cast(pl.Float64).fill_null(0.0) for name in ("cost", "revenue", "value")]
    return replay.cases.filter(ripe & (pl.col("outcome") != "open")).with_columns(
        (pl.col("outcome") == "achieved").cast(pl.Float64).alias("achieved"), *money
    )


def facts_of(replay: Replayed, cases: pl.DataFrame, exclude: Collection[str] = ()) -> pl.DataFrame:
    """What was known of each of some cases when it opened (`known_before.opening_facts`), in their order."""
    events = coded(replay)
    missed = (events.cases["outcome"] != "achieved").to_numpy().astype(np.float64)
    facts = opening_facts(events, missed, events.ripe, exclude).facts
    rows = cases.select("case").join(events.cases.select("case").with_row_index("row"), on="case", how="left",
                                     maintain_order="left")  # fmt: skip
    return facts[rows["row"].to_numpy()]
