"""Figure of initiatives: three crowns side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from plotly.subplots import make_subplots

from truenorth.figures.theme import LINE, OUTCOME_INK, Theme, bar_rows, hover, titled, worded
from truenorth.figures.wording import plain, shorten
from truenorth.insight.initiatives import Assessment

INK = {"better": OUTCOME_INK["achieved"], "worse": OUTCOME_INK["failed"], "not clear": OUTCOME_INK["open"]}
SCALE = {"achieved": 100.0, "cost": 1.0, "revenue": 1.0}


def initiatives_figure(assessed: Sequence[Assessment], currency: str = "", theme: Theme = "light") -> Any:
    """The effect of each initiative that has been measured on service, cost and revenue, with 95 % intervals."""
    measured = [one for one in assessed if one.design is not None]
    if not measured:
        return worded(theme, "No effect measured yet", "No initiative has begun with enough cases before and after.")
    unit = plain(currency) or "units"
    heads = ("service: points achieved", f"cost a case, {unit}", f"revenue a case, {unit}")
    figure = make_subplots(rows=3, cols=1, subplot_titles=heads, vertical_spacing=0.16)
    names = [plain(one.initiative.title or one.initiative.name, 34) for one in measured]
    for number in range(3):
        _add_crown(figure, measured, names, number)
        figure.add_vline(x=0, line={"color": LINE, "width": 1}, row=number + 1, col=1)
    figure.update_yaxes(autorange="reversed", automargin=True)
    for note in figure.layout.annotations:
        note.update(x=0, xanchor="left", font={"size": 13})
    first = measured[0]
    title = f"{shorten(first.initiative.title or first.initiative.name, 60)}: {first.verdict}"
    subtitle = "Effect per case reached with 95 % intervals; all three crowns, none traded silently for another."
    height = 3 * (70 + 34 * len(bar_rows(len(measured))))
    alt = f"Three panels of dots with intervals. {title}. {subtitle}"
    return titled(figure, theme, title, subtitle, alt, height=height, showlegend=False)


def _add_crown(figure: Any, measured: Sequence[Assessment], names: Sequence[str], number: int) -> None:
    crowns = [one.crowns[number] for one in measured]
    scale = SCALE[crowns[0].measure]
    known = [(name, crown) for name, crown in zip(names, crowns, strict=True) if not math.isnan(crown.estimate.effect)]
    figure.add_scatter(
        row=number + 1, col=1,
        x=[scale * crown.estimate.effect for _, crown in known], y=[name for name, _ in known], mode="markers",
        marker={"size": 10, "color": [INK[crown.ruling].colour for _, crown in known],
                "symbol": [INK[crown.ruling].symbol for _, crown in known]},
        error_x={
            "type": "data", "symmetric": False, "thickness": 1.4, "width": 3, "color": LINE,
            "array": [scale * (crown.estimate.high - crown.estimate.effect) for _, crown in known],
            "arrayminus": [scale * (crown.estimate.effect - crown.estimate.low) for _, crown in known],
        },
        hoverinfo="text",
        hovertext=[
            hover(name, f"{scale * crown.estimate.effect:+,.2f} ({scale * crown.estimate.low:+,.2f} to "
                  f"{scale * crown.estimate.high:+,.2f}), {crown.ruling}")
            for name, crown in known
        ],
    )  # fmt: skip
