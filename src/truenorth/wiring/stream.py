"""The composition of a stream on Spark: where events come from, what judges them, where it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from truenorth.results import write_table
from truenorth.spec.durations import duration_of_option
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.wiring.cluster import Place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from truenorth.cluster.stream.arrivals import Source
    from truenorth.cluster.stream.judging import Batch, Pace
    from truenorth.cluster.stream.sinks import Sink

KAFKA = "kafka://"


class Asked(NamedTuple):
    """What to judge and where to tell it; ``kinds`` are Spark's types of properties in messages."""

    source: str
    checkpoint: str
    fields: Mapping[str, str] = {}
    kinds: Mapping[str, str] = {}
    out: Path | None = None
    db: str | None = None
    signals_to: str | None = None


class Streamed(NamedTuple):
    """What has been told: micro-batches, events taken, signals, rows put aside (unreadable, or too late)."""

    batches: int = 0
    events: int = 0
    duplicates: int = 0
    signals: int = 0
    aside: int = 0

    def with_batch(self, batch: Batch) -> Streamed:
        """With one more micro-batch."""
        return Streamed(
            self.batches + 1,
            self.events + sum(told.n_events for told in batch.told),
            self.duplicates + sum(told.n_duplicates for told in batch.told),
            self.signals + sum(len(told.signals) for told in batch.told),
            self.aside + len(batch.aside) + sum(len(told.too_late) for told in batch.told),
        )


def pace_of(lateness: str, hold: str, every: str | None, n_buckets: int, *, as_written: bool) -> Pace:
    """How a stream goes, from durations as text; `TruenorthError` where one is none."""
    from truenorth.cluster.stream.judging import Pace  # noqa: PLC0415 (Spark is there for whom it was asked)

    lateness_us, held_us = (
        0 if text == "0s" else duration_of_option(option, text)
        for option, text in (("--lateness", lateness), ("--hold", hold))
    )
    every_s = None if every is None else duration_of_option("--every", every) / 1e6
    return Pace(lateness_us, held_us, n_buckets, every_s, as_written)


def run_stream(
    journey: Journey, asked: Asked, pace: Pace, place: Place, on_batch: Callable[[Streamed], object]
) -> Streamed:
    """Judge events as they come, until they end or somebody stops it; what was told.

    With a folder to write to, ``cases.parquet`` and ``promises.parquet`` are written at the end.
    """
    from truenorth import cluster  # noqa: PLC0415 (Spark is there for whom it was asked)
    from truenorth.cluster.stream.belonging import check_places  # noqa: PLC0415
    from truenorth.cluster.stream.judging import judge_stream  # noqa: PLC0415
    from truenorth.cluster.stream.sinks import read_tables  # noqa: PLC0415

    streamed = Streamed()

    def tell(batch: Batch) -> None:
        nonlocal streamed
        for sink in sinks.values():
            sink(batch)
        streamed = streamed.with_batch(batch)
        on_batch(streamed)

    with ExitStack() as stack:
        sinks = dict(_sinks(journey, asked, stack))
        spark = stack.enter_context(
            cluster.open_session(master=place.master, remote=place.remote, settings=place.settings)
        )
        check_places(spark, asked.checkpoint, {option: sink.is_filled for option, sink in sinks.items()})
        query = judge_stream(_source(spark, asked), journey, tell, asked.checkpoint, pace)
        try:
            with _explained(list(sinks)):
                query.awaitTermination()
        finally:
            query.stop()
    if asked.out is not None:
        tables = read_tables(asked.out, journey)
        for what in ("cases", "promises"):
            write_table(lambda: iter([tables.frame(what)]), asked.out / f"{what}.parquet", "parquet")  # noqa: B023
    return streamed


def _source(spark: SparkSession, asked: Asked) -> Source:
    from truenorth.cluster.stream.arrivals import read_folder, read_kafka  # noqa: PLC0415

    if asked.source.startswith(KAFKA):
        return read_kafka(spark, *brokers_and_topic(asked.source, "SOURCE"), kinds=asked.kinds)
    return read_folder(spark, asked.source, fields=asked.fields)


def _sinks(journey: Journey, asked: Asked, stack: ExitStack) -> Iterator[tuple[str, Sink]]:
    """Where it is told, by the option that says so."""
    from truenorth.cluster.stream.sinks import FilesSink, KafkaSink, StoreSink  # noqa: PLC0415
    from truenorth.server.exports.topic import Topic  # noqa: PLC0415
    from truenorth.store.opening import open_store  # noqa: PLC0415

    if asked.out is not None:
        yield "--out", FilesSink(asked.out, journey)
    if asked.db is not None:
        yield "--db", StoreSink(stack.enter_context(open_store(asked.db)), journey)
    if asked.signals_to is not None:
        option = "--signals-to"
        topic = Topic(*brokers_and_topic(asked.signals_to, option), option=option)
        yield option, KafkaSink(topic, journey)


def brokers_and_topic(url: str, option: str) -> tuple[str, str]:
    """The parts of ``kafka://BROKERS/TOPIC``; `TruenorthError` where it is none.

    >>> brokers_and_topic("kafka://k1:9092,k2:9092/events", "SOURCE")
    ('k1:9092,k2:9092', 'events')
    """
    brokers, slash, topic = url.removeprefix(KAFKA).partition("/")
    if not url.startswith(KAFKA) or not (brokers and slash and topic) or "/" in topic:
        expected, hint = "kafka://BROKERS/TOPIC", "such as kafka://broker1:9092,broker2:9092/truenorth.events"
        raise TruenorthError([Problem(path=option, expected=expected, found=url, hint=hint)])
    return brokers, topic


@contextmanager
def _explained(places: Sequence[str]) -> Iterator[None]:
    """`TruenorthError` where a micro-batch could not be told: Spark wraps what a sink says."""
    from pyspark.errors import StreamingQueryException  # noqa: PLC0415

    try:
        yield
    except StreamingQueryException as error:
        text = str(error)
        line = next((one for one in text.splitlines() if "Error" in one or "Exception" in one), text.splitlines()[0])
        hint = "mend it and start the same command again: it goes on from the batch that failed"
        expected = f"micro-batches that are judged and told ({', '.join(places)})"
        raise TruenorthError([Problem(path="stream", expected=expected, found=line.strip(), hint=hint)]) from error
