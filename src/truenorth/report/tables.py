"""The tables of the report: frames as rows of text, ready to be escaped and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from truenorth.figures.failure import KIND_WORDS
from truenorth.figures.wording import count, duration, money, points, shorten
from truenorth.insight import (
    direct_follows,
    event_types,
    points_of_failure,
    promise_breaks,
    promise_verdicts,
    time_to_outcome,
    variants,
)
from truenorth.insight.promises import By
from truenorth.insight.replayed import Replayed
from truenorth.spec.counted import percent

MAX_ROWS = 30
"""A table of the report shows at most so many rows; its caption says so."""

NAME_CHARS = 120
Shown = tuple[str, Callable[[Mapping[str, Any]], str], bool]
"""Heading of a column, its text from a row, and whether it is a number (set to the right)."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table as text: ``numeric[i]`` says whether column ``i`` holds numbers; ``names`` are those that name a row."""

    caption: str
    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    names: tuple[int, ...] = (0,)


def shown(
    frame: pl.DataFrame,
    caption: str,
    columns: Sequence[Shown],
    max_rows: int = MAX_ROWS,
    names: tuple[int, ...] = (0,),
) -> Table:
    """The first rows of a frame as a table."""
    rows = tuple(tuple(text(row) for _, text, _ in columns) for row in frame.head(max_rows).iter_rows(named=True))
    cut = f" The first {max_rows} of {count(frame.height)} rows." if frame.height > max_rows else ""
    return Table(
        caption=caption + cut,
        headings=tuple(heading for heading, _, _ in columns),
        numeric=tuple(numeric for _, _, numeric in columns),
        rows=rows,
        names=names,
    )


def name_column(heading: str, key: str) -> Shown:
    """A column of text."""
    return heading, lambda row: shorten(row[key], NAME_CHARS), False


def count_column(heading: str, key: str) -> Shown:
    """A column of whole numbers."""
    return heading, lambda row: count(row[key]), True


def percent_column(heading: str, key: str) -> Shown:
    """A column of shares."""
    return heading, lambda row: percent(row[key]), True


def time_column(heading: str, key: str) -> Shown:
    """A column of microseconds, as lengths of time."""
    return heading, lambda row: duration(row[key]), True


def interval_column(heading: str, low: str, high: str) -> Shown:
    """A column of intervals of shares."""
    return heading, lambda row: f"{percent(row[low])} to {percent(row[high])}" if row[low] is not None else "n/a", True


VERDICT_COLUMNS = (
    count_column("made", "made"),
    count_column("kept", "kept"),
    count_column("broken", "broken"),
    count_column("lapsed", "lapsed"),
    count_column("open", "open"),
    percent_column("broken of judged", "broken_share"),
    interval_column("95 % interval", "low", "high"),
)


def promise_table(replay: Replayed) -> Table:
    """Verdicts by promise."""
    return shown(promise_verdicts(replay), "Promises by verdict.", [name_column("promise", "group"), *VERDICT_COLUMNS])


def breaks_table(replay: Replayed, by: By) -> Table:
    """Verdicts by the team or channel in which the promise began."""
    caption = f"Promises by the {by} of the event that started them."
    return shown(promise_breaks(replay, by), caption, [name_column(by, "group"), *VERDICT_COLUMNS])


def failure_table(replay: Replayed) -> Table:
    """The points of failure, ranked."""
    currency = replay.journey.currency

    def difference(row: Mapping[str, Any]) -> str:
        low, high = points(row["difference_low"]), points(row["difference_high"])
        return f"{points(row['difference'])} ({low} to {high})"

    def value(row: Mapping[str, Any]) -> str:
        low, high = (money(row[f"value_lost_{end}"]) for end in ("low", "high"))
        return f"{money(row['value_lost'], currency)} ({low} to {high})"

    columns: list[Shown] = [
        ("kind", lambda row: KIND_WORDS[row["kind"]], False),
        name_column("point", "point"),
        count_column("cases passing", "n"),
        percent_column("of them fail", "rate"),
        percent_column("of the others fail", "rate_others"),
        ("difference in points (95 % interval)", difference, True),
        ("chance?", lambda row: "clear" if row["clear"] else "may be chance", False),
        ("failing cases in excess", lambda row: f"{row['excess']:,.1f}", True),
    ]
    if replay.journey.outcome.value:
        columns.append(("value lost (95 % interval)", value, True))
    found = points_of_failure(replay).filter(pl.col("excess") > 0)
    return shown(found, "Points of failure, the costliest first: association, not cause.", columns)


def step_table(replay: Replayed) -> Table:
    """The most frequent direct follows."""
    columns = [
        name_column("from", "source"),
        name_column("to", "target"),
        count_column("times", "n"),
        count_column("cases", "n_cases"),
        time_column("median time", "median_us"),
        percent_column("hand-over in", "handover_share"),
    ]
    return shown(direct_follows(replay), "Steps: which event directly follows which.", columns)


def type_table(replay: Replayed) -> Table:
    """The event types."""
    columns = [
        name_column("event type", "type"),
        name_column("mostly", "kind"),
        count_column("events", "n"),
        count_column("cases", "n_cases"),
        percent_column("of the cases", "case_share"),
        percent_column("hand-over in", "handover_share"),
        time_column("median time to the next", "median_next_us"),
    ]
    caption = "Event types; each is of the kind that most of its events have."
    return shown(event_types(replay), caption, columns, 100)


def pace_table(replay: Replayed) -> Table:
    """Durations by verdict."""
    columns = [
        name_column("verdict", "outcome"),
        count_column("cases", "n"),
        time_column("shortest", "min_us"),
        time_column("tenth", "p10_us"),
        time_column("median", "median_us"),
        time_column("mean", "mean_us"),
        time_column("ninth tenth", "p90_us"),
        time_column("longest", "max_us"),
    ]
    caption = "Time from opening to verdict; for open cases their age, which is no time to an outcome."
    return shown(time_to_outcome(replay), caption, columns)


def variant_table(replay: Replayed) -> Table:
    """The most frequent variants as text."""
    columns = [
        count_column("rank", "rank"),
        count_column("cases", "n"),
        percent_column("share", "share"),
        percent_column("cumulated", "cumulated"),
        percent_column("achieved of decided", "achieved_share"),
        time_column("median time", "median_us"),
        name_column("sequence", "label"),
    ]
    return shown(variants(replay, 20), "The most frequent variants.", columns)


QUALITY = (
    ("events", "Events read: neither quarantined nor duplicates"),
    ("quarantined", "Rows that could not be read; they are in the quarantine file with line and reason"),
    ("duplicates", "Events that came a second time (same source and id); they change nothing"),
    ("filtered", "Events that are no part of this journey (they fail its only condition)"),
    ("no_key", "Events without a case (or, in a log without cases, a customer)"),
    ("before_need", "Events before the need that opens their case"),
    ("after_close", "Events after their case was closed that open no new one"),
)


def quality_table(replay: Replayed) -> Table:
    """What became of the rows of the log."""
    events = replay.summary.get("events") or 0
    rows = []
    for key, meaning in QUALITY:
        n = replay.summary.get(key)
        share = percent(n / events) if n is not None and events and key != "events" else ""
        rows.append((key, "n/a" if n is None else count(n), share, meaning))
    return Table(
        caption="Rows of the log, by what became of them.",
        headings=("count", "rows", "per event read", "meaning"),
        numeric=(False, True, True, False),
        rows=tuple(rows),
    )
