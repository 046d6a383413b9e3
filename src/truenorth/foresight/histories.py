"""What is known of some cases, as numbers: their events, their promises, their customers' earlier cases.

Built of a whole log or of the cases that a batch of events touches, the same way. A history may go on after the
instant that is looked at: what comes later is never read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine.codes import encode as numbered
from truenorth.foresight.hours import after_open
from truenorth.foresight.rows import NEVER
from truenorth.foresight.vocabulary import Vocabulary

if TYPE_CHECKING:
    from truenorth.engine.replay import Replay

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

MOMENT, DECISION, HANDOVER, RESOLVES, REOPENS = 1, 2, 4, 8, 16
"""Bits of `Histories.flags`."""
UNKNOWN = -1
"""The code of a value that is not there."""
FEW_ROWS = 4_000
"""Up to so many values are looked up one by one."""
LARGEST_NUMBER = 1e30
"""A number beyond it, an infinite one too, is not known: a sum of such would not fit into single precision."""

BROKEN = 2  # of the engine's verdicts
ENDED: Mapping[str, int] = {"achieved": 0, "failed": 1, "abandoned": 1}
"""How an earlier case of a customer ended: well or badly."""

INSTANCE = np.dtype(
    [
        ("promise", np.int32),
        ("from_event", np.int32),  # it is known from this event of the case on, counted from 0
        ("by_event", np.int32),  # the event that decided it, or UNKNOWN
        ("verdict", np.int8),
        ("started_us", np.int64),
        ("due_us", np.int64),
        ("decided_us", np.int64),
    ],
    align=True,
)
"""One instance of a promise; instants are NEVER where there is none."""

EARLIER = np.dtype([("closed_us", np.int64), ("ended", np.int8)], align=True)
"""An earlier case of the same customer: when it closed, and how it ended (`ENDED`, or UNKNOWN)."""


class Histories(NamedTuple):
    """Cases: ``starts`` (n_cases + 1,) delimit the events of each, in its order; the other starts do so likewise.

    ``type`` and ``owner`` are codes (`UNKNOWN` for none, the number of kept values for any other), as are
    ``categories`` (n_categories, n_events); ``numbers`` (n_numbers, n_events) are NaN where there is none, else at most
    `LARGEST_NUMBER` from 0.
    ``limit_us`` (n_cases,) is the instant at which the outcome is late.
    """

    id: pl.Series
    starts: I64
    time_us: I64
    flags: NDArray[np.uint8]
    type: I32
    owner: I32
    categories: I32
    numbers: NDArray[np.float64]
    limit_us: I64
    instance_starts: I64
    instances: NDArray[np.void]
    earlier_starts: I64
    earlier: NDArray[np.void]

    @property
    def n(self) -> int:
        """The number of cases."""
        return len(self.starts) - 1


End = tuple[str, str | None, int, str, int | None, int | None]
"""Of a case: its id, customer, opened, outcome, instant of the outcome, closed."""
Delimited = tuple[I64, NDArray[np.void]]
"""Where the rows of each case begin and end, and the rows."""


def histories_of_log(vocabulary: Vocabulary, events: pl.DataFrame, ends: Iterable[End]) -> Histories:
    """The histories of the cases that ``events`` (``case``, ``time``, ``type`` ..., by case in its order) belong to.

    Without a journey no promises are known, nor what an event is for its case. Earlier cases of each customer are
    looked for among the ``ends``.
    """
    run = events["case"].rle_id().to_numpy().astype(np.int64)
    starts = np.append(np.flatnonzero(np.diff(run, prepend=-1)), len(run)).astype(np.int64)
    no_promises = np.zeros(len(starts), np.int64), np.zeros(0, INSTANCE)
    return _histories(vocabulary, events, starts, np.zeros(events.height, np.uint8), no_promises, ends)


def histories_of(
    vocabulary: Vocabulary, replay: Replay, promises: NDArray[np.void], case: I64, ends: Iterable[End]
) -> Histories:
    """The histories of a replay's cases.

    ``promises`` (n,) are rows of `kernel.VERDICT` in the order of their cases, ``case`` (n,) is the place of each one's
    case. Earlier cases of each customer are looked for among the ``ends``.
    """
    instances = _instances(vocabulary, replay, promises, case)
    return _histories(vocabulary, replay.events, replay.of_cases.starts, flags_of(replay), instances, ends)


def _histories(
    vocabulary: Vocabulary,
    events: pl.DataFrame,
    starts: I64,
    flags: NDArray[np.uint8],
    instances: Delimited,
    ends: Iterable[End],
) -> Histories:
    time_us, n, opening = instants_us(events["time"]), events.height, starts[:-1]
    ids, opened_us = events["case"][opening], time_us[opening]
    customers = events["customer"][opening].cast(pl.String).to_list() if "customer" in events.columns else []
    earlier = _earlier(ids, customers, opened_us, ends)
    return Histories(
        id=ids,
        starts=starts,
        time_us=np.ascontiguousarray(time_us),
        flags=flags,
        type=codes(events, "type", vocabulary.types),
        owner=_carried(codes(events, vocabulary.owner, vocabulary.owners), starts),
        categories=_stacked([codes(events, one.name, one.values) for one in vocabulary.categories], n, np.int32),
        numbers=_stacked([_numbers(events, one.name) for one in vocabulary.numbers], n, np.float64),
        limit_us=_limits(vocabulary, opened_us),
        instance_starts=instances[0],
        instances=instances[1],
        earlier_starts=earlier[0],
        earlier=earlier[1],
    )


def _stacked(rows: Sequence[NDArray[Any]], n: int, dtype: type) -> NDArray[Any]:
    return np.stack(rows) if rows else np.empty((0, n), dtype)


def instants_us(column: pl.Series) -> I64:
    """Instants as microseconds, `NEVER` for null.

    >>> from datetime import datetime
    >>> instants_us(pl.Series([datetime(1970, 1, 1, 0, 0, 1), None])).tolist() == [1_000_000, NEVER]
    True
    """
    values = column.to_numpy().astype("datetime64[us]", copy=False).view(np.int64)
    return np.where(values == np.iinfo(np.int64).min, NEVER, values) if column.null_count() else values


@lru_cache(maxsize=512)
def _code_of(values: tuple[str, ...]) -> dict[str, int]:
    return {value: code for code, value in enumerate(values)}


def codes(events: pl.DataFrame, name: str, values: tuple[str, ...]) -> I32:
    """The code of each value of a column: its place in ``values``, their number for any other, `UNKNOWN` for null.

    >>> codes(pl.DataFrame({"a": ["x", "z", None]}), "a", ("x", "y")).tolist()
    [0, 2, -1]
    """
    if name not in events.columns:
        return np.full(events.height, UNKNOWN, np.int32)
    column, known, other = events[name].cast(pl.String), _code_of(values), len(values)
    if len(column) <= FEW_ROWS:
        return np.array([UNKNOWN if one is None else known.get(one, other) for one in column.to_list()], np.int32)
    coded = numbered(column)
    of_value = np.array([*(known.get(one, other) for one in coded.values.to_list()), UNKNOWN], np.int32)
    return of_value[coded.codes]


def _numbers(events: pl.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in events.columns:
        return np.full(events.height, np.nan)
    known = np.array(events[name].cast(pl.Float64, strict=False).to_numpy(), np.float64)  # a null becomes NaN
    known[np.abs(known) > LARGEST_NUMBER] = np.nan
    return known


def _carried(owner: I32, starts: I64) -> I32:
    """The last owner known so far in the case."""
    at = np.arange(len(owner))
    last = np.maximum.accumulate(np.where(owner >= 0, at, -1)) if len(owner) else at
    first = np.repeat(starts[:-1], np.diff(starts))
    return np.where(last >= first, owner[np.maximum(last, 0)], UNKNOWN).astype(np.int32)


def _limits(vocabulary: Vocabulary, opened_us: I64) -> I64:
    if vocabulary.within_us is None:
        return np.full(len(opened_us), NEVER, np.int64)
    if vocabulary.within_calendar is None:
        return opened_us + vocabulary.within_us
    return after_open(vocabulary.within_calendar, opened_us, vocabulary.within_us)


def flags_of(replay: Replay) -> NDArray[np.uint8]:
    """What each event of a replay is for its case: the bits `MOMENT` to `REOPENS`."""
    from truenorth.engine import kernel

    flags = HANDOVER * replay.events["handover"].to_numpy().astype(np.uint8)
    marks = replay.of_cases.marks
    for bit, mark in (
        (MOMENT, kernel.MOMENT),
        (DECISION, kernel.DECISION),
        (RESOLVES, kernel.ACHIEVED_BY),
        (REOPENS, kernel.REOPENED_BY),
    ):
        flags |= bit * ((marks & mark) != 0).astype(np.uint8)
    return flags


def _instances(vocabulary: Vocabulary, replay: Replay, promises: NDArray[np.void], case: I64) -> Delimited:
    """Instances by case. Promises know the events that started and decided them by their places in the log."""
    starts, place, time_us = replay.of_cases.starts, replay.of_cases.place, instants_us(replay.events["time"])
    numbers = {term.name: number for number, term in enumerate(vocabulary.terms)}
    term = np.array([numbers.get(promise.name, UNKNOWN) for promise in replay.journey.promises], np.int32)
    known = np.flatnonzero(term[promises["promise"]] >= 0) if len(term) else np.zeros(0, np.int64)
    promises, case = promises[known], case[known]
    row = np.full(int(place.max(initial=0)) + 1, UNKNOWN)
    row[place] = np.arange(len(place))

    def event_of(by: str, at: str, otherwise: int) -> I64:
        event = np.where(promises[by] >= 0, row[promises[by]], UNKNOWN)
        is_there = (event >= starts[case]) & (event < starts[case + 1]) & (time_us[event] == promises[at])
        return np.where(is_there, event - starts[case], otherwise)

    found = np.zeros(len(promises), INSTANCE)
    found["promise"], found["verdict"] = term[promises["promise"]], promises["verdict"]
    found["from_event"] = event_of("started_by", "started", 0)
    found["by_event"] = event_of("decided_by", "decided", UNKNOWN)
    for name in ("started", "due", "decided"):
        found[f"{name}_us"] = promises[name]
    return np.searchsorted(case, np.arange(len(starts))).astype(np.int64), found


def _earlier(ids: pl.Series, customers: Sequence[str | None], opened_us: I64, ends: Iterable[End]) -> Delimited:
    """The cases of each case's customer that opened before it, in the order of their ends.

    The ``customers`` of cases are those of their opening events: one that is named later was not known then.
    """
    by_customer: dict[str | None, list[tuple[int, int, str, int]]] = {}
    for case, customer, other_us, outcome, _, closed_us in ends if customers else ():
        if customer is not None and closed_us is not None:
            end = closed_us, other_us, case, ENDED.get(outcome, UNKNOWN)
            by_customer.setdefault(customer, []).append(end)
    if not by_customer:
        return np.zeros(len(ids) + 1, np.int64), np.zeros(0, EARLIER)
    rows, starts = list[tuple[int, int, str, int]](), [0]
    for name, customer, at_us in zip(ids.to_list(), customers, opened_us.tolist(), strict=True):
        before = by_customer.get(customer, ())
        rows += sorted(one for one in before if one[1] < at_us and one[2] != name)
        starts.append(len(rows))
    return np.array(starts, np.int64), np.array([(one[0], one[3]) for one in rows], EARLIER)
