"""What an executor does: the events of a bucket of cases, as Arrow batches, through the kernel in one call.

Everything here runs in Spark's Python workers. What a bucket comes to goes back as few
rows with a large value each (`Blob`), because Spark's own rows cost more than the judging.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl
import pyarrow as pa

from truenorth.engine.replay import Replay, replay
from truenorth.logs import Log
from truenorth.logs.canonical import to_log
from truenorth.logs.mapping import Plan
from truenorth.logs.table import Table, rows_as_json
from truenorth.results import write_table
from truenorth.spec.model import Journey

COMPRESSION = "zstd"

What = Literal["summary", "cases", "promises", "events"]

BLOB_SCHEMA = pa.schema([("what", pa.string()), ("rows", pa.int64()), ("blob", pa.binary())])
"""``what`` a blob is, how many ``rows`` it has, and the ``blob``: JSON for a
summary, an Arrow stream for rows of a table, or the path of a file that was written."""
BLOB_DDL = "what string, rows long, blob binary"


class Work(NamedTuple):
    """What an executor must know to judge a bucket.

    ``columns`` are the names in the log of a batch's columns, in their order, without the last, `POSITION`; ``plan``
    gives them their meaning. ``watermark`` is that of the whole log; ``tables`` are asked for beside the summary.
    """

    journey: Journey
    plan: Plan
    columns: tuple[str, ...]
    watermark: datetime | None
    tables: tuple[What, ...] = ("cases", "promises")


class _Rows:
    """Rows of a bucket as a source of a log: typed, without duplicates, in order of arrival."""

    defaults: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self, work: Work, frame: pl.DataFrame) -> None:
        self.columns = work.columns
        self._position = frame.to_series(-1)
        self._frame = frame[:, :-1].rename(dict(zip(frame.columns[:-1], work.columns, strict=True)))

    def read(self, columns: Collection[str] | None) -> Table:
        """All rows."""
        frame = self._frame if columns is None else self._frame.select(columns)
        return Table(frame=frame, locate=rows_as_json(frame), position=self._position, unique=True)

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first rows."""
        return self._frame.head(n_rows)


def log_of(work: Work, rows: pa.Table) -> tuple[Log, pl.Series]:
    """The events of a bucket in order of arrival, and their positions; ``rows`` come in any order."""
    frame = pl.DataFrame(rows)
    position = frame.to_series(-1)
    if not position.is_sorted():
        frame = frame[position.arg_sort()]
    log = to_log("bucket", _Rows(work, frame), work.plan, None, lambda _stage, _share: None)
    return log, frame.to_series(-1)


def replay_rows(work: Work, rows: pa.Table) -> Replay:
    """Judge the cases of a bucket."""
    return replay(work.journey, log_of(work, rows)[0].events, now=work.watermark, n_threads=1)


def held(batches: Iterator[pa.RecordBatch]) -> pa.Table | None:
    """All rows of a bucket; None where it is empty."""
    some = [batch for batch in batches if batch.num_rows]
    return pa.Table.from_batches(some) if some else None


def judge(
    work: Work, batches: Iterator[pa.RecordBatch], into: Mapping[What, str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Judge a bucket that comes in batches; nothing for an empty one.

    With folders to write the tables ``into``, the blobs are the paths of the files written.
    """
    rows = held(batches)
    if rows is None:
        return
    replayed = replay_rows(work, rows)
    del rows
    yield row_of("summary", 1, msgspec.json.encode(replayed.summary))
    parts = {"cases": replayed.case_parts, "promises": replayed.promise_parts}
    for what in work.tables:
        if into is not None:
            path = Path(into[what], f"part-{task_name()}.parquet")
            yield row_of(what, 1, str(write_table(parts[what], path, "parquet")).encode())
            continue
        for part in parts[what]():
            if part.height:
                yield row_of(what, part.height, packed(part))


def task_name() -> str:
    """A name for the files of this task: those of another attempt have another."""
    from pyspark import TaskContext

    task = TaskContext.get()
    return "0" if task is None else f"{task.partitionId():05}-{task.taskAttemptId()}"


def row_of(what: What, n_rows: int, blob: bytes) -> pa.RecordBatch:
    """A row of `BLOB_SCHEMA`."""
    return pa.RecordBatch.from_pylist([{"what": what, "rows": n_rows, "blob": blob}], BLOB_SCHEMA)


def packed(frame: pl.DataFrame) -> bytes:
    """A frame as an Arrow stream with the types that Spark knows."""
    table = plain(frame)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=COMPRESSION)) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def plain(frame: pl.DataFrame) -> pa.Table:
    """A frame as an Arrow table with the types that Spark knows: texts with short offsets."""
    table = frame.to_arrow()
    fields = [pa.field(field.name, _plain_type(field.type)) for field in table.schema]
    return table.cast(pa.schema(fields))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def unpacked(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of blobs that are tables."""
    for batch in batches:
        for blob in batch.column("blob"):
            with pa.ipc.open_stream(blob.as_buffer()) as stream:
                yield from stream


def added(summaries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sum of summaries, number by number.

    >>> added([{"cases": 1, "outcome": {"open": 1}}, {"cases": 2, "outcome": {"open": 0}}])
    {'cases': 3, 'outcome': {'open': 1}}
    """
    total: dict[str, Any] = {}
    for summary in summaries:
        for name, value in summary.items():
            if isinstance(value, dict):
                total[name] = added([total.get(name, {}), value])
            else:
                total[name] = total.get(name, 0) + value
    return total
