"""Figure of time: how soon cases come to each verdict."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.outcome import NO_CASES
from truenorth.figures.theme import OUTCOME_INK, Theme, hover, titled, worded
from truenorth.figures.wording import UNITS, cases, count, duration
from truenorth.insight.pace import cumulative_incidence
from truenorth.insight.replayed import DECIDED, Replayed
from truenorth.spec.counted import percent

MAX_POINTS = 200
"""A curve is drawn with at most so many steps; the table has them all."""

SHOWN = 0.99
"""The axis ends when this share of the verdicts has been given."""


def time_to_outcome_figure(replay: Replayed, theme: Theme = "light") -> Any:
    """The share of cases that have achieved, failed or been abandoned by a given time since opening.

    Cumulative incidence with open cases censored: see `truenorth.insight.cumulative_incidence`.
    """
    if not replay.cases.height:
        return worded(theme, "No cases", NO_CASES)
    curves = cumulative_incidence(replay)
    if curves.height < 2:
        return worded(theme, "No verdict yet", f"All {cases(replay.cases.height)} are still open.")
    end_us = _end_us(curves)
    name, unit_us = _unit(end_us)
    drawn = _thinned(curves.filter(pl.col("t_us") <= end_us))
    figure = go.Figure()
    for outcome in DECIDED:
        if curves[outcome][-1] > 0:
            _add_curve(figure, drawn, outcome, unit_us, end_us)
    figure.update_xaxes(title=f"time since the case was opened ({name})", rangemode="tozero", tickformat=",")
    figure.update_yaxes(title="share of cases", tickformat=".0%", rangemode="tozero")
    title, subtitle = _words(replay, curves)
    return titled(figure, theme, title, subtitle, f"Line chart. {title}. {subtitle}", height=330)


def _add_curve(figure: Any, drawn: pl.DataFrame, outcome: str, unit_us: int, end_us: int) -> None:
    ink = OUTCOME_INK[outcome]
    times = [*drawn["t_us"].to_list(), end_us]
    shares = [*drawn[outcome].to_list(), drawn[outcome][-1]]
    risk = [*drawn["n_at_risk"].to_list(), drawn["n_at_risk"][-1]]
    texts = [
        hover(f"{outcome} within {duration(t)}: {percent(share)}", f"{count(n)} at risk")
        for t, share, n in zip(times, shares, risk, strict=True)
    ]
    every = max(len(times) // 6, 1)
    figure.add_scatter(
        x=[t / unit_us for t in times], y=shares, name=outcome, mode="lines+markers", hovertext=texts, hoverinfo="text",
        line={"color": ink.colour, "width": 2.5, "dash": ink.dash, "shape": "hv"},
        marker={"symbol": ink.symbol, "size": 9, "maxdisplayed": min(len(times), every and 7), "color": ink.colour},
    )  # fmt: skip


def _end_us(curves: pl.DataFrame) -> int:
    given = 1 - pl.col("undecided")
    return int(curves.filter(given >= SHOWN * (1 - curves["undecided"][-1]))["t_us"][0]) or 1


def _unit(end_us: int) -> tuple[str, int]:
    words = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds"}
    short, size = next(((short, size) for short, size in UNITS if end_us >= 2 * size), UNITS[-1])
    return words[short], size


def _thinned(curves: pl.DataFrame) -> pl.DataFrame:
    """The rows at which the share of decided cases has risen by another part in ``MAX_POINTS``."""
    bucket = ((1 - pl.col("undecided")) * MAX_POINTS).floor()
    return curves.filter((bucket != bucket.shift(1)).fill_null(True))


def _words(replay: Replayed, curves: pl.DataFrame) -> tuple[str, str]:
    half = curves.filter(pl.col("achieved") >= 0.5)
    if half.height:
        title = f"Half of the cases have achieved the outcome within {duration(half['t_us'][0])}"
    else:
        last = curves.row(-1, named=True)
        title = f"{percent(last['achieved'])} of the cases have achieved the outcome within {duration(last['t_us'])}"
    n_open = replay.cases.filter(pl.col("outcome") == "open").height
    sample = f"{cases(replay.cases.height)}, {count(n_open)} still open and censored."
    rule = "Cumulative incidence (Aalen-Johansen); the axis ends when 99 % of the verdicts have been given."
    return title, f"{sample} {rule}"
