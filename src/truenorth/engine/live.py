"""A journey's cases as they stand, fed by small batches: the same step as a replay, with state that stays.

Nothing here reads a clock: the watermark comes with each batch. An event that comes too late to be taken in its place
(`Live.late`) is not taken at all; the caller lets `Live.forget` its key and takes the whole history of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl
import zstandard
from numpy.typing import NDArray

from truenorth.engine import kernel
from truenorth.engine.compile import Marker, compile_journey, kinds_of
from truenorth.engine.replay import amounts_of
from truenorth.engine.room import Room, State
from truenorth.spec.durations import DAY_US
from truenorth.spec.model import Journey

I64 = NDArray[np.int64]

POSITION = "truenorth position"
"""The column with an event's place in the log: no sender of events calls a column of theirs so."""
LONG_AGO_US = np.iinfo(np.int64).min
CALENDAR_MARGIN_US = 30 * DAY_US
"""Calendars are laid out so much further than an event asks for, to be laid out seldom."""
FIRST_SLOTS = 1024
CHUNK_SLOTS = 1024
"""The state is packed in chunks of so many slots."""


class Moves(NamedTuple):
    """What a batch moved.

    ``cases`` (`kernel.CASE`) holds the state of every episode that was touched, ``verdicts`` (`kernel.VERDICT`) what
    was decided and, as open, what is active in touched cases; ``key`` is the slot in both, and events are named by
    position. ``before`` is how each of ``slots``, which rise, stood. ``taken`` (`kernel.EVENT`) are the events that
    pass `only`, with their slots in ``taken_by``.
    """

    cases: NDArray[np.void]
    verdicts: NDArray[np.void]
    before: NDArray[np.void]
    slots: I64
    taken: NDArray[np.void]
    taken_by: I64


class _Chunk(msgspec.Struct, array_like=True):
    """Packed slots: codes of customers and teams as what they stand for."""

    keys: list[str | None]
    customers: list[str | None]
    teams: list[str | None]
    arrays: list[bytes]


_CHUNKS = msgspec.msgpack.Decoder(_Chunk)


class Codes:
    """Numbers for texts in order of appearance; null is -1. A number that was given up goes to the next new text."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._free: list[int] = []

    @property
    def n_used(self) -> int:
        """Texts that have a number."""
        return len(self._codes)

    def give_up(self, codes: Iterable[int]) -> None:
        """Forget some texts."""
        for code in codes:
            del self._codes[self.texts[code]]
            self.texts[code] = ""
            self._free.append(code)

    def place(self, texts: Sequence[str | None]) -> tuple[NDArray[np.int64], list[int]]:
        """Give the next numbers to texts; None stands for a number that was given up.

        Also the numbers that some of these texts had before: they are given up.
        """
        first = len(self.texts)
        twice = [self._codes[text] for text in texts if text in self._codes]
        self.give_up(twice)
        for code, text in enumerate(texts, first):
            self.texts.append(text or "")
            if text is None:
                self._free.append(code)
            else:
                self._codes[text] = code
        return np.arange(first, len(self.texts)), twice

    def held(self, first: int, end: int) -> list[str | None]:
        """The texts of some numbers; None where it was given up."""
        free = set(self._free)
        return [None if code in free else self.texts[code] for code in range(first, end)]

    def encode(self, column: pl.Series) -> NDArray[np.int32]:
        """The code of each text, new ones numbered."""
        return np.fromiter(map(self._encode, column), np.int32, len(column))

    def known(self, column: pl.Series) -> NDArray[np.int64]:
        """The code of each text, -1 where it has none."""
        get = self._codes.get
        return np.fromiter((-1 if text is None else get(text, -1) for text in column), np.int64, len(column))

    def decode(self, codes: NDArray[np.int32], known: NDArray[np.bool_]) -> list[str | None]:
        """The text of each code; None where it is not known."""
        return [self.texts[code] if code >= 0 else None for code in np.where(known, codes, -1).tolist()]

    def _encode(self, text: str | None) -> int:
        if text is None:
            return -1
        code = self._codes.get(text)
        if code is None:
            if self._free:
                code = self._free.pop()
                self.texts[code] = text
            else:
                code = len(self.texts)
                self.texts.append(text)
            self._codes[text] = code
        return code


class Live:
    """The cases of one journey in memory.

    ``columns`` are the columns that batches have, with their types: a journey whose columns turn out otherwise is begun
    anew. InvalidJourney where a condition does not fit them.
    """

    def __init__(self, journey: Journey, columns: Mapping[str, pl.DataType]) -> None:
        self.journey = journey
        self.columns = columns
        self.key_column = "case" if "case" in columns else "customer"
        self._team_column = "team" if "team" in columns else "actor"
        self._program = compile_journey(journey, kinds_of(columns))
        self._marker = Marker(self._program, columns)
        self._room = Room(len(journey.promises))
        self._codes = Codes()  # of keys: their slots
        self._customers = Codes()
        self._teams = Codes()
        self._state = State.empty(FIRST_SLOTS, len(journey.promises))
        self._last_us = np.full(FIRST_SLOTS, LONG_AGO_US)
        self._settled_us = np.full(FIRST_SLOTS, LONG_AGO_US)
        self._due_us = np.full(FIRST_SLOTS, kernel.NEVER)
        self._ignored = np.zeros((FIRST_SLOTS, 2), np.int64)
        self._tables: kernel.Tables | None = None
        self._n_classes = 0
        self._first_us, self._end_us = 0, -1
        self.dirty: set[int] = set()
        """Chunks whose slots have moved since somebody last cleared this."""

    @property
    def n_slots(self) -> int:
        """Slots that are or were in use."""
        return len(self._codes.texts)

    @property
    def n_keys(self) -> int:
        """Keys whose state is held."""
        return self._codes.n_used

    def keys(self, slots: NDArray[np.integer]) -> list[str]:
        """The key of each slot."""
        texts = self._codes.texts
        return [texts[slot] for slot in slots.tolist()]

    @property
    def customers(self) -> Sequence[str]:
        """The customers, by the code that cases hold."""
        return self._customers.texts

    def late(self, batch: pl.DataFrame) -> NDArray[np.bool_]:
        """Which events (n_events,) cannot be taken in their place.

        That is: before an event of their key that has been taken, or at or before a deadline that the watermark let
        pass, or another event of their key in the batch is late.
        """
        late = self.out_of_place(batch)
        slots = self._slots(batch[self.key_column])
        return (slots >= 0) & np.isin(slots, slots[late]) if late.any() else late

    def out_of_place(self, batch: pl.DataFrame) -> NDArray[np.bool_]:
        """The events that are late by themselves, not for another one of their key; (n_events,)."""
        slots = self._slots(batch[self.key_column])
        times_us = batch["time"].cast(pl.Int64).to_numpy()
        late: NDArray[np.bool_] = (times_us < self._last_us[slots]) | (times_us <= self._settled_us[slots])
        return (slots >= 0) & late

    def take(self, batch: pl.DataFrame, watermark_us: int) -> Moves:
        """Take events in any order, none of them late, and let pass what is due by the watermark.

        ``batch`` has the declared columns and `POSITION`, by which events are named and ties are ordered.
        """
        slots = self._slots(batch[self.key_column])
        events, slots, flags = self._arrange(batch, slots)
        return self._run(events, slots, flags, watermark_us)

    def slots_of(self, keys: Sequence[str]) -> I64:
        """The slot of each key, new ones for keys that were never seen."""
        return self._slots(pl.Series(keys, dtype=pl.String))

    def slots_seen(self, keys: pl.Series) -> I64:
        """The slot of each key, -1 for null and for keys that were never seen."""
        return self._codes.known(keys)

    def n_episodes(self, slots: I64) -> NDArray[np.int32]:
        """How many cases each slot has had."""
        return self._state.cases["episode"][slots]

    def ignored(self) -> I64:
        """How many events came before the need of their key, and how many after the close; (2,)."""
        counts: I64 = self._ignored.sum(axis=0)
        return counts

    def forget(self, slots: I64) -> None:
        """Make keys as if none of their events had been seen: their history is taken next."""
        self.dirty.update(np.unique(slots // CHUNK_SLOTS).tolist())
        self._state.cases[slots] = np.zeros(1, kernel.CASE)
        self._state.promises[slots] = np.zeros(1, kernel.PROMISE)
        self._last_us[slots] = self._settled_us[slots] = LONG_AGO_US
        self._due_us[slots] = kernel.NEVER
        self._ignored[slots] = 0

    def give_up_closed(self, before_us: int, most: int) -> int:
        """Let go of keys whose cases are closed and that have had no event since ``before_us``; how many.

        Whoever gets an event of such a key takes its whole history first. Keys with events that belong to no case are
        kept: they count in `ignored`.
        """
        slots = self.idle(before_us)
        slots = slots[~self._ignored[slots].any(axis=1)][:most]
        self._codes.give_up(slots.tolist())
        self.forget(slots)
        return len(slots)

    def idle(self, before_us: int) -> I64:
        """The slots of keys whose cases are closed and that have had no event since ``before_us``."""
        closed = self._state.cases["phase"][: self.n_slots] == kernel.CLOSED
        return np.flatnonzero(closed & (self._last_us[: self.n_slots] < before_us))

    def next_due_us(self) -> int:
        """The next instant at which something is due; `kernel.NEVER` if nothing is."""
        return int(self._due_us[: self.n_slots].min(initial=kernel.NEVER))

    def _note_due(self, slots: I64) -> None:
        """Note the next deadline of some slots."""
        cases = self._state.cases[slots]
        running, resolved = cases["phase"] == kernel.RUNNING, cases["phase"] == kernel.RESOLVED
        due_us = np.where(running | resolved, cases["next_due"], kernel.NEVER)
        silence_us = self.journey.outcome.abandoned_after_us
        if silence_us is not None:
            due_us = np.where(running, np.minimum(due_us, cases["last"] + silence_us), due_us)
        self._due_us[slots] = due_us

    def pack(self, chunk: int) -> bytes:
        """The state of some slots, to be given back to `unpack`."""
        of_chunk = slice(chunk * CHUNK_SLOTS, min((chunk + 1) * CHUNK_SLOTS, self.n_slots))
        cases = self._state.cases[of_chunk]
        packed = _Chunk(
            keys=self._codes.held(of_chunk.start, of_chunk.stop),
            customers=self._customers.decode(cases["customer"], cases["episode"] > 0),
            teams=self._teams.decode(cases["team"], cases["episode"] > 0),
            arrays=[array[of_chunk].tobytes() for array in self._arrays()],
        )
        return zstandard.compress(msgspec.msgpack.encode(packed), level=1)

    def unpack(self, blob: bytes) -> I64:
        """Take over packed slots, after those that are there; the slots they have now.

        A key that was given up and came back after a chunk was packed may stand in another too: the last counts.
        """
        packed = _CHUNKS.decode(zstandard.decompress(blob))
        slots, twice = self._codes.place(packed.keys)
        self._make_room()
        self.forget(np.array(twice, np.int64))
        for array, data in zip(self._arrays(), packed.arrays, strict=True):
            array[slots] = np.frombuffer(data, array.dtype).reshape(len(slots), *array.shape[1:])
        cases = self._state.cases
        cases["customer"][slots] = self._customers.encode(pl.Series(packed.customers, dtype=pl.String))
        cases["team"][slots] = self._teams.encode(pl.Series(packed.teams, dtype=pl.String))
        return slots

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        """Everything that is kept by slot."""
        return *self._state, self._last_us, self._settled_us, self._due_us, self._ignored

    def _slots(self, keys: pl.Series) -> I64:
        slots = self._codes.encode(keys).astype(np.int64)
        self._make_room()
        return slots

    def _make_room(self) -> None:
        if self.n_slots > len(self._last_us):
            self._grow(max(self.n_slots, 2 * len(self._last_us)))

    def _grow(self, n_slots: int) -> None:
        n_more = n_slots - len(self._last_us)
        more = State.empty(n_more, len(self.journey.promises))
        self._state = State(*(np.concatenate(pair) for pair in zip(self._state, more, strict=True)))
        unseen = np.full(n_more, LONG_AGO_US)
        self._last_us = np.concatenate([self._last_us, unseen])
        self._settled_us = np.concatenate([self._settled_us, unseen])
        self._due_us = np.concatenate([self._due_us, np.full(n_more, kernel.NEVER)])
        self._ignored = np.concatenate([self._ignored, np.zeros((n_more, 2), np.int64)])

    def _arrange(self, batch: pl.DataFrame, slots: I64) -> tuple[kernel.Events, I64, NDArray[np.uint8]]:
        """Events with a key by slot, then time, then position; the slot and the plain flags of each."""
        times_us, positions = batch["time"].cast(pl.Int64).to_numpy(), batch[POSITION].to_numpy()
        order = np.lexsort((positions, times_us, slots))
        order = order[np.searchsorted(slots[order], 0) :]
        rows = self._marker.rows(batch)
        log = np.empty(len(order), kernel.EVENT)
        log["time_us"], log["index"], log["row"] = times_us[order], positions[order], rows[order]
        log["team"] = self._code(self._teams, batch, self._team_column)[order]
        log["customer"] = self._code(self._customers, batch, "customer")[order]
        amounts = np.ascontiguousarray(amounts_of(batch, self._program.amounts)[:, order])
        self._lay_out_tables(times_us)
        assert self._tables is not None
        return kernel.Events(log, amounts), slots[order], self._tables.rows["flags"][log["row"]]

    @staticmethod
    def _code(codes: Codes, batch: pl.DataFrame, column: str) -> NDArray[np.int32]:
        if column not in batch.columns:
            return np.full(batch.height, -1, np.int32)
        return codes.encode(batch[column])

    def _lay_out_tables(self, times_us: I64) -> None:
        """Tables that know all classes seen, and calendars that reach as far as the events."""
        first_us, end_us = (int(times_us.min()), int(times_us.max())) if len(times_us) else (0, 0)
        n_classes = self._marker.n_classes
        fits = self._first_us <= first_us and end_us <= self._end_us and n_classes == self._n_classes
        if self._tables is not None and fits:
            return
        if self._end_us < self._first_us:
            self._first_us, self._end_us = first_us, end_us
        if first_us < self._first_us:
            self._first_us = first_us - CALENDAR_MARGIN_US
        if end_us > self._end_us:
            self._end_us = end_us + CALENDAR_MARGIN_US
        self._tables = self._marker.tables(self._first_us, self._end_us)
        self._n_classes = n_classes

    def _run(self, events: kernel.Events, slots: I64, flags: NDArray[np.uint8], watermark_us: int) -> Moves:
        assert self._tables is not None
        touched, firsts = np.unique(slots, return_index=True)
        ends = np.append(firsts, len(slots))[1:]
        runs = np.stack([touched, touched, firsts, ends], axis=1).astype(np.int64)
        episodes = np.zeros(len(slots), np.int32)
        before = self._state.cases[touched]
        taken = self._room.step(self._tables, self._state, runs, events, watermark_us, episodes=episodes, settles=False)
        closed, decided = taken.cases.copy(), taken.verdicts.copy()
        only = (flags & kernel.ONLY) != 0
        self._ignored[touched] += _ignored(firsts, ends, before["episode"] > 0, episodes, only)
        if len(slots):
            self._last_us[touched] = np.maximum(self._last_us[touched], events.log["time_us"][ends - 1])
        self._note_due(touched)
        due = np.flatnonzero(self._due_us[: self.n_slots] <= watermark_us)
        self._settled_us[due] = watermark_us
        only_due = np.setdiff1d(due, touched)
        moved, order = np.unique(np.concatenate([touched, only_due]), return_index=True)
        before = np.concatenate([before, self._state.cases[only_due]])[order]
        self.dirty.update(np.unique(moved // CHUNK_SLOTS).tolist())
        standing, verdicts = self._settle(touched, due, watermark_us)
        cases, verdicts = np.concatenate([closed, standing]), np.concatenate([decided, verdicts])
        return Moves(cases, verdicts, before, moved, events.log[only], slots[only])

    def _settle(self, touched: I64, due: I64, watermark_us: int) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Let pass what is due by the watermark, and show how touched cases and those that it moved stand."""
        alive = self._state.cases["phase"][touched]
        shown = np.union1d(due, touched[(alive == kernel.RUNNING) | (alive == kernel.RESOLVED)])
        runs = np.zeros((len(shown), 4), np.int64)
        runs[:, 0] = runs[:, 1] = shown
        nothing = kernel.Events(np.zeros(0, kernel.EVENT), np.zeros((len(self._program.amounts), 0)))
        assert self._tables is not None
        part = self._room.step(self._tables, self._state, runs, nothing, watermark_us)
        self._state.cases["open"][shown] = 0  # what is shown as open is not yet decided
        self._note_due(shown)
        return part.cases.copy(), part.verdicts.copy()


def _ignored(
    firsts: I64, ends: I64, opened_before: NDArray[np.bool_], episodes: NDArray[np.int32], only: NDArray[np.bool_]
) -> I64:
    """How many events of each run belong to no case: before its first episode, after the close of one; (n_runs, 2)."""
    run = np.repeat(np.arange(len(firsts)), ends - firsts)
    n_inside = np.concatenate([[0], np.cumsum(episodes != 0)])
    opened = opened_before[run] | (n_inside[1:] > n_inside[firsts[run]])
    outside = only & (episodes == 0)
    before, after = (np.bincount(run[outside & mask], minlength=len(firsts)) for mask in (~opened, opened))
    return np.stack([before, after], axis=1)
