"""One bucket of a stream: its cases as they stand, what arrives, what that moves. Nothing here knows Spark or a clock.

A step takes the arrivals of a micro-batch and the watermark. What it concludes, it tells; what it needs next time, it
keeps (`Kept`): the kernel's packed arrays in chunks, only those that moved, and the events that may be needed again. A
step that is made twice from the same state tells the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from truenorth.cluster.bucket import Work, log_of
from truenorth.cluster.stream.held import HASH, MOST_PARTS, HeldEvents, Kept
from truenorth.engine.live import LONG_AGO_US, POSITION, Live, Moves
from truenorth.server.signals_of import corrections, signals_of
from truenorth.server.verdict_rows import case_rows, newly_told, promise_rows
from truenorth.store.rows import CaseRow, NewSignal, PromiseRow

HEAD, CHUNKS = "head", "chunks"
TOLD, PUT_ASIDE = "told", "aside"
"""What a row that comes from a bucket is: what a step told, or rows that were put aside."""
ASIDE_BUCKET = -1
"""The bucket of rows that cannot be read: it keeps nothing."""
TOO_LATE = "came after the events of its case had been let go: the case stays as it was judged"


class Head(msgspec.Struct, frozen=True):
    """What a bucket remembers of itself: the last position, the watermark, and the slots whose events were let go."""

    position: int = 0
    watermark_us: int | None = None
    let_go: bytes = b""


class Aside(msgspec.Struct, frozen=True):
    """A row that could not be read or an event that could not be taken any more, as JSON, and why."""

    reason: str
    row: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a step of a bucket has to tell.

    ``gone``: cases whose rows go before the new ones are written. ``n_events`` were taken, ``n_duplicates`` were there
    already, ``n_no_key`` belong to no case.
    """

    cases: Sequence[CaseRow] = ()
    promises: Sequence[PromiseRow] = ()
    gone: Sequence[str] = ()
    signals: Sequence[NewSignal] = ()
    too_late: Sequence[Aside] = ()
    n_events: int = 0
    n_duplicates: int = 0
    n_no_key: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self == Told()


_HEADS = msgspec.msgpack.Decoder(Head)


class StreamWork(NamedTuple):
    """What a bucket must know.

    The columns of ``work`` are those of arrivals: the last one but `POSITION` is `HASH`. ``kinds`` are the columns of
    events and their types. The events of a key are held for ``held_us`` after its last event, once its case is closed.
    """

    work: Work
    kinds: Mapping[str, pl.DataType]
    held_us: int


def kinds_of_events(work: Work, none: pa.Table) -> dict[str, pl.DataType]:
    """The columns of the events that arrivals become, and their types; ``none`` are no arrivals, typed."""
    events = log_of(work, none)[0].events
    return {**dict(events.schema), "source": pl.String(), "id": pl.String()}


class Bucket:
    """The cases of a bucket, as they were kept; InvalidJourney where a condition does not fit the columns."""

    def __init__(self, stream: StreamWork, kept: Kept) -> None:
        self._stream = stream
        self._events = HeldEvents(kept)
        self._live = self._new_live()
        blob = kept.read(HEAD, 0)
        self._head = Head() if blob is None else _HEADS.decode(blob)
        for _, chunk in sorted(kept.read_all(CHUNKS).items()):
            self._live.unpack(chunk)
        self._live.dirty.clear()
        flags = np.unpackbits(np.frombuffer(self._head.let_go, np.uint8)).astype(np.bool_)
        self._let_go = flags[: self._live.n_slots]

    @property
    def next_due_us(self) -> int:
        """The next instant at which something is due; `kernel.NEVER` if nothing is."""
        return self._live.next_due_us()

    @property
    def n_keys(self) -> int:
        """Case keys whose state is held."""
        return self._live.n_keys

    @property
    def n_events(self) -> int:
        """Events that are held."""
        return self._events.n_events

    def step(self, kept: Kept, arrivals: pa.Table | None, watermark_us: int | None) -> Told:
        """Take arrivals in their order, let pass what is due by the watermark, keep the state; what there is to tell.

        The watermark never goes back: an earlier one, or none, leaves it where it is.
        """
        at_us = max(LONG_AGO_US if watermark_us is None else watermark_us, self._watermark_us)
        events, n_duplicates, n_no_key = self._new_events(kept, arrivals)
        out = self._live.out_of_place(events) & self._is_let_go(events)
        too_late, events = events.filter(out), events.filter(~out)
        judged = self._judge(kept, events, at_us)
        self._events.add(kept, events)
        self._keep(kept, Head(self._head.position + len(out), None if at_us == LONG_AGO_US else at_us))
        return Told(
            cases=judged.cases,
            promises=judged.promises,
            gone=judged.gone,
            signals=judged.signals,
            too_late=[Aside(TOO_LATE, row) for row in _as_json(too_late)],
            n_events=events.height,
            n_duplicates=n_duplicates,
            n_no_key=n_no_key,
        )

    @property
    def _watermark_us(self) -> int:
        return LONG_AGO_US if self._head.watermark_us is None else self._head.watermark_us

    def _new_live(self) -> Live:
        columns = {name: kind for name, kind in self._stream.kinds.items() if name != HASH}
        return Live(self._stream.work.journey, columns)

    def _new_events(self, kept: Kept, arrivals: pa.Table | None) -> tuple[pl.DataFrame, int, int]:
        """Arrivals as events with positions; how many were there already, and how many belong to no case."""
        kinds = self._stream.kinds
        if arrivals is None:
            return pl.DataFrame(schema={**kinds, POSITION: pl.Int64}), 0, 0
        read = log_of(self._stream.work, arrivals)[0].events
        events = read.select(
            (pl.col(name) if name in read.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in kinds.items()
        )
        n_read = events.height
        events = events.filter(pl.col(self._live.key_column).is_not_null())
        n_no_key = n_read - events.height
        events = events.unique(["source", "id"], keep="first", maintain_order=True)
        events = events.filter(~pl.Series(self._events.known(kept, events), dtype=pl.Boolean))
        positions = pl.int_range(1, events.height + 1, dtype=pl.Int64) + self._head.position
        return events.with_columns(positions.alias(POSITION)), n_read - n_no_key - events.height, n_no_key

    def _is_let_go(self, events: pl.DataFrame) -> NDArray[np.bool_]:
        """Which events are of a key whose earlier events were let go."""
        slots = self._live.slots_seen(events[self._live.key_column])
        within = (slots >= 0) & (slots < len(self._let_go))
        let_go: NDArray[np.bool_] = within & np.append(self._let_go, False)[np.where(within, slots, -1)]
        return let_go

    def _judge(self, kept: Kept, events: pl.DataFrame, at_us: int) -> _Judged:
        """Take events in their places; judge the cases of late ones afresh."""
        journey, key = self._stream.work.journey, self._live.key_column
        late = self._live.late(events)
        keys = sorted(set(events.filter(late)[key]))
        held = self._events.of_keys(kept, key, keys) if keys else None
        history = events.clear() if held is None else held
        self._live.forget(self._live.slots_of(keys))
        names = _Names(kept, self._events, events)
        moves = self._live.take(events.filter(~late), at_us)
        cases = case_rows(journey, self._live, moves)
        told = moves.verdicts[newly_told(moves, self._head.position + 1)]
        promises = promise_rows(journey, self._live, told, names.ids_at)
        signals = signals_of(self._live, moves, cases, promises)
        if not keys:
            return _Judged(cases, promises, [], signals)
        as_told = self._new_live()
        old = self._rows_of(as_told, as_told.take(history, self._watermark_us), names)
        new = self._rows_of(self._live, self._live.take(pl.concat([history, events.filter(late)]), at_us), names)
        signals += corrections((old[0], new[0]), (old[1], new[1]))
        return _Judged(cases + new[0], promises + new[1], [row.case for row in old[0]], signals)

    def _rows_of(self, live: Live, moves: Moves, names: _Names) -> tuple[list[CaseRow], list[PromiseRow]]:
        journey = self._stream.work.journey
        return case_rows(journey, live, moves), promise_rows(journey, live, moves.verdicts, names.ids_at)

    def _keep(self, kept: Kept, head: Head) -> None:
        """Keep what has moved; now and then let go of the events of keys that are idle."""
        grown = np.zeros(self._live.n_slots - len(self._let_go), np.bool_)
        self._let_go = np.concatenate([self._let_go, grown])
        if self._events.n_parts > MOST_PARTS and head.watermark_us is not None:
            idle = self._live.idle(head.watermark_us - self._stream.held_us)
            self._events.tidy(kept, self._live.key_column, self._live.keys(idle))
            self._let_go[idle] = True
        for chunk in sorted(self._live.dirty):
            kept.write(CHUNKS, chunk, self._live.pack(chunk))
        self._live.dirty.clear()
        self._events.forget_read()
        self._head = msgspec.structs.replace(head, let_go=np.packbits(self._let_go).tobytes())
        kept.write(HEAD, 0, msgspec.msgpack.encode(self._head))


class _Judged(NamedTuple):
    """Rows and signals of a step; ``gone`` are the cases whose rows go first."""

    cases: list[CaseRow]
    promises: list[PromiseRow]
    gone: list[str]
    signals: list[NewSignal]


class _Names:
    """The ids of events by their positions: those of this step, and those that are held."""

    def __init__(self, kept: Kept, held: HeldEvents, events: pl.DataFrame) -> None:
        self._kept, self._held = kept, held
        self._new = dict(zip(events[POSITION].to_list(), events["id"].to_list(), strict=True))

    def ids_at(self, positions: Sequence[int]) -> Mapping[int, str]:
        """The ids of the events at some positions."""
        older = [position for position in positions if position not in self._new]
        found = self._held.ids_at(self._kept, older) if older else {}
        return found | {position: self._new[position] for position in positions if position in self._new}


def _as_json(events: pl.DataFrame) -> list[str]:
    """Events as JSON objects, for people to look at."""
    return str(events.drop(HASH, POSITION).write_ndjson()).splitlines()
