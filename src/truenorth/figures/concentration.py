"""Figure of a concentration: the Lorenz curve, read from the largest item down."""

from __future__ import annotations

from typing import Any

import numpy as np
from plotly import graph_objects as go

from truenorth.figures.theme import KIND_INK, LINE, Theme, hover, titled, worded
from truenorth.figures.wording import count, plain, points, shorten
from truenorth.insight.concentration import Concentration
from truenorth.spec.counted import percent

MAX_POINTS = 400
"""A curve is drawn through at most so many items."""
MEASURE_WORDS = {
    "events": "events",
    "cases": "cases",
    "customers": "customers",
    "failed": "cases that failed",
    "cost": "the cost",
    "revenue": "the revenue",
}
COUNTED_ONCE = frozenset({"cases", "customers", "failed"})
"""Measures whose parts add up to more than there are: one case may have met several items, and counts for each."""


def concentration_figure(found: Concentration, theme: Theme = "light") -> Any:
    """What share of a measure the largest items have together; the diagonal is where all have the same."""
    if found.top.share is None:
        return worded(theme, "Nothing to share", f"No {MEASURE_WORDS[found.measure]} by {found.of}.")
    n = found.n_items
    at = np.unique(np.linspace(0, n - 1, min(n, MAX_POINTS)).round().astype(int))
    rows = found.table[at].to_dicts()
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="all the same", hoverinfo="skip", line={"color": LINE, "dash": "dot"}
    )
    figure.add_scatter(
        x=[0, *((at + 1) / n)], y=[0, *(row["cumulated"] for row in rows)], mode="lines", name=plain(found.of),
        line={"color": KIND_INK["internal"].colour, "width": 2.5}, hoverinfo="text",
        hovertext=["", *(_hover(int(rank), row) for rank, row in zip(at, rows, strict=True))],
    )  # fmt: skip
    k = len(found.top.items)
    figure.add_scatter(
        x=[k / n], y=[found.top.share], mode="markers", name=f"the top {k}", hoverinfo="skip",
        marker={"size": 10, "color": KIND_INK["moment"].colour, "symbol": "diamond"},
    )  # fmt: skip
    figure.update_xaxes(
        title=f"share of the items, the largest first (n = {count(n)})", tickformat=".0%", range=[0, 1.03]
    )
    figure.update_yaxes(title=f"share of {MEASURE_WORDS[found.measure]}", tickformat=".0%", range=[0, 1.02])
    figure.update_layout(meta={"max_width": 720})
    title, subtitle = words(found)
    return titled(figure, theme, title, subtitle, f"Lorenz curve. {title}. {subtitle}", height=300)


def words(found: Concentration) -> tuple[str, str]:
    """The finding, and the sample behind it."""
    top, k = found.top, len(found.top.items)
    names = ", ".join(shorten(name, 24) for name in top.items[:3])
    whole = MEASURE_WORDS[found.measure]
    if found.measure in COUNTED_ONCE:
        whole += f", each counted once a {found.of}"
    if k < found.n_items:
        title = f"The top {k} of {count(found.n_items)} by {found.of} have {percent(top.share)} of {whole}"
    else:
        first = found.table.row(0, named=True) if found.n_items else {"share": None}
        title = f"Of {count(found.n_items)} by {found.of} the first has {percent(first['share'])} of {whole}"
    interval = "" if top.low is None else f" 95 % interval {percent(top.low)} to {percent(top.high)}."
    gini = "" if found.gini is None else f" Gini {found.gini:.2f}."
    change = ""
    if found.change is not None:
        difference, low, high = found.change
        change = f" Against the period before: {points(difference)} points ({points(low)} to {points(high)})."
    return title, f"First {names}.{interval}{gini}{change}"


def _hover(rank: int, row: dict[str, Any]) -> str:
    return hover(
        f"{count(rank + 1)}. {plain(row['item'], 80)}", f"{percent(row['share'])}, {percent(row['cumulated'])} so far"
    )
