"""The filters of a page as a form that makes its address: it works without a script, and a link restores it."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

import msgspec

from truenorth.console.registry import Choice, Page, names_in, written
from truenorth.console.sight import Sight
from truenorth.console.words import Words

DAY = re.compile(r"(\d{4}-\d\d-\d\d)?")
"""What a browser's own field for a day can show."""


async def filter_form(sight: Sight) -> None:
    """Draw the form; nothing where the page has no filters. Those that are asked for seldom are folded."""
    page = sight.page
    elsewhere = (*names_in(page.path), *page.silent)
    fields = [one for one in msgspec.structs.fields(page.filters) if one.name not in elsewhere]
    if not fields:
        return
    with Words("form", "", "tn-filters", method="get", role="search", aria_label="Filters"):
        for one in fields:
            if one.name not in page.folded:
                await _filter(sight, one)
        Words("button", "Apply", "", type="submit")
        if page.folded:
            is_used = any(getattr(sight.filters, name) for name in page.folded)
            with Words("details", "", "tn-fold-filters", **({"open": True} if is_used else {})):
                Words("summary", page.fold)
                with Words("div", "", "tn-filters"):
                    for one in fields:
                        if one.name in page.folded:
                            await _filter(sight, one)


async def _filter(sight: Sight, one: Any) -> None:
    page, value = sight.page, getattr(sight.filters, one.name)
    offered = page.choices.get(one.name)
    choices = list(await offered(sight)) if offered else _literal(one.type)
    words = page.labels.get(one.name, one.name.replace("_", " ").capitalize())
    with Words("div", "", "tn-field tn-tabbed" if one.name == page.tabbed else "tn-field"):
        Words("label", words, "", for_=f"tn-filter-{one.name}")
        given: dict[str, Any] = {"id": f"tn-filter-{one.name}", "name": one.encode_name}
        if choices is not None:
            _select(choices, value, given)
        elif one.type is bool:
            Words("input", "", "", type="checkbox", value="true", **given, **({"checked": True} if value else {}))
        else:
            Words("input", "", "", type=_kind(page, one.name, value), value=written(value), **given)


def _kind(page: Page, name: str, value: Any) -> str:
    return "date" if name in page.days and DAY.fullmatch(str(value)) else "text"


def _select(choices: list[Choice], value: Any, given: dict[str, Any]) -> None:
    with Words("select", "", "", **given) as select:
        for choice in choices:
            chosen = {"selected": True} if choice.value == (value or "") else {}
            Words("option", choice.words, "", value=choice.value, **chosen)
    select.on("change", js_handler="(event) => event.target.form.requestSubmit()")


def _literal(kind: Any) -> list[Choice] | None:
    """The values of a `Literal`, which may be optional: no value is then called 'all'."""
    parts = get_args(kind) if get_origin(kind) is not Literal else (kind,)
    values = [value for part in parts if get_origin(part) is Literal for value in get_args(part)]
    if not values:
        return None
    return [*([Choice("", "all")] if type(None) in parts else []), *(Choice(str(one), str(one)) for one in values)]
