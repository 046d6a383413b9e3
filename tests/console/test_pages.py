"""Every page in a browser: in light and dark, on a desk and on a phone, by keyboard, with hostile texts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.running import PAGES, Running, address_in_story
from console.walking import NARROW, WIDE, walking
from truenorth.console.door import COOKIE
from truenorth.console.registry import Page

LOOKS = [(WIDE, "light"), (NARROW, "dark"), (NARROW, "light"), (WIDE, "dark")]
OTHERS = [pytest.param(*look, marks=pytest.mark.slow) for look in LOOKS[2:]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
@pytest.mark.parametrize(("size", "scheme"), [*LOOKS[:2], *OTHERS], ids=str)
def test_each_page_is_whole(browser: Any, console: Running, page: Page, size: tuple[int, int], scheme: str) -> None:
    with walking(browser, console, "admin", size, scheme) as walk:
        walk.open(address_in_story(page))
        walk.picture(f"{page.path.strip('/').replace('/', '-')}-{size[0]}-{scheme}")
        assert walk.faults == []
        assert walk.violations() == []
        assert walk.overflow_px() <= 0
        assert walk.page.locator("h1").count() == 1
        assert walk.page.evaluate("[...document.scripts].every((one) => one.textContent.trim() !== 'alert(1)')")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_each_page_can_be_read_at_twice_the_size(browser: Any, console: Running, page: Page) -> None:
    with walking(browser, console, "admin", (720, 450), device_scale_factor=2) as walk:
        walk.open(address_in_story(page))
        assert (walk.faults, walk.overflow_px()) == ([], 0)


def test_the_form_to_sign_in_works_without_a_script_and_leads_back(browser: Any, console: Running) -> None:
    with walking(browser, console, None, NARROW, java_script_enabled=False) as walk:
        walk.page.goto(f"{console.address}/true-north?journey=support")
        walk.page.get_by_label("Name").fill("lea")
        walk.page.get_by_label("Password").fill("correct horse battery staple")
        walk.page.get_by_role("button", name="Sign in").click()
        walk.page.wait_for_url(re.compile(r"/true-north\?journey=support$"))


def test_signing_out_leads_to_the_form(browser: Any, console: Running) -> None:
    with walking(browser, console, None) as walk:
        value = console.sign_in("viewer")
        walk.page.context.add_cookies([{"name": COOKIE, "value": value, "url": console.address}])
        walk.open("/true-north")
        walk.page.get_by_role("button", name="Sign out").click()
        walk.page.wait_for_url(re.compile("/sign-in$"))
        walk.page.goto(f"{console.address}/true-north")
        walk.page.wait_for_url(re.compile("/sign-in"))


def test_the_form_to_sign_in_is_well_made(browser: Any, console: Running) -> None:
    for size, scheme in LOOKS:
        with walking(browser, console, None, size, scheme) as walk:
            walk.page.goto(f"{console.address}/sign-in")
            walk.picture(f"sign-in-{size[0]}-{scheme}")
            assert (walk.faults, walk.violations(), walk.overflow_px()) == ([], [], 0)


def test_the_first_key_leads_past_the_menu(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer") as walk:
        walk.open("/true-north")
        walk.page.keyboard.press("Tab")
        assert walk.page.evaluate("document.activeElement.textContent") == "Skip to the page"
        walk.page.keyboard.press("Enter")
        walk.page.keyboard.press("Tab")
        assert walk.page.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_a_link_restores_filters_and_a_choice_makes_a_link(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer") as walk:
        walk.open("/true-north")
        walk.page.get_by_label("Journey").select_option("support")
        walk.page.wait_for_url(re.compile(r"/true-north\?journey=support&days=7$"))
        walk.open("/true-north?journey=support")
        assert walk.page.get_by_label("Journey").input_value() == "support"


def test_numbers_and_times_are_the_readers(browser: Any, console: Running) -> None:
    german = {"locale": "de-DE", "timezone_id": "America/New_York"}
    with walking(browser, console, "viewer", **german) as walk:
        walk.open("/true-north")
        assert re.search(r"\d+,\d\s%", walk.page.inner_text("#main"))


def test_zone_and_shade_are_known_after_the_first_page(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer", scheme="dark", timezone_id="Asia/Tokyo") as walk:
        walk.page.context.clear_cookies(name=re.compile("truenorth_(zone|shade)"))
        walk.open("/true-north")
        kept = {cookie["name"]: cookie["value"] for cookie in walk.page.context.cookies()}
        assert (kept["truenorth_zone"], kept["truenorth_shade"]) == ("Asia/Tokyo", "dark")
        assert walk.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 24)"
        walk.page.get_by_role("button", name="Theme: auto").click()
        walk.page.get_by_role("button", name="Theme: light").wait_for()
        assert walk.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_each_page_can_be_read_before_any_script_has_run(browser: Any, console: Running, page: Page) -> None:
    with walking(browser, console, "admin", java_script_enabled=False) as walk:
        walk.page.goto(console.address + address_in_story(page))
        first = walk.page.locator("#tn-first")
        assert first.locator("h1").all_inner_texts() == [page.title]
        assert first.locator("script").count() == 0
        assert page.is_bare or first.locator(".tn-nav a[href='/true-north']").is_visible()


def test_the_first_look_has_what_the_page_has(browser: Any, console: Running) -> None:
    address = "/cases?journey=support&outcome=open"
    with walking(browser, console, "admin", java_script_enabled=False) as walk:
        walk.page.goto(console.address + address)
        first = walk.page.locator("#tn-first td").all_inner_texts()
    with walking(browser, console, "admin") as walk:
        walk.open(address)
        assert walk.page.locator("#tn-first").count() == 0
        assert walk.page.locator("td").all_inner_texts() == first != []
