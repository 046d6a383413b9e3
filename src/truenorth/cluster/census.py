"""Which events of a log can be read, counted on the cluster before any case is judged.

On one machine a column is typed by its content. Here it has the type it has: instants are timestamps, money is numeric.
A column that would have to be guessed is an error that says so, because guesses would differ from part to part.
The rules for rows are those of `truenorth.logs.canonical`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from math import ceil
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from truenorth.cluster.arrivals import quoted
from truenorth.cluster.session import without_pandas
from truenorth.engine.live import POSITION
from truenorth.logs.canonical import ENOUGH_TO_REFUSE, LARGEST_FEELING, MONEY
from truenorth.logs.mapping import Plan
from truenorth.logs.open import STATEMENT
from truenorth.logs.records import PROPERTIES
from truenorth.logs.times import EARLIEST, LATEST
from truenorth.spec.instants import instant_at, microseconds
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import Problem, UnreadableLog

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

INSTANTS = ("time", "received")
CHECKED = (*INSTANTS, *MONEY)
"""Fields by which a row can be unreadable."""
HASHES_AT_ONCE = 1 << 21
"""So many ids are looked through at once for those that arrived twice: 16 MB."""
CONVERT = "cast the column, or write the log anew: truenorth convert LOG log.parquet"
UNPACK = "what lies in it becomes columns by: truenorth convert LOG log.parquet"


class Narrow(NamedTuple):
    """The needed columns of a log, numbered: ``frame`` has ``c0`` ... and `POSITION`, ``columns`` their names."""

    frame: DataFrame
    columns: tuple[str, ...]
    plan: Plan

    def of(self, field: str) -> Column | None:
        """The column of a canonical field; None where the log has none."""
        from pyspark.sql import functions as f

        column = self.plan.fields.get(field)
        return f.col(f"c{self.columns.index(column)}") if column in self.columns else None

    def only(self, wanted: frozenset[str] | None) -> Narrow:
        """The log with some fields and properties only: fewer bytes to send."""
        from pyspark.sql import functions as f

        def kept(named: Mapping[str, str]) -> dict[str, str]:
            return {name: column for name, column in named.items() if wanted is None or name in wanted}

        plan = Plan(kept(self.plan.fields), kept(self.plan.properties), self.plan.explicit)
        columns = tuple(plan.columns(None))
        numbered = [f.col(f"c{self.columns.index(name)}").alias(f"c{n}") for n, name in enumerate(columns)]
        return Narrow(self.frame.select(*numbered, f.col(quoted(POSITION))), columns, plan)

    @property
    def statement(self) -> tuple[Column, Column] | None:
        """Another id of an event's customer and how it is meant (`truenorth.identity`); None where no event says so."""
        from pyspark.sql import functions as f

        if not set(STATEMENT) <= set(self.plan.properties):
            return None
        other_id, other_kind = (f.col(f"c{self.columns.index(self.plan.properties[name])}") for name in STATEMENT)
        return other_id, other_kind

    @property
    def key(self) -> Column | None:
        """What cases are told apart by."""
        return self.of("case" if "case" in self.plan.fields else "customer")


class Census(NamedTuple):
    """What a log holds: the readable events that arrived first, and how many of what there are.

    ``last_us`` is the instant of the last event, None where there is none; ``plan`` leaves out fields whose columns
    mostly hold something else.
    """

    events: DataFrame
    quarantine: DataFrame
    plan: Plan
    n_events: int
    n_no_key: int
    n_quarantined: int
    n_duplicates: int
    n_statements: int
    last_us: int | None


def check_types(name: str, frame: DataFrame, plan: Plan, wanted: frozenset[str] | None) -> None:
    """`UnreadableLog` with every column whose values would have to be guessed."""
    kinds = {field.name: field.dataType for field in frame.schema.fields}
    problems = list(_packed(name, kinds, plan, wanted or frozenset()))
    for field, column in plan.fields.items():
        is_read = wanted is None or field in (*wanted, "id", "source")
        expected = _mistyped(field, kinds[column], is_read)
        if expected:
            found = f"{kinds[column].simpleString()} in column '{column}'"
            problems.append(Problem(path=f"{name}: {field}", expected=expected, found=found, hint=CONVERT))
    if problems:
        raise UnreadableLog(problems)


def _packed(name: str, kinds: Mapping[str, DataType], plan: Plan, wanted: frozenset[str]) -> Iterator[Problem]:
    """The columns that may lie in an export's ``properties``, which are JSON text and so have no types of their own."""
    from pyspark.sql import types

    missing = sorted(wanted - {*CANONICAL_TYPES, *STATEMENT, *plan.properties})
    if missing and isinstance(kinds.get(plan.properties.get(PROPERTIES, "")), types.StringType):
        found = f"no {', no '.join(missing)}, and JSON text in column '{PROPERTIES}'"
        yield Problem(path=name, expected="columns that the journey looks at", found=found, hint=UNPACK)


def _mistyped(field: str, kind: DataType, is_read: bool) -> str:
    """What a field must be, where a column is not; nothing where it fits."""
    from pyspark.sql import types

    instants = types.TimestampType, types.TimestampNTZType, types.DateType
    match CANONICAL_TYPES[field]:
        case "instant" if not isinstance(kind, (*instants, types.NullType)):
            return "timestamps"
        case "number" if not isinstance(kind, types.NumericType | types.NullType):
            return "numbers"
        case "text" if is_read and isinstance(kind, types.FractionalType):
            return "text or whole numbers"
    return ""


def narrowed(frame: DataFrame, plan: Plan, wanted: frozenset[str] | None, also: Sequence[str] = ()) -> Narrow:
    """The columns that are needed (None: all), by number: names may differ in case only, or hold anything.

    ``also`` are columns that keep their names.
    """
    from pyspark.sql import functions as f

    numbered = frame.toDF(*(f"n{number}" for number in range(len(frame.columns))))
    number_of = {name: f"n{number}" for number, name in enumerate(frame.columns)}
    columns = tuple(plan.columns(wanted))
    kept = [f.col(number_of[name]).alias(f"c{number}") for number, name in enumerate(columns)]
    others = [f.col(number_of[name]).alias(name) for name in (POSITION, *also)]
    return Narrow(numbered.select(*kept, *others), columns, plan)


def census(log: Narrow, name: str, now: datetime | None, *, is_read: bool, unique: bool) -> Census:
    """Count a log, put aside what cannot be read, leave out second arrivals and what comes after ``now``.

    ``is_read``: a reader has done the first two already; ``unique``: no event arrived twice.
    """
    log, faults, counts = _readable(log, name, now)
    sound = log.frame.where(~any_of(faults))
    n_duplicates = 0
    again = None if is_read or unique else _again(log._replace(frame=sound), counts["rows"])
    if again is not None and (n_duplicates := again.count()):
        sound = sound.join(again, POSITION, "left_anti").select(*log.frame.columns)
        counts |= sound.agg(*_counted(log, now)).first().asDict()  # type: ignore[union-attr]
    events = sound.where(_seen(log, now))
    return Census(
        events=events,
        quarantine=_quarantine(log, faults),
        plan=log.plan,
        n_events=counts["events"] or 0,
        n_no_key=counts["no_key"] or 0,
        n_quarantined=counts["unsound"] or 0,
        n_duplicates=n_duplicates,
        n_statements=counts["statements"] or 0,
        last_us=counts["last_us"],
    )


def instant_of(at_us: int | None) -> datetime | None:
    """Microseconds since 1970 as an instant."""
    return None if at_us is None else instant_at(at_us)


def microseconds_of(column: Column, kind: DataType) -> Column:
    """A column of instants as microseconds since 1970 UTC; a naive instant is UTC, a date its midnight."""
    from pyspark.sql import functions as f
    from pyspark.sql import types

    if isinstance(kind, types.DateType):
        return f.unix_date(column).cast("long") * f.lit(86_400_000_000)
    if isinstance(kind, types.TimestampNTZType):
        return f.timestamp_diff("MICROSECOND", f.lit("1970-01-01").cast("timestamp_ntz"), column)
    return f.unix_micros(column.cast("timestamp"))


def time_us(log: Narrow, field: str = "time") -> Column:
    """A field of instants as microseconds since 1970 UTC."""
    column = log.of(field)
    assert column is not None
    return microseconds_of(column, log.frame.select(column).schema[0].dataType)


def faults_of(log: Narrow) -> dict[str, Column]:
    """By field, whether a row cannot be read because of it; null nowhere."""
    from pyspark.sql import functions as f

    faults = {}
    for field in CHECKED:
        column = log.of(field)
        if column is None:
            continue
        if field in INSTANTS:
            instant_us = time_us(log, field)
            bad = (instant_us < f.lit(microseconds(EARLIEST))) | (instant_us >= f.lit(microseconds(LATEST)))
        else:
            number = column.cast("double")
            largest = LARGEST_FEELING if field == "feeling" else sys.float_info.max
            bad = f.abs(number) > f.lit(largest)  # so is NaN: Spark orders it above all numbers
        faults[field] = f.coalesce(bad, f.lit(field == "time"))  # only an event's time must be there
    return faults


def any_of(faults: Mapping[str, Column]) -> Column:
    """Whether a row cannot be read."""
    return reduce(or_, faults.values())


def _readable(log: Narrow, name: str, now: datetime | None) -> tuple[Narrow, dict[str, Column], dict[str, Any]]:
    """The log without the fields whose columns mostly hold something else, the faults of its rows, and counts."""
    from pyspark.sql import functions as f

    while True:
        faults = faults_of(log)
        asked = [f.sum(any_of(faults).cast("long")).alias("unsound"), f.count(f.lit(1)).alias("rows")]
        for field, fault in faults.items():
            column = log.of(field)
            assert column is not None
            asked += [f.count(column).alias(f"{field} known"), f.sum(fault.cast("long")).alias(f"{field} bad")]
        counts = log.frame.agg(*asked, *_counted(log, now, ~any_of(faults))).first().asDict()  # type: ignore[union-attr]
        refused = [field for field in faults if _is_refused(field, counts)]
        if not refused:
            return log, faults, counts
        log = log._replace(plan=_without(log.plan, refused, name))


def _is_refused(field: str, counts: Mapping[str, int | None]) -> bool:
    known, bad = counts[f"{field} known"] or 0, counts[f"{field} bad"] or 0
    if field == "time":
        return bad > 0 and bad == counts["rows"]
    if field == "received":
        return 0 < known == bad
    return known >= ENOUGH_TO_REFUSE and bad * 2 > known


def _without(plan: Plan, fields: Sequence[str], name: str) -> Plan:
    """A plan in which some fields are properties; `UnreadableLog` where one of them is needed or was asked for."""
    problems = [
        Problem(
            path=f"{name}: {field}",
            expected={"time": "instants", "received": "instants", "feeling": "numbers in [-1, 1]"}.get(
                field, "numbers"
            ),
            found=f"mostly other values in column '{plan.fields[field]}'",
            hint="map it to another column",
        )
        for field in fields
        if field == "time" or field in plan.explicit
    ]
    if problems:
        raise UnreadableLog(problems)
    kept = {field: column for field, column in plan.fields.items() if field not in fields}
    moved = {f"properties.{field}": plan.fields[field] for field in fields}
    return Plan(kept, {**plan.properties, **moved}, plan.explicit, plan.notes)


def _seen(log: Narrow, now: datetime | None) -> Column:
    from pyspark.sql import functions as f

    return f.lit(True) if now is None else time_us(log) <= f.lit(microseconds(now))


def _counted(log: Narrow, now: datetime | None, sound: Column | None = None) -> Iterator[Column]:
    """Counts of the sound events that have been seen."""
    from pyspark.sql import functions as f

    seen = _seen(log, now) if sound is None else sound & _seen(log, now)
    key, stated = log.key, log.statement
    no_key = f.lit(True) if key is None else key.isNull()
    statement = f.lit(False) if stated is None else stated[0].isNotNull()
    yield f.count_if(seen).alias("events")
    yield f.count_if(seen & no_key).alias("no_key")
    yield f.count_if(seen & statement).alias("statements")
    yield f.max(f.when(seen, time_us(log))).alias("last_us")


def _again(log: Narrow, n_rows: int) -> DataFrame | None:
    """The positions of second arrivals: rows with the source and id of an earlier one. None where there are none.

    Only rows whose hash occurs twice are compared. To sort hashes in Python takes a quarter of what grouping by them
    takes Spark.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    id_, source = log.of("id"), log.of("source")
    if id_ is None:
        return None
    source = f.lit("") if source is None else source
    named = id_.alias("id"), source.alias("source"), f.xxhash64(id_, source).alias("hash")
    ids = log.frame.where(id_.isNotNull()).select(*named, f.col(quoted(POSITION)))
    hashes = ids.select("hash").repartition(max(1, ceil(n_rows / HASHES_AT_ONCE)), "hash")
    with without_pandas():
        twice = hashes.mapInArrow(_twice, "hash long").cache()
    if twice.isEmpty():
        return None
    order = Window.partitionBy("source", "id").orderBy(quoted(POSITION))
    numbered = ids.join(twice, "hash", "left_semi").withColumn("arrival", f.row_number().over(order))
    return numbered.where("arrival > 1").select(quoted(POSITION)).cache()


def _twice(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The hashes that occur more than once, each once."""
    parts = [batch.column("hash").to_numpy() for batch in batches]
    if parts:
        hashes = np.sort(np.concatenate(parts))
        yield pa.RecordBatch.from_pydict({"hash": np.unique(hashes[1:][hashes[1:] == hashes[:-1]])})


def _quarantine(log: Narrow, faults: Mapping[str, Column]) -> DataFrame:
    """The rows that cannot be read: ``line`` in the order of arrival from 1, ``reason``, and the ``row`` as JSON."""
    from pyspark.sql import functions as f

    reasons = [f.when(fault, reason_of(log, field)) for field, fault in faults.items()]
    row = f.to_json(f.struct(*(f.col(f"c{n}").alias(name) for n, name in enumerate(log.columns))))
    line, reason = f.col(quoted(POSITION)).alias("line"), f.concat_ws("; ", *reasons).alias("reason")
    return log.frame.where(any_of(faults)).select(line, reason, row.alias("row"))


def reason_of(log: Narrow, field: str) -> Column:
    """Why a row cannot be read because of a field."""
    from pyspark.sql import functions as f

    column = log.of(field)
    assert column is not None
    shown = f.concat(f.lit(f"{field} '"), column.cast("string"))
    if field in INSTANTS:
        outside = f.concat(shown, f.lit(f"' lies outside {EARLIEST.year} to {LATEST.year}"))
        return f.coalesce(outside, f.lit(f"{field} is missing"))
    finite = f.abs(column.cast("double")) < f.lit(float("inf"))  # NaN is larger than anything in Spark
    return f.concat(shown, f.when(finite, f.lit("' is outside [-1, 1]")).otherwise(f.lit("' is no number")))
