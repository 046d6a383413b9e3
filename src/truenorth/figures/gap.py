"""Figure of the gap: each statement of the canvas, its target and what customers get."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import BAR, OUTCOME_INK, Theme, add_rows, bar_rows, filled, hover, titled, worded
from truenorth.figures.wording import count, plain, points
from truenorth.insight.gap import Gap
from truenorth.spec.counted import percent


def gap_figure(found: Gap, theme: Theme = "light") -> Any:
    """One bar a statement: the share for whom it holds, and what is missing to the target; 95 % intervals."""
    table = found.statements.filter(pl.col("actual").is_not_null())
    n_all = found.statements.height
    if not table.height:
        text = f"None of {n_all} statements of the canvas is measured." if n_all else "The canvas states no outcome."
        return worded(theme, "No gap can be measured", text)
    figure = go.Figure()
    missing = [max(gap, 0.0) for gap in table["gap"]]
    texts = [_hover(row) for row in table.iter_rows(named=True)]
    parts = (("actual", table["actual"].to_list(), "achieved"), ("missing to the target", missing, "failed"))
    for name, shares, ink in parts:
        figure.add_bar(
            x=shares, y=bar_rows(table.height), orientation="h", name=name, **BAR, marker=filled(OUTCOME_INK[ink]),
            hoverinfo="text", hovertext=texts,
        )  # fmt: skip
    figure.add_scatter(
        x=parts[0][1], y=bar_rows(table.height), mode="markers", marker={"size": 1, "opacity": 0}, showlegend=False,
        hoverinfo="skip", error_x=_whiskers(table),
    )  # fmt: skip
    labels = [f"<b>{plain(row['statement'], 60)}</b>" for row in table.iter_rows(named=True)]
    height = add_rows(figure, labels, [_note(row) for row in table.iter_rows(named=True)])
    figure.update_xaxes(title="share of customers' cases or promises", tickformat=".0%", range=[0, 1.03])
    figure.update_layout(barmode="stack")
    worst = table.sort("gap", descending=True).row(0, named=True)
    title = f"The widest gap is {points(worst['gap']).removeprefix('+')} points: {worst['statement']}"
    subtitle = f"{count(table.height)} of {count(n_all)} statements are measured. Whiskers: 95 % intervals."
    return titled(figure, theme, title, subtitle, f"Stacked bar chart. {title}. {subtitle}", height=height + 48)


def _whiskers(table: pl.DataFrame) -> dict[str, Any]:
    high, low = ((table[f"actual_{end}"] - table["actual"]).abs().fill_null(0.0).to_list() for end in ("high", "low"))
    return {"type": "data", "symmetric": False, "array": high, "arrayminus": low}


def _note(row: dict[str, Any]) -> str:
    trend = f", {row['trend']}" if row["trend"] else ""
    return f"{percent(row['actual'])} of {count(row['n'])}, target {percent(row['target'])}{trend}"


def _hover(row: dict[str, Any]) -> str:
    group = [f"hit hardest: {plain(row['group'], 60)}, {percent(row['group_actual'])}"] if row["group"] else []
    measured = f"measured by {plain(row['measured_by'])}: {plain(row['why'], 80)}"
    return hover(plain(row["statement"], 120), _note(row), measured, *group)
