"""The tour has six steps, leads to pages that there are, and can be closed for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.running import Running, prepare, running
from console.walking import walking
from truenorth.console.pages import registry
from truenorth.console.tour import STEPS, steps_of


@pytest.fixture(scope="module")
def open_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("tour")
    prepare(folder, with_accounts=False)
    with running(folder, is_open=True) as found:
        yield found


def test_there_are_six_steps() -> None:
    assert len(STEPS) == 6
    assert len({step.address for step in STEPS}) == 6


def test_steps_lead_to_pages_that_there_are() -> None:
    found = steps_of(registry())
    assert found
    assert all(registry().has(step.address.partition("?")[0]) for step in found)


def test_it_leads_through_and_is_closed_for_good(browser: Any, open_console: Running) -> None:
    n_steps = len(steps_of(registry()))
    with walking(browser, open_console, None) as walk:
        walk.open("/true-north")
        tour = walk.page.get_by_role("complementary", name="Guided tour")
        assert f"1 of {n_steps}" in tour.inner_text()
        box, main = (one.bounding_box() for one in (tour, walk.page.locator("#main")))
        assert box["y"] + box["height"] <= main["y"]  # it hides nothing
        assert walk.violations() == []
        tour.get_by_role("button", name="Next").focus()
        walk.page.keyboard.press("Enter")
        walk.page.get_by_text(f"Tour, 2 of {n_steps}").wait_for()
        walk.page.get_by_role("button", name="Back").click()
        walk.page.get_by_text(f"Tour, 1 of {n_steps}").wait_for()
        walk.page.get_by_role("button", name="Close for good").click()
        walk.open("/true-north")
        assert tour.count() == 0
        assert walk.faults == []


def test_a_console_that_is_no_demo_has_none(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer") as walk:
        walk.open("/true-north")
        assert walk.page.get_by_role("complementary", name="Guided tour").count() == 0
