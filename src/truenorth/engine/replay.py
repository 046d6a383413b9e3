"""A whole log through the step: from a frame of events to verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine import kernel, verdicts
from truenorth.engine.arrange import Columns, by_case, by_promise
from truenorth.engine.codes import Coded, encode
from truenorth.engine.compile import Marker, compile_journey
from truenorth.spec.expressions import Kind
from truenorth.spec.model import Journey

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

MAX_ROWS_WRITTEN = 1 << 20
"""Rows that one thread's step may write before they are taken away."""
MAX_EVENTS_PER_PART = 1 << 20
"""A thread takes about so many events at a time."""


def kind_of_dtype(dtype: pl.DataType) -> Kind:
    """The kind of a column.

    >>> kind_of_dtype(pl.Int32()), kind_of_dtype(pl.Float64()), kind_of_dtype(pl.String())
    ('integer', 'number', 'text')
    """
    if dtype == pl.Null:
        return "null"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    return "instant" if dtype.is_temporal() else "text"


@dataclass(frozen=True, eq=False)
class Replay:
    """What a journey's log comes to.

    ``cases`` and ``promises`` have the columns of the reference's section 4, ``summary`` its keys; ``watermark`` is the instant
    up to which every event has been seen (None for an empty log).
    """

    journey: Journey
    cases: pl.DataFrame
    promises: pl.DataFrame
    summary: dict[str, Any]
    watermark: datetime | None
    _run: _Run

    @cached_property
    def events(self) -> pl.DataFrame:
        """The events that belong to cases, by case in its order.

        All columns of the log, with ``case`` the id of the case (``key#2`` for a second episode) and the flags ``moment``,
        ``decision``, ``internal`` and ``handover``.
        """
        return self._run.events_of_cases()


def replay(
    journey: Journey,
    events: pl.DataFrame,
    *,
    now: datetime | None = None,
    n_quarantined: int = 0,
    n_duplicates: int = 0,
    n_threads: int = 2,
    on_progress: Progress | None = None,
) -> Replay:
    """Judge every case of a log.

    ``events`` come in arrival order with ``time`` (microseconds, UTC, no nulls), canonical fields and properties, as
    `truenorth.logs.read_log` gives them, free of duplicates. ``now`` shows the log as of that instant. InvalidJourney where a
    condition does not fit the columns.
    """
    tell = on_progress or (lambda _stage, _share: None)
    if now is not None:
        events = events.filter(pl.col("time") <= now)
    run = _Run(journey, events, now, tell)
    cases, promises = run.judge(n_threads)
    n_no_key = int((run.key.codes < 0).sum())
    filtered, before_need, after_close = (int(n) for n in run.ignored)
    counts = {"events": events.height, "quarantined": n_quarantined, "duplicates": n_duplicates, "filtered": filtered}
    counts |= {"no_key": n_no_key, "before_need": before_need, "after_close": after_close}
    case_table = verdicts.case_table(journey, cases, run.key.values, run.customer.values)
    summary = verdicts.summarise(journey, case_table, promises, counts)
    promise_table = verdicts.promise_table(journey, promises, run.key.values, run.ids)
    tell("judging cases", 1.0)
    return Replay(journey, case_table, promise_table, summary, run.watermark, run)


class _Run:
    """One replay: the log as integers, and what the step made of it."""

    def __init__(self, journey: Journey, events: pl.DataFrame, now: datetime | None, tell: Progress) -> None:
        self.journey = journey
        self.frame = events
        self.tell = tell
        schema = {name: kind_of_dtype(dtype) for name, dtype in events.schema.items()}
        self.program = compile_journey(journey, schema)
        tell("sorting events by case", 0.0)
        self.key = self._encode("case" if "case" in events.columns else "customer")
        self.customer = self.key if "case" not in events.columns else self._encode("customer")
        self.marker = Marker(self.program, events.schema)
        time_us = events["time"].to_physical().to_numpy()
        team = self._encode("team" if "team" in events.columns else "actor").codes
        rows = self.marker.rows(events)
        columns = Columns(time_us, self.key.codes, rows, team, self.customer.codes)
        self.log, self.starts = by_case(columns, len(self.key.values))
        self.watermark = now or (events["time"].max() if events.height else None)
        self.tables = self.marker.tables(*_range(time_us))
        self.ignored = np.zeros(3, np.int64)

    def _encode(self, name: str) -> Coded:
        if name not in self.frame.columns:
            return Coded(np.full(self.frame.height, -1, np.int32), pl.Series([], dtype=pl.String))
        return encode(self.frame[name])

    @property
    def ids(self) -> pl.Series:
        """The id of each event of the log: its own, or its position from 1."""
        if "id" in self.frame.columns:
            return self.frame["id"]
        return pl.Series("id", np.arange(1, self.frame.height + 1))

    @cached_property
    def amounts(self) -> NDArray[np.float64]:
        """The numbers to add up, (n_amounts, n_events), in the order of ``log``."""
        amounts = np.zeros((len(self.program.amounts), len(self.log)))
        index = np.ascontiguousarray(self.log["index"]) if len(amounts) else None
        for row, name in zip(amounts, self.program.amounts, strict=True):
            if name in self.frame.columns:
                numbers = self.frame[name].cast(pl.Float64).fill_nan(None).fill_null(0.0).to_numpy()
                np.take(numbers, index, out=row)
        return amounts

    @property
    def watermark_us(self) -> int:
        """The watermark in microseconds."""
        return verdicts.microseconds(self.watermark) if self.watermark else 0

    def parts(self) -> Iterator[tuple[int, int]]:
        """Keys in parts of about equal numbers of events."""
        n_parts = max(1, -(-len(self.log) // MAX_EVENTS_PER_PART))
        wanted = np.linspace(0, len(self.log), n_parts + 1).astype(np.int64)
        cuts = np.unique(np.searchsorted(self.starts, wanted))
        cuts[-1] = len(self.starts) - 1
        yield from zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)

    def judge(self, n_threads: int) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Run everything; the rows of cases and of promises, by case."""
        events = kernel.Events(self.log, self.amounts)
        cases, promises = [np.zeros(0, kernel.CASE)], [np.zeros(0, kernel.VERDICT)]
        parts = list(self.parts())
        with ThreadPoolExecutor(n_threads) as pool:
            done = pool.map(lambda part: self._judge_part(events, *part), parts)
            for number, (some_cases, some_promises, ignored) in enumerate(done):
                self.tell("judging cases", number / len(parts))
                cases.append(some_cases)
                promises.append(some_promises)
                self.ignored += ignored
        return np.concatenate(cases), np.concatenate(promises)

    def _judge_part(
        self, events: kernel.Events, first: int, end: int, episodes: NDArray[np.int32] | None = None
    ) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.int64]]:
        n_promises = len(self.journey.promises)
        runs = np.empty((end - first, 4), np.int64)
        runs[:, 0], runs[:, 1] = kernel.NOTHING, np.arange(first, end)
        runs[:, 2], runs[:, 3] = self.starts[first:end], self.starts[first + 1 : end + 1]
        state = np.zeros(1, kernel.CASE), np.zeros((1, n_promises), kernel.PROMISE)
        n_events = int(self.starts[end] - self.starts[first])
        written = kernel.Written(
            np.empty(min(MAX_ROWS_WRITTEN, n_events + 4), kernel.CASE),
            np.empty(min(MAX_ROWS_WRITTEN, (n_events + 4) * n_promises) + 4 * n_promises, kernel.VERDICT),
            np.zeros(2, np.int64),
            np.zeros(3, np.int64),
            np.zeros(0, np.int32) if episodes is None else episodes,
        )
        at = np.array([0, kernel.NOTHING])
        cases, promises, done = [], [], False
        while not done:
            done = kernel.step(self.tables, *state, runs, events, written, at, self.watermark_us, True)
            cases.append(written.cases[: written.n[0]].copy())
            promises.append(written.verdicts[: written.n[1]].copy())
            written.n[:] = 0
        return np.concatenate(cases), by_promise(np.concatenate(promises), n_promises), written.ignored

    def events_of_cases(self) -> pl.DataFrame:
        """The frame behind `Replay.events`."""
        episodes = np.zeros(len(self.log), np.int32)
        events = kernel.Events(self.log, self.amounts)
        for part in self.parts():
            self._judge_part(events, *part, episodes)
        taken = np.flatnonzero(episodes)
        key = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))[taken]
        handover = (episodes[taken] & 1).astype(np.bool_)
        flags = self.tables.flags[self.log["row"][taken] + handover]
        moment, decision = (flags & kernel.MOMENT) != 0, (flags & kernel.DECISION) != 0
        index = np.ascontiguousarray(self.log["index"][taken])
        return self.frame[index].with_columns(
            self.ids.gather(index).cast(pl.String),
            verdicts.case_ids(self.key.values.cast(pl.String), key, episodes[taken] >> 1),
            pl.Series("moment", moment),
            pl.Series("decision", decision),
            pl.Series("internal", ~(moment | decision)),
            pl.Series("handover", handover),
        )


def _range(time_us: NDArray[np.int64]) -> tuple[int, int]:
    return (int(time_us.min()), int(time_us.max())) if len(time_us) else (0, 0)
