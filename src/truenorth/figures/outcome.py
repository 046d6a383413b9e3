"""Figures of the outcome: what became of the cases, and how that moves."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import BAR, OUTCOME_INK, Theme, add_rows, filled, hover, titled, worded
from truenorth.figures.wording import cases, count
from truenorth.insight.overview import overview
from truenorth.insight.replayed import OUTCOMES, Replayed
from truenorth.insight.trend import chosen_period, outcome_trend
from truenorth.spec.counted import percent

REASONS = {
    ("achieved", None): "Achieved",
    ("failed", "event"): "Failed: an event said so",
    ("failed", "late"): "Failed: too late",
    ("abandoned", "silence"): "Abandoned: silence",
    ("open", None): "Still open",
}
TICKS = {"1h": "%H:%M<br>%d %b", "1mo": "%b<br>%Y", "1q": "%b<br>%Y", "1y": "%Y"}
"""How the first instant of a period is written under the axis; a day and its year by default."""

MAX_TICKS = 6
NO_CASES = "No case was opened, so there is nothing to count."


def outcome_figure(replay: Replayed, theme: Theme = "light") -> Any:
    """What became of the cases: one bar per verdict and reason, in cases.

    The title's share is of decided cases; open ones are named, not counted as failures.
    """
    numbers = overview(replay)
    if not numbers.n_cases:
        return worded(theme, "No cases", NO_CASES)
    found = replay.cases.group_by("outcome", "reason").len()
    rows = sorted(found.iter_rows(), key=lambda row: (OUTCOMES.index(row[0]), row[1] or ""))
    figure = go.Figure()
    for number, (outcome, reason, n) in enumerate(rows):
        name = REASONS.get((outcome, reason), f"{outcome.capitalize()}{': ' + reason if reason else ''}")
        text = f"{name}: {cases(n)}, {percent(n / numbers.n_cases)} of all"
        figure.add_bar(
            x=[n], y=[number + 0.13], orientation="h", marker=filled(OUTCOME_INK[outcome]), name=name, **BAR,
            hovertext=text, hoverinfo="text", showlegend=False,
        )  # fmt: skip
    labels = [
        f"{REASONS.get((outcome, reason), outcome.capitalize())}  <b>{count(n)}</b>  ({percent(n / numbers.n_cases)})"
        for outcome, reason, n in rows
    ]
    height = add_rows(figure, labels)
    figure.update_xaxes(title="cases", rangemode="tozero", tickformat=",d")
    return titled(figure, theme, *_outcome_words(replay, labels), height=height + 48, showlegend=False)


def _outcome_words(replay: Replayed, labels: list[str]) -> tuple[str, str, str]:
    numbers = overview(replay)
    n_open = numbers.n_by_outcome["open"]
    if not numbers.n_decided:
        title = f"All {cases(numbers.n_cases)} are still open: no outcome yet"
    elif n_open:
        title = f"{percent(numbers.achieved_share)} of {count(numbers.n_decided)} decided cases achieved the outcome"
    else:
        title = f"{percent(numbers.achieved_share)} of {cases(numbers.n_cases)} achieved the outcome"
    interval = f"95 % interval {percent(numbers.achieved_low)} to {percent(numbers.achieved_high)}. "
    left = f"{cases(n_open)} still open: neither good nor bad yet."
    subtitle = f"{interval if numbers.n_decided else ''}{left if n_open else 'No case is open.'}"
    plain_labels = "; ".join(label.replace("<b>", "").replace("</b>", "") for label in labels)
    return title, subtitle, f"Bar chart. {title}. {plain_labels}."


def trend_figure(replay: Replayed, every: str | None = None, theme: Theme = "light") -> Any:
    """Shares of outcomes by the period in which cases were opened, stacked to 100 %.

    ``every`` as in `truenorth.insight.outcome_trend`.
    """
    every = every or chosen_period(replay.cases["opened"].drop_nulls())
    trend = outcome_trend(replay, every)
    if not trend.height:
        return worded(theme, "No trend", NO_CASES)
    figure = go.Figure()
    starts = trend["period"]
    width = 0.86 * ((starts[1] - starts[0]).total_seconds() * 1000 if trend.height > 1 else 86_400_000)
    for outcome in OUTCOMES:
        if trend[outcome].sum():
            _add_shares(figure, trend, outcome, width)
    shown = starts.gather_every(-(-trend.height // MAX_TICKS))
    pattern = TICKS.get(every, "%d %b<br>%Y")
    texts = [at.strftime(pattern) for at in shown]
    figure.update_xaxes(title="case opened (UTC)", type="date", tickvals=shown.to_list(), ticktext=texts, tickangle=0)
    figure.update_yaxes(title="share of cases", tickformat=".0%", range=[0, 1])
    title, subtitle = _trend_words(trend)
    figure.update_layout(barmode="stack")
    return titled(figure, theme, title, subtitle, f"Stacked bar chart over time. {title}. {subtitle}", height=320)


def _add_shares(figure: Any, trend: pl.DataFrame, outcome: str, width: float) -> None:
    shares = trend.select(pl.when(pl.col("cases") > 0).then(pl.col(outcome) / pl.col("cases"))).to_series()
    texts = [
        hover(f"opened from {period:%Y-%m-%d %H:%M}", f"{outcome}: {count(n)} of {cases(total)}", percent(n / total))
        if total
        else ""
        for period, n, total in trend.select("period", outcome, "cases").iter_rows()
    ]
    figure.add_bar(
        x=trend["period"].to_list(), y=shares.to_list(), name=outcome, marker=filled(OUTCOME_INK[outcome]),
        hovertext=texts, hoverinfo="text", offset=0, width=width,
    )  # fmt: skip


def _trend_words(trend: pl.DataFrame) -> tuple[str, str]:
    decided = trend.filter(pl.col("achieved_share").is_not_null())
    sample = f"{cases(int(trend['cases'].sum()))} in {trend.height} periods by opening."
    subtitle = f"{sample} The last ones hold more open cases."
    if decided.height < 2:
        return "Too few periods with decided cases for a trend", subtitle
    half = decided.height // 2
    first, second = (_pooled(part) for part in (decided.head(half), decided.tail(decided.height - half)))
    words = "of decided cases achieved the outcome in the first half of the time,"
    title = f"{percent(first)} {words} {percent(second)} in the second"
    return title, subtitle


def _pooled(part: pl.DataFrame) -> float:
    achieved, n_cases, n_open = (int(part[name].sum()) for name in ("achieved", "cases", "open"))
    return achieved / (n_cases - n_open)
