"""Figures on pages: those of `truenorth.figures`, in the reader's light or dark."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from truenorth.console.words import Words

CONFIG = {"displayModeBar": False, "responsive": True}


class Plot:
    """A figure with its description for those who do not see it; `show` replaces it."""

    def __init__(self, figure: Any) -> None:
        """``figure``: of `truenorth.figures`, made in `Sight.writing.theme`."""
        with Words("div", "", "tn-figure", role="group", tabindex="0") as self._around:
            self._drawing = ui.plotly({}).props("role=img")
        self.show(figure)

    def show(self, figure: Any) -> None:
        """Show another one."""
        meta = figure.layout.meta or {}
        self._around.props["aria-label"] = meta.get("title", "")
        self._drawing.props["aria-label"] = meta.get("alt", "")
        height, narrowest = int(figure.layout.height or 300), int(meta.get("min_width", 0))
        self._drawing.style(f"height: {height}px; min-width: {narrowest}px")
        self._drawing.update_figure({**figure.to_plotly_json(), "config": CONFIG})
