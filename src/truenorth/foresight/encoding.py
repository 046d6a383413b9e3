"""Features: a pure function of what was known of a case and of the company's load at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight import load as loads_of
from truenorth.foresight import walk
from truenorth.foresight.columns import blocks_of, columns_of
from truenorth.foresight.histories import Histories
from truenorth.foresight.hours import local_us, open_between
from truenorth.foresight.load import Load
from truenorth.foresight.rows import NEVER, Rows
from truenorth.foresight.vocabulary import Vocabulary
from truenorth.spec.durations import HOUR_US

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]


class Instants(NamedTuple):
    """Which rows are asked for, sorted by case, then by events seen; the fields are those of `Rows`."""

    case: NDArray[np.int32]
    prefix: NDArray[np.int32]
    time_us: I64
    at_event: NDArray[np.bool_]


def rows_at(vocabulary: Vocabulary, histories: Histories, loads: Sequence[Load], wanted: Instants) -> Rows:
    """The features of some cases at some instants; ``wanted.case`` are positions in ``histories``."""
    x = np.empty((len(wanted.case), len(columns_of(vocabulary))), np.float32)
    _Filler(vocabulary, histories, loads, wanted).fill(x)
    return Rows(x, *wanted)


def encode(vocabulary: Vocabulary, histories: Histories, at_us: int | I64, loads: Load | Sequence[Load] = ()) -> Rows:
    """One row for each case as it stands at an instant: ``at_us`` for all of them, or (n_cases,) for each.

    Events after the instant are not looked at; a case without any until then has no row. ``loads`` add up; without any
    the company is seen as idle.
    """
    at = np.broadcast_to(np.asarray(at_us, np.int64), histories.n)
    wanted = latest(histories, at)
    return rows_at(vocabulary, histories, (loads,) if isinstance(loads, Load) else loads, wanted)


def latest(histories: Histories, at_us: I64) -> Instants:
    """The rows of all cases at an instant each, (n_cases,); cases that have not begun are left out."""
    prefix = walk.seen(histories.starts, histories.time_us, np.ascontiguousarray(at_us))
    case = np.flatnonzero(prefix).astype(np.int32)
    last_us = histories.time_us[histories.starts[case] + prefix[case] - 1]
    return Instants(case, prefix[case], at_us[case], last_us == at_us[case])


class _Filler:
    """Fills the blocks of one matrix."""

    def __init__(self, vocabulary: Vocabulary, known: Histories, loads: Sequence[Load], wanted: Instants) -> None:
        self.vocabulary, self.known, self.loads, self.wanted = vocabulary, known, loads, wanted
        self.of_row = (wanted.case, wanted.prefix, wanted.time_us)
        self.n_numbers = self.n_categories = 0
        self.is_resolved: NDArray[np.bool_]  # by row; known once the flagged events are

    def fill(self, x: F32) -> None:
        """Fill all columns, block by block."""
        at = 0
        for name, columns in blocks_of(self.vocabulary):
            getattr(self, f"_{name}")(x[:, at : at + len(columns)])
            at += len(columns)

    @property
    def _last(self) -> I64:
        """The last event of each row."""
        return self.known.starts[self.wanted.case] + self.wanted.prefix - 1

    def _course(self, out: F32) -> None:
        known, n_kinds = self.known, (len(self.vocabulary.types) + 1, len(self.vocabulary.owners) + 1)
        walk.course(known.starts, known.time_us, known.type, known.owner, *self.of_row, n_kinds, out)

    def _types(self, out: F32) -> None:
        known = self.known
        walk.types(known.starts, known.time_us, known.type, *self.of_row, len(self.vocabulary.types) + 1, out)

    def _clock(self, out: F32) -> None:
        walk.clock(local_us(self.vocabulary.zone, self.wanted.time_us), out)

    def _flagged(self, out: F32) -> None:
        walk.flagged(self.known.starts, self.known.time_us, self.known.flags, *self.of_row, out)
        self.is_resolved = out[:, walk.RESOLVED] == 1.0

    def _outcome(self, out: F32) -> None:
        vocabulary, at_us = self.vocabulary, self.wanted.time_us
        limit_us = self.known.limit_us[self.wanted.case]
        out[:, 0] = _hours(limit_us, at_us)
        out[:, 1] = np.nan
        if vocabulary.within_calendar is not None:
            out[:, 1] = open_between(vocabulary.within_calendar, at_us, limit_us) / HOUR_US
        silence_us = vocabulary.abandoned_after_us
        out[:, 2] = np.nan
        if silence_us is not None:
            out[:, 2] = _hours(self.known.time_us[self._last] + silence_us, at_us)
        out[self.is_resolved] = np.nan  # then no deadline runs: none is missed, however long it holds

    def _promises(self, out: F32) -> None:
        terms, known = self.vocabulary.terms, self.known
        due_us = np.empty((len(out), len(terms)), np.int64)
        asked = (*self.of_row, self.wanted.at_event, len(terms))
        walk.promises(known.instance_starts, known.instances, *asked, due_us, out)
        at = walk.N_PROMISES + walk.N_TERM * len(terms)
        for number, term in enumerate(terms):
            if term.calendar and term.is_timed:
                out[:, at] = _open_hours(term.calendar, self.wanted.time_us, due_us[:, number])
                at += 1

    def _number(self, out: F32) -> None:
        number = self.n_numbers
        self.n_numbers += 1
        values, asked = self.known.numbers[number], self.of_row[:2]
        walk.number(self.known.starts, values, *asked, self.vocabulary.numbers[number].of_case, out)

    def _category(self, out: F32) -> None:
        number, one = self.n_categories, self.vocabulary.categories[self.n_categories]
        self.n_categories += 1
        asked = (*self.of_row[:2], one.of_case, len(one.values) + 1)
        walk.category(self.known.starts, self.known.categories[number], *asked, out)

    def _earlier(self, out: F32) -> None:
        known = self.known
        walk.earlier_cases(known.earlier_starts, known.earlier, self.wanted.case, self.wanted.time_us, out)

    def _load(self, out: F32) -> None:
        last, at_us = self._last, self.wanted.time_us
        stage, owner = self.known.type[last], self.known.owner[last]
        loads_of.fill(self.loads, stage, owner, at_us, self.vocabulary.is_judged, out)


def _hours(until_us: I64, at_us: I64) -> NDArray[np.float64]:
    return np.where(until_us == NEVER, np.nan, (until_us - at_us) / HOUR_US)


def _open_hours(calendar: Any, at_us: I64, due_us: I64) -> NDArray[np.float64]:
    hours = np.full(len(at_us), np.nan)
    pending = due_us != NEVER
    hours[pending] = open_between(calendar, at_us[pending], due_us[pending]) / HOUR_US
    return hours
