"""Figure of the points of failure."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import BAR, OUTCOME_INK, Ink, Theme, add_rows, filled, hover, titled, worded
from truenorth.figures.wording import cases, count, money, plain, points, shorten
from truenorth.insight.failure import MIN_CASES, points_of_failure
from truenorth.insight.replayed import Replayed
from truenorth.spec.counted import percent

KIND_WORDS = {"event": "Event", "step": "Step", "handover": "Hand-over", "promise": "Broken promise"}


def failure_figure(replay: Replayed, top: int = 12, min_cases: int = MIN_CASES, theme: Theme = "light") -> Any:
    """The points of failure that cost most: value lost if the journey declares values, else failing cases in excess.

    Bars with 95 % intervals; points that may be chance (the interval of their difference reaches zero) come last. See
    `truenorth.insight.points_of_failure` for what is counted.
    """
    worth = bool(replay.journey.outcome.value)
    measure = "value_lost" if worth else "excess"
    found = _with_excess_interval(points_of_failure(replay, min_cases)).filter(pl.col(measure) > 0)
    table = found.sort("clear", descending=True, maintain_order=True).head(top)
    if not table.height:
        text = f"No point passed by at least {min_cases} decided cases goes with more failures than the rest."
        return worded(theme, "No point of failure found", text)
    figure = go.Figure()
    for clear, name, ink in ((True, "clear", OUTCOME_INK["failed"]), (False, "may be chance", OUTCOME_INK["open"])):
        _add_bars(figure, table.with_row_index("row").filter(pl.col("clear") == clear), replay, measure, name, ink)
    names = [f"<b>{KIND_WORDS[row['kind']]}</b>  {plain(row['point'], 42)}" for row in table.iter_rows(named=True)]
    height = add_rows(figure, names, [_note(row) for row in table.iter_rows(named=True)])
    unit = f"value lost ({plain(replay.journey.currency) or 'units of value'})" if worth else "failing cases in excess"
    figure.update_xaxes(title=unit, tickformat=",", zeroline=True)
    title, subtitle = _words(table.row(0, named=True), replay.journey.currency, worth, min_cases)
    return titled(figure, theme, title, subtitle, f"Bar chart. {title}. {subtitle}", height=height + 48)


def _add_bars(figure: Any, rows: pl.DataFrame, replay: Replayed, measure: str, name: str, ink: Ink) -> None:
    if not rows.height:
        return
    currency, worth = replay.journey.currency, measure == "value_lost"
    figure.add_bar(
        x=rows[measure].to_list(), y=[row + 0.13 for row in rows["row"]], orientation="h", name=name, **BAR,
        marker=filled(ink), hoverinfo="text",
        hovertext=[_hover(row, currency, worth) for row in rows.iter_rows(named=True)],
        error_x={
            "type": "data", "symmetric": False,
            "array": (rows[f"{measure}_high"] - rows[measure]).to_list(),
            "arrayminus": (rows[measure] - rows[f"{measure}_low"]).to_list(),
        },
    )  # fmt: skip


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
    return hover(*lines, f"{money(row['value_lost'], plain(currency))} of value lost") if worth else hover(*lines)


def _words(row: dict[str, Any], currency: str, worth: bool, min_cases: int) -> tuple[str, str]:
    amount = money(row["value_lost"], currency) if worth else f"{count(row['excess'])} failing cases"
    kind = KIND_WORDS[row["kind"]].lower()
    title = f"The costliest point is the {kind} {shorten(row['point'], 60)}: {amount} more than elsewhere"
    if not row["clear"]:
        title = "No point of failure stands out from chance"
    rule = f"Decided cases that pass it before their verdict, against all others; at least {min_cases} on either side."
    return title, f"{rule} Association, not cause."
