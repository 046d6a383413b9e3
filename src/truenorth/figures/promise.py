"""Figures of promises: kept and broken, and where broken ones began."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import BAR, VERDICT_INK, Theme, add_rows, bar_rows, filled, hover, titled, worded
from truenorth.figures.wording import count, plain, shorten
from truenorth.insight.promises import By, promise_breaks, promise_verdicts
from truenorth.insight.replayed import VERDICTS, Replayed
from truenorth.spec.counted import counted, percent

MAX_ROWS = 15
"""More groups than this are left to the table."""


def promise_figure(replay: Replayed, theme: Theme = "light") -> Any:
    """How often each promise was kept, broken, lapsed or is open: shares of its instances, counts in the hover."""
    table = promise_verdicts(replay)
    if not table.height:
        return worded(theme, "No promises", "The journey makes no promises.")
    made = int(table["made"].sum())
    if not made:
        return worded(theme, "No promise was ever made", f"None of {table.height} promises was triggered in this log.")
    figure = go.Figure()
    rows = bar_rows(table.height)
    for verdict in VERDICTS:
        shares = [n / total if total else 0.0 for n, total in table.select(verdict, "made").iter_rows()]
        texts = [
            hover(plain(name), f"{verdict}: {count(n)} of {count(total)} made", percent(n / total if total else None))
            for name, n, total in table.select("group", verdict, "made").iter_rows()
        ]
        figure.add_bar(
            x=shares, y=rows, orientation="h", name=verdict, marker=filled(VERDICT_INK[verdict]), **BAR,
            hovertext=texts, hoverinfo="text",
        )  # fmt: skip
    height = add_rows(figure, [_promise_label(row) for row in table.iter_rows(named=True)])
    figure.update_xaxes(title="share of the instances of the promise", tickformat=".0%", range=[0, 1.03])
    figure.update_layout(barmode="stack")
    title, subtitle = _promise_words(table)
    return titled(figure, theme, title, subtitle, f"Stacked bar chart. {title}. {subtitle}", height=height + 48)


def _promise_label(row: dict[str, Any]) -> str:
    if not row["made"]:
        return f"<b>{plain(row['group'], 34)}</b>  never made"
    return f"<b>{plain(row['group'], 34)}</b>  {_of_judged(row)}"


def _of_judged(row: dict[str, Any]) -> str:
    judged = row["kept"] + row["broken"]
    return f"{percent(row['broken_share'])} of {count(judged)} broken" if judged else "none judged"


def _promise_words(table: pl.DataFrame) -> tuple[str, str]:
    kept, broken = (int(table[verdict].sum()) for verdict in ("kept", "broken"))
    judged = table.filter(pl.col("broken_share").is_not_null())
    sample = f"{counted(int(table['made'].sum()), 'instance')} made."
    subtitle = f"{sample} Rate = broken / (kept + broken); lapsed and open ones count in neither."
    if not judged.height:
        return "No promise has been judged yet", subtitle
    if not broken:
        return f"All {count(kept)} promises judged were kept", subtitle
    worst = judged.sort("broken_share", descending=True).row(0, named=True)
    title = f"{percent(broken / (kept + broken))} of {count(kept + broken)} judged promises were broken"
    if judged.height > 1:
        title += f", most often {shorten(worst['group'], 30)} ({percent(worst['broken_share'])})"
    return title, subtitle


def breaks_figure(replay: Replayed, by: By = "team", promise: str | None = None, theme: Theme = "light") -> Any:
    """The share of promises broken, by team, channel or type of the event that started them, with 95 % intervals."""
    table = promise_breaks(replay, by, promise)
    judged = table.filter(pl.col("broken_share").is_not_null()).head(MAX_ROWS)
    if not judged.height:
        why = f"No promise that is judged was started by an event with a {by}."
        if by not in replay.events.columns and by != "promise":
            why = f"The log does not record the {by} of its events."
        return worded(theme, f"No promises by {by}", why)
    figure = go.Figure()
    texts = [
        hover(
            plain(row["group"]),
            f"{count(row['broken'])} broken, {count(row['kept'])} kept: {percent(row['broken_share'])} broken",
            f"95 % interval {percent(row['low'])} to {percent(row['high'])}",
        )
        for row in judged.iter_rows(named=True)
    ]
    figure.add_bar(
        x=judged["broken_share"].to_list(), y=bar_rows(judged.height), orientation="h", **BAR,
        marker=filled(VERDICT_INK["broken"]), hovertext=texts, hoverinfo="text", showlegend=False,
        error_x=_whiskers(judged, "broken_share", "low", "high"),
    )  # fmt: skip
    labels = [f"<b>{plain(row['group'], 40)}</b>  {_of_judged(row)}" for row in judged.iter_rows(named=True)]
    height = add_rows(figure, labels)
    figure.update_xaxes(title="broken / (kept + broken)", tickformat=".0%", rangemode="tozero")
    worst = judged.sort("broken_share", descending=True).row(0, named=True)
    whole = int(judged["broken"].sum()) / int((judged["broken"] + judged["kept"]).sum())
    name = shorten(worst["group"], 40)
    title = f"{name} breaks {percent(worst['broken_share'])} of what it starts; all together {percent(whole)}"
    if worst["group"] is None:
        rest = f"where no {by} is named {percent(worst['broken_share'])}"
        title = f"{percent(whole)} of judged promises were broken; {rest}"
    subtitle = (
        f"By the {by} of the event that started the promise, whoever acted later. Whiskers: 95 % Wilson intervals."
    )
    return titled(
        figure, theme, title, subtitle, f"Bar chart. {title}. {subtitle}", height=height + 48, showlegend=False
    )


def _whiskers(table: pl.DataFrame, value: str, low: str, high: str) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False,
        "array": (table[high] - table[value]).to_list(), "arrayminus": (table[value] - table[low]).to_list(),
    }  # fmt: skip
