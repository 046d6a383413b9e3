"""Key numbers, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from nicegui.element import Element

from truenorth.console.words import Tone, Words


class Tile(msgspec.Struct, frozen=True):
    """A key number as text, what it is, and what stands below it; a click leads to ``address``."""

    label: str
    value: str
    note: str = ""
    address: str = ""
    tone: Tone = "plain"


class Tiles(Element):
    """Tiles that can be shown anew; there are always the same ones."""

    def __init__(self, tiles: Sequence[Tile]) -> None:
        super().__init__("dl")
        self.classes("tn-tiles")
        self._made: list[tuple[Words, Words, Words]] = []
        with self:
            for tile in tiles:
                with Words("div", "", "tn-tile") as around:
                    Words("dt", tile.label)
                    with Words("dd", "", "tn-value"):
                        value = Words("a", "", "", href=tile.address) if tile.address else Words("span", "")
                    note = Words("dd", "", "tn-note")
                self._made.append((around, value, note))
        self.show(tiles)

    def show(self, tiles: Sequence[Tile]) -> None:
        """Show other values."""
        for (around, value, note), tile in zip(self._made, tiles, strict=True):
            around.classes(replace=f"tn-tile tn-{tile.tone}")
            value.set_text(tile.value)
            note.set_text(tile.note)
