"""Figure of the adjusted points of failure: the raw difference and the adjusted one, side by side."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import LINE, OUTCOME_INK, Theme, add_rows, hover, titled, worded
from truenorth.figures.wording import cases, count, plain, points, shorten, tenths
from truenorth.insight.causes import Causes

POINT_WORDS = {
    "promise": "Broken promise",
    "handovers": "Hand-over",
    "repeat": "Repeated",
    "missing": "Missing",
    "wait": "Wait",
}

MARKS = (
    ("adjusted", "adjusted", OUTCOME_INK["failed"].colour, "circle", 0.2),
    ("raw", "raw", LINE, "circle-open", 0.02),
)
"""Column, name, colour, symbol and place under the label, of the two differences."""


def causes_figure(found: Causes, top: int = 12, theme: Theme = "light") -> Any:
    """By how much a point raises the chance of failing: adjusted for what else differs, and raw; 95 % intervals."""
    table = found.points.head(top)
    if not table.height:
        return worded(theme, "No points to compare", "No point has at least 30 ripe cases on either side.")
    figure = go.Figure()
    for column, name, colour, symbol, place in MARKS:
        figure.add_scatter(
            x=table[column].to_list(), y=[row + place for row in range(table.height)], mode="markers", name=name,
            marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 1.6, "color": colour}},
            hoverinfo="text", hovertext=[_hover(row) for row in table.iter_rows(named=True)],
            error_x={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.6, "width": 4,
                "array": (table[f"{column}_high"] - table[column]).to_list(),
                "arrayminus": (table[column] - table[f"{column}_low"]).to_list(),
            },
        )  # fmt: skip
    labels = [f"<b>{_kind(row)}</b>  {plain(row['point'], 42)}" for row in table.iter_rows(named=True)]
    height = add_rows(figure, labels, [_note(row) for row in table.iter_rows(named=True)])
    figure.update_xaxes(title="difference in the chance of failing", tickformat=".0%", zeroline=True, zerolinewidth=2)
    title, subtitle = _words(found, table)
    return titled(figure, theme, title, subtitle, f"Points with intervals. {title}. {subtitle}", height=height + 48)


def _kind(row: dict[str, Any]) -> str:
    return "Sign" if row["sign"] else POINT_WORDS[row["kind"]]


def _note(row: dict[str, Any]) -> str:
    n, effect = f"{count(row['n'])} of {cases(row['n_at_stake'])}", points(row["adjusted"])
    return f"{n}; {effect} points adjusted, {row['certainty']}"


def _hover(row: dict[str, Any]) -> str:
    return hover(
        plain(row["point"], 120),
        f"adjusted {points(row['adjusted'])} points ({points(row['adjusted_low'])} to {points(row['adjusted_high'])})",
        f"raw {points(row['raw'])} points ({points(row['raw_low'])} to {points(row['raw_high'])})",
        f"E-value {row['e_value']:.2f}, of the interval {row['e_value_limit']:.2f}",
    )


def _words(found: Causes, table: pl.DataFrame) -> tuple[str, str]:
    clear = table.filter(pl.col("clear") & ~pl.col("sign"))
    subtitle = (
        "Cases that passed the point against others at stake, adjusted for what the log knows from before. Whiskers: "
        "95 % intervals."
    )
    if not clear.height:
        return "No point of failure stands out from chance once adjusted", subtitle
    first = clear.row(0, named=True)
    name = shorten(first["point"], 50)
    title = f"{POINT_WORDS[first['kind']]} {name} raises the chance of failing by {tenths(first['adjusted'])} points"
    return title, f"{subtitle} Compared: {cases(found.n_ripe)}."
