"""Links from page to page: the menu, and tabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element as Node

from truenorth.console.first_look import node
from truenorth.console.registry import GROUPS, Page


def menu(pages: Sequence[Page], here: Page) -> Node:
    """Links to the pages that have a group; that of the page which is shown, or is within it, is marked."""
    listed = {group: [page for page in pages if page.group == group] for group in GROUPS}
    return node("div", *(part for group, own in listed.items() if own for part in _group(group, own, here)))


def tabs(label: str, links: Iterable[Node], classes: str = "tn-tabs") -> Node:
    """Links that stand side by side."""
    return node("nav", node("ul", *(node("li", one) for one in links)), class_=classes, aria_label=label)


def _group(name: str, pages: Sequence[Page], here: Page) -> tuple[Node, Node]:
    links = [node("li", _link(page, is_here=page.path in {here.path, here.within})) for page in pages]
    return node("p", name, class_="tn-group"), node("ul", *links, aria_label=name)


def _link(page: Page, *, is_here: bool) -> Node:
    return node("a", page.title, href=page.path, aria_current="page" if is_here else None)
