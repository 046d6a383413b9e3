"""The pages of the console, one file a subject; `PAGES` in the order of the menu."""

from __future__ import annotations

from truenorth.console.pages import decisions, design, foresight, journey, now, outside_in, promises, true_north
from truenorth.console.registry import Registry


def registry() -> Registry:
    """All pages."""
    modules = (true_north, now, journey, promises, foresight, outside_in, decisions, design)
    return Registry([page for module in modules for page in module.PAGES])
