"""A replay on Spark: each bucket of cases judged in one call of the kernel, wherever Spark runs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from truenorth.cluster.arrivals import Arrivals
from truenorth.cluster.bucket import BLOB_DDL, What, added, judge, plain, unpacked
from truenorth.cluster.census import instant_of
from truenorth.cluster.dealing import Dealt, How, dealt, telling_what_is_missing
from truenorth.cluster.files import Staged
from truenorth.cluster.people import Identities
from truenorth.cluster.session import without_pandas
from truenorth.engine.compile import needed_columns, used_fields
from truenorth.spec.model import Journey

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from truenorth.logs.log import Progress

JUDGING = "judging cases"
TABLES: tuple[What, ...] = ("cases", "promises")

Keep = Literal["summary", "frames"] | Path
"""What is kept beside the summary: nothing, the tables as Spark's frames, or the tables as files in a folder."""


class ClusterReplay:
    """What a journey makes of a log on the cluster.

    ``summary`` and ``watermark`` are those of `truenorth.engine.replay.Replay`; so are the rows of `cases` and
    `promises`, which are Spark's frames in no particular order. ``quarantine`` has the rows that could not be read.
    ``files`` is the folder into which the executors have written the tables, if they have.
    """

    def __init__(self, log: Dealt, judged: DataFrame, summary: dict[str, Any], files: Path | None) -> None:
        self.journey = log.work.journey
        self.summary = summary
        self.watermark = instant_of(log.counted.last_us)
        self.quarantine = log.counted.quarantine
        self.n_quarantined = log.counted.n_quarantined
        self.files = files
        self._judged = judged
        self._schemas = {"cases": plain(log.nothing.cases).schema, "promises": plain(log.nothing.promises).schema}

    @property
    def cases(self) -> DataFrame:
        """One row a case."""
        return self._table("cases")

    @property
    def promises(self) -> DataFrame:
        """One row an instance of a promise."""
        return self._table("promises")

    def release(self) -> None:
        """Let the cluster forget what was judged; it would be judged again if asked for."""
        self._judged.unpersist()

    def _table(self, what: What) -> DataFrame:
        from pyspark.sql.pandas.types import from_arrow_schema

        if self.files is not None:
            return self._judged.sparkSession.read.parquet(f"{self.files}/{what}.parquet")
        blobs = self._judged.where(f"what = '{what}'").select("blob")
        with without_pandas():
            return blobs.mapInArrow(unpacked, from_arrow_schema(self._schemas[what]))


def replay(
    spark: SparkSession,
    log: Arrivals | DataFrame | str,
    journey: Journey,
    *,
    now: datetime | None = None,
    identities: Identities | None = None,
    n_buckets: int | None = None,
    keep: Keep = "frames",
    on_progress: Progress | None = None,
) -> ClusterReplay:
    """Judge every case of a log on Spark: the rows and the summary are those of a replay on one machine.

    ``log`` is the path of Parquet files, comes from `read_parquet` or `deal`, or is a frame with a column ``position``
    (`of_frame` says more). ``identities`` says what becomes of ids that events state to be one person's; it must be
    given where there are any. ``n_buckets`` is the number of parts that are judged apart, one for every half million
    events by default. ``keep`` as a path is a folder that every machine of the cluster reaches under this name: the
    executors write ``cases.parquet`` and ``promises.parquet`` there, all of both or nothing.

    InvalidJourney or UnreadableLog where journey and log cannot be used; TruenorthError for a choice that is missing.
    """
    made = dealt(
        spark,
        log,
        journey,
        how=How(now, identities, n_buckets),
        wanted=needed_columns(journey),
        travels=_travels(journey, keep),
        on_progress=on_progress,
    )
    if on_progress:
        on_progress(JUDGING, 0.0)
    with telling_what_is_missing():
        if isinstance(keep, Path):
            return _into_files(made, keep)
        work = made.work._replace(tables=TABLES if keep == "frames" else ())
        judged = made.each(judge, BLOB_DDL, work)
        judged = judged.persist() if keep == "frames" else judged
        rows = judged.where("what = 'summary'").select("blob").collect()
        return ClusterReplay(made, judged, _summary(made, [row.blob for row in rows]), None)


def _travels(journey: Journey, keep: Keep) -> frozenset[str]:
    """The fields that are sent: ids only where verdicts are told by the events that gave them."""
    spared = {"source", "id"} if keep == "summary" else {"source"}
    return needed_columns(journey) - (spared - used_fields(journey))


def _into_files(made: Dealt, folder: Path) -> ClusterReplay:
    """Judge, and let the executors write what they judged."""
    with Staged(folder, TABLES) as staged:
        judged = made.each(partial(judge, into=staged.folders), BLOB_DDL, made.work._replace(tables=TABLES))
        rows = judged.collect()
        staged.keep([bytes(row.blob).decode() for row in rows if row.what != "summary"], made.nothing)
    blobs = [row.blob for row in rows if row.what == "summary"]
    return ClusterReplay(made, judged, _summary(made, blobs), folder)


def _summary(made: Dealt, blobs: Sequence[bytes]) -> dict[str, Any]:
    """The summary of all buckets: an executor has added up each, what is left are as many summaries as buckets."""
    summaries = [msgspec.json.decode(bytes(blob)) for blob in blobs]
    counts = {name: getattr(made.counted, f"n_{name}") for name in ("events", "quarantined", "duplicates", "no_key")}
    return {**made.nothing.summary, **added([made.nothing.summary, *summaries]), **counts}
