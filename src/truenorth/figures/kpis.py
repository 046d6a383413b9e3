"""Figures of the KPIs: how many count the company's own work, and what improving each goes with."""

from __future__ import annotations

import math
from typing import Any

from plotly import graph_objects as go

from truenorth.figures.theme import (
    BAR,
    LINE,
    OUTCOME_INK,
    Ink,
    Theme,
    add_rows,
    bar_rows,
    filled,
    hover,
    titled,
    worded,
)
from truenorth.figures.wording import plain, points
from truenorth.insight.kpi_audit import WORDS, Audit, Audited, Level
from truenorth.spec.counted import percent

KIND_INK: dict[str, Ink] = {"output": OUTCOME_INK["failed"], "outcome": OUTCOME_INK["achieved"]}
KIND_WORDS = {"output": "counts our own work (output)", "outcome": "counts what came of it (outcome)"}
VERDICT_INK: dict[str, Ink] = {
    "fights the customer": OUTCOME_INK["failed"],
    "aligned": OUTCOME_INK["achieved"],
    "blind": OUTCOME_INK["open"],
    "cannot be told": OUTCOME_INK["open"],
}
USUAL = 0.8
"""The share of a company's KPIs that usually count its own work, as practitioners tell it."""
OFFSETS: dict[Level, float] = {"case": -0.12, "week": 0.0, "reward": 0.12}
SYMBOLS: dict[Level, str] = {"case": "circle", "week": "diamond", "reward": "square"}


def kinds_figure(audit: Audit, theme: Theme = "light") -> Any:
    """How many KPIs, and how much of the reward, count the company's own work; beside them the 80 % usual elsewhere."""
    if not audit.kpis:
        return worded(theme, "No KPI was given", "A file of KPIs says what is steered by.")
    shares = {"KPIs": audit.output_share}
    if not math.isnan(audit.output_paid):
        shares["The reward"] = audit.output_paid
    figure = go.Figure()
    rows = bar_rows(len(shares))
    for kind in ("output", "outcome"):
        parts = [share if kind == "output" else 1 - share for share in shares.values()]
        figure.add_bar(
            x=parts, y=rows, orientation="h", width=BAR["width"], name=KIND_WORDS[kind], marker=filled(KIND_INK[kind]),
            hovertext=[f"{name}: {percent(part)} {KIND_WORDS[kind]}" for name, part in zip(shares, parts, strict=True)],
            hoverinfo="text",
        )  # fmt: skip
    figure.add_vline(x=USUAL, line={"color": LINE, "width": 1.5, "dash": "dash"})
    labels = [f"<b>{name}</b>  {percent(share)} counts our own work" for name, share in shares.items()]
    height = add_rows(figure, labels)
    figure.update_xaxes(range=[0, 1.03], tickformat=".0%", zeroline=False)
    figure.update_layout(barmode="stack")
    title = f"{percent(audit.output_share)} of the KPIs count the company's own work"
    subtitle = f"The dashed line is at {percent(USUAL)}, which is said to be usual: most companies measure outputs."
    return titled(figure, theme, title, subtitle, f"Stacked bars. {title}. {subtitle}", height=height + 30)


def kpis_figure(audit: Audit, theme: Theme = "light") -> Any:
    """For each KPI that can be tested: the change of the share achieved that goes with improving it, at each level."""
    tested = [one for one in audit.kpis if one.evidence]
    if not tested:
        return worded(theme, "No KPI can be tested", "Too few cases, or every KPI is read off the outcome itself.")
    figure = go.Figure()
    for level in OFFSETS:
        _add_level(figure, tested, level)
    figure.add_vline(x=0, line={"color": LINE, "width": 1})
    labels = [f"<b>{plain(one.kpi.title or one.kpi.name, 42)}</b>  {one.verdict}" for one in tested]
    height = add_rows(figure, labels, [f"{one.kind}, {percent(one.paid)} of the reward" for one in tested])
    figure.update_xaxes(title="points of the share achieved", tickformat="+.0f", zeroline=False)
    n = sum(one.verdict == "fights the customer" for one in audit.kpis)
    title = f"{n} of {len(audit.kpis)} KPIs {'fights' if n == 1 else 'fight'} the customer"
    subtitle = (
        "Change of the share achieved that goes with improving a KPI by one standard deviation, or came with paying "
        "for it; 95 % intervals."
    )
    return titled(figure, theme, title, subtitle, f"Dots with intervals. {title}. {subtitle}", height=height + 64)


def _add_level(figure: Any, tested: list[Audited], level: Level) -> None:
    found = [
        (row, one, evidence)
        for row, one in zip(bar_rows(len(tested)), tested, strict=True)
        for evidence in one.evidence
        if evidence.level == level and not math.isnan(evidence.effect)
    ]
    if not found:
        return
    colours = [VERDICT_INK[one.verdict].colour for _, one, _ in found]
    figure.add_scatter(
        x=[100 * evidence.effect for _, _, evidence in found],
        y=[row + OFFSETS[level] for row, _, _ in found],
        mode="markers", name=WORDS[level], marker={"symbol": SYMBOLS[level], "size": 9, "color": colours},
        error_x={
            "type": "data", "symmetric": False, "thickness": 1.4, "width": 3, "color": LINE,
            "array": [100 * (evidence.high - evidence.effect) for _, _, evidence in found],
            "arrayminus": [100 * (evidence.effect - evidence.low) for _, _, evidence in found],
        },
        hoverinfo="text",
        hovertext=[
            hover(
                plain(one.kpi.title or one.kpi.name, 80), WORDS[level],
                f"{points(evidence.effect)} points ({points(evidence.low)} to {points(evidence.high)})",
            )
            for _, one, evidence in found
        ],
    )  # fmt: skip
