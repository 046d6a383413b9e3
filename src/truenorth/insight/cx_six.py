"""How a journey feels, in six figures from events; never one number in place of them, nor of the outcome.

The six words are the field's (convenient, easy, fast, trackable, personalised, predictive). Their formulas here are our
own: each says what it counts.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl

from truenorth.insight.clustered import clustered_ratio
from truenorth.insight.flow import cases_of
from truenorth.insight.intervals import Z95
from truenorth.insight.replayed import DECIDED, Replayed
from truenorth.spec.durations import HOUR_US

WORD_LASTS_US = 48 * HOUR_US
"""So long after our last word a customer still knows where it stands."""
WAIT_US = HOUR_US
"""A gap between two moments that is longer than this is a wait."""

Unit = Literal["share", "moments", "us"]


class CxFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One of the six: ``value`` with its 95 % interval, over ``n`` customers (cases, for a median).

    ``unit``: a share in [0, 1], moments a case, or microseconds. ``value`` is None where the log cannot tell: then
    ``missing`` says why.
    """

    name: str
    unit: Unit
    better: Literal["high", "low"]
    formula: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    missing: str = ""


class CxSix(msgspec.Struct, frozen=True):
    """The six figures, in the field's order."""

    figures: tuple[CxFigure, ...]

    def to_frame(self) -> pl.DataFrame:
        """One row a figure."""
        return pl.DataFrame([msgspec.to_builtins(one) for one in self.figures], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {one.name: msgspec.to_builtins(one) for one in self.figures}


FORMULAS: dict[str, tuple[Unit, Literal["high", "low"], str]] = {
    "convenient": (
        "share",
        "high",
        "Cases in which all the customer's own moments came by one channel, of cases with two of them or more.",
    ),
    "easy": (
        "moments",
        "low",
        "Moments in which the customer had to act (events with no actor and no team), a decided case.",
    ),
    "fast": ("us", "low", "Median time from the need to the outcome, of achieved cases."),
    "trackable": (
        "share",
        "high",
        "Time of decided cases, from need to verdict, in which our last word was less than 48 hours old.",
    ),
    "personalised": (
        "share",
        "high",
        "Moments in which we acted, after the first of a case, with somebody (actor, else team) of that case before.",
    ),
    "predictive": (
        "share",
        "high",
        "Waits of more than an hour between two moments that ended with our moving first, not the customer.",
    ),
}
"""By figure: its unit, which way is better, and what is counted."""


class _Rows(NamedTuple):
    moments: pl.LazyFrame  # run (the number of the case), time, us_acting, who, channel
    cases: pl.LazyFrame  # run, customer, opened, outcome, outcome_time
    has_moments: bool
    has_customers_acts: bool
    has_our_acts: bool
    has_channel: bool


def cx_six(replay: Replayed) -> CxSix:
    """The six figures of a replay, by the formulas of `FORMULAS`; intervals take a customer's cases together.

    The median's interval is that of order statistics (normal approximation of the binomial). Source: W. J. Conover
    (1999), "Practical Nonparametric Statistics", 3rd ed., section 3.2.
    """
    rows = _rows(replay)
    nothing = "" if rows.has_moments else "there is no moment"
    no_customer = (
        "" if rows.has_customers_acts else "every moment names an actor or a team: what customers do is unseen"
    )
    no_company = "" if rows.has_our_acts else "no moment names an actor or a team: what we do is unseen"
    no_channel = "" if rows.has_channel else "the log has no channel"
    no_customer, no_company = nothing or no_customer, nothing or no_company
    return CxSix(
        (
            _ratio("convenient", no_customer or no_channel, _one_channel, rows),
            _ratio("easy", no_customer, _own_moments, rows),
            _fast(rows),
            _ratio("trackable", no_company, _time_known, rows),
            _ratio("personalised", no_company, _known_person, rows),
            _ratio("predictive", no_customer or no_company, _waits_we_ended, rows),
        )
    )


def _rows(replay: Replayed) -> _Rows:
    events = replay.events
    acting = [pl.col(name).is_not_null() for name in ("actor", "team") if name in events.columns]
    names = [pl.col(name).cast(pl.String) for name in ("actor", "team") if name in events.columns]
    nobody = pl.lit(None, dtype=pl.String)
    cases = replay.cases.lazy().join(cases_of(events), on="case", how="left")
    moments = (
        events.lazy()
        .select(
            pl.col("case").rle_id().alias("run"),
            "time",
            (pl.any_horizontal(acting) if acting else pl.lit(False)).alias("us_acting"),
            (pl.coalesce(names) if names else nobody).alias("who"),
            (pl.col("channel").cast(pl.String) if "channel" in events.columns else nobody).alias("channel"),
            "moment",
        )
        .filter("moment")
        .drop("moment")
        .collect()
    )
    return _Rows(
        moments.lazy(),
        cases.select("run", pl.coalesce("customer", "case").alias("customer"), "opened", "outcome", "outcome_time")
        .collect()
        .lazy(),
        has_moments=moments.height > 0,
        has_customers_acts=not moments["us_acting"].all() if moments.height else False,
        has_our_acts=bool(moments["us_acting"].any()),
        has_channel=moments["channel"].null_count() < moments.height,
    )


def _ratio(name: str, missing: str, rule: Any, rows: _Rows) -> CxFigure:
    """A figure that is a ratio: ``rule`` gives ``run``, ``part`` and ``whole``."""
    unit, better, formula = FORMULAS[name]
    blank = CxFigure(name=name, unit=unit, better=better, formula=formula, missing=missing)
    if missing:
        return blank
    of_case = rule(rows).group_by("run").agg(pl.col("part", "whole").cast(pl.Float64).sum())
    sums = of_case.join(rows.cases, on="run").group_by("customer").agg(pl.col("part", "whole").sum())
    found = clustered_ratio(sums.filter(pl.col("whole") > 0), "part", "whole")
    if found is None:
        return msgspec.structs.replace(blank, missing="no case to count")
    value, low, high, n = found
    top = 1.0 if unit == "share" else float("inf")
    bounds = {"low": max(0.0, low), "high": min(top, high)} if n > 1 else {}
    return msgspec.structs.replace(blank, value=value, n=n, **bounds)


def _decided(rows: _Rows) -> pl.LazyFrame:
    return rows.cases.filter(pl.col("outcome").is_in(DECIDED))


def _one_channel(rows: _Rows) -> pl.LazyFrame:
    of_case = (
        rows.moments.filter(~pl.col("us_acting") & pl.col("channel").is_not_null())
        .group_by("run")
        .agg(pl.len().alias("n"), pl.col("channel").n_unique().alias("channels"))
    )
    return of_case.filter(pl.col("n") > 1).select(
        "run", (pl.col("channels") == 1).alias("part"), pl.lit(1).alias("whole")
    )


def _own_moments(rows: _Rows) -> pl.LazyFrame:
    own = rows.moments.filter(~pl.col("us_acting")).group_by("run").agg(pl.len().alias("part"))
    return (
        _decided(rows)
        .join(own, on="run", how="left")
        .select("run", pl.col("part").fill_null(0), pl.lit(1).alias("whole"))
    )


def _fast(rows: _Rows) -> CxFigure:
    unit, better, formula = FORMULAS["fast"]
    blank = CxFigure(name="fast", unit=unit, better=better, formula=formula)
    lasted = (
        rows.cases.filter(pl.col("outcome") == "achieved")
        .select((pl.col("outcome_time") - pl.col("opened")).dt.total_microseconds().alias("us"))
        .sort("us")
        .collect()["us"]
    )
    n = len(lasted)
    if not n:
        return msgspec.structs.replace(blank, missing="no case was achieved")
    half = Z95 * n**0.5 / 2
    low, high = int(n / 2 - half), int(n / 2 + half)
    median = float(lasted.median())  # type: ignore[arg-type]
    bounds = {"low": float(lasted[low]), "high": float(lasted[high])} if low >= 0 and high < n else {}
    return msgspec.structs.replace(blank, value=median, n=n, **bounds)


def _time_known(rows: _Rows) -> pl.LazyFrame:
    """Of each decided case: its length, and how much of it lies within 48 hours of our last word."""
    words = (
        rows.moments.filter("us_acting")
        .select("run", "time")
        .join(_decided(rows).select("run", "outcome_time"), on="run", maintain_order="left")
        .filter(pl.col("time") < pl.col("outcome_time"))
    )
    until = pl.coalesce(pl.col("time").shift(-1).over("run"), pl.col("outcome_time"))
    known_us = (until - pl.col("time")).dt.total_microseconds().clip(upper_bound=WORD_LASTS_US)
    known = words.with_columns(known_us.alias("known")).group_by("run").agg(pl.col("known").sum())
    whole = (pl.col("outcome_time") - pl.col("opened")).dt.total_microseconds()
    return (
        _decided(rows)
        .join(known, on="run", how="left")
        .select("run", pl.col("known").fill_null(0).alias("part"), whole.alias("whole"))
    )


def _known_person(rows: _Rows) -> pl.LazyFrame:
    ours = rows.moments.filter("us_acting")
    first_of_case = pl.int_range(pl.len()).over("run") == 0
    first_of_person = pl.int_range(pl.len()).over("run", "who") == 0
    return (
        ours.with_columns(first_of_case.alias("first"), (~first_of_person).alias("part"))
        .filter(~pl.col("first"))
        .select("run", "part", pl.lit(1).alias("whole"))
    )


def _waits_we_ended(rows: _Rows) -> pl.LazyFrame:
    gap_us = (pl.col("time") - pl.col("time").shift(1).over("run")).dt.total_microseconds()
    return rows.moments.filter(gap_us > WAIT_US).select(
        "run", pl.col("us_acting").alias("part"), pl.lit(1).alias("whole")
    )
