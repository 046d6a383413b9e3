"""The composition of a replay on a cluster: a path and a journey in, a summary and files out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

from truenorth.logs.log import Progress
from truenorth.spec.model import Journey
from truenorth.wiring.journey import open_log

PARQUET = ".parquet"


class Place(NamedTuple):
    """Where to judge, and how: `truenorth.cluster.open_session` and `truenorth.cluster.replay` say what it means."""

    master: str | None = None
    remote: str | None = None
    settings: Mapping[str, str] = {}
    n_buckets: int | None = None
    identities: Literal["as-written", "joined"] | None = None


class Asked(NamedTuple):
    """What to judge, and the folder for the results."""

    log: str
    fields: Mapping[str, str] = {}
    object_type: str | None = None
    now: datetime | None = None
    out: str | None = None


class Judged(NamedTuple):
    """What came out."""

    journey: Journey
    summary: Mapping[str, Any]
    written: tuple[str, ...]


def replay_on_spark(journey: Journey, asked: Asked, place: Place, *, on_progress: Progress | None = None) -> Judged:
    """Judge a log on Spark and write the results; ``seconds`` of the summary counts reading, judging and writing.

    Parquet is read by the cluster. Any other file is read here, as always, and dealt out.
    """
    from truenorth import cluster  # noqa: PLC0415 (Spark is there for whom it was asked)

    tell = on_progress or (lambda _stage, _share: None)
    tell("starting Spark", 0.0)
    with cluster.open_session(master=place.master, remote=place.remote, settings=place.settings) as spark:
        started_s = perf_counter()
        if is_for_the_cluster(asked.log):
            arrivals = cluster.read_parquet(spark, asked.log, fields=asked.fields)
        else:
            log = open_log(asked.log, journey, fields=asked.fields, object_type=asked.object_type, on_progress=tell)
            arrivals = cluster.deal(spark, log)
        judged = cluster.replay(
            spark,
            arrivals,
            journey,
            now=asked.now,
            identities=place.identities,
            n_buckets=place.n_buckets,
            keep=_keep(asked.out),
            on_progress=tell,
        )
        judged.summary["seconds"] = round(perf_counter() - started_s, 3)
        written = [] if asked.out is None else cluster.write_results(judged, asked.out, tell)
    return Judged(journey, judged.summary, tuple(written))


def _keep(out: str | None) -> Literal["summary", "frames"] | Path:
    """A folder of this machine is written by the executors, one with a scheme by Spark, with its credentials."""
    from truenorth.cluster.writing import has_scheme  # noqa: PLC0415

    if out is None:
        return "summary"
    return "frames" if has_scheme(out) else Path(out).absolute()


def is_for_the_cluster(path: str) -> bool:
    """Whether a log is read by the cluster: Parquet files, folders, and whatever has a scheme.

    >>> [is_for_the_cluster(path) for path in ("log.parquet", "s3a://bucket/log", "log.csv.gz")]
    [True, True, False]
    """
    return path.endswith(PARQUET) or "://" in path or Path(path).is_dir()
