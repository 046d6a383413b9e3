"""The section on moments: what causes the work, and what the work is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from truenorth.figures.moments import moments_figure
from truenorth.figures.wording import money, points, ratio
from truenorth.insight import alignment, causal_flow
from truenorth.insight import failure_demand as demands
from truenorth.insight.moments import Moments, moments
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import (
    NAME_CHARS,
    Shown,
    Table,
    count_column,
    name_column,
    percent_column,
    shown,
    time_column,
)
from truenorth.spec.counted import percent

WORK_WORDS = {"handover": "hand-over", "decision": "decision", "internal": "internal work"}


def moments_section(replay: Replayed, _inputs: Inputs) -> Section:
    """Moments, hand-overs and decisions of a replay."""
    found = moments(replay)
    currency = replay.journey.currency
    return Section(
        finding=_finding(found, currency),
        answer=found,
        figures={"moments": moments_figure(found, currency)},
        tables={
            "moments": _types_table(found, currency),
            "work": _work_table(found, currency),
            "demand": _demand_table(found, currency),
            "flow": _flow_table(found, currency),
        },
        how=(
            causal_flow.RULE + " A moment bears its own cost and that of the work it caused, so that every cost is "
            "counted once: the moments together with the work before the first moment make the whole.",
            alignment.RULE + " A piece of work is for what its moment is for.",
            demands.RULE,
            "Trends compare the events a case of the cases opened in the first half of the time with the second half "
            "(Welch's test, false discoveries held to 5 %), of cases old enough that slow ones are decided, too. "
            "Magic or misery: the share achieved of decided cases that pass the moment before their verdict, less "
            "that of the others, and the change of feeling from before it to after it, less that at all moments; "
            "misery if a 95 % interval lies below zero, magic if one lies above, none below, and it does not harm. "
            "What goes together is no cause.",
        ),
    )


def _finding(found: Moments, currency: str) -> str:
    totals, types = found.totals, found.types.filter(pl.col("kind") == "moment")
    if not types.height:
        return "The journey file declares no moments, or none came: nothing can be said about what causes the work."
    n_own = int(found.work["n"].sum())
    share = float(found.work.filter(pl.col("purpose") != "serves")["share"].sum())
    per_moment = totals["handovers"] / totals["moments"]
    first = types.row(0, named=True)
    costly = (
        f" {first['type']} costs most, {money(first['cost'], currency)} with what it causes." if first["cost"] else ""
    )
    serves = (
        f"{percent(share)} of the company's work serves no outcome that the journey names"
        if n_own
        else "The log shows no work of the company"
    )
    return f"{serves}; each moment brings {ratio(per_moment)} hand-overs.{costly}"


def _types_table(found: Moments, currency: str) -> Table:
    def difference(row: Mapping[str, Any]) -> str:
        if row["difference"] is None:
            return "n/a"
        return f"{points(row['difference'])} ({points(row['difference_low'])} to {points(row['difference_high'])})"

    columns: list[Shown] = [
        name_column("event type", "type"),
        name_column("mostly", "kind"),
        count_column("events", "n"),
        percent_column("of the cases", "case_share"),
        ("owner", _owner, False),
        name_column("alignment", "alignment"),
        ("hand-overs per moment", lambda row: _ratio(row["handover_ratio"]), True),
        ("decisions per moment", lambda row: _ratio(row["decision_ratio"]), True),
        time_column("until the next moment", "median_next_us"),
        (f"cost with what it causes, {currency or 'units'}", lambda row: money(row["cost"]), True),
        name_column("trend", "trend"),
        ("achieved, points against the others", difference, True),
        ("magic or misery", lambda row: row["mood"] or "", False),
    ]
    return shown(found.types, "Event types, the costliest first; a moment's cost includes what it caused.", columns, 60)


def _owner(row: Mapping[str, Any]) -> str:
    name = "the customer" if row["owner"] is None else str(row["owner"])
    return f"{name[:NAME_CHARS]} ({percent(row['owner_share'])})"


def _ratio(value: float | None) -> str:
    return "" if value is None else ratio(value)


def _work_table(found: Moments, currency: str) -> Table:
    columns: list[Shown] = [
        name_column("what the work is for", "purpose"),
        count_column("events", "n"),
        percent_column("of the company's work", "share"),
        (f"cost, {currency or 'units'}", lambda row: money(row["cost"]), True),
        percent_column("of the cost", "cost_share"),
    ]
    return shown(found.work, "The company's own events by what they are for.", columns)


def _demand_table(found: Moments, currency: str) -> Table:
    columns: list[Shown] = [
        name_column("failure demand", "reason"),
        count_column("contacts", "n"),
        count_column("events with what goes with them", "n_events"),
        (f"cost, {currency or 'units'}", lambda row: money(row["cost"]), True),
    ]
    return shown(found.demand, "Contacts that an earlier failure brought.", columns)


def _flow_table(found: Moments, currency: str) -> Table:
    columns: list[Shown] = [
        name_column("moment", "moment"),
        ("causes", lambda row: WORK_WORDS[row["kind"]], False),
        name_column("which is", "type"),
        count_column("times", "n"),
        (f"cost, {currency or 'units'}", lambda row: money(row["cost"]), True),
    ]
    caption = "What causes what. A hand-over that is a decision or internal work, too, is in both rows."
    return shown(found.flow, caption, columns)
