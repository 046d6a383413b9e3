"""What is around every page: the menu, the filters, how it is computed, CSV, JSON, and who reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element as Node

import msgspec
from nicegui import ui

from truenorth.console.choosing import chosen_journey, journeys
from truenorth.console.filter_form import filter_form
from truenorth.console.first_look import node
from truenorth.console.menu import menu, tabs
from truenorth.console.registry import Page, Registry, address_of
from truenorth.console.roles import named
from truenorth.console.sight import Sight, words_of
from truenorth.console.sign_in import ACCOUNT
from truenorth.console.still import Still
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
    Still(node("div", node("h1", page.title), class_="tn-title"))
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
    layout, caller = ui.context.client.layout, sight.reader.caller
    ui.context.client.content.props["id"] = "main"
    with layout:
        sight.tells_in(Words("div", "", "tn-told", role="status"))
        if sight.page.is_bare:
            layout.classes("tn-bare")
            return
        Still(_top(caller)).move(layout, 0)
        Still(_nav(registry.seen_by(caller), sight.page)).move(layout, 1)


def _top(caller: Caller) -> Node:
    skip = node("a", "Skip to the page", class_="tn-skip", href="#main")
    brand = node("a", "Truenorth", class_="tn-brand", href="/")
    return node("header", skip, brand, node("div", *_reader(caller), class_="tn-reader"), class_="tn-top")


def _reader(caller: Caller) -> Iterator[Node]:
    yield node("button", "Theme", class_="tn-quiet", id="tn-theme", type="button")
    if caller == ANYBODY:
        yield node("span", "open to this machine", class_="tn-muted")
        return
    yield node("a", f"{caller.who}, {named(caller.role)}", class_="tn-muted", href=ACCOUNT, title="Your account")
    sign_out = node("button", "Sign out", class_="tn-quiet", type="submit")
    yield node("form", sign_out, method="post", action="/sign-out")


def _nav(pages: Sequence[Page], here: Page) -> Node:
    """The menu; on a narrow screen it is folded into one line."""
    fold = node("details", node("summary", "Menu"), menu(pages, here), class_="tn-fold", id="tn-menu", open=True)
    return node("nav", fold, class_="tn-nav", aria_label="Pages")


def _tabs(sight: Sight, registry: Registry) -> None:
    """The pages that stand beside this one; each keeps the journey."""
    beside = [page for page in registry.sisters(sight.page) if sight.may(page.role)]
    if not beside:
        return
    kept = {"journey": getattr(sight.filters, "journey", "")}
    links = (
        node("a", page.tab, href=page.address(**kept), aria_current="page" if page is sight.page else None)
        for page in beside
    )
    Still(tabs("Parts of this page", links))


async def _foot(sight: Sight) -> None:
    page, filters = sight.page, sight.filters
    if page.choices.get("journey") is journeys and not filters.journey:  # the first one is shown
        filters = msgspec.structs.replace(filters, journey=await chosen_journey(sight) or "")
    given = msgspec.structs.asdict(filters)
    how = node("details", node("summary", "How is this computed?"), *(node("p", text) for text in page.how))
    links = []
    if page.table is not None:
        links.append(node("a", "Table as CSV", class_="tn-quiet", href=address_of(CSV + page.path, given)))
    if page.twin is not None and (twin := page.twin(filters)):
        links.append(node("a", "The same as JSON", class_="tn-quiet", href=twin))
    Still(node("section", how, node("p", *links, class_="tn-links"), class_="tn-foot", aria_label="About this page"))
