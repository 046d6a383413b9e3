"""One journey kept up to date in the store: events in, rows and signals out, whatever the order in which they come.

A tracker takes the log in pages, in the order of arrival. What it has concluded is written together with how far it has
come; its state is written from time to time, and the part of the log since then is taken once more, quietly, after a
restart. What it writes can always be made again from the log:

* a *late* event has its case judged afresh from its history, and the differences are told as corrections;
* two ids that turn out to be one person have their cases judged afresh;
* columns that turn out to hold something else (`columns.Sight`) have the whole journey judged anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Protocol

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine.live import LONG_AGO_US, POSITION, Live, Moves
from truenorth.server.columns import Columns, Record, Records, Sight
from truenorth.server.signals_of import corrections, signals_of
from truenorth.server.verdict_rows import case_id, case_rows, newly_told, promise_rows
from truenorth.server.who_is_who import Joined
from truenorth.spec.durations import DAY_US
from truenorth.spec.model import Journey
from truenorth.store.rows import CaseEvent, CaseRow, Judged, Progress, PromiseRow

HELD_AFTER_CLOSE_US = DAY_US
"""A key whose cases are closed is held so long after its last event; later events bring it back from the log."""
KEYS_GIVEN_UP_A_TIME = 10_000
STEPS_A_TIDYING = 100
"""So seldom it is looked for keys to give up."""
META_CHUNK = -1
"""The chunk that says what the other chunks are the state of."""


class Meta(msgspec.Struct, frozen=True):
    """What packed chunks belong to; what they do not include yet is in the log after ``tail_from``."""

    version: int
    tail_from: int
    sight: Sight
    has_given_up: bool = False


_META = msgspec.msgpack.Decoder(Meta)


class PackedChunk(msgspec.Struct, frozen=True, array_like=True):
    """Some slots, with everything up to a position of the log."""

    position: int
    blob: bytes


_CHUNKS = msgspec.msgpack.Decoder(PackedChunk)


class Past(Protocol):
    """What a tracker asks about events and cases of before."""

    def records_of_keys(self, keys: Collection[str], up_to: int) -> Sequence[Record]:
        """The events of some case keys up to a position."""
        ...

    def records_of_customers(self, ids: Collection[str], up_to: int) -> Sequence[Record]:
        """The events of some ids up to a position."""
        ...

    def rows_of(self, cases: Sequence[str]) -> tuple[list[CaseRow], list[PromiseRow]]:
        """The rows of some cases as the store has them."""
        ...

    def ids_at(self, positions: Sequence[int]) -> Mapping[int, str]:
        """The ids of the events at some positions."""
        ...


class Tracker:
    """The state of one version of a journey, and what each page of the log makes of it."""

    def __init__(self, journey: Journey, version: int, past: Past, progress: Progress = Progress()) -> None:  # noqa: B008
        self.journey = journey
        self.version = version
        self.progress = progress
        self.n_late = 0
        """Events that came too late for their place."""
        self._past = past
        self._columns = Columns(journey)
        self._begin(Sight())

    def _begin(self, sight: Sight) -> None:
        self._sight = sight
        self._live = Live(self.journey, sight.schema())
        self._dirty_since: dict[int, int] = {}  # by chunk: the position before what it does not include
        self._packed_at: dict[int, int] = {}
        self._included_to: NDArray[np.int64] = np.zeros(0, np.int64)
        self._has_given_up = False
        self._n_steps = 0

    @property
    def position(self) -> int:
        """The last position of the log that the state includes."""
        return self.progress.position

    @property
    def n_keys(self) -> int:
        """Case keys whose state is held."""
        return self._live.n_keys

    def next_due_us(self) -> int:
        """The next instant at which something is due; `kernel.NEVER` if nothing is."""
        return self._live.next_due_us()

    def restore(self, chunks: Mapping[int, bytes]) -> int | None:
        """Take over a packed state; the position after which `retrace` has to go on, or None where nothing is usable.

        Unusable is what another version of the journey has packed, and what is not whole.
        """
        if META_CHUNK not in chunks:
            return None
        meta = _META.decode(chunks[META_CHUNK])
        numbers = sorted(set(chunks) - {META_CHUNK})
        if meta.version != self.version or numbers != list(range(len(numbers))):
            return None
        self._begin(meta.sight)
        self._has_given_up = meta.has_given_up
        included = []
        for number in numbers:
            packed = _CHUNKS.decode(chunks[number])
            slots = self._live.unpack(packed.blob)
            included.append(np.full(len(slots), packed.position))
            self._packed_at[number] = packed.position
        self._included_to = np.concatenate(included) if included else self._included_to
        return meta.tail_from

    def _watermark_us(self, moved_us: int | None) -> int:
        """The watermark where it moves to, or where it is: with what was taken it does not go back."""
        known = [us for us in (moved_us, self.progress.watermark_us) if us is not None]
        return max(known, default=LONG_AGO_US)

    def retrace(self, page: Records, last_position: int, stated: Joined | None) -> None:
        """Take once more what packed chunks do not include, up to the position of the progress; nothing is written.

        Then comes `end_retrace`; until then nothing falls due, lest what comes be late. ``stated``: everybody whom the
        page's statements name. What they changed is not known any more, so all cases of these people are judged afresh.
        """
        frame = self._columns.frame(self._sight, page)
        slots = self._live.slots_seen(frame[self._live.key_column])
        unknown = set(frame.filter(pl.Series(slots < 0))[self._live.key_column].drop_nulls())
        self._bring_back(frame, page[0].position - 1)
        included = np.append(self._included_to, 0)[np.where(slots < len(self._included_to), slots, -1)]
        frame = frame.filter(pl.Series(frame[POSITION].to_numpy() > included))
        afresh, keys = self._to_judge_afresh(frame, self._live.late(frame), stated, last_position)
        self._forget(keys)
        self._live.take(frame.filter(~afresh), LONG_AGO_US)
        if keys:
            self._live.take(self._history(keys, last_position, Records(), stated), LONG_AGO_US)
        self._include_nothing(unknown | keys)
        self._note_dirty(0)

    def _include_nothing(self, keys: set[str]) -> None:
        """Note that the slots of some keys hold what was taken just now, not what was packed in them."""
        slots = self._live.slots_seen(pl.Series(sorted(keys), dtype=pl.String))
        self._included_to[slots[(slots >= 0) & (slots < len(self._included_to))]] = 0

    def end_retrace(self) -> None:
        """Let pass what was due by the watermark of the progress."""
        self._live.take(self._columns.frame(self._sight, Records()), self._watermark_us(None))
        self._note_dirty(0)

    def widens(self, page: Records) -> Sight | None:
        """What is seen with a page, where that changes what a column is: then the log has to be taken anew."""
        sight = self._columns.look(self._sight, page)
        if sight is self._sight:
            return None
        same = sight.schema() == self._sight.schema() and _paths(sight) == _paths(self._sight)
        self._sight = self._sight if not same else sight
        return None if same else sight

    def begin_anew(self, sight: Sight | None = None) -> None:
        """Forget all state; the log is to be taken from its beginning, with columns as they are known now.

        What has been told is not told again.
        """
        self._begin(sight or self._sight)
        self.progress = Progress(told=self.progress.told)

    def take(
        self,
        page: Records,
        last_position: int,
        watermark_us: int | None,
        joined: Joined | None = None,
        *,
        quiet: bool = False,
    ) -> Judged:
        """Take the next page of the log, which ends at ``last_position``; what there is to write.

        Without a watermark it stays where it is: there is more of the log to come. ``joined``: what the statements of
        the page have changed about who is who. ``quiet``: there is nothing to tell.
        """
        first = self.position + 1
        frame = self._columns.frame(self._sight, page)
        self._bring_back(frame, self.position)
        late = self._live.late(frame)
        self.n_late += int(late.sum())
        afresh, keys = self._to_judge_afresh(frame, late, joined, self.position)
        at_us = self._watermark_us(watermark_us)
        old = self._forget(keys)
        moves = self._live.take(frame.filter(~afresh) if keys else frame, at_us)
        judged = self._written(moves, first, quiet=quiet)
        n_passed = int((moves.taken["index"] >= first).sum())
        if keys:
            more, n_more = self._judge_afresh(old, self._history(keys, self.position, page, joined), at_us)
            judged, n_passed = _together(judged, more), n_passed + n_more
        self._tidy(at_us)
        n_no_key = frame[self._live.key_column].null_count()
        self._advance(len(page), n_no_key, n_passed, last_position, None if at_us == LONG_AGO_US else at_us)
        return msgspec.structs.replace(judged, progress=self.progress, signals=() if quiet else judged.signals)

    def pack(self, n_chunks: int) -> dict[int, bytes]:
        """Some of what has changed since it was last packed, the oldest first; nothing if nothing has."""
        oldest = sorted(self._dirty_since, key=lambda chunk: (self._dirty_since[chunk], chunk))[:n_chunks]
        if not oldest:
            return {}
        chunks = {}
        for chunk in oldest:
            del self._dirty_since[chunk]
            self._packed_at[chunk] = self.position
            chunks[chunk] = msgspec.msgpack.encode(PackedChunk(self.position, self._live.pack(chunk)))
        tail_from = min(self._dirty_since.values(), default=self.position)
        meta = Meta(self.version, tail_from, self._sight, self._has_given_up)
        return {**chunks, META_CHUNK: msgspec.msgpack.encode(meta)}

    def _to_judge_afresh(
        self, frame: pl.DataFrame, late: NDArray[np.bool_], joined: Joined | None, up_to: int
    ) -> tuple[pl.Series, set[str]]:
        """Which events cannot be taken in their place, being late or of joined people; the keys to judge afresh."""
        keys = set(frame.filter(pl.Series(late))[self._live.key_column]) if late.any() else set()
        if joined:
            keys |= self._keys_of(joined, up_to)
            late = late | frame[self._live.key_column].is_in(sorted(keys)).fill_null(False).to_numpy()
        return pl.Series(late, dtype=pl.Boolean), keys

    def _keys_of(self, joined: Joined, up_to: int) -> set[str]:
        """The keys whose events belong to somebody else now, or name another customer."""
        if self._live.key_column == "customer":
            return set(joined.persons)
        theirs = Records(self._past.records_of_customers(joined.ids, up_to))
        return set(self._columns.frame(self._sight, theirs)["case"].drop_nulls())

    def _bring_back(self, frame: pl.DataFrame, up_to: int) -> None:
        """Take the history of keys that were given up and have an event now."""
        if not self._has_given_up:
            return
        keys = frame[self._live.key_column]
        unknown = set(keys.filter(pl.Series(self._live.slots_seen(keys) < 0))) - {None}
        history = self._history(unknown, up_to, Records(), None) if unknown else None
        if history is not None and len(history):
            self._live.take(history, self._watermark_us(None))

    def _tidy(self, watermark_us: int) -> None:
        """Give up keys that are closed and idle, now and then."""
        self._n_steps += 1
        if self._n_steps % STEPS_A_TIDYING or watermark_us == LONG_AGO_US:
            return
        if self._live.give_up_closed(watermark_us - HELD_AFTER_CLOSE_US, KEYS_GIVEN_UP_A_TIME):
            self._has_given_up = True

    def _forget(self, keys: set[str]) -> list[str]:
        """Forget the state of keys that are to be judged afresh; the ids of their cases."""
        slots = self._live.slots_of(sorted(keys))
        episodes = self._live.n_episodes(slots).tolist()
        self._live.forget(slots)
        cases = [case_id(key, n) for key, last in zip(sorted(keys), episodes, strict=True) for n in range(1, last + 1)]
        if self._has_given_up:  # their cases may be those of somebody else now, whom they are brought back as
            unknown = (key for key, last in zip(sorted(keys), episodes, strict=True) if not last)
            cases += [case for key in unknown for case in self._stored_cases(key)]
        return cases

    def _stored_cases(self, key: str) -> Iterator[str]:
        """The cases of a key that the store has."""
        for episode in count(1):
            case = case_id(key, episode)
            if not self._past.rows_of([case])[0]:
                return
            yield case

    def _judge_afresh(self, old: Sequence[str], history: pl.DataFrame, watermark_us: int) -> tuple[Judged, int]:
        """What there is to write of cases whose ``history`` is taken once more; how many new events passed `only`."""
        moves = self._live.take(history, watermark_us)
        cases = case_rows(self.journey, self._live, moves)
        promises = promise_rows(self.journey, self._live, moves.verdicts, self._past.ids_at)
        old_cases, old_promises = self._past.rows_of(old)
        told = corrections((old_cases, cases), (old_promises, promises))
        n_passed = int((moves.taken["index"] > self.position).sum())
        judged = Judged(
            progress=self.progress,
            cases=cases,
            promises=promises,
            anew=old,
            signals=told,
            case_events=self._events(moves),
        )
        return judged, n_passed

    def _history(self, keys: set[str], up_to: int, page: Records, joined: Joined | None) -> pl.DataFrame:
        """All events of some keys up to a position, and those of a page."""
        past = {record.position: record for record in self._past.records_of_keys(keys, up_to)}
        if joined:
            past |= {one.position: one for one in self._past.records_of_customers(joined.ids, up_to)}
        history = self._columns.frame(self._sight, Records([*(past[place] for place in sorted(past)), *page]))
        return history.filter(pl.col(self._live.key_column).is_in(sorted(keys)))

    def _written(self, moves: Moves, first_position: int, *, quiet: bool) -> Judged:
        cases = case_rows(self.journey, self._live, moves)
        rows = moves.verdicts[newly_told(moves, first_position)]
        promises = promise_rows(self.journey, self._live, rows, self._past.ids_at)
        told = () if quiet else signals_of(self._live, moves, cases, promises)
        return Judged(
            progress=self.progress, cases=cases, promises=promises, signals=told, case_events=self._events(moves)
        )

    def _events(self, moves: Moves) -> list[CaseEvent]:
        times, positions = moves.taken["time_us"].tolist(), moves.taken["index"].tolist()
        return list(map(CaseEvent, self._live.keys(moves.taken_by), times, positions))

    def _note_dirty(self, since: int) -> None:
        """Note chunks that have moved; ones that were never packed miss everything since ``since``."""
        for chunk in self._live.dirty:
            self._dirty_since.setdefault(chunk, self._packed_at.get(chunk, since))
        self._live.dirty.clear()

    def _advance(self, n_events: int, n_no_key: int, n_passed: int, position: int, watermark_us: int | None) -> None:
        """Note how far the state has come, and which chunks have moved since they were packed."""
        self._note_dirty(self.position)
        before_need, after_close = self._live.ignored().tolist()
        before = self.progress
        self.progress = Progress(
            position=position,
            watermark_us=watermark_us,
            told=max(before.told, position),
            n_events=before.n_events + n_events,
            n_filtered=before.n_filtered + n_events - n_no_key - n_passed,
            n_no_key=before.n_no_key + n_no_key,
            n_before_need=before_need,
            n_after_close=after_close,
        )


def _paths(sight: Sight) -> dict[str, str | None]:
    return {name: column.path for name, column in sight.columns.items()}


def _together(one: Judged, other: Judged) -> Judged:
    """Two parts of one step."""
    names = ("cases", "promises", "anew", "signals", "case_events")
    joined = {name: [*getattr(one, name), *getattr(other, name)] for name in names}
    return msgspec.structs.replace(one, **joined)
