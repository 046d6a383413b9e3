"""Features built where the events are: each bucket makes the rows of its own cases.

The definition is that of one machine (`truenorth.foresight.features`). Two blocks of columns need what other buckets
have and are left out: how busy the company was (``load``), and a customer's earlier cases (``earlier``) where cases are
not told apart by customer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from truenorth.cluster.aggregates import made_of
from truenorth.cluster.arrivals import Arrivals
from truenorth.cluster.dealing import AS_FOUND, How, dealt
from truenorth.engine.replay import Replay
from truenorth.foresight.columns import blocks_of
from truenorth.foresight.features import table_of_replay
from truenorth.foresight.rows import NEVER, Table
from truenorth.foresight.vocabulary import Vocabulary
from truenorth.spec.model import Journey

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

INSTANT = pl.Datetime("us", "UTC")


def features(
    spark: SparkSession,
    log: Arrivals | DataFrame | str,
    journey: Journey,
    vocabulary: Vocabulary,
    how: How = AS_FOUND,
) -> DataFrame:
    """Cases as they stood at their events and in silence between them, a row each, as Spark's frame.

    ``vocabulary`` says what the columns are: learn it from a `truenorth.cluster.sample` by
    `truenorth.foresight.features.vocabulary_of_replay`. Columns: ``case``, ``prefix`` (events seen, from 1), ``time``,
    ``at_event``, ``outcome`` and ``ended`` (null: not known), then a number for each feature; a category is the number
    of its value in `truenorth.foresight.columns.columns_of`, null is not known or not applicable.
    """
    made = dealt(spark, log, journey, how=how, wanted=None)
    by_customer = "case" not in made.work.plan.fields
    left_out = {"load"} if by_customer else {"load", "earlier"}
    return made_of(made, partial(_of_bucket, journey=journey, vocabulary=vocabulary, left_out=frozenset(left_out)))


def _of_bucket(replay: Replay, journey: Journey, vocabulary: Vocabulary, left_out: frozenset[str]) -> pl.DataFrame:
    return frame_of(table_of_replay(journey, replay, vocabulary), vocabulary, left_out)


def frame_of(table: Table, vocabulary: Vocabulary, left_out: frozenset[str]) -> pl.DataFrame:
    """The rows of a table as a frame, without the columns of some blocks."""
    rows, cases = table.rows, table.cases
    ended = pl.Series(cases.ended_us)
    outcomes = pl.Series(table.outcomes, dtype=pl.String).gather(
        pl.Series(cases.outcome).replace(-1, None).cast(pl.Int64)
    )
    known = {
        "case": cases.id,
        "outcome": outcomes,
        "ended": ended.set(ended == NEVER, None).cast(INSTANT),
    }
    at = pl.Series(rows.case.astype("int64"))
    of_case = [column.gather(at).alias(name) for name, column in known.items()]
    kept = [block not in left_out for block, columns in blocks_of(vocabulary) for _ in columns]
    x = [
        pl.Series(column.name, rows.x[:, place]).fill_nan(None)
        for place, (column, is_kept) in enumerate(zip(table.columns, kept, strict=True))
        if is_kept
    ]
    instants = [
        pl.Series("prefix", rows.prefix),
        pl.Series("time", rows.time_us).cast(INSTANT),
        pl.Series("at_event", rows.at_event),
    ]
    return pl.DataFrame([*of_case, *instants, *x])
