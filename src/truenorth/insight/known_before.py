"""What was known of a case when it opened, and what had gone wrong in it by some instant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from truenorth.insight.coded import NEVER_US, Bools, CodedEvents, Floats, Ints
from truenorth.spec.conditions import fields_of
from truenorth.spec.model import Promise, PromiseKind

NOT_KNOWN = frozenset(
    {"source", "id", "time", "received", "case", "customer", "text", "cost", "revenue", "feeling"}
    | {"moment", "decision", "internal", "handover"}
)
"""Fields that name the event or say how it went, not what the case is like."""

TELLS_ALL = 0.5
"""A column that tells more than this share of the outcome's variance is not believed to be known at the opening."""

N_BINS = 20
"""A number is cut into so many parts where it is asked what a column tells of the outcome."""


class Opening(NamedTuple):
    """``facts``: a row for each case, what its opening event says. ``suspected``: columns left out, for they tell "
    "it all."""

    facts: pl.DataFrame
    suspected: tuple[str, ...]


def opening_facts(events: CodedEvents, bad: Floats, known: Bools, exclude: Collection[str] = ()) -> Opening:
    """What the opening event of each case says of it: its columns, the hour, the weekday and the day in the log.

    ``bad`` (n_cases) is the outcome of the cases, for those that are ``known``. Left out are columns that name things
    (texts with a value for every second case), columns without a difference, instants, those of ``exclude``, and those
    that tell more than half of the variance of the outcome by themselves: such a column was most likely written later.
    """
    if not events.n_cases:
        return Opening(pl.DataFrame(), ())
    opening = events.replay.events[events.first[:-1]]
    names = [name for name in opening.columns if name not in NOT_KNOWN and name not in exclude]
    usable = [opening[name] for name in names if _says_something(opening[name])]
    suspected = tuple(column.name for column in usable if _variance_told(column, bad, known) > TELLS_ALL)
    kept = [column for column in usable if column.name not in suspected]
    time = opening["time"]
    clock = pl.DataFrame(
        {
            "hour": time.dt.hour().cast(pl.Float64),
            "weekday": time.dt.weekday().cast(pl.String),
            "day": (time - time.min()).dt.total_hours() / 24,
        }
    )
    return Opening(pl.DataFrame(kept).hstack(clock) if kept else clock, suspected)


def _says_something(column: pl.Series) -> bool:
    n = column.n_unique()
    is_value = column.dtype.is_numeric() or column.dtype in {pl.Boolean, pl.String, pl.Categorical, pl.Enum}
    names_things = not column.dtype.is_numeric() and n > len(column) / 2
    return is_value and n > 1 and not names_things


def _variance_told(column: pl.Series, bad: Floats, known: Bools) -> float:
    """The share of the variance of the outcome between the values of a column (eta squared), less what chance gives."""
    values = column.filter(pl.Series(known))
    outcome = pl.Series("bad", bad[known])
    if values.dtype.is_numeric() and values.n_unique() > N_BINS:
        values = (values.rank("average") * N_BINS / (len(values) + 1)).floor()
    groups = pl.DataFrame({"value": values, "bad": outcome}).group_by("value").agg(pl.len(), pl.col("bad").mean())
    n, whole = len(outcome), outcome.var(ddof=0)
    if not n or not whole or groups.height >= n:
        return 0.0
    between = groups.select((pl.col("len") * (pl.col("bad") - outcome.mean()) ** 2).sum()).item() / n
    told = between / float(whole)  # type: ignore[arg-type]
    return float(1 - (1 - told) * (n - 1) / (n - groups.height))


# --- by an instant ---------------------------------------------------------------------------------------------------


def positions_at(events: CodedEvents, cases: Ints, at_us: Ints) -> Ints:
    """The first event of each of some cases at or after an instant; where none, the end of the case."""
    low, high = events.first[cases].copy(), events.first[cases + 1].copy()
    while (low < high).any():
        middle = (low + high) // 2
        before = (low < high) & (events.time_us[np.minimum(middle, events.n_events - 1)] < at_us)
        low, high = np.where(before, middle + 1, low), np.where(before | (low >= high), high, middle)
    return low


class Track(NamedTuple):
    """How a promise went in each case: ``first_us`` (n_cases), when it first went wrong; ``hits``: by event, or "
    "None."""

    name: str
    first_us: Ints
    hits: Ints | None

    def before(self, events: CodedEvents, cases: Ints, at: Ints, at_us: Ints) -> Floats:
        """How often it had gone wrong in each of some cases by an instant (``at``: the position of that)."""
        if self.hits is None:
            return (self.first_us[cases] < at_us).astype(np.float64)
        return (self.hits[at] - self.hits[events.first[cases]]).astype(np.float64)


def tracks(events: CodedEvents) -> list[Track]:
    """The track of every promise that tells of something done or left undone (see `is_sign`)."""
    return [_track(events, promise) for promise in events.replay.journey.promises if not is_sign(promise)]


def is_sign(promise: Promise) -> bool:
    """Whether a promise tells how a case fares, not what was done: a feeling, a running total, or any silence.

    Nobody breaks such a promise by a deed; it is broken by all that goes wrong, so it is a sign and no cause.

    >>> is_sign(Promise(name="cheap", kind=PromiseKind.TOTAL, at_most=5, total="cost"))
    True
    """
    asked = promise.never or promise.of
    feels = asked is not None and "feeling" in fields_of(asked.tree)
    return feels or promise.kind in {PromiseKind.TOTAL, PromiseKind.RHYTHM}


def _track(events: CodedEvents, promise: Promise) -> Track:
    hits = promise.never or promise.of
    if hits is not None:
        holds = events.holds(hits)
        at = events.first_where(holds)
        time_us = np.append(events.time_us, NEVER_US)
        return Track(promise.name, time_us[at], np.append(np.int32(0), np.cumsum(holds, dtype=np.int32)))
    return Track(promise.name, first_broken_us(events, promise.name), None)


def first_broken_us(events: CodedEvents, promise: str) -> Ints:
    """When a promise was first broken in each case; `NEVER_US` where it was not."""
    broken = events.replay.promises.lazy().filter((pl.col("promise") == promise) & (pl.col("verdict") == "broken"))
    return by_case(
        events, broken.select("case", at=pl.col("decided").to_physical()).group_by("case").agg(pl.col("at").min()), "at"
    )


def by_case(events: CodedEvents, rows: pl.LazyFrame, name: str) -> Ints:
    """A column of a frame with one row for some of the cases, for every case; `NEVER_US` for the others."""
    found = events.cases.lazy().select("case").join(rows, on="case", how="left", maintain_order="left").collect()
    return found[name].fill_null(NEVER_US).to_numpy().astype(np.int64)


def columns_before(
    events: CodedEvents, tracked: Sequence[Track], cases: Ints, at_us: Ints, *, counts: bool
) -> pl.DataFrame:
    """What had gone wrong in some cases by an instant each: a column for each track.

    With ``counts`` also the events and hand-overs so far and the hours since opening; only where the instant is one at
    which every case arrives by itself, not one that what is asked about brings about.
    """
    at = positions_at(events, cases, at_us)
    columns = {f"{track.name} before": track.before(events, cases, at, at_us) for track in tracked}
    if counts:
        handovers = np.append(0, np.cumsum(events.handover))
        start = events.first[cases]
        columns |= {
            "events before": (at - start).astype(np.float64),
            "hand-overs before": (handovers[at] - handovers[start]).astype(np.float64),
            "log hours before": np.log1p(np.maximum(at_us - events.time_us[start], 0) / 3.6e9),
        }
    return pl.DataFrame(columns)
