"""True north: whether customers get their outcome, journey by journey, now."""

from __future__ import annotations

import msgspec

from truenorth.console.choosing import journeys_or_all
from truenorth.console.registry import Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import heading, notice
from truenorth.server.api.journeys import list_journeys
from truenorth.server.api.summary import Summary, summarise

REFRESH_S = 3.0


class Filters(msgspec.Struct, frozen=True):
    """Which journey; all of them by default."""

    journey: str = ""


async def read(sight: Sight, filters: Filters) -> list[tuple[str, Summary]]:
    """The summary of each journey."""
    names = [one.name for one in await sight.ask(list_journeys)]
    return [(name, await sight.ask(summarise, journey=name)) for name in names if filters.journey in ("", name)]


async def table(sight: Sight, filters: Filters) -> Table:
    """Journeys with their outcomes."""
    columns = (
        Column("journey", "Journey"),
        Column("cases", "Cases", "number"),
        Column("achieved", "Achieved", "number"),
        Column("failed", "Failed", "number"),
        Column("abandoned", "Abandoned", "number"),
        Column("open", "Open", "number"),
    )
    rows = [
        Row((name, summary.cases, *(summary.outcome[one] for one in ("achieved", "failed", "abandoned", "open"))))
        for name, summary in await read(sight, filters)
    ]
    return Table(caption="Outcomes by journey", columns=columns, rows=rows, empty="No journey is live yet.")


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    found = await read(sight, filters)
    if not found:
        notice("No journey is live yet: publish one, or start the service with --journeys DIR.")
    shown: list[tuple[str, Tiles]] = []
    for name, summary in found:
        heading(name)
        shown.append((name, Tiles(_tiles(sight, summary))))

    async def refresh() -> None:
        for name, tiles in shown:
            tiles.show(_tiles(sight, await sight.ask(summarise, journey=name)))

    sight.every(REFRESH_S, refresh)


def _tiles(sight: Sight, summary: Summary) -> list[Tile]:
    writing, n = sight.writing, summary.outcome
    decided = n["achieved"] + n["failed"] + n["abandoned"]
    share = writing.percent(n["achieved"] / decided if decided else None, 1)
    return [
        Tile("Achieved", share, f"{writing.number(n['achieved'])} of {writing.number(decided)} decided"),
        Tile("Failed", writing.number(n["failed"])),
        Tile("Abandoned", writing.number(n["abandoned"])),
        Tile("Open", writing.number(n["open"])),
    ]


PAGES = (
    Page(
        path="/true-north",
        title="True north",
        group="Lead",
        role="viewer",
        filters=Filters,
        choices={"journey": journeys_or_all},
        how=("Achieved: cases whose outcome was achieved, as a share of the cases that are decided.",),
        twin=lambda filters: address_of("/api/v1/summary", {"journey": filters.journey}),
        table=table,
        build=build,
    ),
)
