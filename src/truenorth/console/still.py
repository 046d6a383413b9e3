"""Parts of a page that stay as they are, drawn by one element: however much is in it, it costs what one costs."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element as Node

from truenorth.console.first_look import DrawnByScript, node
from truenorth.console.words import Tone, tag_classes

Tree = tuple[str, dict[str, str], str, tuple[Any, ...]]
"""A tag, its attributes, its text, and what is in it."""


class Still(DrawnByScript, component="static/still.js"):
    """Plain HTML (`first_look.node`) that asks nothing of the service: texts, links, forms of the browser's own."""

    def __init__(self, plain: Node) -> None:
        super().__init__()
        self._plain = plain
        self.props["tree"] = _tree(plain)

    def plain(self) -> Node:
        """What `static/still.js` draws."""
        return self._plain


def tagged(text: str, tone: Tone = "plain") -> Node:
    """A short state, as `words.tag` shows it."""
    return node("span", text, class_=tag_classes(tone))


def _tree(one: Node) -> Tree:
    return one.tag, one.attrib, one.text or "", tuple(map(_tree, one))
