"""Where cases come back to the same thing, and where they are lost."""

from __future__ import annotations

import polars as pl

from truenorth.insight.flow import event_types, starts_and_ends
from truenorth.insight.replayed import Replayed


def loops_and_losses(replay: Replayed) -> pl.DataFrame:
    """By type of event: how often it came again, and how many cases ended there without their outcome.

    Columns: ``type``, ``repeats`` (events beyond the first of each case), ``lost`` (failed or abandoned cases whose
    last event it was), ``lost_share`` (of the cases that had it).
    """
    ends = starts_and_ends(replay).filter(pl.col("end").is_in(["failed", "abandoned"]))
    lost = ends.group_by("type").agg(pl.col("n").sum().alias("lost"))
    return (
        event_types(replay)
        .join(lost, on="type", how="left", maintain_order="left")
        .select(
            "type",
            (pl.col("n") - pl.col("n_cases")).alias("repeats"),
            pl.col("lost").fill_null(0),
            (pl.col("lost").fill_null(0) / pl.col("n_cases")).alias("lost_share"),
        )
    )
