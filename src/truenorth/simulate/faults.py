"""Faults of the pipeline between what happens and what arrives, each by its rate, with what was done to which row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.logs.log import INSTANT
from truenorth.simulate.identities import anonymous_at_first
from truenorth.spec.problems import Problem, TruenorthError, nearest

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

LATE_US = (MINUTE_US, 3 * DAY_US)
"""A late event is late by so much, log-uniformly: as many by minutes as by hours."""
AGAIN_US = (SECOND_US, HOUR_US)
"""A duplicate arrives so long after the first arrival, log-uniformly."""
SKEW_US = (SECOND_US, 2 * HOUR_US)
"""A clock is off by so much, log-uniformly, fast or slow."""
MOST_OVERTAKING = 10
"""An event out of order is overtaken by at most so many others."""

LOSABLE = ("customer", "case", "actor", "team", "channel", "cost", "revenue", "feeling", "text")
"""Fields whose values can go missing."""

I64 = NDArray[np.int64]


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in [0, 1]; 0 switches a fault off. TruenorthError, with all rates that are none, if one is outside.

    * ``duplicates``: share of events that arrive twice.
    * ``disorder``: share of events that 1 to 10 later ones overtake. Of those of one instant only the last can be held
      back, so that they keep their order.
    * ``lateness``: share of events that arrive 1 minute to 3 days late.
    * ``clock_skew``: share of devices (customers; without one, sources) whose clock is off by 1 second to 2 hours.
    * ``missing``: share of the values of each optional field that are lost.
    * ``identity``: share of customers with two or more events who are anonymous at first.

    >>> Faults(duplicates=0.01).duplicates
    0.01
    >>> Faults(disorder=2)
    Traceback (most recent call last):
    truenorth.spec.problems.TruenorthError: disorder: expected a rate from 0 to 1, found 2
    """

    duplicates: float = 0.0
    disorder: float = 0.0
    lateness: float = 0.0
    clock_skew: float = 0.0
    missing: float = 0.0
    identity: float = 0.0

    def __post_init__(self) -> None:
        rates = msgspec.structs.asdict(self)
        _refuse([_no_rate(name, rate) for name, rate in rates.items() if not 0 <= rate <= 1])


class Disturbed(NamedTuple):
    """What arrives, and what was done to it.

    ``arrivals``: the events in the order of arrival. New columns: ``received`` (with lateness or clock skew),
    ``sent_at`` (with clock skew: the device's clock when it sent the event, so ``time + received - sent_at`` is the
    true time), ``anonymous_id`` (with identity).

    ``truth``: one row for each arrival: ``row`` of the original frame (from 0; null for an identify event that was
    added), ``true_time``, ``true_customer`` (where there are customers), ``duplicate``, ``held_back``, ``late_us``,
    ``skew_us``, ``missing`` (names of the lost fields, joined by commas).
    """

    arrivals: pl.DataFrame
    truth: pl.DataFrame


def counted(truth: pl.DataFrame) -> dict[str, int]:
    """What was done to how many: arrivals that are duplicates, events held back, late, dated by a clock that is off,
    values lost, customers who were anonymous at first.

    >>> from datetime import UTC, datetime
    >>> frame = pl.DataFrame({"id": ["a"], "time": [datetime(2026, 1, 1, tzinfo=UTC)]})
    >>> counted(apply(frame, Faults(duplicates=1), seed=1).truth)["duplicates"]
    1
    """
    first = ~pl.col("duplicate")
    counts = truth.select(
        duplicates=pl.col("duplicate").sum(),
        disorder=(first & pl.col("held_back")).sum(),
        lateness=(first & (pl.col("late_us") > 0)).sum(),
        clock_skew=(first & (pl.col("skew_us") != 0)).sum(),
        missing=pl.col("missing").filter(first).str.count_matches(r"\w+").sum(),
        identity=(first & pl.col("row").is_null()).sum(),
    )
    return counts.row(0, named=True)


def parse_faults(text: str) -> Faults:
    """The faults of a text such as ``duplicates=0.01,disorder=0.05``; TruenorthError with all that is wrong.

    >>> parse_faults("duplicates=0.01, clock-skew=0.1").clock_skew
    0.1
    >>> parse_faults("disorder=x")
    Traceback (most recent call last):
    truenorth.spec.problems.TruenorthError: disorder: expected a rate from 0 to 1, found x
    """
    rates: dict[str, float] = {}
    problems = []
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _, value = (part.strip() for part in item.partition("="))
        field = name.replace("-", "_")
        if field not in Faults.__struct_fields__:
            hint = nearest(field, Faults.__struct_fields__)
            problems.append(Problem(path=name, expected="a fault", found=f"'{name}'", hint=hint))
            continue
        try:
            rates[field] = float(value)
        except ValueError:
            problems.append(_no_rate(name, value or "nothing"))
    problems += [_no_rate(name, rate) for name, rate in rates.items() if not 0 <= rate <= 1]
    _refuse(problems)
    return Faults(**rates)


def _no_rate(name: str, found: object) -> Problem:
    return Problem(path=name, expected="a rate from 0 to 1", found=str(found))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise TruenorthError(problems)


def apply(frame: pl.DataFrame, faults: Faults, seed: int) -> Disturbed:
    """Disturb events (in the order in which they happened) as a pipeline would.

    ``frame`` has the columns ``id`` and ``time``; every column but these may be missing. No event is lost: each
    original arrives at least once. Each fault has its own stream of random numbers. The same frame, faults and seed
    give the same result. TruenorthError without ``id`` or ``time``.

    >>> from datetime import UTC, datetime
    >>> frame = pl.DataFrame({"id": ["a"], "time": [datetime(2026, 1, 1, tzinfo=UTC)]})
    >>> apply(frame, Faults(duplicates=1), seed=1).arrivals["id"].to_list()
    ['a', 'a']
    """
    lacking = [name for name in ("id", "time") if name not in frame.columns]
    _refuse([Problem(path=name, expected=f"a column '{name}'", found="none") for name in lacking])
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(6)]
    events, truth = frame, _untouched(frame)
    if faults.identity and "customer" in frame.columns:
        events, truth = anonymous_at_first(events, truth, faults.identity, streams[0])
    if faults.missing:
        events, truth = _lose(events, truth, faults.missing, streams[1])
    if faults.clock_skew:
        truth = _skew(events, truth, faults.clock_skew, streams[2])
    if not (faults.lateness or faults.clock_skew or faults.disorder or faults.duplicates):
        return Disturbed(events, truth)
    arriving = _arriving(events, truth, faults, streams[3:])
    return _arrived(events, truth, arriving, faults)


def _untouched(frame: pl.DataFrame) -> pl.DataFrame:
    """The truth about events to which nothing has been done."""
    customer = [pl.col("customer").alias("true_customer")] if "customer" in frame.columns else []
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.col("time").cast(INSTANT).alias("true_time"),
        *customer,
        pl.lit(False).alias("duplicate"),
        pl.lit(False).alias("held_back"),
        pl.lit(0, pl.Int64).alias("late_us"),
        pl.lit(0, pl.Int64).alias("skew_us"),
        pl.lit("").alias("missing"),
    )


def _lose(
    events: pl.DataFrame, truth: pl.DataFrame, rate: float, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Values of optional fields become null; identify events that were added stay whole."""
    fields = [name for name in LOSABLE if name in events.columns]
    real = truth["row"].is_not_null()
    drawn = {name: pl.Series(rng.random(events.height) < rate) for name in fields}
    lost = {name: real & events[name].is_not_null() & drawn[name] for name in fields}
    kept = [pl.when(~lost[name]).then(pl.col(name)).alias(name) for name in fields]
    names = [pl.when(lost[name]).then(pl.lit(name)) for name in fields]
    missing = pl.concat_str(*names, separator=",", ignore_nulls=True) if names else pl.lit("")
    return events.with_columns(kept), truth.with_columns(missing.alias("missing"))


def _skew(events: pl.DataFrame, truth: pl.DataFrame, rate: float, rng: np.random.Generator) -> pl.DataFrame:
    """How far off the clock of each event's device is."""
    owners = [frame[name] for frame, name in ((truth, "true_customer"), (events, "source")) if name in frame.columns]
    nobody = pl.repeat("", events.height, eager=True)
    device = pl.select(pl.coalesce(*(owner.cast(pl.String) for owner in owners), nobody)).to_series()
    code = device.rank("dense").cast(pl.Int64).to_numpy() - 1
    n_devices = device.n_unique()
    off = rng.random(n_devices) < rate
    by_us = _log_uniform(rng, SKEW_US, n_devices) * rng.choice(np.array([-1, 1]), n_devices)
    return truth.with_columns(pl.Series("skew_us", np.where(off, by_us, 0)[code]))


def _log_uniform(rng: np.random.Generator, span_us: tuple[int, int], n: int) -> I64:
    return np.exp(rng.uniform(np.log(span_us[0]), np.log(span_us[1]), n)).astype(np.int64)


class _Arriving(NamedTuple):
    """For each arrival, in order: which event, when, and why then; ``late_us`` is by event."""

    event: I64
    received_us: I64
    duplicate: NDArray[np.bool_]
    held_back: NDArray[np.bool_]
    late_us: I64


def _arriving(
    events: pl.DataFrame, truth: pl.DataFrame, faults: Faults, streams: Sequence[np.random.Generator]
) -> _Arriving:
    """Late ones after those that came in time, then some out of order, then some again."""
    time_us = truth["true_time"].to_physical().to_numpy()
    sent = events["received"].cast(INSTANT).to_physical() if "received" in events.columns else None
    due_us = time_us if sent is None else sent.fill_null(truth["true_time"].to_physical()).to_numpy()
    n = len(time_us)
    late_us = _drawn(streams[0], faults.lateness, LATE_US, n)
    received_us = np.maximum.accumulate(due_us) + late_us
    order = np.argsort(received_us, kind="stable")

    ordered_us = time_us[order]
    last_of_instant = np.append(ordered_us[1:] != ordered_us[:-1], np.ones(min(n, 1), np.bool_))
    held_back = (streams[1].random(n) < faults.disorder) & last_of_instant
    overtaking = streams[1].integers(1, MOST_OVERTAKING, n, endpoint=True)
    moved = np.argsort(np.arange(n) + np.where(held_back, overtaking + 0.5, 0.0), kind="stable")
    order, held_back = order[moved], held_back[moved]
    received_us = np.maximum.accumulate(received_us[order])

    again = np.flatnonzero(streams[2].random(n) < faults.duplicates)
    again_us = received_us[again] + _log_uniform(streams[2], AGAIN_US, len(again))
    whole_us = np.concatenate([received_us, again_us])
    merged = np.argsort(whole_us, kind="stable")
    slots = np.concatenate([np.arange(n), again])[merged]
    return _Arriving(order[slots], whole_us[merged], merged >= n, held_back[slots], late_us)


def _drawn(rng: np.random.Generator, rate: float, span_us: tuple[int, int], n: int) -> I64:
    return np.where(rng.random(n) < rate, _log_uniform(rng, span_us, n), 0)


def _arrived(events: pl.DataFrame, truth: pl.DataFrame, arriving: _Arriving, faults: Faults) -> Disturbed:
    """Events and truth in the order of arrival, with the instants that the receiver and the devices saw."""
    truth = truth.with_columns(pl.Series("late_us", arriving.late_us))[arriving.event].with_columns(
        pl.Series("duplicate", arriving.duplicate), pl.Series("held_back", arriving.held_back)
    )
    arrivals = events[arriving.event]
    received = pl.Series("received", arriving.received_us).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    skew = truth["skew_us"].cast(pl.Duration("us"))
    if faults.lateness or faults.clock_skew or "received" in events.columns:
        arrivals = arrivals.with_columns(received)
    if faults.clock_skew:
        arrivals = arrivals.with_columns(pl.col("time") + skew, (pl.col("received") + skew).alias("sent_at"))
    return Disturbed(arrivals, truth)
