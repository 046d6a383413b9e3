"""Where a stream's events come from: a folder into which files arrive, or a topic of Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from truenorth.engine.live import POSITION
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PART = "truenorth part"
"""The column with the file or the partition of an event: with `POSITION` within it, the order of arrival of a batch."""
RAW = "truenorth raw"
"""The column with what came, as text, where an event could not be made of it; null elsewhere."""
SPARK_KINDS = {"instant": "timestamp", "number": "double", "text": "string"}
KAFKA_CONNECTOR = "spark-sql-kafka-0-10"


class Source(NamedTuple):
    """Events as they come: the columns of a log, `PART`, `POSITION` and `RAW`.

    ``fields`` maps canonical fields to columns.
    """

    frame: DataFrame
    name: str
    fields: Mapping[str, str] = {}


def read_folder(
    spark: SparkSession, folder: str, *, fields: Mapping[str, str] | None = None, most_files: int = 1_000
) -> Source:
    """Parquet files as they arrive in a folder, at most ``most_files`` a batch; those that are there come first.

    Files are taken in the order in which they were last changed; a batch's by path, rows as they stand. A file must
    appear as a whole (write it elsewhere and move it). TruenorthError where there is none yet: the first says what the
    columns are.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as f

    try:
        schema = spark.read.option("recursiveFileLookup", "true").parquet(folder).schema
    except AnalysisException as error:
        hint = "put the first file there, or one without rows: it tells what the columns are"
        expected, found = "a folder with a Parquet file", str(error).splitlines()[0]
        raise TruenorthError([Problem(path=folder, expected=expected, found=found, hint=hint)]) from error
    reader = spark.readStream.schema(schema).option("maxFilesPerTrigger", most_files)
    frame = reader.option("recursiveFileLookup", "true").parquet(folder)
    part, number = f.col("_metadata.file_path").alias(PART), f.col("_metadata.row_index").alias(POSITION)
    return Source(frame.select("*", part, number, f.lit(None).cast("string").alias(RAW)), folder, fields or {})


def read_kafka(
    spark: SparkSession,
    brokers: str,
    topic: str,
    *,
    kinds: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Source:
    """Messages of a topic as `truenorth export --kafka` writes them, from the first on.

    ``kinds`` are the properties that the journey looks at, by name, with Spark's types for them; ``settings`` are
    options of Spark's Kafka source. TruenorthError where Spark has no connector for Kafka.
    """
    from pyspark.errors import AnalysisException

    try:
        messages = spark.readStream.format("kafka").options(**kafka_options(brokers, topic, settings or {})).load()
    except AnalysisException as error:
        if "kafka" not in str(error).lower():
            raise
        hint = f"--conf spark.jars.packages=org.apache.spark:{KAFKA_CONNECTOR}_2.13:{spark.version}"
        expected, found = "Spark's connector for Kafka", "none"
        raise TruenorthError([Problem(path="--kafka", expected=expected, found=found, hint=hint)]) from error
    return of_messages(messages, f"kafka {topic}", kinds or {})


def kafka_options(brokers: str, topic: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Options of Spark's Kafka source: the caller's go before ours, save where the messages come from.

    >>> kafka_options("k1:9092", "events", {"maxOffsetsPerTrigger": "10000"})["startingOffsets"]
    'earliest'
    """
    ours = {"startingOffsets": "earliest", "failOnDataLoss": "true"}
    return {**ours, **settings, "kafka.bootstrap.servers": brokers, "subscribe": topic}


def of_messages(messages: DataFrame, name: str, kinds: Mapping[str, str]) -> Source:
    """Events from frames with ``value`` (JSON), ``partition`` and ``offset``.

    A message that is no JSON object becomes an event without a time, and so goes to the quarantine with its text. What
    a client sent as ``properties`` lies one level deeper; a property of that name beside it goes before.
    """
    from pyspark.sql import functions as f

    canonical = ", ".join(f"{field} {SPARK_KINDS[kind]}" for field, kind in CANONICAL_TYPES.items())
    sent = ", ".join(f"`{name}` {kind}" for name, kind in {**kinds, "other_id": "string"}.items())
    properties = f"{sent}, properties struct<{sent}>"
    text = f.col("value").cast("string")
    event = f.from_json(text, f"{canonical}, other_id string, properties struct<{properties}>").alias("event")
    inside = "event.properties"
    read = messages.select(event, text.alias("message"), "partition", "offset")
    columns = [
        *(f.col(f"event.{field}").alias(field) for field in CANONICAL_TYPES),
        *(f.coalesce(f"{inside}.`{name}`", f"{inside}.properties.`{name}`").alias(name) for name in kinds),
        f.coalesce("event.other_id", "event.properties.other_id").alias("other_id"),
        f.when(f.col("event.time").isNull(), f.col("message")).alias(RAW),
        f.format_string("%010d", "partition").alias(PART),
        f.col("offset").alias(POSITION),
    ]
    return Source(read.select(*columns), name)
