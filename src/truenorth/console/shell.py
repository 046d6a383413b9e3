"""What is around every page: the menu, the filters, how it is computed, CSV, JSON, and who reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec
from nicegui import ui

from truenorth.console.choosing import chosen_journey, journeys
from truenorth.console.menu import Menu
from truenorth.console.registry import Choice, Page, Registry, address_of, names_in, written
from truenorth.console.roles import named
from truenorth.console.sight import Sight, words_of
from truenorth.console.words import Words, link, notice, paragraph
from truenorth.server.auth import ANYBODY, Caller
from truenorth.server.receiving import Turned
from truenorth.spec.problems import TruenorthError
from truenorth.store.ports import StoreFull

HEAD = """
<link rel="stylesheet" href="/_console/console.css">
<script src="/_console/console.js"></script>
"""
CSV = "/csv"


async def show_page(sight: Sight, registry: Registry) -> None:
    """Make a page with all that is around it, for a reader whose role is large enough."""
    page = sight.page
    ui.add_head_html(HEAD)
    _around(sight, registry)
    with Words("div", "", "tn-title"):
        Words("h1", page.title)
    try:
        if page.choices.get("journey") is journeys and not sight.filters.journey:
            sight.filters = msgspec.structs.replace(sight.filters, journey=await chosen_journey(sight) or "")
        _tabs(sight, registry)
        await _filters(sight)
        await page.build(sight, sight.filters)
    except (Turned, TruenorthError, StoreFull) as error:
        notice(words_of(error), "bad")
    await _foot(sight)
    sight.built()


def show_refusal(sight: Sight, registry: Registry, needed: str) -> None:
    """Say that a page is not for this role."""
    ui.add_head_html(HEAD)
    _around(sight, registry)
    Words("h1", "Not for your role")
    paragraph(f"This page is for the role {needed}; you are signed in as {named(sight.reader.caller.role)}.")
    link("To the first page", "/")


def _around(sight: Sight, registry: Registry) -> None:
    layout = ui.context.client.layout
    ui.context.client.content.props["id"] = "main"
    with layout:
        top = Words("header", "", "tn-top")
        nav = Words("nav", "", "tn-nav", aria_label="Pages")
        told = Words("div", "", "tn-told", role="status")
    for number, one in enumerate((top, nav)):
        one.move(layout, number)
    sight.tells_in(told)
    if sight.page.is_bare:
        layout.classes("tn-bare")
        top.delete()
        nav.delete()
        return
    with top:
        link("Skip to the page", "#main", "tn-skip")
        link("Truenorth", "/", "tn-brand")
        _reader(sight.reader.caller)
    with nav:
        _menu(registry.seen_by(sight.reader.caller), sight.page)


def _reader(caller: Caller) -> None:
    with Words("div", "", "tn-reader"):
        Words("button", "Theme", "tn-quiet", id="tn-theme", type="button").on(
            "click", js_handler="() => window.truenorth.nextTheme()"
        )
        if caller == ANYBODY:
            Words("span", "open to this machine", "tn-muted")
            return
        Words("span", f"{caller.who}, {named(caller.role)}", "tn-muted")
        with Words("form", "", "", method="post", action="/sign-out"):
            Words("button", "Sign out", "tn-quiet", type="submit")


def _menu(pages: Sequence[Page], here: Page) -> None:
    """The menu; on a narrow screen it is folded into one line."""
    with Words("details", "", "tn-fold", open=True) as fold:
        fold.props["id"] = "tn-menu"
        Words("summary", "Menu")
        Menu(pages, here)


def _tabs(sight: Sight, registry: Registry) -> None:
    """The pages that stand beside this one; each keeps the journey."""
    beside = [page for page in registry.sisters(sight.page) if sight.may(page.role)]
    if not beside:
        return
    kept = {"journey": getattr(sight.filters, "journey", "")}
    with Words("nav", "", "tn-tabs", aria_label="Parts of this page"), Words("ul", ""):
        for page in beside:
            with Words("li", ""):
                current = {"aria_current": "page"} if page is sight.page else {}
                Words("a", page.tab, "", href=page.address(**kept), **current)


async def _filters(sight: Sight) -> None:
    """The filters as a form that makes the address: it works without a script, and a link restores it."""
    elsewhere = (*names_in(sight.page.path), *sight.page.silent)
    fields = [one for one in msgspec.structs.fields(sight.page.filters) if one.name not in elsewhere]
    if not fields:
        return
    with Words("form", "", "tn-filters", method="get", role="search", aria_label="Filters"):
        for one in fields:
            offered = sight.page.choices.get(one.name)
            choices = list(await offered(sight)) if offered else _literal(one.type)
            words = sight.page.labels.get(one.name, one.name.replace("_", " ").capitalize())
            _filter(one.encode_name, words, getattr(sight.filters, one.name), choices, is_flag=one.type is bool)
        Words("button", "Apply", "", type="submit")


def _filter(name: str, words: str, value: Any, choices: list[Choice] | None, *, is_flag: bool) -> None:
    with Words("div", "", "tn-field"):
        Words("label", words, "", for_=f"tn-filter-{name}")
        given: dict[str, Any] = {"id": f"tn-filter-{name}", "name": name}
        if choices is None and is_flag:
            Words("input", "", "", type="checkbox", value="true", **given, **({"checked": True} if value else {}))
        elif choices is None:
            Words("input", "", "", type="text", value=written(value), **given)
        else:
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


async def _foot(sight: Sight) -> None:
    page, filters = sight.page, sight.filters
    if page.choices.get("journey") is journeys and not filters.journey:  # the first one is shown
        filters = msgspec.structs.replace(filters, journey=await chosen_journey(sight) or "")
    given = msgspec.structs.asdict(filters)
    with Words("section", "", "tn-foot", aria_label="About this page"):
        with Words("details", ""):
            Words("summary", "How is this computed?")
            for text in page.how:
                paragraph(text)
        with Words("p", "", "tn-links"):
            if page.table is not None:
                link("Table as CSV", address_of(CSV + page.path, given), "tn-quiet")
            if page.twin is not None and (twin := page.twin(filters)):
                link("The same as JSON", twin, "tn-quiet")
