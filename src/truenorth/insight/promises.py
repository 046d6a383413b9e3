"""Promises kept and broken, and where broken ones began."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.intervals import wilson
from truenorth.insight.replayed import VERDICTS, Replayed

By = Literal["promise", "team", "actor", "channel", "type"]
"""What promises can be counted by."""


def promise_verdicts(replay: Replayed) -> pl.DataFrame:
    """Verdicts by promise, in the order of the journey file; promises never made are there with zeros.

    Columns as in `promise_breaks`; ``group`` is the promise's name.
    """
    names = [promise.name for promise in replay.journey.promises]
    names += [name for name in replay.promises["promise"].unique().sort() if name not in names]
    found = counted(replay.promises.select(pl.col("promise").alias("group"), "verdict"))
    order = pl.DataFrame({"group": pl.Series(names, dtype=pl.String)})
    return order.join(found, on="group", how="left", maintain_order="left").with_columns(
        pl.col("made", *VERDICTS).fill_null(0)
    )


def promise_breaks(replay: Replayed, by: By = "team", promise: str | None = None) -> pl.DataFrame:
    """Verdicts on promises by team, actor, channel or event type; the most broken promises first.

    *Counting rule*: an instance belongs to the team (channel, type) of the event that started it
    (``started_by``), whoever acted later; ``group`` is null where that event names none. One row per group:
    ``group``, ``made`` (instances), ``kept``, ``broken``, ``lapsed``, ``open``, ``broken_share`` (broken /
    (kept + broken), null where neither) and its 95 % Wilson interval ``low``, ``high``. ``promise`` restricts
    it to one promise. A log without the field gives no rows.
    """
    if by == "promise":
        return promise_verdicts(replay)
    made = replay.promises if promise is None else replay.promises.filter(pl.col("promise") == promise)
    if by not in replay.events.columns:
        return counted(made.head(0).select(pl.col("promise").alias("group"), "verdict"))
    starts = replay.events.lazy().select(
        "case", pl.col("id").cast(pl.String), pl.col(by).cast(pl.String).alias("group")
    )
    grouped = (
        made.lazy()
        .select("case", pl.col("started_by").cast(pl.String).alias("id"), "verdict")
        .join(starts.unique(["case", "id"], keep="first"), on=["case", "id"], how="left")
    )
    found = counted(grouped.select("group", "verdict").collect())
    return found.sort("broken", "made", "group", descending=[True, True, False], nulls_last=True)


def counted(instances: pl.DataFrame) -> pl.DataFrame:
    """Verdicts (``verdict``) by ``group``, with the columns of `promise_breaks`."""
    return summed(instances.group_by("group", "verdict").len("n"))


def summed(counts: pl.DataFrame) -> pl.DataFrame:
    """The same of instances that were counted already: ``n`` by ``group`` and ``verdict``."""
    low, high = wilson(pl.col("broken"), pl.col("kept") + pl.col("broken"))
    judged = pl.col("kept") + pl.col("broken")
    return (
        counts.with_columns(pl.col("n").cast(pl.Int64))
        .group_by("group")
        .agg(
            pl.col("n").sum().alias("made"),
            *[pl.col("n").filter(pl.col("verdict") == verdict).sum().alias(verdict) for verdict in VERDICTS],
        )
        .with_columns(
            pl.when(judged > 0).then(pl.col("broken") / judged).alias("broken_share"),
            low.alias("low"),
            high.alias("high"),
        )
        .sort("group", nulls_last=True)
    )


def broken_in(replay: Replayed, promise: str, cases: pl.DataFrame) -> NDArray[np.float64]:
    """Of each case, in their order: 1.0 where an instance of a promise was broken, 0.0 where all were kept.

    NaN where none was judged.
    """
    judged = replay.promises.lazy().filter((pl.col("promise") == promise) & pl.col("verdict").is_in(["kept", "broken"]))
    broken = judged.group_by("case").agg((pl.col("verdict") == "broken").any().cast(pl.Float64).alias("broken"))
    joined = cases.lazy().select("case").join(broken, on="case", how="left", maintain_order="left").collect()
    return joined["broken"].fill_null(float("nan")).to_numpy()
