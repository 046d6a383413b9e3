"""What an executor does: the events of a bucket of cases, as Arrow batches, through the kernel in one call.

Everything here runs in Spark's Python workers; Spark itself is not imported. What a bucket comes to goes back as few
rows with a large value each (`Blob`), because Spark's own rows cost more than the judging.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl
import pyarrow as pa

from truenorth.engine.replay import Replay, replay
from truenorth.logs.canonical import to_log
from truenorth.logs.mapping import Plan
from truenorth.logs.table import Table, rows_as_json
from truenorth.spec.model import Journey

POSITION = "truenorth position"
"""The column with the place of an event in the order of arrival, from 1."""
COMPRESSION = "zstd"

What = Literal["summary", "cases", "promises"]

BLOB_SCHEMA = pa.schema([("what", pa.string()), ("rows", pa.int64()), ("blob", pa.binary())])
"""``what`` a blob is, how many ``rows`` it has, and the ``blob``: JSON for a summary, else an Arrow stream."""
BLOB_DDL = "what string, rows long, blob binary"


class Work(NamedTuple):
    """What an executor must know to judge a bucket.

    ``columns`` are the names in the log of a batch's columns, in their order, without the last, `POSITION`; ``plan``
    gives them their meaning and ``wanted`` says which are needed. ``watermark`` is that of the whole log.
    """

    journey: Journey
    plan: Plan
    columns: tuple[str, ...]
    wanted: frozenset[str] | None
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


def replay_rows(work: Work, rows: pa.Table) -> Replay:
    """Judge the cases of a bucket; ``rows`` come in any order."""
    frame = pl.DataFrame(rows)
    position = frame.to_series(-1)
    if not position.is_sorted():
        frame = frame[position.arg_sort()]
    log = to_log("bucket", _Rows(work, frame), work.plan, work.wanted, lambda _stage, _share: None)
    return replay(work.journey, log.events, now=work.watermark, n_threads=1)


def judge(work: Work, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Judge a bucket that comes in batches; nothing for an empty one."""
    held = [batch for batch in batches if batch.num_rows]
    if not held:
        return
    replayed = replay_rows(work, pa.Table.from_batches(held))
    del held
    yield _row("summary", 1, msgspec.json.encode(replayed.summary))
    parts = {"cases": replayed.case_parts, "promises": replayed.promise_parts}
    for what in work.tables:
        for part in parts[what]():
            if part.height:
                yield _row(what, part.height, packed(part))


def _row(what: What, n_rows: int, blob: bytes) -> pa.RecordBatch:
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


def added(summaries: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The sum of summaries, number by number.

    >>> added(iter([{"cases": 1, "outcome": {"open": 1}}, {"cases": 2, "outcome": {"open": 0}}]))
    {'cases': 3, 'outcome': {'open': 1}}
    """
    total: dict[str, Any] = {}
    for summary in summaries:
        for name, value in summary.items():
            if isinstance(value, dict):
                total[name] = added(iter([total.get(name, {}), value]))
            else:
                total[name] = total.get(name, 0) + value
    return total
