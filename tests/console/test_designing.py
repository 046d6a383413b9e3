"""The journey editor in a browser: forms and text are one draft, problems follow as one types, versions go and come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.running import Running, prepare, running
from console.walking import walking

SAVED_MS = 30_000


@pytest.fixture(scope="module")
def own_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("designing")
    prepare(folder)
    with running(folder) as found:
        yield found


def the_file(walk: Any) -> Any:
    return walk.page.get_by_label("Journey file (YAML)")


def test_what_is_typed_is_checked(browser: Any, own_console: Running) -> None:
    with walking(browser, own_console, "analyst") as walk:
        walk.open("/design?journey=support")
        walk.page.get_by_text("0 errors").wait_for()
        the_file(walk).fill(the_file(walk).input_value().replace("within: 4h", "within: 4hours"))
        walk.page.get_by_text("expected a duration").wait_for()
        the_file(walk).fill("journey: [<script>alert(1)</script>")
        walk.page.get_by_text("1 error,").first.wait_for()
        assert walk.faults == []


def test_a_promise_by_form_is_tried_and_published_and_taken_back(browser: Any, own_console: Running) -> None:
    with walking(browser, own_console, "analyst") as walk:
        walk.open("/design?journey=support")
        before = the_file(walk).input_value()
        walk.page.get_by_label("What kind").select_option("absence")
        walk.page.get_by_label("Name").fill("never left")
        walk.page.get_by_label("There is never an event where").fill("type == 'Left'")
        walk.page.get_by_role("button", name="Put it into the file").click()
        walk.page.get_by_text("expected a plain condition").wait_for()
        assert the_file(walk).input_value() == before
        walk.page.get_by_label("Name").fill("never_left")
        walk.page.get_by_label("There is never an event where").fill("type = 'Left'")
        walk.page.get_by_role("button", name="Put it into the file").click()
        walk.page.get_by_text("+  - {name: never_left, never: type = 'Left'}").wait_for()
        assert the_file(walk).input_value() == before + "  - {name: never_left, never: type = 'Left'}\n"
        walk.page.get_by_label("Cases that opened").fill("366")
        walk.page.get_by_role("button", name="Try it").click()
        walk.page.get_by_text("by the live version").first.wait_for(timeout=SAVED_MS)
        walk.page.get_by_role("cell", name="never_left").last.wait_for()
        walk.page.get_by_role("button", name="Publish ...").click()
        walk.page.get_by_role("button", name="Publish it").click()
        walk.page.get_by_text("It is the text of version 2").wait_for()
        walk.page.evaluate("window.confirm = () => true")
        walk.page.get_by_role("button", name="Publish again: 1").click()
        walk.page.get_by_text("It is the text of version 3").wait_for()
        assert the_file(walk).input_value() == before
        assert walk.faults == []


def test_the_canvas_goes_into_the_file(browser: Any, own_console: Running) -> None:
    with walking(browser, own_console, "analyst") as walk:
        walk.open("/design")
        walk.page.get_by_label("1. Who is the customer?").fill("People who \u202emove <b>house</b>")
        walk.page.get_by_label("5. What has to be true").fill("Online within 14 days\nAsked once")
        walk.page.get_by_role("button", name="Put the answers").click()
        walk.page.wait_for_function("document.querySelector('.tn-wide textarea') !== null")
        walk.page.get_by_text("It has never been published").wait_for()
        walk.page.wait_for_timeout(500)
        text = the_file(walk).input_value()
        assert "customer:" in text
        assert "- Online within 14 days" in text
        assert walk.faults == []


def test_a_log_becomes_a_draft(browser: Any, own_console: Running, tmp_path: Path) -> None:
    log = Path(__file__).parents[2] / "examples" / "support" / "log.csv"
    with walking(browser, own_console, "analyst") as walk:
        walk.open("/design")
        walk.page.get_by_label("Log file").set_input_files(log)
        walk.page.get_by_text(re.compile("the draft is in the file")).wait_for(timeout=SAVED_MS)
        assert "3,382 events" in the_file(walk).input_value()
        assert walk.violations() == []
        assert walk.faults == []


def test_who_may_not_publish_reads(browser: Any, own_console: Running) -> None:
    with walking(browser, own_console, "viewer") as walk:
        walk.open("/design?journey=support")
        walk.page.get_by_text("Analysts publish journeys").wait_for()
        assert walk.page.get_by_role("button", name="Publish").count() == 0
        assert walk.page.get_by_role("button", name="Try it").count() == 0
