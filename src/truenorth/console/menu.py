"""The pages that somebody may see, by group, drawn by one element: it is on every page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element as Node

from nicegui.element import Element

from truenorth.console.first_look import node
from truenorth.console.registry import GROUPS, Page


class Menu(Element, component="static/menu.js"):
    """Links to the pages that have a group; that of the page which is shown, or is within it, is marked."""

    def __init__(self, pages: Sequence[Page], here: Page) -> None:
        super().__init__()
        listed = {group: [page for page in pages if page.group == group] for group in GROUPS}
        self.props["groups"] = [
            {
                "name": group,
                "pages": [
                    {"title": page.title, "path": page.path, "here": page.path in {here.path, here.within}}
                    for page in of_group
                ],
            }
            for group, of_group in listed.items()
            if of_group
        ]

    def plain(self) -> Node:
        """What `static/menu.js` draws."""
        return node("div", *(part for group in self.props["groups"] for part in _plain_group(group)))


def _plain_group(group: dict[str, Any]) -> tuple[Node, Node]:
    links = [
        node("li", node("a", page["title"], href=page["path"], aria_current="page" if page["here"] else None))
        for page in group["pages"]
    ]
    return node("p", group["name"], class_="tn-group"), node("ul", *links, aria_label=group["name"])
