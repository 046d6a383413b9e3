"""The page of a journey: two parts side by side, and a future state that analysts write and leaders read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.running import Running, prepare, running
from console.walking import walking
from server.desk import HOSTILE, HOUR_US, NOW_US
from truenorth.events import Event
from truenorth.store.opening import open_store

PARTS = "/journey?journey=support&until=2025-12-29&other_since=2025-12-29"


def test_two_parts_stand_side_by_side_and_differ(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer") as walk:
        walk.open(PARTS)
        assert walk.page.get_by_role("heading", level=2).all_inner_texts()[:3] == [
            "The map", "Compared with", "What differs most",
        ]  # fmt: skip
        assert walk.page.locator(".js-plotly-plot").count() == 2
        assert (walk.faults, walk.violations(), walk.overflow_px()) == ([], [], 0)


def test_an_analyst_says_what_becomes_of_an_element_and_a_leader_reads_it(browser: Any, console: Running) -> None:
    address = "/journey?journey=support&future=one-desk"
    with walking(browser, console, "analyst") as walk:
        walk.open(address)
        walk.page.get_by_label("Element").select_option("Passed on")
        walk.page.get_by_label("Fate", exact=True).select_option("remove")
        walk.page.get_by_label("Why, and how").fill(HOSTILE[:25])
        walk.page.get_by_role("button", name="Keep", exact=True).click()
        row = walk.page.get_by_role("row", name="Passed on").filter(has_text="remove")
        row.get_by_text(HOSTILE[:25]).wait_for()
        assert walk.faults == []
    with walking(browser, console, "viewer") as walk:
        walk.open(address)
        assert walk.page.get_by_text("✗ remove").count() == 1
        assert walk.page.get_by_role("button", name="Keep", exact=True).count() == 0
    with console.client("viewer") as client:
        fates = client.get("/api/v1/journeys/support/futures/one-desk").json()["fates"]
    assert [(one["element"], one["fate"], one["by"]) for one in fates] == [("type:Passed on", "remove", "anton")]


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console where those who are passed on fail more often."""
    folder = tmp_path_factory.mktemp("failing")
    prepare(folder)
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        store.events.append([event for number in range(120) for event in case(number, is_passed_on=number % 2 == 1)])
    with running(folder) as found:
        yield found


def case(number: int, *, is_passed_on: bool) -> Iterator[Event]:
    steps = ("Contact", *(["Passed on"] if is_passed_on else []), "Left" if is_passed_on and number % 3 else "Fixed")
    for place, kind in enumerate(steps):
        at_us = NOW_US - (number + 10) * HOUR_US + place * HOUR_US
        named = {"customer": f"F{number}", "case": f"F{number}"}
        yield Event(source="f", id=f"{number}-{place}", type=kind, time_us=at_us, received_us=at_us, **named)


def test_an_analyst_gets_from_some_cases_to_a_point_to_a_case(browser: Any, failing: Running) -> None:
    with walking(browser, failing, "analyst") as walk:
        walk.open("/journey?journey=support")
        walk.page.get_by_label("Opened before", exact=True).fill("2026-06-30")
        walk.page.get_by_role("button", name="Apply").click()
        walk.page.wait_for_url("**until=2026-06-30")
        assert "=&" not in walk.page.url  # what was not chosen is not in the link
        point = walk.page.get_by_role("table", name="Points of failure").get_by_role("link").first
        called = point.inner_text()
        point.click()
        walk.page.get_by_role("heading", name=called).wait_for()
        walk.page.get_by_role("heading", name="What if they fared like the others?").wait_for()
        assert "until=2026-06-30" in str(walk.page.get_by_role("link", name="Table as CSV").get_attribute("href"))
        walk.page.get_by_role("table", name="Cases that pass it").get_by_role("link").first.click()
        walk.page.wait_for_url("**/now?journey=support&case=*")
        walk.page.go_back()
        walk.page.get_by_role("heading", name=called).wait_for()
        assert walk.faults == []
