"""Keys of a page: one letter each, told in a list that `?` opens; never while somebody types, and off for who wants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from nicegui import ui
from nicegui.events import KeyEventArguments

from truenorth.console.words import Words

Act = Callable[[], Awaitable[None]]


class Key(NamedTuple):
    """A key, what it does in words, and the act; None where the browser does it (`static/keys.js`)."""

    name: str
    words: str
    act: Act | None


class Keys:
    """The keys of a page. Digits go to whoever asked for one with `wait_for_digit`."""

    def __init__(self, keys: list[Key], on_digit: Callable[[int], Awaitable[None]]) -> None:
        self._keys = {key.name: key for key in keys}
        self._on_digit = on_digit
        self._keyboard = ui.keyboard(self._pressed, repeating=False, ignore=["input", "select", "textarea"])
        with Words("details", "", "tn-keys") as self._help:
            Words("summary", "Keys (?)")
            with Words("dl", ""):
                for key in keys:
                    Words("dt", key.name)
                    Words("dd", key.words)
                Words("dt", "1 … 9")
                Words("dd", "choose one of what is offered")
            self._switch = Words("button", "Switch keys off", "tn-quiet", type="button", aria_pressed="false")
            self._switch.on("click", self._toggle)

    def _toggle(self) -> None:
        self._keyboard.active = not self._keyboard.active
        self._switch.set_text("Switch keys off" if self._keyboard.active else "Switch keys on")
        self._switch.props["aria-pressed"] = "false" if self._keyboard.active else "true"

    async def _pressed(self, event: KeyEventArguments) -> None:
        held = event.modifiers
        if not event.action.keydown or held.ctrl or held.alt or held.meta:
            return
        if event.key.name == "?":
            self._help.run_method("toggleAttribute", "open")
        elif event.key.number is not None and not held.shift:
            await self._on_digit(event.key.number)
        elif (key := self._keys.get(event.key.name)) is not None and key.act is not None:
            await key.act()
