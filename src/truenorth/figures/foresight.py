"""Figures of foresight: whether risks come true, and how well cases are told apart as they go on."""

from __future__ import annotations

from typing import Any

import numpy as np
from plotly import graph_objects as go

from truenorth.figures.theme import LINE, OUTCOME_INK, Theme, hover, titled, worded
from truenorth.figures.wording import cases, count, tenths
from truenorth.foresight.backtest import Backtest
from truenorth.foresight.metrics import Estimate
from truenorth.spec.counted import percent


def reliability_figure(found: Backtest, theme: Theme = "light") -> Any:
    """What was said against what came, in bins of equal numbers of predictions; on the diagonal the two agree.

    Of the cases that the data show the end of, where there are enough.
    """
    of, error = found.reliability, found.scored.calibration_error
    which = f"{cases(found.n_test)} opened after the split"
    if (seen := found.seen_out) is not None:
        of, error = seen.reliability, seen.calibration_error
        which = f"{cases(seen.n_cases)} opened after the split and {seen.days:.0f} days or more before the data end"
    said, came, n = of.said, of.came, of.n
    if not n:
        return worded(theme, "Nothing to judge", "No case was opened after the split and has ended.")
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="said = came", hoverinfo="skip",
        line={"color": LINE, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    ink = OUTCOME_INK["failed"]
    texts = [
        hover(f"said {percent(a)}", f"came {percent(b)}", f"{count(rows)} predictions")
        for a, b, rows in zip(said, came, n, strict=True)
    ]
    figure.add_scatter(
        x=said, y=came, mode="lines+markers", name=found.judged, hovertext=texts, hoverinfo="text",
        line={"color": ink.colour, "width": 2.5}, marker={"symbol": "circle", "size": 9, "color": ink.colour},
    )  # fmt: skip
    figure.update_xaxes(title="risk that was said", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title="share that failed", tickformat=".0%", rangemode="tozero")
    title = f"Risks differ from what came by {tenths(error)} points on average"
    subtitle = f"{which}: {count(sum(n))} predictions of the {found.judged} model in {len(n)} bins of equal size"
    return titled(figure, theme, title, subtitle, f"Reliability diagram. {title}. {subtitle}", height=330)


def discrimination_figure(found: Backtest, theme: Theme = "light") -> Any:
    """AUC by the number of events seen, with 95 % intervals; 0.5 is chance."""
    known = [bucket for bucket in found.buckets if np.isfinite(bucket.auc.low)]
    if not known:
        return worded(theme, "Nothing to judge", "No length of case has both kinds of outcome after the split.")
    figure = go.Figure()
    names = [_range(bucket.first, bucket.last) for bucket in known]
    figure.add_scatter(
        x=names, y=[0.5] * len(names), mode="lines", name="chance", hoverinfo="skip",
        line={"color": LINE, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    figure.add_scatter(
        x=names, y=[bucket.auc.value for bucket in known], mode="lines+markers", name=found.judged,
        hovertext=[
            hover(f"{name} events seen: AUC {_figure(bucket.auc)}", cases(bucket.n_cases))
            for name, bucket in zip(names, known, strict=True)
        ],
        hoverinfo="text",
        error_y={
            "type": "data", "symmetric": False, "thickness": 1.4, "width": 4,
            "array": [bucket.auc.high - bucket.auc.value for bucket in known],
            "arrayminus": [bucket.auc.value - bucket.auc.low for bucket in known],
        },
        line={"color": OUTCOME_INK["achieved"].colour, "width": 2.5}, marker={"size": 9},
    )  # fmt: skip
    figure.update_xaxes(title="events of the case seen", type="category")
    figure.update_yaxes(title="AUC", range=[min(0.4, *(bucket.auc.low for bucket in known)), 1.02])
    overall = found.scored.auc
    title = f"AUC {_figure(overall)} over all predictions after the split"
    subtitle = "AUC is the chance that of two cases the one that fails has the higher risk; bars are 95 % intervals"
    return titled(figure, theme, title, subtitle, f"Line chart with error bars. {title}. {subtitle}", height=330)


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _figure(found: Estimate) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
