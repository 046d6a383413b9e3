"""Fields of forms: a label, an input that browsers know, and what is wrong with what was put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from truenorth.console.registry import Choice
from truenorth.console.words import Words

Kind = Literal["text", "number", "password", "long", "search", "time"]


class Field(ValueElement[Any], component="static/field.js"):
    """A text, a number, a password, or a longer text. ``value`` is what is in it.

    With ``keep``, a name, the browser's tab keeps what is written until `let_go`: where the page is loaded again with
    another text, ``on("kept", ...)`` tells what was there.
    """

    VALUE_PROP = "model-value"
    LOOPBACK = False  # what comes back late would overwrite what was typed meanwhile

    def __init__(
        self, label: str, value: Any = "", *, kind: Kind = "text", hint: str = "", wide: bool = False, keep: str = ""
    ) -> None:
        super().__init__(value=value, throttle=0)
        self.props.update({"label": label, "kind": kind, "hint": hint, "keep": keep})
        self.classes("tn-wide" if wide else "")

    def let_go(self) -> None:
        """Have the browser keep it no longer."""
        self.run_method("letGo")

    def focus(self) -> None:
        """Have the reader write here."""
        self.run_method("focus")


class Select(ValueElement[Any], component="static/field.js"):
    """One of some values."""

    VALUE_PROP = "model-value"
    LOOPBACK = False  # what comes back late would overwrite what was typed meanwhile

    def __init__(self, label: str, options: Sequence[Choice], value: str | None = None, *, hint: str = "") -> None:
        super().__init__(value=options[0].value if value is None and options else value, throttle=0)
        self.props.update({"label": label, "kind": "select", "hint": hint, "options": [list(one) for one in options]})


class FileField(ui.upload, component="static/file.js"):
    """One file, sent as soon as it is chosen; ``on_file`` gets an event whose ``file`` has a ``name`` and is read."""

    def __init__(self, label: str, *, most_bytes: int, on_file: Any, on_rejected: Any) -> None:
        super().__init__(label=label, max_file_size=most_bytes, on_upload=on_file, on_rejected=on_rejected)


def copy_button(what: str) -> ui.element:
    """A button that copies the text of the element before it."""
    made = Words("button", "Copy", "", type="button", aria_live="polite", aria_description=what)
    made.on("click", js_handler="(event) => window.truenorth.copy(event.target)")
    return made


def button(words: str, on_click: Any, *, is_main: bool = False) -> ui.element:
    """A button; ``is_main`` for what most people want. A double click is one click."""
    made = Words("button", words, "tn-main" if is_main else "", type="button")
    made.on("click", on_click, js_handler="(event) => event.detail < 2 && emit()")
    return made
