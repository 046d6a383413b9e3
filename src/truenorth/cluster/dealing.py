"""A log on its way into the kernel: checked, counted, and dealt into buckets by the key of its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from truenorth.cluster import people
from truenorth.cluster.arrivals import Arrivals, of_frame, read_parquet
from truenorth.cluster.bucket import Work, replay_rows
from truenorth.cluster.census import Census, Narrow, census, check_types, instant_of, narrowed
from truenorth.cluster.session import without_pandas
from truenorth.engine.live import POSITION
from truenorth.engine.replay import Replay
from truenorth.logs.log import Progress
from truenorth.logs.mapping import Plan, plan
from truenorth.logs.open import STATEMENT
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, TruenorthError, UnreadableLog

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

EVENTS_PER_BUCKET = 1 << 19
"""A bucket has about so many events, which take some 200 MB while they are judged."""
COUNTING = "counting"

OfBucket = Callable[[Work, Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""What an executor does with the events of a bucket."""


class Dealt(NamedTuple):
    """A log in buckets: ``frame`` has a partition for each. ``nothing`` is the replay of a log without events."""

    work: Work
    frame: DataFrame
    counted: Census
    nothing: Replay

    def each(self, do: OfBucket, schema: StructType | str, work: Work | None = None) -> DataFrame:
        """What the executors make of the buckets, one call a bucket."""
        with without_pandas():
            return self.frame.mapInArrow(partial(do, work or self.work), schema)


class How(NamedTuple):
    """As of which instant, what becomes of ids of one person, in how many buckets; None: as `dealt` finds right."""

    now: datetime | None = None
    identities: people.Identities | None = None
    n_buckets: int | None = None


AS_FOUND = How()


def dealt(
    spark: SparkSession,
    log: Arrivals | DataFrame | str,
    journey: Journey,
    *,
    how: How,
    wanted: frozenset[str] | None,
    travels: frozenset[str] | None = None,
    on_progress: Progress | None = None,
) -> Dealt:
    """Deal a log into buckets.

    ``wanted`` are the fields that a reader needs, ``travels`` those of them that the buckets get (None: all). The rest
    is as in `truenorth.cluster.replay`.
    """
    now, identities, n_buckets = how
    arrivals = _arrivals(spark, log)
    read = None if wanted is None else wanted | set(STATEMENT)
    narrow = narrowed(arrivals.frame, _plan(arrivals, journey, wanted), read)
    if on_progress:
        on_progress(COUNTING, 0.0)
    counted = _counted(arrivals, narrow, now)
    narrow = narrow._replace(frame=counted.events, plan=counted.plan)
    if identities is None:
        people.check_choice(counted.n_statements, arrivals.name)
    elif identities == "joined" and counted.n_statements:
        narrow = narrow._replace(frame=people.joined(narrow, counted.events))
    narrow = narrow.only(travels)
    work = Work(journey, narrow.plan, narrow.columns, now or instant_of(counted.last_us))
    with without_pandas():
        none = narrow.frame.limit(0).toArrow()
    nothing = replay_rows(work, none)  # tells the tables' columns, and what is wrong with the journey
    return Dealt(work, _in_buckets(narrow, counted, n_buckets), counted, nothing)


def _arrivals(spark: SparkSession, log: Arrivals | DataFrame | str) -> Arrivals:
    if isinstance(log, str):
        return read_parquet(spark, log)
    return log if isinstance(log, Arrivals) else of_frame(log)


def _plan(arrivals: Arrivals, journey: Journey, wanted: frozenset[str] | None) -> Plan:
    """What the columns mean; `UnreadableLog` where one is missing or of a type that would have to be guessed."""
    mapping = {} if arrivals.is_read else {**journey.fields, **arrivals.fields}
    names = [name for name in arrivals.frame.columns if name != POSITION]
    chosen = plan(arrivals.name, names, mapping)
    if "time" not in chosen.fields:
        found = f"columns {', '.join(names[:40])}"
        hint = "name its column: --map time=COLUMN"
        raise UnreadableLog([Problem(path=arrivals.name, expected="a field time", found=found, hint=hint)])
    check_types(arrivals.name, arrivals.frame, chosen, wanted)
    return chosen


def _counted(arrivals: Arrivals, narrow: Narrow, now: datetime | None) -> Census:
    counted = census(narrow, arrivals.name, now, is_read=arrivals.is_read, unique=arrivals.unique)
    if not arrivals.is_read:
        return counted
    return counted._replace(
        n_quarantined=arrivals.n_quarantined,
        n_duplicates=arrivals.n_duplicates,
        quarantine=counted.quarantine if arrivals.quarantine is None else arrivals.quarantine,
    )


def _in_buckets(narrow: Narrow, counted: Census, n_buckets: int | None) -> DataFrame:
    """A partition for each bucket; events without a key, which belong to no case, stay behind."""
    key = narrow.key
    if key is None or not counted.n_events:
        return narrow.frame.limit(0)
    n = n_buckets or max(1, ceil(counted.n_events / EVENTS_PER_BUCKET))
    return narrow.frame.where(key.isNotNull()).repartition(n, key)


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
