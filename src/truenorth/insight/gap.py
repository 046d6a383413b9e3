"""The gap between what customers need and what they get: each statement of the canvas against the events."""

from __future__ import annotations

from calendar import day_name
from collections.abc import Collection
from typing import Any

import msgspec
import numpy as np
import polars as pl

from truenorth.insight.causes import NO_PLACE, Causes, causes_of_failure
from truenorth.insight.clustered import clustered_means
from truenorth.insight.coded import CodedEvents, Floats, coded
from truenorth.insight.customers import customers_of
from truenorth.insight.intervals import Z95
from truenorth.insight.known_before import opening_facts
from truenorth.insight.measured_by import OUTCOME, RULE, Measured, measured_statements
from truenorth.insight.replayed import Replayed

FALSE_DISCOVERIES = 0.05
"""A group is said to be hit harder at this rate of false discoveries (Benjamini and Hochberg)."""

MAX_LEVELS = 20
"""Columns with more values than this are not asked for groups."""

MIN_GROUP = 30
"""Smaller groups are not asked about."""

COUNTING = (
    "Actual: of ripe cases the share achieved, or the kept share of their judged instances of the promise; 95 % "
    "intervals take the cases of a customer as one. Gap: target less actual. Trend: cases opened in the first half "
    "of the time against the second. Who: of all values of what the opening event says, the group with the largest "
    "shortfall against all that is told apart from chance at 5 % false discoveries. Value of closing: for a promise "
    "the adjusted effect on value of keeping it where it was broken; for the outcome the value of an achieved case "
    "less that of a missed one; times the missed cases that closing the gap to the target takes."
)


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """The statements of the canvas against the events; see `gap` for the columns of both frames."""

    statements: pl.DataFrame
    closing: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """One row per statement."""
        return self.statements

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with the rules."""
        tables = {"statements": self.statements.to_dicts(), "closing": self.closing.to_dicts()}
        return {**tables, "rules": {"measured_by": RULE, "counting": COUNTING}}


def gap(replay: Replayed, *, seed: int = 0, exclude: Collection[str] = (), causes: Causes | None = None) -> Gap:
    """Target, actual, gap, trend and value of every statement of ``canvas.outcome``, and which promises would close it.

    Columns of ``statements``: ``statement``, ``measured_by`` (``outcome``, a promise, null: not measured), ``why``,
    ``target``, ``actual`` with ``_low`` and ``_high``, ``gap`` (all in [0, 1]), ``n`` (cases, or instances of the
    promise), ``n_missed``, ``before``, ``after``, ``change`` with ``_low`` and ``_high`` (shares of those opened in
    the first and second half), ``trend`` (*better*, *worse*, *steady*), ``group`` (who is hit hardest, null if nobody
    is told apart), ``group_actual``, ``group_n``, ``value`` with ``_low`` and ``_high`` (of closing the gap, in the
    journey's currency; null where the journey declares no value or the effect of the promise is not known).

    Columns of ``closing``, the largest first: ``promise``, ``n_broken`` (cases), ``fewer_failed`` with ``_low`` and
    ``_high`` (if it were kept there, see `causes_of_failure`), ``share_of_gap`` with ``_low`` and ``_high`` (of the
    cases that the outcome misses), ``clear`` and ``certainty`` (as there). Shares of several promises do not add up: a
    case may be saved by either. ``causes``: what `causes_of_failure` found before, to save the time.
    """
    events = coded(replay)
    found = causes or causes_of_failure(replay, seed=seed, exclude=exclude, kinds=("promise",))
    missed = (events.cases["outcome"] != "achieved").to_numpy().astype(np.float64)
    facts = opening_facts(events, missed, events.ripe, exclude).facts
    rows = [_row(events, one, facts, found) for one in measured_statements(replay.journey)]
    return Gap(statements=pl.DataFrame(rows, schema=SCHEMA), closing=_closing(found))


SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("statement", "measured_by", "why"), pl.String),
    **dict.fromkeys(("target", "actual", "actual_low", "actual_high", "gap"), pl.Float64),
    **dict.fromkeys(("n", "n_missed"), pl.Int64),
    **dict.fromkeys(("before", "after", "change", "change_low", "change_high"), pl.Float64),
    "trend": pl.String,
    "group": pl.String,
    "group_actual": pl.Float64,
    "group_n": pl.Int64,
    **dict.fromkeys(("value", "value_low", "value_high"), pl.Float64),
}


def _row(events: CodedEvents, one: Measured, facts: pl.DataFrame, causes: Causes) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SCHEMA) | {
        "statement": one.statement, "measured_by": one.by, "why": one.why, "target": one.target,
    }  # fmt: skip
    rows = _units(events, one) if one.by else None
    if rows is None or not rows.height:
        return row
    whole = clustered_means(rows.lazy().with_columns(all=pl.lit(1)), "all", "who", "kept").collect().row(0, named=True)
    actual, n = whole["mean"], whole["n"]
    n_missed = int(n - rows["kept"].sum())
    row |= {
        "actual": actual,
        "actual_low": None if whole["low"] is None else max(whole["low"], 0.0),
        "actual_high": None if whole["high"] is None else min(whole["high"], 1.0),
        "gap": one.target - actual,
        "n": n,
        "n_missed": n_missed,
        **_trend(events, rows),
        **_group(rows, facts, actual),
    }
    to_close = min(max((one.target - actual) * n / n_missed, 0.0), 1.0) if n_missed else 0.0
    return row | _value(events, one, causes, to_close)


def _units(events: CodedEvents, one: Measured) -> pl.DataFrame:
    """What a statement counts: ``number`` of the case, ``who``, ``kept`` as 0 or 1; ripe cases only."""
    who = customers_of(events)
    if one.by == OUTCOME:
        number = np.flatnonzero(events.ripe)
        kept = (events.cases["outcome"] == "achieved").to_numpy()[number].astype(np.float64)
        return pl.DataFrame({"number": number, "who": who[number], "kept": kept})
    numbers = events.cases.select("case").with_row_index("number").with_columns(ripe=events.ripe, who=who)
    return (
        events.replay.promises.lazy()
        .filter((pl.col("promise") == one.by) & pl.col("verdict").is_in(["kept", "broken"]))
        .join(numbers.lazy(), on="case")
        .filter("ripe")
        .select(pl.col("number").cast(pl.Int64), "who", (pl.col("verdict") == "kept").cast(pl.Float64).alias("kept"))
        .collect()
    )


def _trend(events: CodedEvents, rows: pl.DataFrame) -> dict[str, Any]:
    opened = events.instants("opened")[rows["number"].to_numpy()]
    halves = rows.lazy().with_columns(late=pl.Series(opened > np.median(opened)))
    found = {row["late"]: row for row in clustered_means(halves, "late", "who", "kept").collect().iter_rows(named=True)}
    if len(found) < 2 or any(half["low"] is None for half in found.values()):
        return {}
    before, after = found[False], found[True]
    change = after["mean"] - before["mean"]
    half = float(np.hypot(after["mean"] - after["low"], before["mean"] - before["low"]))
    trend = "better" if change - half > 0 else "worse" if change + half < 0 else "steady"
    return {
        "before": before["mean"], "after": after["mean"], "trend": trend,
        "change": change, "change_low": change - half, "change_high": change + half,
    }  # fmt: skip


NO_GROUPS = frozenset({"day", "actor"})
"""Of days the trend tells; and no figure is about a person."""


def _group(rows: pl.DataFrame, facts: pl.DataFrame, actual: float) -> dict[str, Any]:
    """The group with the largest shortfall that is told apart from chance."""
    from scipy.stats import false_discovery_control, norm  # noqa: PLC0415 heavy

    groups = []
    for column in facts.iter_columns():
        if column.name in NO_GROUPS or not 1 < column.n_unique() <= MAX_LEVELS:
            continue
        level = column.cast(pl.String).fill_null("(none)").gather(rows["number"])
        means = clustered_means(rows.lazy().with_columns(level=level), "level", "who", "kept").collect()
        groups += [{"column": column.name, **row} for row in means.iter_rows(named=True)]
    asked = [one for one in groups if one["n"] >= MIN_GROUP and one["low"] is not None and one["mean"] > one["low"]]
    if not asked:
        return {}
    scores = np.array([(one["mean"] - actual) / ((one["mean"] - one["low"]) / Z95) for one in asked])
    clear = false_discovery_control(2 * norm.sf(np.abs(scores))) <= FALSE_DISCOVERIES
    hit = [one for one, is_clear in zip(asked, clear, strict=True) if is_clear and one["mean"] < actual]
    if not hit:
        return {}
    worst = max(hit, key=lambda one: (actual - one["mean"]) * one["n"])
    name, value = str(worst["column"]), str(worst["level"])
    if name == "weekday":
        value = day_name[int(value) - 1]
    elif facts[name].dtype.is_float():
        value = value.removesuffix(".0")
    return {"group": f"{name} = {value}", "group_actual": worst["mean"], "group_n": worst["n"]}


def _value(events: CodedEvents, one: Measured, causes: Causes, to_close: float) -> dict[str, Any]:
    if not events.replay.journey.outcome.value:
        return {}
    if one.by == OUTCOME:
        return _value_of_outcome(events, to_close)
    is_told = ~pl.col("sign") & ~pl.col("certainty").is_in(NO_PLACE)
    effect = causes.points.filter((pl.col("kind") == "promise") & (pl.col("point") == one.by))
    effect = effect.filter(is_told) if effect.height else effect
    if not effect.height:
        return {}
    row = effect.row(0, named=True)
    return {name: to_close * row[of] for name, of in zip(_VALUES, _WON, strict=True)}


_VALUES = ("value", "value_low", "value_high")
_WON = ("value_won", "value_won_low", "value_won_high")


def _value_of_outcome(events: CodedEvents, to_close: float) -> dict[str, float]:
    """What the missed cases would be worth more: by declaration, so without an interval but that of the count."""
    worth: Floats = events.cases["value"].cast(pl.Float64).fill_null(0.0).to_numpy()[events.ripe]
    achieved = (events.cases["outcome"] == "achieved").to_numpy()[events.ripe]
    best = float(events.replay.journey.outcome.value.get("achieved", 0.0))
    lost = np.where(achieved, 0.0, best - worth)
    total = float(lost.sum())
    half = Z95 * float(lost.std()) * float(np.sqrt(len(lost)))
    return dict(zip(_VALUES, (to_close * total, to_close * (total - half), to_close * (total + half)), strict=True))


def _closing(causes: Causes) -> pl.DataFrame:
    """Promises that, were they kept, would close part of the gap of the outcome."""
    if not causes.points.height:
        return pl.DataFrame(schema={"promise": pl.String})
    of_gap = max(causes.n_failed, 1)
    ends = ("", "_low", "_high")
    return (
        causes.points.filter((pl.col("kind") == "promise") & ~pl.col("sign") & (pl.col("fewer_failed") > 0))
        .select(
            pl.col("point").alias("promise"),
            pl.col("n").alias("n_broken"),
            *(f"fewer_failed{end}" for end in ends),
            *((pl.col(f"fewer_failed{end}") / of_gap).alias(f"share_of_gap{end}") for end in ends),
            "clear",
            "certainty",
        )
        .sort("clear", "fewer_failed", descending=True)
    )
