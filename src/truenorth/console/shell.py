"""What is around every page: the menu, the filters, how it is computed, CSV, JSON, and who reads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from nicegui import ui

from truenorth.console.choosing import chosen_journey, journeys
from truenorth.console.filter_form import filter_form
from truenorth.console.menu import Menu
from truenorth.console.registry import Page, Registry, address_of
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
        await filter_form(sight)
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


def show_failure(request: str) -> None:
    """Say that a page could not be made, and by which id of the request its log says why."""
    client = ui.context.client
    client.status_code = 500
    ui.add_head_html(HEAD)
    with client.layout, Words("main", "", "nicegui-content"):
        Words("h1", "This page could not be made")
        paragraph(
            f"That is a fault of the program, and nothing that you did. Its log says what it was, under {request}."
        )
        with Words("p", "", "tn-links"):
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
