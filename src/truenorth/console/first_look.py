"""The first look of a page: what is on it as plain HTML in the answer itself, until the scripts have drawn the same.

So a page can be read, and its links and filters used, before any script has run; `static/console.js` takes the first
look away as soon as the page itself is there. Of elements and attributes only harmless ones are kept.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import tostring

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

ID = "tn-first"
PLAIN = frozenset(
    {
        *("h1", "h2", "h3", "h4", "p", "a", "bdi", "code", "pre", "span", "strong", "time", "div", "section"),
        *("header", "footer", "nav", "details", "summary", "figure", "figcaption"),
        *("ul", "ol", "li", "dl", "dt", "dd", "form", "label", "input", "select", "option", "button"),
    }
)
"""Elements that are written as they are; of any other only the place is kept."""
AROUND = frozenset({"q-layout", "q-page-container", "q-page"})
"""What is around all: boxes of Quasar, with a class of their name."""
KEPT = frozenset(
    {
        *("action", "checked", "datetime", "for", "href", "id", "method", "name", "open", "role", "selected"),
        *("tabindex", "type", "value"),
    }
)
"""Attributes that are written, beside those of ARIA."""


class DrawnByScript(Element):
    """An element that a script of its own draws, and that can say what it looks like."""

    def plain(self) -> Node:
        """The same as plain HTML."""
        raise NotImplementedError


def add_first_look() -> None:
    """Put the first look of the page that has just been built into its answer."""
    around = node("div", _node(ui.context.client.layout), id=ID)
    ui.add_body_html(tostring(around, encoding="unicode", method="html"))


def node(tag: str, *inside: Node | str, **attributes: Any) -> Node:
    """An element of HTML with what is in it: at most one text, then elements.

    ``class_`` and ``aria_label`` stand for ``class`` and ``aria-label``; None and False leave an attribute out.

    >>> tostring(node("p", "a < b", node("br"), class_="x", open=True), encoding="unicode", method="html")
    '<p class="x" open="">a &lt; b<br></p>'
    """
    found = Node(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            found.set(_written(name), "" if value is True else str(value))
    for one in inside:
        if isinstance(one, str):
            found.text = one
        else:
            found.append(one)
    return found


@cache
def _written(name: str) -> str:
    """The name of an attribute as HTML has it."""
    return name.rstrip("_").replace("_", "-")


def _node(element: Element) -> Node:
    """An element with all that is in it."""
    if isinstance(element, DrawnByScript):
        return element.plain()
    style = "; ".join(f"{name}: {value}" for name, value in element.style.items()) or None
    if element.tag not in PLAIN | AROUND:
        return node("div", style=style)
    is_around = element.tag in AROUND
    props = {name: value for name, value in element.props.items() if name in KEPT or name.startswith("aria-")}
    classes = " ".join([*((element.tag,) if is_around else ()), *element.classes]) or None
    found = node("div" if is_around else element.tag, **props, class_=classes, style=style)
    if isinstance(element, TextElement):
        found.text = element.text
    found.extend(_node(child) for slot in element.slots.values() for child in slot.children)
    return found
