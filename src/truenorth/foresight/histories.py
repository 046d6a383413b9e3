"""What is known of some cases, as numbers: their events, their promises, their customers' earlier cases.

Built from frames (`histories`), for a whole log or for the cases that a batch of events touches. A history may go on
after the instant that is looked at: what comes later is never read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine.codes import encode as numbered
from truenorth.foresight.hours import after_open
from truenorth.foresight.rows import NEVER
from truenorth.foresight.vocabulary import Vocabulary
from truenorth.spec.model import Journey

if TYPE_CHECKING:
    from truenorth.engine.compile import Marker

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

KEPT, BROKEN, LAPSED = 1, 2, 3
VERDICT_CODES: Mapping[str, int] = {"open": 0, "kept": KEPT, "broken": BROKEN, "lapsed": LAPSED}
ENDS: Mapping[str, int] = {"achieved": 0, "failed": 1, "abandoned": 1}
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
"""An earlier case of the same customer: when it closed, and how it ended (`ENDS`, or UNKNOWN)."""


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


def histories(
    vocabulary: Vocabulary,
    events: pl.DataFrame,
    promises: pl.DataFrame | None = None,
    cases: pl.DataFrame | None = None,
    *,
    flags: NDArray[np.uint8] | None = None,
    past: pl.DataFrame | None = None,
) -> Histories:
    """The histories of the cases that ``events`` (``case``, ``time``, ``type`` ..., by case in its order) belong to.

    ``promises`` is a table as a replay gives it, and so is ``cases``, among which the earlier ones of each customer are
    looked for (``case``, ``customer``, ``opened``, ``closed``, ``outcome``); ``past`` takes its place where those are
    not all here. ``flags`` (n_events,) come from `flags_of`.
    """
    time_us = instants_us(events["time"])
    run = events["case"].rle_id().to_numpy().astype(np.int64)
    starts = np.append(np.flatnonzero(np.diff(run, prepend=-1)), len(run)).astype(np.int64)
    ids = events["case"][starts[:-1]]
    opened_us = time_us[starts[:-1]]
    instance_starts, instances = _instances(vocabulary, events, ids, starts, promises)
    earlier_starts, earlier = _earlier(events, starts, cases if past is None else past)
    return Histories(
        id=ids,
        starts=starts,
        time_us=np.ascontiguousarray(time_us),
        flags=np.zeros(len(run), np.uint8) if flags is None else flags,
        type=codes(events, "type", vocabulary.types),
        owner=_carried(codes(events, vocabulary.owner, vocabulary.owners), starts),
        categories=_stacked([codes(events, one.name, one.values) for one in vocabulary.categories], len(run), np.int32),
        numbers=_stacked([_numbers(events, one.name) for one in vocabulary.numbers], len(run), np.float64),
        limit_us=_limits(vocabulary, opened_us),
        instance_starts=instance_starts,
        instances=instances,
        earlier_starts=earlier_starts,
        earlier=earlier,
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


def flags_of(journey: Journey, events: pl.DataFrame, marker: Marker | None = None) -> NDArray[np.uint8]:
    """What each event of a replay (with its flags ``moment``, ``decision``, ``handover``) is for its case.

    ``marker``: one that was made for the journey and these columns.
    """
    from truenorth.engine import kernel
    from truenorth.engine.compile import marker_of

    marker = marker or marker_of(journey, events.schema)
    rows = marker.rows(events) + events["handover"].to_numpy().astype(np.int32)
    marks = marker.flags()[rows]
    flags = np.zeros(events.height, np.uint8)
    for bit, name in ((MOMENT, "moment"), (DECISION, "decision"), (HANDOVER, "handover")):
        flags |= bit * events[name].to_numpy().astype(np.uint8)
    for bit, mark in ((RESOLVES, kernel.ACHIEVED_BY), (REOPENS, kernel.REOPENED_BY)):
        flags |= bit * ((marks & mark) != 0).astype(np.uint8)
    return flags


def _instances(
    vocabulary: Vocabulary, events: pl.DataFrame, ids: pl.Series, starts: I64, promises: pl.DataFrame | None
) -> tuple[I64, NDArray[np.void]]:
    """Instances by case, in the order of the table."""
    if promises is None or not vocabulary.terms or promises.is_empty():
        return np.zeros(len(ids) + 1, np.int64), np.zeros(0, INSTANCE)
    terms = {term.name: number for number, term in enumerate(vocabulary.terms)}
    if max(events.height, promises.height) <= FEW_ROWS:
        return _instances_one_by_one(terms, events, ids, starts, promises)
    numbers = pl.DataFrame({"case": ids, "number": np.arange(len(ids))})
    found = (
        promises.filter(pl.col("promise").is_in(list(terms)))
        .with_columns(pl.col("started_by", "decided_by").cast(pl.String))
        .join(numbers, on="case", how="inner", maintain_order="left")
        .sort("number", maintain_order=True)
    )
    places = _places(events, starts)
    for by, at, place in (("started_by", "started", "from_event"), ("decided_by", "decided", "by_event")):
        named = places.rename({"id": by, "time": at, "place": place})
        found = found.join(named, on=["case", by, at], how="left", maintain_order="left")
    rows = np.zeros(found.height, INSTANCE)
    rows["promise"] = found["promise"].replace_strict(terms, return_dtype=pl.Int32).to_numpy()
    rows["verdict"] = found["verdict"].cast(pl.String).replace_strict(VERDICT_CODES, return_dtype=pl.Int8).to_numpy()
    rows["from_event"] = found["from_event"].fill_null(0).to_numpy()
    rows["by_event"] = found["by_event"].fill_null(UNKNOWN).to_numpy()
    for name in ("started", "due", "decided"):
        rows[f"{name}_us"] = instants_us(found[name])
    return _delimited(found["number"].to_numpy(), len(ids)), rows


def _instances_one_by_one(
    terms: Mapping[str, int], events: pl.DataFrame, ids: pl.Series, starts: I64, promises: pl.DataFrame
) -> tuple[I64, NDArray[np.void]]:
    """The same where there are few: every call of a frame costs as much as some hundred rows."""
    numbers = {case: number for number, case in enumerate(ids.to_list())}
    case = np.repeat(np.arange(len(ids)), np.diff(starts)).tolist()
    names, times_us = events["id"].cast(pl.String).to_list(), instants_us(events["time"]).tolist()
    places: dict[tuple[int, str | None, int], int] = {}
    for row, key in enumerate(zip(case, names, times_us, strict=True)):
        places.setdefault(key, row - int(starts[key[0]]))
    texts = (
        promises[name].cast(pl.String).to_list() for name in ("case", "promise", "verdict", "started_by", "decided_by")
    )
    found = []
    for of, promise, verdict, started_by, decided_by, *times in zip(
        *texts, *(instants_us(promises[name]).tolist() for name in ("started", "due", "decided")), strict=True
    ):
        number, term = numbers.get(of), terms.get(promise)
        if number is not None and term is not None:
            started = 0 if started_by is None else places.get((number, started_by, times[0]), 0)
            decided = UNKNOWN if decided_by is None else places.get((number, decided_by, times[2]), UNKNOWN)
            found.append((number, (term, started, decided, VERDICT_CODES[verdict], *times)))
    found.sort(key=lambda one: one[0])
    rows = np.array([row for _, row in found], INSTANCE)
    return _delimited(np.array([number for number, _ in found], np.int64), len(ids)), rows


def _places(events: pl.DataFrame, starts: I64) -> pl.DataFrame:
    """The place of each event in its case, from 0, by what a promise knows of it."""
    first = np.repeat(starts[:-1], np.diff(starts))
    place = pl.Series("place", np.arange(len(first)) - first)
    named = events.select("case", pl.col("id").cast(pl.String), "time").with_columns(place)
    return named.unique(["case", "id", "time"], keep="first", maintain_order=True)


def _delimited(number: I64, n: int) -> I64:
    return np.searchsorted(number, np.arange(n + 1)).astype(np.int64)


def _earlier(events: pl.DataFrame, starts: I64, past: pl.DataFrame | None) -> tuple[I64, NDArray[np.void]]:
    """The cases of each case's customer that opened before it, in the order of their ends.

    The customer of a case is that of its opening event: one that is named later was not known then.
    """
    n = len(starts) - 1
    if past is None or past.is_empty() or "customer" not in past.columns or "customer" not in events.columns:
        return np.zeros(n + 1, np.int64), np.zeros(0, EARLIER)
    if max(events.height, past.height) <= FEW_ROWS:
        return _earlier_one_by_one(events, starts, past)
    first = events.select("case", pl.col("customer").cast(pl.String), "time")[starts[:-1]]
    now = first.with_columns(pl.Series("number", np.arange(n))).drop_nulls("customer")
    before = past.filter(pl.col("closed").is_not_null() & pl.col("customer").is_not_null()).select(
        pl.col("customer").cast(pl.String),
        pl.col("case").alias("other"),
        "opened",
        pl.col("closed").to_physical().alias("closed_us"),
        pl.col("outcome").cast(pl.String).replace_strict(ENDS, default=UNKNOWN, return_dtype=pl.Int8).alias("ended"),
    )
    found = (
        now.join(before, on="customer", how="inner")
        .filter((pl.col("opened") < pl.col("time")) & (pl.col("other") != pl.col("case")))
        .sort("number", "closed_us", "opened", "other")
    )
    rows = np.zeros(found.height, EARLIER)
    for name in EARLIER.names or ():
        rows[name] = found[name].to_numpy()
    return _delimited(found["number"].to_numpy(), n), rows


def _earlier_one_by_one(events: pl.DataFrame, starts: I64, past: pl.DataFrame) -> tuple[I64, NDArray[np.void]]:
    """The same where there are few."""
    by_customer: dict[str, list[tuple[int, int, str, int]]] = {}
    texts = (past[name].cast(pl.String).to_list() for name in ("customer", "case", "outcome"))
    times = (instants_us(past[name]).tolist() for name in ("opened", "closed"))
    for customer, case, outcome, opened_us, closed_us in zip(*texts, *times, strict=True):
        if customer is not None and closed_us != NEVER:
            end = closed_us, opened_us, case, ENDS.get(outcome, UNKNOWN)
            by_customer.setdefault(customer, []).append(end)
    opening = starts[:-1].tolist()
    names, customers = events["case"].to_list(), events["customer"].cast(pl.String).to_list()
    opened = instants_us(events["time"])[starts[:-1]].tolist()
    rows, counts = [], [0]
    for first, at_us in zip(opening, opened, strict=True):
        before = by_customer.get(customers[first], ())
        rows += sorted(one for one in before if one[1] < at_us and one[2] != names[first])
        counts.append(len(rows))
    return np.array(counts, np.int64), np.array([(one[0], one[3]) for one in rows], EARLIER)
