"""Whole cases drawn from a log that is too large for one machine: to learn from, or to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from truenorth.cluster.arrivals import Arrivals
from truenorth.cluster.bucket import BLOB_DDL, Work, added, held, log_of, packed, row_of
from truenorth.cluster.dealing import AS_FOUND, How, dealt, telling_what_is_missing
from truenorth.cluster.session import without_pandas
from truenorth.engine.live import POSITION
from truenorth.engine.replay import replay
from truenorth.logs import Log
from truenorth.spec.model import Journey

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Sample(NamedTuple):
    """A log with all events of the keys that were drawn: ``drawn`` of ``there``, by the outcome of their last case."""

    log: Log
    drawn: Mapping[str, int]
    there: Mapping[str, int]


def sample(
    spark: SparkSession,
    log: Arrivals | DataFrame | str,
    journey: Journey,
    *,
    share: float,
    seed: int = 0,
    how: How = AS_FOUND,
) -> Sample:
    """Draw a share, in (0, 1], of the keys of cases, the same share of each outcome; the rest as in `replay`.

    Each bucket draws among its own keys of each outcome, and rounds by chance, so that the size is right on average.
    Keys are drawn one by one: other cases of the same customer may be left out, and what a log tells of how busy the
    company was is that of the sample. The same seed draws the same from the same log in as many buckets.
    """
    made = dealt(spark, log, journey, how=how, wanted=None)
    with telling_what_is_missing():
        rows = made.each(partial(_draw, share=share, seed=seed), BLOB_DDL).collect()
    counts = added(msgspec.json.decode(bytes(row.blob)) for row in rows if row.what == "summary")
    parts = [pl.DataFrame(pa.ipc.open_stream(bytes(row.blob)).read_all()) for row in rows if row.what == "events"]
    with without_pandas():
        none = made.frame.limit(0).toArrow()
    events = (
        pl.concat([_numbered(*log_of(made.work, none)), *parts], how="vertical_relaxed").sort(POSITION).drop(POSITION)
    )
    return Sample(Log(events, name="sample"), counts.get("drawn", {}), counts.get("there", {}))


def _numbered(log: Log, position: pl.Series) -> pl.DataFrame:
    return log.events.with_columns(position.alias(POSITION))


def _draw(work: Work, batches: Iterator[pa.RecordBatch], share: float, seed: int) -> Iterator[pa.RecordBatch]:
    rows = held(batches)
    if rows is None:
        return
    log, position = log_of(work, rows)
    key = pl.col("case" if "case" in log.events.columns else "customer")
    outcome_of = _last_outcomes(replay(work.journey, log.events, now=work.watermark, n_threads=1).cases)
    first = log.events.select(key).to_series().hash(seed).min()
    chance = np.random.default_rng([seed, int(first) if isinstance(first, int) else 0])
    drawn: list[pl.Series] = []
    counts: dict[str, dict[str, int]] = {"drawn": {}, "there": {}}
    for (outcome,), keys in outcome_of.group_by("outcome", maintain_order=True):
        n = int(share * keys.height + chance.random())
        ranked = keys.sort(pl.col("key").hash(seed), "key")["key"]
        drawn.append(ranked.head(n))
        counts["drawn"][str(outcome)], counts["there"][str(outcome)] = n, keys.height
    kept = _numbered(log, position).filter(key.is_in(pl.concat(drawn).implode())) if drawn else log.events.clear()
    yield row_of("summary", 1, msgspec.json.encode(counts))
    if kept.height:
        yield row_of("events", kept.height, packed(kept))


def _last_outcomes(cases: pl.DataFrame) -> pl.DataFrame:
    """The outcome of the last case of each key; later cases of a key are called ``key#2``, ``key#3`` ..."""
    key = pl.col("case").str.replace(r"#\d+$", "")
    key = pl.when(key.is_in(cases["case"].implode())).then(key).otherwise("case")
    return cases.select(key.alias("key"), "outcome").group_by("key", maintain_order=True).last().sort("outcome", "key")
