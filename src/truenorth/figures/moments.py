"""Figure of the moments: what each costs with the work that it causes."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.theme import BAR, KIND_INK, Theme, add_rows, bar_rows, filled, hover, titled, worded
from truenorth.figures.wording import count, money, plain, ratio, shorten
from truenorth.insight.moments import Moments
from truenorth.spec.counted import counted, percent


def moments_figure(found: Moments, currency: str = "", top: int = 12, theme: Theme = "light") -> Any:
    """The moments that cost most (that cause most work, where nothing has a cost): their own share and what they cause.

    Beside its name: magic or misery; under it: how often it comes, hand-overs per moment.
    """
    worth = found.totals["cost"] > 0
    caused = pl.col("caused_cost") if worth else pl.col("handovers") + pl.col("decisions") + pl.col("internals")
    own = pl.col("own_cost") if worth else pl.col("n_moments")
    moments = found.types.filter(pl.col("kind") == "moment").with_columns(own.alias("own"), caused.alias("caused"))
    table = moments.sort(pl.col("own") + pl.col("caused"), descending=True, maintain_order=True).head(top)
    if not table.height:
        return worded(theme, "No moments", "The journey declares no moments, or none of them came.")
    figure = go.Figure()
    for column, name, ink in (("own", "the moment itself", "moment"), ("caused", "work that it causes", "internal")):
        figure.add_bar(
            x=table[column].to_list(), y=bar_rows(table.height), orientation="h", name=name, **BAR,
            marker=filled(KIND_INK[ink]), hoverinfo="text",
            hovertext=[_hover(row, currency, worth) for row in table.iter_rows(named=True)],
        )  # fmt: skip
    labels = [f"<b>{plain(row['type'], 42)}</b>{_mood(row)}" for row in table.iter_rows(named=True)]
    height = add_rows(figure, labels, [_note(row) for row in table.iter_rows(named=True)])
    unit = f"cost ({plain(currency) or 'units'})" if worth else "events"
    figure.update_xaxes(title=unit, tickformat=",")
    figure.update_layout(barmode="stack")
    title, subtitle = _words(found, table.row(0, named=True), currency, worth)
    return titled(figure, theme, title, subtitle, f"Stacked bar chart. {title}. {subtitle}", height=height + 48)


def _mood(row: dict[str, Any]) -> str:
    return f"  {row['mood']}" if row["mood"] else ""


def _note(row: dict[str, Any]) -> str:
    return f"{count(row['n'])} in {percent(row['case_share'])} of cases, {ratio(row['handover_ratio'])} hand-overs each"


def _hover(row: dict[str, Any], currency: str, worth: bool) -> str:
    money_line = (
        f"{money(row['own_cost'], plain(currency))} itself, {money(row['caused_cost'], plain(currency))} caused"
        if worth
        else f"{counted(row['n'], 'moment')}, {counted(row['caused'], 'event')} caused"
    )
    decisions = f"{ratio(row['decision_ratio'])} decisions each"
    return hover(plain(row["type"], 120), _note(row), decisions, money_line, f"alignment: {row['alignment']}")


def _words(found: Moments, first: dict[str, Any], currency: str, worth: bool) -> tuple[str, str]:
    name = shorten(first["type"], 50)
    whole = found.totals["cost"] if worth else found.totals["events"]
    part = first["own"] + first["caused"]
    amount = (
        f"{money(part, currency)}, {percent(part / whole)} of all cost"
        if worth
        else f"{percent(part / whole)} of all events"
    )
    title = f"{name} and what it causes: {amount}"
    return title, "A moment causes all hand-overs, decisions and internal work up to the next moment of its case."
