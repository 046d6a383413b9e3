"""A journey judged as its events come, as a query of Spark's Structured Streaming.

Events are dealt to buckets by the key of their case. A bucket is one state of `transformWithState`: its events of a
micro-batch come as Arrow streams, one row a part, and go through the live kernel in one call. The watermark follows the
latest event by the lateness that is allowed; timers call a bucket when a deadline of one of its cases passes. Spark
would drop what comes behind the watermark: here the column that the watermark is taken from ends before the state, so
that late events arrive and have their cases judged afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from truenorth.cluster.arrivals import quoted
from truenorth.cluster.bucket import Work
from truenorth.cluster.census import (
    Narrow,
    any_of,
    check_types,
    faults_of,
    narrowed,
    reason_of,
    time_us,
)
from truenorth.cluster.session import without_pandas
from truenorth.cluster.stream.arrivals import PART, RAW, Source
from truenorth.cluster.stream.belonging import belonging, claim
from truenorth.cluster.stream.bucket import ASIDE_BUCKET, PUT_ASIDE, TOLD, Aside, StreamWork, Told, kinds_of_events
from truenorth.cluster.stream.held import HASH
from truenorth.engine.compile import needed_columns
from truenorth.engine.live import POSITION, Live
from truenorth.logs.mapping import ALWAYS_READ, Plan, plan
from truenorth.logs.open import STATEMENT
from truenorth.spec.durations import DAY_US
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, UnreadableLog

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

DEALING = BUCKET, REASON, ROW, AT = "truenorth bucket", "truenorth reason", "truenorth row", "truenorth_at"
"""Columns beside those of events while these are dealt."""
ID_HINT = "events come again after a failure and are known by their ids; name its column: --map id=COLUMN"
DEALT_DDL = "bucket int, blob binary"
TOLD_DDL = "bucket int, what string, blob binary"
UNJOINED = "states another id of its customer: a stream joins nobody; --identities as-written takes it as it is"
PARTITIONS = "spark.sql.shuffle.partitions"
PROVIDER = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
STATE_SETTINGS = {
    "spark.sql.streaming.stateStore.providerClass": PROVIDER,
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
}
"""What a stream's state needs of a session."""
_TOLD, _ASIDE = msgspec.msgpack.Decoder(Told), msgspec.msgpack.Decoder(list[Aside])


class Batch(NamedTuple):
    """What a micro-batch has to tell: of each bucket, in their order, and the rows that were put aside."""

    number: int
    told: Sequence[Told]
    aside: Sequence[Aside]


class Pace(NamedTuple):
    """How a stream goes.

    ``lateness_us``: by how much the watermark stays behind the latest event; ``held_us``: how long the events of a key
    are held once its case is closed; ``n_buckets``: states, which stay as many as a checkpoint has begun with;
    ``every_s``: seconds between micro-batches, None takes what is there and ends. ``as_written``: events that state
    another id of their customer count as they are written; otherwise they are put aside, because nobody joins them.
    """

    lateness_us: int = 5_000_000
    held_us: int = DAY_US
    n_buckets: int = 8
    every_s: float | None = None
    as_written: bool = False


def judge_stream(
    source: Source,
    journey: Journey,
    sink: Callable[[Batch], object],
    checkpoint: str,
    pace: Pace = Pace(),  # noqa: B008 (immutable)
) -> StreamingQuery:
    """Start judging; the query is Spark's own, to await, look at and stop.

    ``sink`` takes each micro-batch on the driver, in order; after a crash the last one comes again with the same number
    and content, so that a sink that knows its number makes it count once. ``checkpoint`` is a folder that all machines
    reach. InvalidJourney and UnreadableLog where the journey does not fit the columns, or they would have to be
    guessed; TruenorthError where the checkpoint was begun with other rules, columns or buckets.
    """
    from truenorth.cluster.stream.processor import BucketProcessor

    spark = source.frame.sparkSession
    for name, value in {**STATE_SETTINGS, PARTITIONS: str(pace.n_buckets)}.items():
        spark.conf.set(name, value)
    log = _narrow(source, journey, pace)
    work = StreamWork(*_work(log, journey), pace.held_us)
    Live(journey, {name: kind for name, kind in work.kinds.items() if name != HASH})  # tells what does not fit
    claim(spark, checkpoint, belonging(work, pace.n_buckets))
    buckets = _dealt(log, pace).groupBy("bucket")
    with without_pandas():
        judged = buckets.transformWithState(BucketProcessor(work), TOLD_DDL, "Append", "EventTime")
    writer = judged.writeStream.queryName(f"truenorth {journey.name}").outputMode("append")
    writer = writer.option("checkpointLocation", checkpoint).foreachBatch(partial(_hand_over, sink))
    if pace.every_s is None:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{round(pace.every_s * 1_000)} milliseconds").start()


def _narrow(source: Source, journey: Journey, pace: Pace) -> Narrow:
    """The columns that are needed, by number."""
    names = [name for name in source.frame.columns if name not in (PART, POSITION, RAW)]
    chosen = plan(source.name, names, {**journey.fields, **source.fields})
    problems = [
        Problem(path=source.name, expected=f"a field {field}", found=f"columns {', '.join(names[:40])}", hint=hint)
        for field, hint in (("time", "name its column: --map time=COLUMN"), ("id", ID_HINT))
        if field not in chosen.fields
    ]
    if problems:
        raise UnreadableLog(problems)
    wanted = needed_columns(journey)
    check_types(source.name, source.frame, chosen, wanted)
    kept = wanted | set(ALWAYS_READ) | (set() if pace.as_written else set(STATEMENT))
    fields = {name: column for name, column in chosen.fields.items() if name in kept}
    properties = {name: column for name, column in chosen.properties.items() if name in kept}
    return narrowed(source.frame, Plan(fields, properties, chosen.explicit), None, also=(PART, RAW))


def _work(narrow: Narrow, journey: Journey) -> tuple[Work, dict[str, pl.DataType]]:
    """What a bucket must know: the journey, what its columns mean, and the types that events have."""
    from pyspark.sql.pandas.types import to_arrow_schema

    chosen = Plan(narrow.plan.fields, {**narrow.plan.properties, HASH: HASH}, narrow.plan.explicit)
    work = Work(journey, chosen, (*narrow.columns, HASH), None)
    schema = to_arrow_schema(narrow.frame.drop(POSITION, PART, RAW).schema, timezone="UTC")
    schema = schema.append(pa.field(HASH, pa.int64())).append(pa.field(POSITION, pa.int64()))
    return work, kinds_of_events(work, schema.empty_table())


def _dealt(log: Narrow, pace: Pace) -> DataFrame:
    """Rows of a bucket's number and a part of its arrivals, as an Arrow stream."""
    from pyspark.sql import functions as f

    id_, key = log.of("id"), log.key
    assert id_ is not None
    faults = faults_of(log)
    reasons = [f.when(fault, reason_of(log, field)) for field, fault in faults.items()]
    faults["id"] = id_.isNull()
    reasons.append(f.when(faults["id"], f.lit("id is missing")))
    if log.statement is not None and not pace.as_written:
        faults["other_id"] = log.statement[0].isNotNull()
        reasons.append(f.when(faults["other_id"], f.lit(UNJOINED)))
    is_bad = any_of(faults)
    columns = [f.col(f"c{n}") for n in range(len(log.columns))]
    as_json = f.to_json(f.struct(*(column.alias(name) for column, name in zip(columns, log.columns, strict=True))))
    of_key = f.lit(0) if key is None else f.pmod(f.xxhash64(_text(key)), f.lit(pace.n_buckets))
    rows = log.frame.select(
        *columns,
        f.xxhash64(_text(log.of("source")), _text(id_)).alias(HASH),
        quoted(PART),
        quoted(POSITION),
        f.when(is_bad, f.lit(ASIDE_BUCKET)).otherwise(of_key).cast("int").alias(BUCKET),
        f.concat_ws("; ", *reasons).alias(REASON),
        f.when(is_bad, f.coalesce(f.col(quoted(RAW)), as_json)).alias(ROW),
        f.when(~is_bad, f.timestamp_micros(time_us(log))).alias(AT),
    )
    marked = rows.withWatermark(AT, f"{round(pace.lateness_us / 1_000)} milliseconds")
    with without_pandas():
        return marked.mapInArrow(deal, DEALT_DDL)


def _text(column: Column | None) -> Column:
    """A column as text; nothing as none."""
    from pyspark.sql import functions as f

    return f.lit("") if column is None else f.coalesce(column.cast("string"), f.lit(""))


def deal(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of buckets: the columns of their events up to `POSITION`, or what cannot be read."""
    for batch in batches:
        table = pa.Table.from_batches([batch])
        arrivals = table.select(table.column_names[: -len(DEALING)])
        for number in pc.unique(table[BUCKET]).to_pylist():
            mine = pc.equal(table[BUCKET], number)
            if number == ASIDE_BUCKET:
                bad = table.filter(mine).select([REASON, ROW]).to_pylist()
                blob = msgspec.msgpack.encode([Aside(row[REASON], row[ROW]) for row in bad])
            else:
                blob = _packed(arrivals.filter(mine))
            yield pa.RecordBatch.from_pydict({"bucket": pa.array([number], pa.int32()), "blob": [blob]})


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _hand_over(sink: Callable[[Batch], object], frame: DataFrame, number: int) -> None:
    """Give the sink a micro-batch; its one look at the frame is what has Spark judge it."""
    rows = sorted(frame.collect(), key=lambda row: row.bucket)
    told = [_TOLD.decode(row.blob) for row in rows if row.what == TOLD]
    aside = [one for row in rows if row.what == PUT_ASIDE for one in _ASIDE.decode(row.blob)]
    sink(Batch(number, told, aside))
