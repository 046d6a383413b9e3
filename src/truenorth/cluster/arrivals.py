"""Events on the cluster in the order of their arrival, from wherever they come."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from truenorth.cluster.bucket import plain
from truenorth.engine.live import POSITION
from truenorth.logs.mapping import SHOWN_COLUMNS
from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from truenorth.logs import Log


class Arrivals(NamedTuple):
    """Events on the cluster.

    ``frame`` has the columns of the log and `POSITION`, the place in the order of arrival from 1; ``fields`` maps
    canonical fields to columns. ``unique``: no event arrived twice. ``is_read``: the events come from a reader that has
    given them their names, and put aside what cannot be read (``quarantine`` of ``n_quarantined`` rows) and second
    arrivals (``n_duplicates``).
    """

    frame: DataFrame
    name: str
    fields: Mapping[str, str] = {}
    unique: bool = False
    is_read: bool = False
    n_quarantined: int = 0
    n_duplicates: int = 0
    quarantine: DataFrame | None = None


def of_frame(
    frame: DataFrame, *, position: str = "position", fields: Mapping[str, str] | None = None, unique: bool = False
) -> Arrivals:
    """A frame whose column ``position`` (whole numbers, each once) tells the order of arrival.

    Where events have no ``id``, it is their id. TruenorthError without such a column: events of one instant would be
    judged in an order that changes from run to run.
    """
    if position not in frame.columns:
        expected = f"a column {position!r} that tells the order of arrival"
        found = f"columns {', '.join(frame.columns[:SHOWN_COLUMNS])}"
        hint = "name it by position=...; truenorth.cluster.read_parquet numbers the rows of files"
        raise TruenorthError([Problem(path="frame", expected=expected, found=found, hint=hint)])
    return Arrivals(frame.withColumnRenamed(position, POSITION), "frame", fields or {}, unique)


def read_parquet(
    spark: SparkSession, path: str, *, fields: Mapping[str, str] | None = None, unique: bool = False
) -> Arrivals:
    """A Parquet file, or a folder of them, wherever Spark can read it.

    Files follow each other in the order of their paths, rows as they stand in them.
    """
    from pyspark.sql import functions as f

    raw = spark.read.parquet(path)
    sizes = raw.groupBy(f.col("_metadata.file_path").alias("file")).count().orderBy("file").collect()
    located = raw.select("*", f.col("_metadata.file_path").alias("file of"), f.col("_metadata.row_index").alias("row"))
    first = f.lit(1)
    if len(sizes) > 1:
        firsts = accumulate((size["count"] for size in sizes[:-1]), initial=1)
        offsets = [(size["file"], first) for size, first in zip(sizes, firsts, strict=True)]
        known = spark.createDataFrame(offsets, "`file of` string, `first row` long")
        located, first = located.join(f.broadcast(known), "file of"), f.col("`first row`")
    columns = [f.col(quoted(name)) for name in raw.columns]
    numbered = located.select(*columns, (f.col("row") + first).alias(POSITION))
    return Arrivals(numbered, path, fields or {}, unique)


def deal(spark: SparkSession, log: Log) -> Arrivals:
    """A log that this machine has read, dealt out to the cluster."""
    position = pl.int_range(1, log.events.height + 1, dtype=pl.Int64, eager=True).alias(POSITION)
    table = plain(log.events.with_columns(position))
    return Arrivals(
        spark.createDataFrame(table),
        log.name,
        is_read=True,
        n_quarantined=log.quarantine.height,
        n_duplicates=log.n_duplicates,
        quarantine=spark.createDataFrame(plain(log.quarantine)) if log.quarantine.height else None,
    )


def quoted(name: str) -> str:
    """A column's name as Spark's expressions have it."""
    return f"`{name.replace('`', '``')}`"
