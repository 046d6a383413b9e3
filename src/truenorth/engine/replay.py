"""A whole log through the step: from a frame of events to verdicts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from threading import local
from typing import Any, NamedTuple, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine import kernel, verdicts
from truenorth.engine.arrange import Columns, by_case, by_promise
from truenorth.engine.codes import Coded, encode, read_only
from truenorth.engine.compile import Marker, marker_of
from truenorth.engine.room import NOT_ASKED, Part, Room, State
from truenorth.spec.instants import microseconds
from truenorth.spec.model import Journey

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

EVENTS_PER_PART = 1 << 16
"""A thread takes about so many events at a time: few enough for what it writes to stay in the processor's cache."""
PARTS_AHEAD = 8
"""So many parts are judged before the first of them is taken."""

Taken = TypeVar("Taken")


class _Inline(Executor):
    """Does at once what it is given: for one thread, starting it would take longer than the work of a small log."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **options))
        except Exception as error:  # the caller of `result` is told, as with threads
            done.set_exception(error)
        return done


def _pool(n_threads: int) -> Executor:
    return ThreadPoolExecutor(n_threads) if n_threads > 1 else _Inline()


class EventsOfCases(NamedTuple):
    """The events that belong to cases, by case in its order: ``starts`` (n_cases + 1,) delimit those of each.

    ``marks`` (n,) say what each is for its case (the kernel's bits ``ONLY`` to ``DECISION``), ``place`` (n,) where it
    stands in the log.
    """

    frame: pl.DataFrame
    starts: NDArray[np.int64]
    marks: NDArray[np.uint8]
    place: NDArray[np.int64]


class PromisesOfCases(NamedTuple):
    """The table of promises; ``started_by`` and ``decided_by`` (n,) are the places of these events in the log.

    They are negative where there is none.
    """

    frame: pl.DataFrame
    started_by: NDArray[np.int64]
    decided_by: NDArray[np.int64]


class Numbers(NamedTuple):
    """Cases and promises as the step wrote them: `kernel.CASE` and `kernel.VERDICT` rows in the order of the tables.

    ``ids`` and ``customers`` are those of the cases; ``case`` (n_promises,) is the place of each promise's case.
    """

    cases: NDArray[np.void]
    promises: NDArray[np.void]
    ids: list[str]
    customers: list[str | None]
    case: NDArray[np.int64]


class Replay:
    """What a journey makes of a log.

    ``summary`` has the keys of the reference's section 4, ``watermark`` is the instant up to which every event has been
    seen (None for an empty log). The tables are made when they are first asked for.
    """

    def __init__(self, run: _Run, summary: dict[str, Any]) -> None:
        self.journey = run.journey
        self.summary = summary
        self.watermark = run.watermark
        self._run = run

    @cached_property
    def cases(self) -> pl.DataFrame:
        """One row a case, with the columns of the reference's section 4."""
        return self._held("cases", pl.concat(self.case_parts()))

    @property
    def promises(self) -> pl.DataFrame:
        """One row an instance of a promise, with the columns of the reference's section 4."""
        return self.of_promises.frame

    @cached_property
    def of_promises(self) -> PromisesOfCases:
        """`promises`, with the places of the events that started and decided each."""
        frames, started_by, decided_by = zip(*self._promise_parts(), strict=True)
        whole = PromisesOfCases(pl.concat(frames), np.concatenate(started_by), np.concatenate(decided_by))
        return self._held("of_promises", whole)

    def numbers(self) -> Numbers:
        """Cases and promises without tables, for who judges a few again and again; to be asked before all three are."""
        run = self._run
        parts = list(run.judge(lambda part: (part.cases.copy(), by_promise(part.verdicts, len(self.journey.promises)))))
        cases, promises = (np.concatenate(rows) for rows in zip(*parts, strict=True))
        return Numbers(
            cases,
            promises,
            verdicts.case_ids(run.key.values, cases["key"], cases["episode"]).to_list(),
            verdicts.texts(run.customer.values, cases["customer"]).to_list(),
            np.searchsorted(_numbered(cases), _numbered(promises)),
        )

    @property
    def events(self) -> pl.DataFrame:
        """The events that belong to cases, by case in its order.

        All columns of the log, with ``case`` the id of the case (``key#2`` for a second episode) and the flags
        ``moment``, ``decision``, ``internal`` and ``handover``.
        """
        return self.of_cases.frame

    @cached_property
    def of_cases(self) -> EventsOfCases:
        """`events`, with what each is for its case."""
        return self._held("of_cases", self._run.events_of_cases())

    def _held(self, name: str, table: Taken) -> Taken:
        """The table; once all three are held the log as numbers is let go, as nothing is left to be made of it."""
        self.__dict__[name] = table
        if {"cases", "of_promises", "of_cases"} <= self.__dict__.keys():
            self.__dict__.pop("_run", None)  # another thread may have made the last table at the same time
        return table

    def events_of(self, case: str) -> pl.DataFrame:
        """The events of one case in its order, as in `events`; none for an unknown case."""
        if "of_cases" in self.__dict__:
            return self.events.filter(pl.col("case") == case)
        return self._run.events_of_cases(case).frame.filter(pl.col("case") == case)

    def case_parts(self) -> Iterator[pl.DataFrame]:
        """The table of cases in parts, for writing what is too large to hold."""
        if "cases" in self.__dict__:
            yield self.cases
            return
        run = self._run
        for cases in run.judge(lambda part: part.cases.copy()):
            yield verdicts.case_table(self.journey, cases, run.key.values, run.customer.values)

    def promise_parts(self) -> Iterator[pl.DataFrame]:
        """The table of promises in parts."""
        if "of_promises" in self.__dict__:
            yield self.promises
            return
        for part in self._promise_parts():
            yield part.frame

    def _promise_parts(self) -> Iterator[PromisesOfCases]:
        run, n_promises = self._run, len(self.journey.promises)
        for rows in run.judge(lambda part: by_promise(part.verdicts, n_promises)):
            frame = verdicts.promise_table(self.journey, rows, run.key.values, run.ids)
            yield PromisesOfCases(frame, rows["started_by"].copy(), rows["decided_by"].copy())


def replay(
    journey: Journey,
    events: pl.DataFrame,
    *,
    now: datetime | None = None,
    n_quarantined: int = 0,
    n_duplicates: int = 0,
    n_threads: int = 2,
    on_progress: Progress | None = None,
    marker: Marker | None = None,
) -> Replay:
    """Judge every case of a log.

    ``events`` come in arrival order with ``time`` (microseconds, UTC, no nulls), canonical fields and properties, as
    `truenorth.logs.read_log` gives them, free of duplicates. ``now`` shows the log as of that instant. ``marker``: one
    that was made for the journey and these columns, kept by who judges a few events again and again. InvalidJourney
    where a condition does not fit the columns.
    """
    if now is not None and not (events["time"] <= now).all():
        events = events.filter(pl.col("time") <= now)
    tell = on_progress or (lambda _stage, _share: None)
    marker = marker or marker_of(journey, events.schema)
    run = _Run(journey, events, now, n_threads, tell, marker)
    tallies = []
    for number, tally in enumerate(run.judge(lambda part: verdicts.tally(journey, *part))):
        tell("judging cases", min(1.0, 0.5 + number * EVENTS_PER_PART / (2 * events.height + 1)))
        tallies.append(tally)
    n_no_key = events.height - len(run.events.log)
    counts = {"events": events.height, "quarantined": n_quarantined, "duplicates": n_duplicates}
    return Replay(run, verdicts.summarise(journey, tallies, counts, n_no_key))


class _Run:
    """One replay: the log as numbers, sorted by case.

    What the step writes is not kept: judging again costs less than the memory it would take.
    """

    def __init__(
        self,
        journey: Journey,
        events: pl.DataFrame,
        now: datetime | None,
        n_threads: int,
        tell: Progress,
        marker: Marker,
    ) -> None:
        self.journey = journey
        self.frame = events
        self.n_threads = n_threads
        self.watermark: datetime | None = now or events["time"].max()  # type: ignore[assignment]
        time_us = read_only(events["time"].cast(pl.Int64).to_numpy())
        with _pool(n_threads) as pool:
            tell("reading keys and conditions", 0.0)
            rows = pool.submit(marker.rows, events)
            key = pool.submit(self._encode, "case" if "case" in events.columns else "customer")
            team = pool.submit(self._encode, "team" if "team" in events.columns else "actor", n_hashes=1)
            customer = pool.submit(self._encode, "customer") if "case" in events.columns else key
            amounts = pool.submit(amounts_of, events, marker.program.amounts)
            self.key, self.customer = key.result(), customer.result()
            codes = self.key.codes, rows.result(), team.result().codes, self.customer.codes
            tell("sorting by case", 0.4)
            columns = Columns(time_us, *codes, amounts.result())
            self.events, self.starts = by_case(columns, len(self.key.values), pool)
        self.tables = marker.tables(*((int(time_us.min()), int(time_us.max())) if len(time_us) else (0, 0)))

    @cached_property
    def ids(self) -> pl.Series:
        """The id of each event of the log: its own, or its position from 1."""
        if "id" in self.frame.columns:
            return self.frame["id"]
        return pl.Series("id", np.arange(1, self.frame.height + 1))

    def _encode(self, name: str, n_hashes: int = 2) -> Coded:
        if name not in self.frame.columns:
            return Coded(np.zeros(0, np.int32), pl.Series([], dtype=pl.String))
        return encode(self.frame[name], n_hashes)

    def judge(self, take: Callable[[Part], Taken]) -> Iterator[Taken]:
        """Run everything, part by part; what ``take`` makes of each part, in the order of keys."""
        buffers = local()
        spans = deque(self._spans())

        def judged(first: int, end: int) -> Taken:
            return take(self._judge_span(buffers, first, end))

        with _pool(self.n_threads) as pool:
            ahead = deque(pool.submit(judged, *spans.popleft()) for _ in range(min(PARTS_AHEAD, len(spans))))
            while ahead:
                yield ahead.popleft().result()
                if spans:
                    ahead.append(pool.submit(judged, *spans.popleft()))

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Keys in spans of about equal numbers of events."""
        n_spans = max(1, len(self.events.log) // EVENTS_PER_PART)
        wanted = np.linspace(0, len(self.events.log), n_spans + 1).astype(np.int64)
        cuts = np.searchsorted(self.starts, wanted)
        cuts[0], cuts[-1] = 0, len(self.starts) - 1
        yield from pairwise(cuts.tolist())

    def _judge_span(self, buffers: local, first: int, end: int, episodes: NDArray[np.int32] = NOT_ASKED) -> Part:
        """Judge some keys; ``buffers`` keeps the room a thread writes into from one span to the next."""
        if not hasattr(buffers, "room"):
            buffers.room = Room(len(self.journey.promises))
        room: Room = buffers.room
        runs = np.empty((end - first, 4), np.int64)
        runs[:, 0], runs[:, 1] = kernel.NOTHING, np.arange(first, end)
        runs[:, 2], runs[:, 3] = self.starts[first:end], self.starts[first + 1 : end + 1]
        state = State.empty(1, len(self.journey.promises))
        watermark_us = microseconds(self.watermark) if self.watermark else 0
        return room.step(self.tables, state, runs, self.events, watermark_us, episodes)

    def events_of_cases(self, case: str | None = None) -> EventsOfCases:
        """What is behind `Replay.of_cases`, or the part of it that belongs to the key of one case."""
        log, starts = self.events.log, self.starts
        spans = list(self._spans()) if case is None else list(self._spans_of(case))
        episodes = np.zeros(len(log), np.int32)
        for span in spans:
            self._judge_span(local(), *span, episodes)
        taken = np.flatnonzero(episodes)
        key = np.searchsorted(starts, taken, side="right") - 1
        handover, episode = (episodes[taken] & 1).astype(np.bool_), episodes[taken] >> 1
        begins = (np.diff(key, prepend=-1) != 0) | (np.diff(episode, prepend=0) != 0)
        flags = self.tables.rows["flags"][log["row"][taken] + handover]
        moment, decision = (flags & kernel.MOMENT) != 0, (flags & kernel.DECISION) != 0
        at = np.ascontiguousarray(log["index"][taken])
        index = pl.Series(at, dtype=pl.get_index_type())
        taken_from = self.frame[index] if case is not None else self._let_go(index)
        made = (
            self.ids[index].cast(pl.String),
            verdicts.case_ids(self.key.values, key, episode),
            pl.Series("moment", moment),
            pl.Series("decision", decision),
            pl.Series("internal", ~(moment | decision)),
            pl.Series("handover", handover),
        )
        events = pl.DataFrame(list({column.name: column for column in (*taken_from, *made)}.values()))
        return EventsOfCases(events, np.append(np.flatnonzero(begins), len(taken)), flags, at)

    def _let_go(self, index: pl.Series) -> pl.DataFrame:
        """Some events of the log, of which only the ids are kept: column by column, so that there are not two logs."""
        _ = self.ids
        log, self.frame = self.frame.clone(), self.frame.clear()
        return pl.DataFrame([log.drop_in_place(name)[index] for name in self.frame.columns])

    def _spans_of(self, case: str) -> Iterator[tuple[int, int]]:
        """The key of a case as a span: the id itself, or what stands before its ``#2``."""
        for key in {case, case.rpartition("#")[0]}:
            found = (self.key.values == key).arg_true()
            yield from ((code, code + 1) for code in found)


def _numbered(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """One number for the key and the episode of each row, in whose order rows come."""
    numbered: NDArray[np.int64] = (rows["key"].astype(np.int64) << 32) + rows["episode"]
    return numbered


def amounts_of(events: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Columns of numbers, (n_names, n_events); null, NaN and a missing column are 0."""
    columns = [_numbers(events, name) for name in names]
    if len(columns) == 1:
        return read_only(columns[0].reshape(1, -1))
    return read_only(np.stack(columns) if columns else np.empty((0, events.height)))


def _numbers(events: pl.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in events.columns:
        return np.zeros(events.height)
    numbers: NDArray[np.float64] = events[name].cast(pl.Float64).to_numpy()  # null is NaN there
    unknown = np.isnan(numbers)
    return np.where(unknown, 0.0, numbers) if unknown.any() else numbers
