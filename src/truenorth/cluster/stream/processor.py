"""A bucket as Spark's stateful processor: one call a bucket and micro-batch, its blobs in Spark's state store.

Runs in Spark's Python workers. A worker keeps the buckets that it has worked on in memory, each with the mark of the
state that it was left in; where Spark's state has another mark (the bucket was elsewhere meanwhile, or a batch is made
again), the bucket is made from Spark's state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4  # noqa: TID251 (a mark that no other attempt has)

import msgspec
import pyarrow as pa
from pyspark.sql import Row
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle

from truenorth.cluster.stream.bucket import ASIDE_BUCKET, PUT_ASIDE, TOLD, Bucket, StreamWork
from truenorth.engine import kernel

BLOB = "blob binary"

_KEPT: dict[tuple[str, int], tuple[bytes, Bucket]] = {}
"""Buckets of this worker, by stream and number, each with its mark."""


class SparkState:
    """Blobs in Spark's state store: those of the key at hand."""

    def __init__(self, handle: StatefulProcessorHandle) -> None:
        self._maps = {
            kind: handle.getMapState(kind, "number long", BLOB) for kind in ("head", "chunks", "events", "hashes")
        }

    def read(self, kind: str, number: int) -> bytes | None:
        """A blob, None where there is none."""
        found = self._maps[kind].getValue((number,))
        return None if found is None else bytes(found[0])

    def read_all(self, kind: str) -> Mapping[int, bytes]:
        """All blobs of a kind."""
        return {int(number): bytes(blob) for (number,), (blob,) in self._maps[kind].iterator()}

    def write(self, kind: str, number: int, blob: bytes) -> None:
        """Keep a blob."""
        self._maps[kind].updateValue((number,), (blob,))

    def remove(self, kind: str, number: int) -> None:
        """Forget a blob."""
        self._maps[kind].removeKey((number,))


class BucketProcessor(StatefulProcessor):
    """Judges buckets; each row of a key is a part of its arrivals, as an Arrow stream."""

    def __init__(self, stream: StreamWork) -> None:
        self._stream = stream
        self._name = uuid4().hex
        self._handle: StatefulProcessorHandle

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Get hold of the state."""
        self._handle = handle
        self._state = SparkState(handle)
        self._mark = handle.getValueState("mark", "mark binary, timer long")

    def handleInputRows(self, key: Any, rows: Iterator[Row], timerValues: Any) -> Iterator[Row]:  # noqa: N802, N803
        """Take what has arrived for a bucket."""
        (number,) = key
        blobs = [bytes(row.blob) for row in rows]
        if number == ASIDE_BUCKET:
            yield from (Row(bucket=number, what=PUT_ASIDE, blob=blob) for blob in blobs)
            return
        bucket, timer_ms = self._bucket(number)
        if timer_ms is not None:
            self._handle.deleteTimer(timer_ms)
        yield from self._step(number, bucket, in_order(blobs), timerValues.getCurrentWatermarkInMs())

    def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Iterator[Row]:  # noqa: ARG002, N802, N803
        """Let pass what is due in a bucket for which nothing has arrived."""
        (number,) = key
        bucket, _ = self._bucket(number)  # Spark forgets the timer itself
        yield from self._step(number, bucket, None, timerValues.getCurrentWatermarkInMs())

    def close(self) -> None:
        """Nothing is held open."""

    def _step(self, number: int, bucket: Bucket, arrivals: pa.Table | None, watermark_ms: int) -> Iterator[Row]:
        told = bucket.step(self._state, arrivals, watermark_ms * 1_000 if watermark_ms > 0 else None)
        due_us = bucket.next_due_us
        timer_ms = None if due_us == kernel.NEVER else max(1, -(-due_us // 1_000))
        if timer_ms is not None:
            self._handle.registerTimer(timer_ms)
        mark = uuid4().bytes
        self._mark.update((mark, timer_ms))
        _KEPT[self._name, number] = (mark, bucket)
        if not told.is_empty:
            yield Row(bucket=number, what=TOLD, blob=msgspec.msgpack.encode(told))

    def _bucket(self, number: int) -> tuple[Bucket, int | None]:
        """The bucket as Spark's state has it, and the timer that is set for it."""
        found = self._mark.get()
        mark, timer_ms = (b"", None) if found is None else (bytes(found[0]), found[1])
        kept = _KEPT.pop((self._name, number), None)
        return (kept[1] if kept and kept[0] == mark else Bucket(self._stream, self._state)), timer_ms


def in_order(blobs: list[bytes]) -> pa.Table:
    """The parts of a bucket's arrivals as one table in the order of arrival, without the column that tells the file."""
    tables = []
    for blob in blobs:
        with pa.ipc.open_stream(blob) as stream:
            tables.append(stream.read_all())
    whole = pa.concat_tables(tables)
    part, position = whole.column_names[-2:]
    whole = whole.sort_by([(part, "ascending"), (position, "ascending")]).drop_columns([part])
    places = pa.array(range(1, whole.num_rows + 1), pa.int64())
    return whole.set_column(whole.num_columns - 1, position, places)
