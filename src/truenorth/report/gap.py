"""The section on the gap: what customers need against what they get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from truenorth.figures.gap import gap_figure
from truenorth.figures.wording import count, money, points, shorten
from truenorth.insight.gap import COUNTING, Gap, gap
from truenorth.insight.measured_by import RULE
from truenorth.insight.replayed import Replayed
from truenorth.report.causes import causes_for
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, count_column, name_column, percent_column, shown
from truenorth.spec.counted import percent


def gap_section(replay: Replayed, inputs: Inputs) -> Section:
    """Every statement of the canvas against the events of a replay."""
    found = gap(replay, seed=inputs.seed, exclude=inputs.exclude, causes=causes_for(replay, inputs))
    currency = replay.journey.currency
    return Section(
        finding=_finding(found, currency, any_case=replay.cases.height > 0),
        answer=found,
        figures={"gap": gap_figure(found)},
        tables={"gap": _statements_table(found, currency), "closing": _closing_table(found)},
        how=(RULE, COUNTING),
    )


def _finding(found: Gap, currency: str, *, any_case: bool) -> str:
    statements = found.statements
    if not statements.height:
        return "The canvas states no outcome for the customer, so there is nothing to hold events against."
    measured = statements.filter(pl.col("actual").is_not_null())
    are = "is" if measured.height == 1 else "are"
    text = f"{count(measured.height)} of {count(statements.height)} statements of the canvas {are} measured."
    if not any_case:
        return "No case opened, so no statement of the canvas can be measured."
    if not measured.height and statements["measured_by"].is_not_null().any():
        return f"{text} No case is old enough for what measures the others."
    if not measured.height:
        return f"{text} Say in canvas.measures what measures them."
    worst = measured.sort("gap", descending=True).row(0, named=True)
    worth = worst["value"] is not None and worst["value"] > 0
    value = f" Closing it to its target is worth about {money(worst['value'], currency)}." if worth else ""
    said = shorten(worst["statement"], 80)
    return f"{text} The widest gap: '{said}' holds for {percent(worst['actual'])} of {count(worst['n'])}.{value}"


def _statements_table(found: Gap, currency: str) -> Table:
    def interval(name: str, text: Any) -> Any:
        def shows(row: Mapping[str, Any]) -> str:
            if row[name] is None:
                return "not measured" if row["actual"] is None else "n/a"
            ends = (row[f"{name}_low"], row[f"{name}_high"])
            return str(text(row[name])) + (f" ({text(ends[0])} to {text(ends[1])})" if ends[0] is not None else "")

        return shows

    columns: list[Shown] = [
        name_column("statement", "statement"),
        ("measured by", lambda row: f"{row['measured_by'] or 'not measured'}: {row['why']}", False),
        percent_column("target", "target"),
        ("actual (95 % interval)", interval("actual", percent), True),
        ("gap, points", lambda row: points(row["gap"]) if row["gap"] is not None else "", True),
        ("missed", lambda row: f"{count(row['n_missed'])} of {count(row['n'])}" if row["n"] else "", True),
        ("change, points (95 % interval)", interval("change", points), True),
        ("hit hardest", _group, False),
        (f"value of closing, {currency or 'units'}", interval("value", money), True),
    ]
    return shown(found.statements, "The statements of the canvas against the events.", columns)


def _group(row: Mapping[str, Any]) -> str:
    if row["group"] is None:
        return "" if row["actual"] is None else "nobody in particular"
    return f"{shorten(row['group'], 60)}: {percent(row['group_actual'])} of {count(row['group_n'])}"


def _closing_table(found: Gap) -> Table:
    def both(name: str, text: Any) -> Any:
        return lambda row: f"{text(row[name])} ({text(row[f'{name}_low'])} to {text(row[f'{name}_high'])})"

    columns: list[Shown] = [
        name_column("promise, if it were kept", "promise"),
        count_column("cases in which it is broken", "n_broken"),
        ("fewer failed (95 % interval)", both("fewer_failed", count), True),
        ("share of the gap of the outcome", both("share_of_gap", percent), True),
        name_column("chance?", "certainty"),
    ]
    caption = "Which promises, if kept, would close how much of it: adjusted effects. They do not add up."
    return shown(found.closing, caption, columns)
