"""Text on pages. A stranger's text is only ever put in here, as text: never as markup, Markdown or a template."""

from __future__ import annotations

from typing import Any, Literal

from nicegui.elements.mixins.text_element import TextElement

Tone = Literal["good", "bad", "warn", "plain"]
"""What a text says beside its words; always with a sign or words of its own, never by colour alone."""


class Words(TextElement):
    """An element that holds one text; `set_text` changes it."""

    def __init__(self, tag: str, text: str, classes: str = "", **props: Any) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        self.props.update({name.rstrip("_").replace("_", "-"): value for name, value in props.items()})


def heading(text: str) -> Words:
    """The heading of a part of a page."""
    return Words("h2", text)


def subheading(text: str) -> Words:
    """A heading below `heading`."""
    return Words("h3", text)


def paragraph(text: str, classes: str = "") -> Words:
    """A paragraph."""
    return Words("p", text, classes)


def muted(text: str) -> Words:
    """A paragraph that explains."""
    return Words("p", text, "tn-muted")


def link(text: str, address: str, classes: str = "") -> Words:
    """A link to a page of this service."""
    return Words("a", text, classes, href=address)


def tag(text: str, tone: Tone = "plain") -> Words:
    """A short state."""
    return Words("span", text, tag_classes(tone))


def tag_classes(tone: Tone) -> str:
    """The classes of a short state."""
    return f"tn-tag tn-{tone}"


def notice(text: str, tone: Tone = "plain") -> Words:
    """A sentence that stands out."""
    return Words("p", text, f"tn-notice tn-{tone}")
