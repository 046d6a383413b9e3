"""Key numbers, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element as Node

import msgspec

from truenorth.console.first_look import DrawnByScript, node
from truenorth.console.words import Tone


class Tile(msgspec.Struct, frozen=True):
    """A key number as text, what it is, and what stands below it; a click leads to ``address``."""

    label: str
    value: str
    note: str = ""
    address: str = ""
    tone: Tone = "plain"


class Tiles(DrawnByScript, component="static/tiles.js"):
    """Tiles that can be shown anew."""

    def __init__(self, tiles: Sequence[Tile]) -> None:
        super().__init__()
        self.show(tiles)

    def show(self, tiles: Sequence[Tile]) -> None:
        """Show other values."""
        drawn = tuple(msgspec.structs.asdict(tile) for tile in tiles)  # a tuple is not watched for changes
        if drawn != self.props.get("tiles"):  # what is as it was is not sent again
            self.props["tiles"] = drawn

    def plain(self) -> Node:
        """What `static/tiles.js` draws."""
        return node("dl", *map(_plain_tile, self.props["tiles"]), class_="tn-tiles")


def _plain_tile(tile: dict[str, Any]) -> Node:
    value = node("a" if tile["address"] else "span", tile["value"], href=tile["address"] or None)
    return node(
        "div",
        node("dt", tile["label"]),
        node("dd", value, class_="tn-value"),
        node("dd", tile["note"], class_="tn-note"),
        class_=f"tn-tile tn-{tile['tone']}",
    )
