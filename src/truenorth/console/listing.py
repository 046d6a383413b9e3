"""Long lists: a page of them on the screen, and more of them as CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from truenorth.console.sight import Sight
from truenorth.console.words import link
from truenorth.server.api.bounds import MAX_PAGE
from truenorth.server.api.paging import Asked, Listed

SHOWN = 100
"""Rows of a page on the screen."""
CSV_ROWS = 10_000
"""Most rows of a table as CSV; the export has everything."""


async def first_page(sight: Sight, answer: Callable[..., Listed[Any]], **given: Any) -> Listed[Any]:
    """The page of a list that the filter ``after`` begins."""
    return await sight.ask(answer, page=Asked(sight.filters.after or None, SHOWN), **given)


async def all_pages(sight: Sight, answer: Callable[..., Listed[Any]], **given: Any) -> list[Any]:
    """A list from its beginning, as far as CSV goes."""
    found: list[Any] = []
    after: str | None = None
    while len(found) < CSV_ROWS:
        page = await sight.ask(answer, page=Asked(after, MAX_PAGE), **given)
        found += page.items
        after = page.next
        if after is None:
            break
    return found[:CSV_ROWS]


def link_on(sight: Sight, page: Listed[Any]) -> None:
    """Links to the beginning of a list and to its next page, where there are such."""
    if sight.filters.after:
        link("From the beginning", sight.address(after=""), "tn-more")
    if page.next is not None:
        link("Next page", sight.address(after=page.next), "tn-more")
