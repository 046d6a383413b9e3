"""The section on KPIs: what is steered by, and whether it fights the customer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from truenorth.figures.kpis import kinds_figure, kpis_figure
from truenorth.figures.wording import points
from truenorth.insight.kpi_audit import RULE, Audit, audit_kpis
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, name_column, percent_column, shown
from truenorth.spec.counted import percent

FIGHTS = "fights the customer"
KINDS = (
    "A KPI is an outcome where its formula reads the verdict, a promise, a feeling or a score, or counts only events "
    "by which the outcome fails or is reopened; everything else is an output. Its known harm is that of one of seven "
    "measures of call centres, by its name."
)
INSTEAD = (
    "The outcome measures proposed are the outcome itself and the promises whose keeping goes with it among cases "
    "alike (the whole 95 % interval above 0). What goes together is no proof of a cause."
)


def kpis_section(replay: Replayed, inputs: Inputs) -> Section:
    """The audit of the KPIs that were given."""
    audit = audit_kpis(replay, inputs.kpis, seed=inputs.seed, exclude=inputs.exclude)
    frame = audit.to_frame()
    return Section(
        finding=finding(audit),
        answer=audit,
        figures={"kpi-kinds": kinds_figure(audit), "kpis": kpis_figure(audit)},
        tables={
            "kpis": _verdicts(frame),
            "evidence": _evidence(frame),
            "paid": _paid(audit),
            "instead": _instead(audit),
        },
        how=(KINDS, RULE, INSTEAD),
    )


def finding(audit: Audit) -> str:
    """What a reader should know first."""
    names = [one.kpi.title or one.kpi.name for one in audit.kpis if one.verdict == FIGHTS]
    outputs = f"{percent(audit.output_share)} of the KPIs count the company's own work"
    paid = "" if math.isnan(audit.output_paid) else f", and {percent(audit.output_paid)} of the reward hangs on those"
    if not names:
        return f"{outputs}{paid}. None is found to fight the customer."
    verb = "fights" if len(names) == 1 else "fight"
    return f"{outputs}{paid}. {_joined(names)} {verb} the customer."


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verdicts(frame: pl.DataFrame) -> Table:
    columns: list[Shown] = [
        name_column("KPI", "name"),
        name_column("owner", "owner"),
        name_column("kind", "kind"),
        ("verdict", lambda row: row["verdict"], False),
        ("value", lambda row: _number(row["value"]), True),
        ("target", lambda row: _number(row["target"]), True),
        percent_column("of the reward", "paid"),
        ("why", lambda row: row["why"], False),
        ("known harm", lambda row: row["known_harm"].partition(":")[0], False),
    ]
    return shown(frame, "KPIs in the order of their file.", columns, frame.height)


def _evidence(frame: pl.DataFrame) -> Table:
    columns: list[Shown] = [
        name_column("KPI", "name"),
        ("among cases alike", lambda row: _points(row, "case"), True),
        ("over units and weeks", lambda row: _points(row, "week"), True),
        ("since paid by it", lambda row: _points(row, "reward"), True),
        ("turned round", lambda row: row["reversal"] or "", False),
        ("why output or outcome", lambda row: row["reason"], False),
    ]
    caption = "Points of the share achieved that go with improving a KPI by one standard deviation (95 % intervals)."
    return shown(frame, caption, columns, frame.height)


def _points(row: Mapping[str, Any], level: str) -> str:
    if row[f"{level}_effect"] is None:
        return ""
    low, high = points(row[f"{level}_low"]), points(row[f"{level}_high"])
    return f"{points(row[f'{level}_effect'])} ({low} to {high})"


def _paid(audit: Audit) -> Table:
    rows = [
        (one.paid, f"{one.kpi.title or one.kpi.name}: {one.kpi.better}", one.kind, one.verdict)
        for one in sorted(audit.kpis, key=lambda one: -one.paid)
        if one.paid
    ]
    columns: list[Shown] = [
        percent_column("of the reward", "share"),
        name_column("is paid for", "what"),
        name_column("which is an", "kind"),
        name_column("and", "verdict"),
    ]
    frame = pl.DataFrame(rows, schema=("share", "what", "kind", "verdict"), orient="row")
    return shown(frame, "What people are paid to do today.", columns)


def _instead(audit: Audit) -> Table:
    names = ("name", "formula", "value", "effect", "low", "high")
    rows = [tuple(getattr(one, name) for name in names) for one in audit.proposals]

    def effect(row: Mapping[str, Any]) -> str:
        if math.isnan(row["effect"]):
            return "the outcome itself"
        return f"{points(row['effect'])} ({points(row['low'])} to {points(row['high'])})"

    columns: list[Shown] = [
        name_column("outcome measure", "name"),
        ("now", lambda row: percent(row["value"]), True),
        ("points achieved where kept", effect, True),
        name_column("formula", "formula"),
    ]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return shown(frame, "Outcome measures to put in the place of outputs.", columns)


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
