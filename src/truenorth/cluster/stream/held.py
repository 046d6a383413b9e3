"""The events of a bucket that may still be needed: to judge a case afresh, to name an event, to know one again.

They are kept a step's arrivals a part, under the position of its first event; parts are put together now and then, and
events of keys that have been idle for long enough are let go on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from truenorth.engine.live import POSITION

I64 = NDArray[np.int64]

HASH = "truenorth hash"
"""The column with a hash of an event's source and id that is the same on every machine and in every version."""
MOST_PARTS = 32
"""With more parts they are put together."""
EVENTS, HASHES = "events", "hashes"


class Kept(Protocol):
    """What is kept of a bucket from step to step: blobs by kind and number."""

    def read(self, kind: str, number: int) -> bytes | None:
        """A blob, None where there is none."""
        ...

    def read_all(self, kind: str) -> Mapping[int, bytes]:
        """All blobs of a kind."""
        ...

    def write(self, kind: str, number: int, blob: bytes) -> None:
        """Keep a blob, in the place of the one of the same kind and number."""
        ...

    def remove(self, kind: str, number: int) -> None:
        """Forget a blob."""
        ...


class HeldEvents:
    """The events of a bucket that are held. A frame of events has `POSITION`, ``id``, ``source`` and `HASH`."""

    def __init__(self, kept: Kept) -> None:
        hashes = {first: np.frombuffer(blob, np.int64) for first, blob in kept.read_all(HASHES).items()}
        self._hashes = dict(sorted(hashes.items()))
        self._read: dict[int, pl.DataFrame] = {}

    @property
    def n_events(self) -> int:
        """How many events are held."""
        return sum(map(len, self._hashes.values()))

    def add(self, kept: Kept, events: pl.DataFrame) -> None:
        """Hold the events of a step."""
        if events.height:
            self._write(kept, events)

    def known(self, kept: Kept, events: pl.DataFrame) -> NDArray[np.bool_]:
        """Which events (n_events,) are held already, by source and id."""
        hashes = events[HASH].to_numpy()
        found = np.zeros(len(hashes), np.bool_)
        for first, held in self._hashes.items():
            if np.isin(hashes, held).any():  # most likely the same event; only its id says so
                ids = self._part(kept, first).select("source", "id").unique()
                again = events.select("source", "id").join(
                    ids.with_columns(pl.lit(True).alias("again")),
                    on=["source", "id"], how="left", maintain_order="left", nulls_equal=True,
                )  # fmt: skip
                found |= again["again"].is_not_null().to_numpy()
        return found

    def of_keys(self, kept: Kept, column: str, keys: Sequence[str]) -> pl.DataFrame | None:
        """The events of some keys; None where nothing is held."""
        parts = [self._part(kept, first).filter(pl.col(column).is_in(keys)) for first in self._hashes]
        return pl.concat(parts) if parts else None

    def ids_at(self, kept: Kept, positions: Sequence[int]) -> dict[int, str]:
        """The ids of the events at some positions, those that are held."""
        firsts = np.array(list(self._hashes), np.int64)
        wanted = np.array(sorted(positions), np.int64)
        part_of = np.searchsorted(firsts, wanted, "right") - 1
        found: dict[int, str] = {}
        for part in np.unique(part_of[part_of >= 0]).tolist():
            rows = self._part(kept, int(firsts[part])).filter(pl.col(POSITION).is_in(wanted[part_of == part]))
            found |= dict(zip(rows[POSITION].to_list(), rows["id"].to_list(), strict=True))
        return found

    def tidy(self, kept: Kept, column: str, idle: Sequence[str]) -> None:
        """Put parts together, without the events of some keys."""
        parts = [self._part(kept, first) for first in self._hashes]
        for first in self._hashes:
            kept.remove(EVENTS, first)
            kept.remove(HASHES, first)
        self._hashes, self._read = {}, {}
        events = pl.concat(parts).filter(~pl.col(column).is_in(idle))
        if events.height:
            self._write(kept, events)

    @property
    def n_parts(self) -> int:
        """In how many parts events are held."""
        return len(self._hashes)

    def _write(self, kept: Kept, events: pl.DataFrame) -> None:
        first, hashes = int(events[POSITION][0]), events[HASH].to_numpy()
        sink = pa.BufferOutputStream()
        events.write_ipc_stream(sink, compression="zstd")
        kept.write(EVENTS, first, bytes(sink.getvalue()))
        kept.write(HASHES, first, hashes.tobytes())
        self._hashes[first] = hashes
        self._read[first] = events

    def _part(self, kept: Kept, first: int) -> pl.DataFrame:
        if first not in self._read:
            blob = kept.read(EVENTS, first)
            assert blob is not None
            self._read[first] = pl.read_ipc_stream(blob)
        return self._read[first]

    def forget_read(self) -> None:
        """Let go of what was read into memory: it is read again where it is needed."""
        self._read = {}
