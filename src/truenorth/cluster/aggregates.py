"""Insights that add up: each bucket counts its own cases, and Spark adds the counts.

What needs all events at once (medians, intervals, trends) is not here: draw a `truenorth.cluster.sample` for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa

from truenorth.cluster.arrivals import Arrivals, quoted
from truenorth.cluster.bucket import Work, held, plain, replay_rows
from truenorth.cluster.dealing import AS_FOUND, Dealt, How, dealt, telling_what_is_missing
from truenorth.cluster.session import without_pandas
from truenorth.engine.replay import Replay
from truenorth.insight.concentration import Measure, amounts_of, by_item, gini
from truenorth.insight.moments import causal_flow_of
from truenorth.spec.model import Journey

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_ITEMS = 1_000_000
"""Items of a concentration that the driver takes, the largest."""


class Shares(NamedTuple):
    """``table`` and ``gini`` as in `truenorth.insight.concentration.Concentration`, without intervals."""

    table: pl.DataFrame
    gini: float | None


def event_types(
    spark: SparkSession, log: Arrivals | DataFrame | str, journey: Journey, how: How = AS_FOUND
) -> pl.DataFrame:
    """What kinds of events belong to cases, the most frequent first.

    Columns: ``type``, ``n`` events, ``n_cases`` with at least one, ``moments``, ``decisions``, ``internal``,
    ``handovers`` (events with that flag), ``cost``.
    """
    added = _added(_dealt(spark, log, journey, how), _types_of, ["type"])
    return added.sort(["n", "type"], descending=[True, False])


def causal_flow(
    spark: SparkSession, log: Arrivals | DataFrame | str, journey: Journey, how: How = AS_FOUND
) -> pl.DataFrame:
    """Which moments cause which work: the ``flow`` of `truenorth.insight.moments`."""
    added = _added(_dealt(spark, log, journey, how), causal_flow_of, ["moment", "kind", "type"])
    return added.sort("n", "moment", "kind", "type", descending=[True, False, False, False])


def concentration(
    spark: SparkSession,
    log: Arrivals | DataFrame | str,
    journey: Journey,
    of: str,
    measure: Measure = "events",
    how: How = AS_FOUND,
) -> Shares:
    """How much of a measure the items of a column have; the rules are those of `truenorth.insight.concentration`.

    TruenorthError for an unknown column. Only the `MAX_ITEMS` largest items are told apart.
    """
    from pyspark.sql import functions as f

    parts = made_of(_dealt(spark, log, journey, how), partial(_amounts, of=of, measure=measure))
    if measure == "customers":  # a customer may have cases in several buckets
        parts = parts.groupBy("item", "unit").agg(f.max("amount").alias("amount"))
    sums = parts.groupBy("item").agg(f.sum("amount").alias("amount"))
    table = by_item(_taken(sums.orderBy(f.desc("amount"), "item").limit(MAX_ITEMS)).lazy())
    return Shares(table, gini(table["amount"]))


def _dealt(spark: SparkSession, log: Arrivals | DataFrame | str, journey: Journey, how: How) -> Dealt:
    return dealt(spark, log, journey, how=how, wanted=None)


def _types_of(replay: Replay) -> pl.DataFrame:
    flags = {"moments": "moment", "decisions": "decision", "internal": "internal", "handovers": "handover"}
    events = replay.events.with_columns(
        type=pl.col("type").cast(pl.String) if "type" in replay.events.columns else None
    )
    cost = pl.col("cost").fill_nan(0.0).sum() if "cost" in events.columns else pl.lit(0.0)
    return events.group_by("type").agg(
        pl.len().cast(pl.Int64).alias("n"),
        pl.col("case").n_unique().cast(pl.Int64).alias("n_cases"),
        *(pl.col(flag).sum().cast(pl.Int64).alias(name) for name, flag in flags.items()),
        cost.alias("cost"),
    )


def _amounts(replay: Replay, of: str, measure: Measure) -> pl.DataFrame:
    amounts = amounts_of(replay, of, measure)
    if measure == "customers":
        return amounts.select("item", "unit", "amount").collect()
    return (
        amounts.group_by("item")
        .agg(pl.col("amount").sum())
        .select("item", pl.lit("").alias("unit"), "amount")
        .collect()
    )


def _of_bucket(
    work: Work, batches: Iterator[pa.RecordBatch], make: Callable[[Replay], pl.DataFrame]
) -> Iterator[pa.RecordBatch]:
    rows = held(batches)
    if rows is not None:
        yield from plain(make(replay_rows(work, rows))).to_batches()


def made_of(log: Dealt, make: Callable[[Replay], pl.DataFrame]) -> DataFrame:
    """What each bucket makes of its cases, as rows."""
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = from_arrow_schema(plain(make(log.nothing)).schema)
    return log.each(partial(_of_bucket, make=make), schema)


def _added(log: Dealt, make: Callable[[Replay], pl.DataFrame], by: Sequence[str]) -> pl.DataFrame:
    """The sum of every other column."""
    from pyspark.sql import functions as f

    rows = made_of(log, make)
    sums = [f.sum(quoted(name)).alias(name) for name in rows.columns if name not in by]
    return _taken(rows.groupBy(*map(quoted, by)).agg(*sums))


def _taken(frame: DataFrame) -> pl.DataFrame:
    with without_pandas(), telling_what_is_missing():
        return pl.DataFrame(frame.toArrow())
