"""Figure of the variants: the most frequent ways in which cases go, one symbol per event."""

from __future__ import annotations

from typing import Any

import polars as pl
from plotly import graph_objects as go

from truenorth.figures.outcome import NO_CASES
from truenorth.figures.theme import KIND_INK, Theme, add_rows, hover, titled, worded
from truenorth.figures.wording import cases, count, duration, plain
from truenorth.insight.flow import event_types
from truenorth.insight.replayed import Replayed
from truenorth.insight.variants import n_variants, variants
from truenorth.spec.counted import percent

MAX_SYMBOLS = 24
"""Longer variants end in an ellipsis; the table has their whole text."""


def variants_figure(replay: Replayed, top: int = 10, theme: Theme = "light") -> Any:
    """The ``top`` most frequent variants: a row each, a symbol per event, its letters explained in the hover.

    ``layout.meta["key"]`` maps the letters to event types.
    """
    table = variants(replay, top)
    if not table.height:
        return worded(theme, "No variants", NO_CASES)
    kinds = dict(event_types(replay).select("type", "kind").iter_rows())
    codes = abbreviations([name for types in table["types"].to_list() for name in types[:MAX_SYMBOLS]])
    figure = go.Figure()
    for kind, ink in KIND_INK.items():
        spots = [
            (at, row + 0.27, name)
            for row, types in enumerate(table["types"].to_list())
            for at, name in enumerate(types[:MAX_SYMBOLS])
            if kinds[name] == kind
        ]
        figure.add_scatter(
            x=[spot[0] for spot in spots], y=[spot[1] for spot in spots], text=[codes[spot[2]] for spot in spots],
            mode="markers+text", name=kind, cliponaxis=False, textfont={"size": 10, "color": "#ffffff"},
            marker={"symbol": ink.symbol, "size": 27 if ink.symbol == "diamond" else 24, "color": ink.colour},
            hovertext=[hover(f"{spot[0] + 1}. {plain(spot[2])}", kind) for spot in spots], hoverinfo="text",
        )  # fmt: skip
    height = add_rows(figure, [_label(row) for row in table.iter_rows(named=True)])
    _add_rests(figure, table)
    longest = max(min(max(table["length"]), MAX_SYMBOLS), 10)
    figure.update_xaxes(range=[-0.5, longest - 0.2], visible=False, fixedrange=True)
    figure.update_layout(
        meta={
            "key": {code: name for name, code in codes.items()},
            "min_width": 29 * longest + 20,
            "max_width": 64 * longest,
        }
    )
    share = float(table["share"].sum())
    n_all = count(n_variants(replay))
    title = f"The {table.height} most frequent of {n_all} variants cover {percent(share)} of the cases"
    rule = "A variant is one exact sequence of event types; achieved = share of decided cases."
    subtitle = f"{cases(replay.cases.height)}. {rule}"
    return titled(
        figure,
        theme,
        title,
        subtitle,
        f"Sequences of symbols. {title}.",
        height=int(height * 1.22),
        legend_title_text="",
    )


def _label(row: dict[str, Any]) -> str:
    achieved = f"{percent(row['achieved_share'])} achieved" if row["achieved_share"] is not None else "open"
    return f"<b>{cases(row['n'])}</b> ({percent(row['share'])})  {achieved}, median {duration(row['median_us'])}"


def _add_rests(figure: Any, table: pl.DataFrame) -> None:
    for row, length in enumerate(table["length"].to_list()):
        if length > MAX_SYMBOLS:
            rest = f"+{length - MAX_SYMBOLS}"
            figure.add_annotation(text=rest, x=MAX_SYMBOLS - 0.2, y=row + 0.27, xanchor="left", showarrow=False)


def abbreviations(names: list[str]) -> dict[str, str]:
    """Letters for every name, distinct and escaped: initials of its words, with a number where they clash.

    >>> abbreviations(["Take in charge", "Wait", "Tell in chat", "Wait"])
    {'Take in charge': 'TiC', 'Wait': 'Wa', 'Tell in chat': 'Ti2'}
    """
    codes: dict[str, str] = {}
    for name in dict.fromkeys(names):
        words = "".join(char if char.isalnum() else " " for char in name).split()
        initials = "".join(word[0] for word in words[:3])
        if len(words) > 1:
            code = initials[0].upper() + initials[1:-1] + initials[-1].upper()
        else:
            code = (words[0][:2] if words else "?").capitalize()
        taken = sum(1 for other in codes.values() if other[:2] == code[:2])
        codes[name] = f"{code[:2]}{taken + 1}" if taken else code
    return codes
