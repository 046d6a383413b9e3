"""Values that filters offer."""

from __future__ import annotations

from truenorth.console.registry import Choice
from truenorth.console.sight import Sight
from truenorth.console.words import Words, link
from truenorth.server.api.journeys import list_journeys


async def journeys(sight: Sight) -> list[Choice]:
    """The live journeys."""
    return [Choice(one.name, one.title) for one in await sight.ask(list_journeys)]


async def journeys_or_all(sight: Sight) -> list[Choice]:
    """The live journeys, or all of them."""
    return [Choice("", "all"), *await journeys(sight)]


async def chosen_journey(sight: Sight) -> str | None:
    """The journey of the filter ``journey``, else the first live one; None where there is none."""
    if sight.filters.journey:
        return str(sight.filters.journey)
    return next((one.value for one in await journeys(sight)), None)


def nothing_live() -> None:
    """Say that no journey is live, and where one begins."""
    with Words("p", "", "tn-notice"):
        Words("span", "No journey is live yet. ")
        link("Write one, or draft one from a log", "/design")
        Words("span", "; then ")
        link("connect what sends events", "/desk/connect")
        Words("span", ".")
