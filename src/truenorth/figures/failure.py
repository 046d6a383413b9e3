"""Figure of the points of failure."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import BAR, OUTCOME_INK, Theme, add_rows, bar_rows, filled, hover, titled, worded
from truenorth.figures.wording import cases, count, money, percent, plain, points, shorten
from truenorth.insight.failure import MIN_CASES, points_of_failure
from truenorth.insight.replayed import Replayed

KIND_WORDS = {"event": "Event", "step": "Step", "handover": "Hand-over", "promise": "Broken promise"}


def failure_figure(replay: Replayed, top: int = 12, min_cases: int = MIN_CASES, theme: Theme = "light") -> Any:
    """The points of failure that cost most: value lost if the journey declares values, else failing cases in excess.

    Bars with 95 % intervals; see `truenorth.insight.points_of_failure` for what is counted.
    """
    worth = bool(replay.journey.outcome.value)
    measure = "value_lost" if worth else "excess"
    table = _with_excess_interval(points_of_failure(replay, min_cases)).filter(pl.col(measure) > 0).head(top)
    if not table.height:
        text = f"No point passed by at least {min_cases} decided cases goes with more failures than the rest."
        return worded(theme, "No point of failure found", text)
    low, high = f"{measure}_low", f"{measure}_high"
    figure = go.Figure()
    figure.add_bar(
        x=table[measure].to_list(), y=bar_rows(table.height), orientation="h",
        marker=filled(OUTCOME_INK["failed"]), **BAR, hovertext=[_hover(row, replay.journey.currency, worth) for
        row in table.iter_rows(named=True)], hoverinfo="text", showlegend=False, error_x={
            "type": "data", "symmetric": False,
            "array": (table[high] - table[measure]).to_list(), "arrayminus": (table[measure] - table[low]).to_list(),
        },
    )  # fmt: skip
    names = [f"<b>{KIND_WORDS[row['kind']]}</b>  {plain(row['point'], 42)}" for row in table.iter_rows(named=True)]
    height = add_rows(figure, names, [_note(row) for row in table.iter_rows(named=True)])
    unit = f"value lost ({replay.journey.currency or 'units of value'})" if worth else "failing cases in excess"
    figure.update_xaxes(title=unit, tickformat=",", zeroline=True)
    title, subtitle = _words(table.row(0, named=True), replay.journey.currency, worth, min_cases)
    return titled(
        figure, theme, title, subtitle, f"Bar chart. {title}. {subtitle}", height=height + 48, showlegend=False
    )


def _with_excess_interval(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(
        (pl.col("n") * pl.col("difference_low")).alias("excess_low"),
        (pl.col("n") * pl.col("difference_high")).alias("excess_high"),
    )


def _note(row: dict[str, Any]) -> str:
    return f"{percent(row['rate'])} of {cases(row['n'])} fail, {points(row['difference'])} points"


def _hover(row: dict[str, Any], currency: str, worth: bool) -> str:
    interval = f"{points(row['difference_low'])} to {points(row['difference_high'])}"
    lines = [
        plain(row["point"], 120),
        f"{cases(row['n'])} pass, {percent(row['rate'])} of them fail; {percent(row['rate_others'])} of the others",
        f"difference {points(row['difference'])} points (95 % interval {interval})",
        f"{row['excess']:,.1f} failing cases in excess",
    ]
    return hover(*lines, f"{money(row['value_lost'], currency)} of value lost") if worth else hover(*lines)


def _words(row: dict[str, Any], currency: str, worth: bool, min_cases: int) -> tuple[str, str]:
    amount = money(row["value_lost"], currency) if worth else f"{count(row['excess'])} failing cases"
    kind = KIND_WORDS[row["kind"]].lower()
    title = f"The costliest point is the {kind} {shorten(row['point'], 60)}: {amount} more than elsewhere"
    rule = f"Decided cases that pass it before their verdict, against all others; at least {min_cases} on either side."
    return title, f"{rule} Association, not cause."
