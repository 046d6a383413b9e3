"""The filters of a page as a form that makes its address: it works without a script, and a link restores it."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin
from xml.etree.ElementTree import Element as Node

import msgspec

from truenorth.console.first_look import node
from truenorth.console.registry import Choice, Page, names_in, written
from truenorth.console.sight import Sight
from truenorth.console.still import Still

DAY = re.compile(r"(\d{4}-\d\d-\d\d)?")
"""What a browser's own field for a day can show."""


async def filter_form(sight: Sight) -> None:
    """Draw the form; nothing where the page has no filters. Those that are asked for seldom are folded."""
    page = sight.page
    elsewhere = (*names_in(page.path), *page.silent)
    fields = [one for one in msgspec.structs.fields(page.filters) if one.name not in elsewhere]
    if not fields:
        return
    shown = {one.name: await _filter(sight, one) for one in fields}
    inside = [shown[one.name] for one in fields if one.name not in page.folded]
    inside.append(node("button", "Apply", type="submit"))
    if page.folded:
        folded = node("div", *(shown[one.name] for one in fields if one.name in page.folded), class_="tn-filters")
        is_used = any(getattr(sight.filters, name) for name in page.folded)
        inside.append(node("details", node("summary", page.fold), folded, class_="tn-fold-filters", open=is_used))
    Still(node("form", *inside, class_="tn-filters", method="get", role="search", aria_label="Filters"))


async def _filter(sight: Sight, one: Any) -> Node:
    page, value = sight.page, getattr(sight.filters, one.name)
    offered = page.choices.get(one.name)
    choices = list(await offered(sight)) if offered else _literal(one.type)
    words = page.labels.get(one.name, one.name.replace("_", " ").capitalize())
    given: dict[str, Any] = {"id": f"tn-filter-{one.name}", "name": one.encode_name}
    if choices is not None:
        field = node("select", *(_option(choice, value) for choice in choices), **given)
    elif one.type is bool:
        field = node("input", type="checkbox", value="true", checked=bool(value), **given)
    else:
        field = node("input", type=_kind(page, one.name, value), value=written(value), **given)
    label = node("label", words, for_=given["id"])
    return node("div", label, field, class_="tn-field tn-tabbed" if one.name == page.tabbed else "tn-field")


def _option(choice: Choice, value: Any) -> Node:
    return node("option", choice.words, value=choice.value, selected=choice.value == (value or ""))


def _kind(page: Page, name: str, value: Any) -> str:
    return "date" if name in page.days and DAY.fullmatch(str(value)) else "text"


def _literal(kind: Any) -> list[Choice] | None:
    """The values of a `Literal`, which may be optional: no value is then called 'all'."""
    parts = get_args(kind) if get_origin(kind) is not Literal else (kind,)
    values = [value for part in parts if get_origin(part) is Literal for value in get_args(part)]
    if not values:
        return None
    return [*([Choice("", "all")] if type(None) in parts else []), *(Choice(str(one), str(one)) for one in values)]
