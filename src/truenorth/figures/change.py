"""Figure of the pace of change: how far each week was from the whole, outside and inside on one scale."""

from __future__ import annotations

from typing import Any

from plotly.subplots import make_subplots

from truenorth.figures.theme import KIND_INK, Theme, hover, titled, worded
from truenorth.figures.wording import tenths
from truenorth.insight.pace_of_change import Pace
from truenorth.insight.signals import QUESTIONS
from truenorth.spec.counted import percent

DASHES = ("solid", "dash", "dot", "dashdot")
SIDE_INK = {"outside": KIND_INK["moment"], "inside": KIND_INK["internal"]}


def change_figure(pace: Pace, theme: Theme = "light") -> Any:
    """Week by week, the share of answers that differ from those of all weeks, by signal; changes as marks."""
    if not pace.weeks:
        return worded(theme, "No pace to tell", "The log says too little, or is too short.")
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, shared_yaxes=True, vertical_spacing=0.1,
        subplot_titles=("outside: customers", "inside: the company"),
    )  # fmt: skip
    for row, side in enumerate(("outside", "inside"), start=1):
        names = [name for name in pace.pace if QUESTIONS[name][0] == side]
        for dash, name in zip(DASHES, names, strict=False):
            _add_signal(figure, pace, name, dash, row)
        for change in pace.changes:
            if change.side == side:
                figure.add_vline(
                    x=change.at.isoformat(), line={"color": SIDE_INK[side].colour, "width": 1.5, "dash": "dot"},
                    row=row, col=1,
                )  # fmt: skip
    highest = max(value for _, _, value in pace.weeks)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.1 * highest or 1])
    for note in figure.layout.annotations:
        note.update(x=0, xanchor="left", font={"size": 13})
    title = (
        f"The outside moves faster than the inside: {tenths(pace.outside)} against {tenths(pace.inside)} points a month"
        if pace.alarm
        else f"Outside {tenths(pace.outside)}, inside {tenths(pace.inside)} points a month"
    )
    subtitle = "Share of a week's answers that differ from those of all weeks; dotted: days of change beyond chance."
    alt = f"Two panels of lines by week. {title}. {subtitle}"
    legend = {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0}
    return titled(figure, theme, title, subtitle, alt, height=430, legend=legend)


def _add_signal(figure: Any, pace: Pace, name: str, dash: str, row: int) -> None:
    side = QUESTIONS[name][0]
    weeks = [(at, value) for at, signal, value in pace.weeks if signal == name]
    ink = SIDE_INK[side]
    figure.add_scatter(
        row=row, col=1, x=[at.isoformat() for at, _ in weeks], y=[value for _, value in weeks], name=name,
        mode="lines", line={"color": ink.colour, "width": 2, "dash": dash}, hoverinfo="text",
        hovertext=[hover(f"{name}, week of {at.isoformat()}", percent(value)) for at, value in weeks],
    )  # fmt: skip
