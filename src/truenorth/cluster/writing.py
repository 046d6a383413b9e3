"""What was judged on the cluster, written in the layout of a replay: the tables by the executors, as Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from truenorth.cluster.judging import ClusterReplay
from truenorth.cluster.session import without_pandas
from truenorth.logs.whole import whole_file

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from truenorth.logs.log import Progress

INSTANTS_AS = "spark.sql.parquet.outputTimestampType"


def has_scheme(path: str) -> bool:
    """Whether a path is Spark's to write: ``hdfs://``, ``s3a://``, ``abfss://``; not a folder of this machine.

    >>> has_scheme("s3a://bucket/results"), has_scheme("/mnt/results")
    (True, False)
    """
    return "://" in path


def write_results(replay: ClusterReplay, folder: str, on_progress: Progress | None = None) -> list[str]:
    """Write ``cases.parquet``, ``promises.parquet`` and ``summary.json`` into a folder that all machines reach.

    Tables that the executors have written (``replay(..., keep=folder)``) stay as they are. The tables are folders of
    Parquet files (``cases.parquet/*.parquet``); unreadable rows go to ``quarantine.csv``, a
    folder too. An earlier result of the same name is replaced. Returns what was written. The summary of a folder with a
    scheme (``hdfs://``, ``s3a://``) is a folder with one text file.
    """
    tell = on_progress or (lambda _stage, _share: None)
    base = folder.rstrip("/")
    written = []
    with without_pandas(), _instants_in_microseconds(replay.quarantine.sparkSession):
        for name, frame in (("cases", replay.cases), ("promises", replay.promises)):
            if replay.files is None:
                tell(f"writing {name}", 0.0)
                frame.write.mode("overwrite").parquet(f"{base}/{name}.parquet")
            written.append(f"{base}/{name}.parquet")
    if replay.n_quarantined:
        replay.quarantine.write.mode("overwrite").csv(f"{base}/quarantine.csv", header=True, escape='"')
        written.append(f"{base}/quarantine.csv")
    written.append(_write_summary(replay, base))
    return written


@contextmanager
def _instants_in_microseconds(spark: SparkSession) -> Iterator[None]:
    """Instants as Parquet's own, not as the older type without a zone that Spark writes otherwise."""
    before = spark.conf.get(INSTANTS_AS)
    spark.conf.set(INSTANTS_AS, "TIMESTAMP_MICROS")
    try:
        yield
    finally:
        spark.conf.set(INSTANTS_AS, str(before))


def _write_summary(replay: ClusterReplay, base: str) -> str:
    text = msgspec.json.format(msgspec.json.encode(replay.summary), indent=2)
    if has_scheme(base):
        spark = replay.quarantine.sparkSession
        frame = spark.createDataFrame([(text.decode(),)], "value string").coalesce(1)
        frame.write.mode("overwrite").text(f"{base}/summary.json")
        return f"{base}/summary.json"
    Path(base).mkdir(parents=True, exist_ok=True)
    with whole_file(Path(base, "summary.json")) as unfinished:
        unfinished.write_bytes(text + b"\n")
    return f"{base}/summary.json"
