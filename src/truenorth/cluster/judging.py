"""A replay on Spark: events dealt into buckets by their case, each bucket judged in one call of the kernel."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from truenorth.cluster import people
from truenorth.cluster.arrivals import Arrivals, of_frame, read_parquet
from truenorth.cluster.bucket import BLOB_DDL, POSITION, What, Work, added, judge, plain, replay_rows, unpacked
from truenorth.cluster.census import STATEMENT, Census, Narrow, census, check_types, instant_of, narrowed
from truenorth.engine.compile import needed_columns
from truenorth.logs.mapping import plan
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, TruenorthError, UnreadableLog

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from truenorth.logs.log import Progress

EVENTS_PER_BUCKET = 1 << 19
"""A bucket has about so many events, which take some 200 MB while they are judged."""

COUNTING, JUDGING = "counting", "judging cases"


class ClusterReplay:
    """What a journey makes of a log on the cluster.

    ``summary`` and ``watermark`` are those of `truenorth.engine.replay.Replay`; so are the rows of `cases` and
    `promises`, which are Spark's frames in no particular order. ``quarantine`` has the rows that could not be read.
    """

    def __init__(self, journey: Journey, counted: Census, judged: DataFrame, empty: Mapping[What, pa.Schema]) -> None:
        self.journey = journey
        self.quarantine = counted.quarantine
        self.n_quarantined = counted.n_quarantined
        self.watermark = instant_of(counted.last_us)
        self.summary: dict[str, Any] = {}
        self._judged = judged
        self._schemas = empty

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

        blobs = self._judged.where(f"what = '{what}'").select("blob")
        with without_pandas():
            return blobs.mapInArrow(unpacked, from_arrow_schema(self._schemas[what]))


def replay(
    spark: SparkSession,
    log: Arrivals | DataFrame | str,
    journey: Journey,
    *,
    now: datetime | None = None,
    identities: people.Identities | None = None,
    n_buckets: int | None = None,
    tables: bool = True,
    on_progress: Progress | None = None,
) -> ClusterReplay:
    """Judge every case of a log on Spark: the rows and the summary are those of a replay on one machine.

    ``log`` is the path of Parquet files, comes from `read_parquet` or `deal`, or is a frame with a column ``position``
    (`of_frame` says more). ``identities`` says what becomes of ids that events state to be one person's; it must be
    given where there are any. ``n_buckets`` is the number of parts that are judged apart, one for every
    `EVENTS_PER_BUCKET` events by default. Without ``tables`` only the summary is made.

    InvalidJourney or UnreadableLog where journey and log cannot be used; TruenorthError for a choice that is missing.
    """
    tell = on_progress or (lambda _stage, _share: None)
    arrivals = _arrivals(spark, log)
    mapping = {} if arrivals.is_read else {**journey.fields, **arrivals.fields}
    names = [name for name in arrivals.frame.columns if name != POSITION]
    chosen = plan(arrivals.name, names, mapping)
    if "time" not in chosen.fields:
        hint = "--map time=COLUMN"
        raise UnreadableLog([Problem(path=arrivals.name, expected="a field time", found="none", hint=hint)])
    wanted = needed_columns(journey)
    check_types(arrivals.name, arrivals.frame, chosen, wanted)
    narrow = narrowed(arrivals.frame, chosen, wanted | set(STATEMENT))
    tell(COUNTING, 0.0)
    counted = census(narrow, arrivals.name, now, is_read=arrivals.is_read, unique=arrivals.unique)
    if arrivals.is_read:
        counted = counted._replace(n_quarantined=arrivals.n_quarantined, n_duplicates=arrivals.n_duplicates)
    narrow = narrow._replace(plan=counted.plan)
    events = counted.events
    if identities is None:
        people.check_choice(counted.n_statements, arrivals.name)
    elif identities == "joined" and counted.n_statements:
        events = people.joined(narrow, events)
    work = Work(journey, counted.plan, narrow.columns, wanted, now or instant_of(counted.last_us))
    return _judged(work, narrow, counted._replace(events=events), n_buckets, tables, tell)


def _arrivals(spark: SparkSession, log: Arrivals | DataFrame | str) -> Arrivals:
    if isinstance(log, str):
        return read_parquet(spark, log)
    return log if isinstance(log, Arrivals) else of_frame(log)


def _judged(
    work: Work,
    narrow: Narrow,
    counted: Census,
    n_buckets: int | None,
    tables: bool,
    tell: Callable[[str, float], None],
) -> ClusterReplay:
    from pyspark.sql import functions as f

    with without_pandas():
        none = counted.events.limit(0).toArrow()
    empty = replay_rows(work, none)  # tells the tables' columns, and what is wrong with the journey
    schemas: dict[What, pa.Schema] = {"cases": plain(empty.cases).schema, "promises": plain(empty.promises).schema}
    tell(JUDGING, 0.0)
    key = narrow.key
    if key is None or not counted.n_events:
        events, key = counted.events.limit(0), f.lit(0)
    else:
        events = counted.events.where(key.isNotNull())
    buckets = n_buckets or max(1, ceil(counted.n_events / EVENTS_PER_BUCKET))
    dealt = events.repartition(buckets, key)
    with without_pandas(), telling_what_is_missing():
        judged = dealt.mapInArrow(partial(judge, work if tables else work._replace(tables=())), BLOB_DDL)
        judged = judged.persist() if tables else judged
        found = ClusterReplay(work.journey, counted, judged, schemas)
        rows = judged.where("what = 'summary'").select("blob").collect()
    summaries = (msgspec.json.decode(bytes(row.blob)) for row in rows)
    counts = {name: getattr(counted, f"n_{name}") for name in ("events", "quarantined", "duplicates", "no_key")}
    found.summary = {**empty.summary, **added(iter([empty.summary, *summaries])), **counts}
    return found


@contextmanager
def without_pandas() -> Iterator[None]:
    """Silence about the version of pandas, which PySpark looks at whenever Python is called and nothing here uses."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield


@contextmanager
def telling_what_is_missing() -> Iterator[None]:
    """`TruenorthError` where the cluster's machines lack what this one has."""
    from pyspark.errors import PythonException

    try:
        yield
    except PythonException as error:
        if "No module named" not in str(error):
            raise
        line = next(line for line in str(error).splitlines() if "No module named" in line)
        hint = "install truenorth[cluster] in the Python of every worker, the same version as here (docs/scale.md)"
        expected = "Truenorth on the cluster's machines"
        raise TruenorthError([Problem(path="--on spark", expected=expected, found=line.strip(), hint=hint)]) from error
