"""The section on pace: how fast customers change, and how fast the company does."""

from __future__ import annotations

import polars as pl

from truenorth.figures.change import change_figure
from truenorth.figures.wording import tenths
from truenorth.insight.pace_of_change import RULE, Pace, pace_of_change
from truenorth.insight.replayed import Replayed
from truenorth.insight.signals import QUESTIONS
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, name_column, percent_column, shown
from truenorth.spec.counted import percent


def pace_section(replay: Replayed, inputs: Inputs) -> Section:
    """The pace of a replay."""
    pace = pace_of_change(replay, seed=inputs.seed, exclude=inputs.exclude)
    known = {name: asked for name, asked in QUESTIONS.items() if name in pace.pace}
    words = " ".join(f"{name} ({side}): {question}." for name, (side, question) in known.items())
    return Section(
        finding=finding(pace),
        answer=pace,
        figures={"signals": change_figure(pace)},
        tables={"signals": _changes(pace), "pace": _signals(pace)},
        how=(RULE, f"Signals of this log. {words} --exclude leaves out a column that is written later.")
        if words
        else (),
    )


def finding(pace: Pace) -> str:
    """What a reader should know first."""
    if not pace.pace:
        return "The log says too little, or is too short, to tell a pace."
    outside, inside = f"{tenths(pace.outside)} points a month", f"{tenths(pace.inside)}"
    if pace.alarm:
        return f"The outside moves faster than the inside: {outside} against {inside}."
    if not pace.changes:
        return "Neither customers nor the company have changed beyond chance."
    return f"The company has changed at least as fast as its customers: {inside} against {outside}."


def _changes(pace: Pace) -> Table:
    columns: list[Shown] = [
        ("day", lambda row: row["at"].isoformat(), False),
        name_column("side", "side"),
        name_column("signal", "signal"),
        percent_column("size", "size"),
        name_column("where", "question"),
        name_column("what moved most", "what"),
        percent_column("before", "share_before"),
        percent_column("after", "share_after"),
    ]
    return shown(pace.to_frame(), "Days on which a mix changed.", columns)


def _signals(pace: Pace) -> Table:
    rows = [{"signal": name, "side": QUESTIONS[name][0], "pace": value} for name, value in pace.pace.items()]
    frame = pl.DataFrame(rows, schema={"signal": pl.String, "side": pl.String, "pace": pl.Float64})
    columns: list[Shown] = [
        name_column("signal", "signal"),
        name_column("side", "side"),
        ("share that moved, a month", lambda row: percent(row["pace"]), True),
    ]
    return shown(frame, "Pace of each signal.", columns)
