"""The pages of the console, one file a subject; `PAGES` in the order of the menu."""

from __future__ import annotations

from truenorth.console.pages import design, foresight, outside_in, true_north
from truenorth.console.registry import Registry


def registry() -> Registry:
    """All pages."""
    return Registry([*true_north.PAGES, *foresight.PAGES, *outside_in.PAGES, *design.PAGES])
