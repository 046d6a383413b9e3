"""Figure of initiatives: three crowns side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from plotly.subplots import make_subplots

from truenorth.figures.theme import LINE, OUTCOME_INK, Theme, hover, titled, worded
from truenorth.figures.wording import plain, shorten, signed
from truenorth.insight.initiatives import Assessment

INK = {"better": OUTCOME_INK["achieved"], "worse": OUTCOME_INK["failed"], "not clear": OUTCOME_INK["open"]}
SCALE = {"achieved": 100.0, "cost": 1.0, "revenue": 1.0}


def initiatives_figure(assessed: Sequence[Assessment], currency: str = "", theme: Theme = "light") -> Any:
    """The effect of each initiative that has been measured on service, cost and revenue, with 95 % intervals."""
    measured = [one for one in assessed if one.design is not None]
    if not measured:
        return worded(theme, "No effect measured yet", "No initiative has begun with enough cases before and after.")
    unit = plain(currency) or "units"
    heads = ("Service: points of the share achieved", f"Cost a case, {unit}", f"Revenue a case, {unit}")
    figure = make_subplots(rows=3, cols=1, vertical_spacing=0.1)
    names = [plain(one.initiative.title or one.initiative.name, 46) for one in measured]
    for number, head in enumerate(heads):
        _add_crown(figure, measured, names, number)
        figure.add_vline(x=0, line={"color": LINE, "width": 1}, row=number + 1, col=1)
        _add_words(figure, [f"<b>{head}</b>", *names], number)
    figure.update_yaxes(range=[len(measured) - 0.4, -1.35], visible=False)
    first = measured[0]
    title = f"{shorten(first.initiative.title or first.initiative.name, 60)}: {first.verdict}"
    subtitle = "Effect per case reached with 95 % intervals; all three crowns, none traded silently for another."
    height = 3 * (76 + 44 * len(measured))
    alt = f"Three panels of dots with intervals. {title}. {subtitle}"
    return titled(figure, theme, title, subtitle, alt, height=height, showlegend=False)


def _add_words(figure: Any, words: Sequence[str], number: int) -> None:
    """A heading and the names of the rows above their dots: a phone keeps its width."""
    axis = "y" if number == 0 else f"y{number + 1}"
    for row, text in enumerate(words, start=-1):
        figure.add_annotation(
            text=text, x=0, xref="paper", y=row - 0.18, yref=axis, xanchor="left", yanchor="bottom", showarrow=False,
            font={"size": 13 if row < 0 else 12}, borderpad=0,
        )  # fmt: skip


def _add_crown(figure: Any, measured: Sequence[Assessment], names: Sequence[str], number: int) -> None:
    crowns = [one.crowns[number] for one in measured]
    scale = SCALE[crowns[0].measure]
    known = [
        (row, name, crown)
        for row, (name, crown) in enumerate(zip(names, crowns, strict=True))
        if not math.isnan(crown.estimate.effect)
    ]
    figure.add_scatter(
        row=number + 1, col=1,
        x=[scale * crown.estimate.effect for _, _, crown in known], y=[row for row, _, _ in known], mode="markers",
        marker={"size": 10, "color": [INK[crown.ruling].colour for _, _, crown in known],
                "symbol": [INK[crown.ruling].symbol for _, _, crown in known]},
        error_x={
            "type": "data", "symmetric": False, "thickness": 1.4, "width": 3, "color": LINE,
            "array": [scale * (crown.estimate.high - crown.estimate.effect) for _, _, crown in known],
            "arrayminus": [scale * (crown.estimate.effect - crown.estimate.low) for _, _, crown in known],
        },
        hoverinfo="text",
        hovertext=[
            hover(name, f"{signed(scale * crown.estimate.effect, 2)} ({signed(scale * crown.estimate.low, 2)} to "
                  f"{signed(scale * crown.estimate.high, 2)}), {crown.ruling}")
            for _, name, crown in known
        ],
    )  # fmt: skip
