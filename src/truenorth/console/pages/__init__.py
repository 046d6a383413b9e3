"""The pages of the console, one file a subject; `PAGES` in the order of the menu."""

from __future__ import annotations

from truenorth.console.pages import (
    access,
    cases,
    connect,
    data_health,
    decisions,
    design,
    foresight,
    journey,
    ledger,
    now,
    outside_in,
    people,
    promises,
    true_north,
    what_if,
)
from truenorth.console.registry import Registry


def registry() -> Registry:
    """All pages."""
    acting = (true_north, now, promises, ledger, what_if, decisions)
    modules = (*acting, journey, cases, foresight, outside_in, design, data_health, connect, people, access)
    return Registry([page for module in modules for page in module.PAGES])
