"""Figures on pages: those of `truenorth.figures`, in the reader's light or dark."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from truenorth.console.words import Words

CONFIG = {"displayModeBar": False, "responsive": True}
GAP_PX = 10
"""Above what is left of a figure without its title."""


class Plot:
    """A figure with its description for those who do not see it; `show` replaces it.

    What it has found and how stand above it as text: so they break where the page is narrow, and can be marked.
    """

    def __init__(self, figure: Any) -> None:
        """``figure``: of `truenorth.figures`, made in `Sight.writing.theme`."""
        with Words("figure", "", "tn-figure"):
            with Words("figcaption", ""):
                self._title = Words("p", "", "tn-found")
                self._subtitle = Words("p", "", "tn-muted")
            with Words("div", "", "tn-drawn", role="group", tabindex="0") as self._around:
                self._drawing = ui.plotly({}).props("role=img")
        self.show(figure)

    def show(self, figure: Any) -> None:
        """Show another one."""
        meta = figure.layout.meta or {}
        self._title.set_text(meta.get("title", ""))
        self._subtitle.set_text(meta.get("subtitle", ""))
        self._around.props["aria-label"] = meta.get("title", "")
        self._drawing.props["aria-label"] = meta.get("alt", "")
        drawn = {**figure.to_plotly_json(), "config": CONFIG}
        drawn["layout"], height_px = _untitled(drawn["layout"], int(meta.get("title_px", 0)))
        self._drawing.style(f"height: {height_px}px; min-width: {int(meta.get('min_width', 0))}px")
        self._drawing.update_figure(drawn)


def _untitled(layout: dict[str, Any], title_px: int) -> tuple[dict[str, Any], int]:
    """A layout without its title, and how high the figure is then."""
    less_px = max(title_px - GAP_PX, 0)
    height_px = int(layout.get("height", 300)) - less_px
    margin = layout.get("margin", {})
    top_px = max(margin.get("t", 0) - less_px, GAP_PX)
    return {**layout, "title": None, "height": height_px, "margin": {**margin, "t": top_px}}, height_px
