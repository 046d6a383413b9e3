"""The page of a journey: two parts side by side, and a future state that analysts write and leaders read."""

from __future__ import annotations

from typing import Any

from console.running import Running
from console.walking import walking
from server.desk import HOSTILE

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
