"""How figures look: one calm theme in light and dark, and a shape or pattern with every colour.

Fills are of middle brightness, so that each has a contrast of at least 3:1 on both backgrounds (WCAG 2.2, 1.4.11).
The pairs that matter most (achieved and failed, kept and broken) differ in pattern, and in hue along the blue-yellow
axis that red-green blindness leaves (after M. Okabe and K. Ito, "Color universal design", 2008).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from plotly import graph_objects as go

from truenorth.figures.wording import plain, wrapped

Theme = Literal["light", "dark"]


class Ink(NamedTuple):
    """Colour and pattern of an area, symbol of a point, and the letter that goes inside it."""

    colour: str
    pattern: str
    symbol: str
    letter: str
    dash: str = "solid"


OUTCOME_INK = {
    "achieved": Ink("#0b8a6f", "", "circle", "✓"),
    "failed": Ink("#cf5510", "/", "x", "✕", "dash"),
    "abandoned": Ink("#8a63ad", "x", "triangle-down", "–", "dot"),  # noqa: RUF001 a dash in a symbol
    "open": Ink("#858d99", ".", "circle-open", "…", "dashdot"),
}
VERDICT_INK = {
    "kept": OUTCOME_INK["achieved"],
    "broken": OUTCOME_INK["failed"],
    "lapsed": Ink("#4f7fb5", "-", "square", "l"),
    "open": OUTCOME_INK["open"],
}
KIND_INK = {
    "moment": Ink("#c9372c", "", "circle", "M"),
    "internal": Ink("#2f6fb5", "", "square", "I"),
    "decision": Ink("#2c8050", "", "diamond", "D"),
}
LINE = "#858d99"
"""Edges and neutral lines: readable on light and on dark."""

BACK = "#9a6d1c"
"""Edges that lead back to what came before."""

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
)
SURFACES: dict[Theme, dict[str, str]] = {
    "light": {"paper": "#ffffff", "ink": "#1b1f26", "muted": "#565e6b", "grid": "#e6e8ec", "axis": "#b9bfc9"},
    "dark": {"paper": "#171a20", "ink": "#eceef2", "muted": "#a9b1bd", "grid": "#2b3039", "axis": "#4a515d"},
}
TITLE_CHARS = 84


def template(theme: Theme) -> Any:
    """The Plotly template of a theme."""
    surface = SURFACES[theme]
    axis = {
        "gridcolor": surface["grid"],
        "linecolor": surface["axis"],
        "zerolinecolor": surface["axis"],
        "tickcolor": surface["axis"],
        "automargin": True,
        "title": {"font": {"size": 13, "color": surface["muted"]}, "standoff": 8},
        "tickfont": {"size": 12, "color": surface["muted"]},
    }
    layout = {
        "font": {"family": FONT, "size": 13, "color": surface["ink"]},
        "paper_bgcolor": surface["paper"],
        "plot_bgcolor": surface["paper"],
        "colorway": [ink.colour for ink in OUTCOME_INK.values()],
        "xaxis": axis,
        "yaxis": axis,
        "separators": ".,",
        "hoverlabel": {
            "bgcolor": surface["paper"],
            "bordercolor": surface["axis"],
            "font": {"family": FONT, "size": 13, "color": surface["ink"]},
            "align": "left",
            "namelength": -1,
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.0,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "annotationdefaults": {"bgcolor": surface["paper"]},
        "title": {"font": {"size": 18}, "subtitle": {"font": {"size": 13, "color": surface["muted"]}}},
    }
    whiskers = {"color": surface["ink"], "thickness": 1.4, "width": 4}
    return go.layout.Template(layout=layout, data={"bar": [{"error_x": whiskers}], "scatter": [{"error_x": whiskers}]})


def filled(ink: Ink) -> dict[str, Any]:
    """The ``marker`` of a bar in this ink."""
    pattern = {
        "shape": ink.pattern,
        "fillmode": "replace",
        "bgcolor": ink.colour,
        "fgcolor": "rgba(255,255,255,0.75)",
        "size": 6,
        "solidity": 0.25,
    }
    return {"color": ink.colour, "pattern": pattern, "line": {"width": 0}}


def titled(figure: Any, theme: Theme, title: str, subtitle: str, alt: str, **layout: Any) -> Any:
    """Give a figure its theme, its finding as a title, the sample and rule as a subtitle, and its description.

    ``layout.meta`` keeps ``title``, ``subtitle`` and ``alt`` as plain text for the page around the figure, and what
    else it may need (``title_px``: how high the titles are, for a page that writes them itself; ``min_width``,
    ``max_width``: pixels below which it should scroll, above which it gains nothing).
    """
    lines, small = wrapped(title, TITLE_CHARS, 3), wrapped(subtitle, TITLE_CHARS + 16, 4)
    top = 30 + 24 * len(lines) + 18 * len(small)
    layout.setdefault("margin", {"l": 12, "r": 16, "b": 48})
    layout["margin"] = {**layout["margin"], "t": top + (34 if layout.get("showlegend", True) else 6)}
    layout["height"] = layout.get("height", 300) + layout["margin"]["t"]
    figure.update_layout(
        template=template(theme),
        title={
            "text": "<br>".join(lines), "subtitle": {"text": "<br>".join(small)},
            "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"l": 12, "t": 14 + 23 * (len(lines) - 1)},
        },
        meta={**(figure.layout.meta or {}), "title": title, "subtitle": subtitle, "alt": alt, "title_px": top},
        **layout,
    )  # fmt: skip
    return figure


def worded(theme: Theme, title: str, text: str) -> Any:
    """A figure that says in words why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(
        text="<br>".join(wrapped(text, 44, 4)),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 15},
    )
    hidden = {"visible": False, "range": [0, 1]}
    figure.update_layout(meta={"empty": text})
    return titled(
        figure, theme, title, "", f"{title}. {text}", height=120, xaxis=hidden, yaxis=hidden, showlegend=False
    )


def add_rows(figure: Any, labels: list[str], notes: list[str] | None = None) -> int:
    """Write a label (and a note under it) above each of the rows 0, 1, ...; gives the height of all, in pixels.

    Labels above their bars, not beside them, leave a phone its width. Texts must be escaped already.
    """
    row = 62 if notes else 46
    for number, label in enumerate(labels):
        note = f"<br><span style='font-size:11.5px'>{notes[number]}</span>" if notes else ""
        figure.add_annotation(
            text=label + note, x=0, xref="paper", y=number - 0.06, yref="y", xanchor="left", yanchor="bottom",
            align="left", showarrow=False, font={"size": 13}, borderpad=0,
        )  # fmt: skip
    figure.update_yaxes(range=[len(labels) - 0.55, -0.85], visible=False, fixedrange=True)
    return row * max(len(labels), 1) + 30


BAR = {"width": 0.26}
"""Thickness of a bar below its label, as a share of the row."""


def bar_rows(n: int) -> list[float]:
    """Where the bars of ``n`` rows go: just under their labels."""
    return [number + 0.13 for number in range(n)]


def hover(*lines: str) -> str:
    """A hover text of several lines, escaped parts already in place.

    >>> hover("a", "b")
    'a<br>b'
    """
    return "<br>".join(lines)


__all__ = ["BACK", "BAR", "KIND_INK", "LINE", "OUTCOME_INK", "SURFACES", "VERDICT_INK", "Ink", "Theme", "add_rows"]
__all__ += ["bar_rows", "filled", "hover", "plain", "template", "titled", "worded"]
