"""Foresight and outside-in in a browser."""

from __future__ import annotations

from typing import Any

import pytest

from console.running import Running
from console.walking import walking
from truenorth.report.subjects import SUBJECTS

MADE_MS = 60_000
WHY, DONE = "Why cases fail, and what closing it would bring", "What was done about it"


def test_a_models_figures_are_shown_as_they_are_kept(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer") as walk:
        walk.open("/foresight?journey=support")
        shown = walk.page.inner_text("#main")
        for words in ("0.81", "3.8\xa0%", "41\xa0%", "6.7 days", "better than <b>guessing</b>"):
            assert words in shown
        assert walk.page.get_by_role("button", name="Retire").count() == 0


def test_only_those_who_may_change_models(browser: Any, console: Running) -> None:
    with walking(browser, console, "analyst") as walk:
        walk.open("/foresight?journey=support")
        assert walk.page.get_by_role("button", name="Retire").count() == 1


def test_a_leader_gets_from_an_outcome_to_why_and_to_what_was_done_about_it(browser: Any, console: Running) -> None:
    with walking(browser, console, "viewer") as walk:
        for words, there in ((WHY, "Points of failure"), (DONE, "What acting brought")):
            walk.open("/true-north")
            walk.page.get_by_role("link", name=words).first.click()
            walk.page.get_by_role("heading", name=there).wait_for()
        assert walk.faults == []


@pytest.mark.parametrize("subject", ["gap", "moments", "feel", "concentration", "maturity"])
def test_a_subject_is_answered(browser: Any, console: Running, subject: str) -> None:
    with walking(browser, console, "analyst", scheme="dark") as walk:
        walk.open(f"/outside-in?journey=support&subject={subject}")
        walk.page.locator(".tn-finding").wait_for(timeout=MADE_MS)
        title = next(one.title for one in SUBJECTS if one.name == subject)
        assert walk.page.locator("h2").first.inner_text() == title
        assert (walk.faults, walk.violations()) == ([], [])
        walk.picture(f"outside-in-{subject}-dark")


def test_its_table_is_there_as_csv(console: Running) -> None:
    with console.client("analyst") as client:
        answer = client.get("/csv/outside-in?journey=support&subject=feel", timeout=60)
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) > 1


def test_without_kpis_they_are_asked_for(browser: Any, console: Running) -> None:
    with walking(browser, console, "analyst") as walk:
        walk.open("/outside-in?journey=support&subject=kpis")
        walk.page.get_by_text("Nothing is audited yet").wait_for()
        walk.page.get_by_label("YAML").fill("truenorth: 1\nkpis: [{name: x}]")
        walk.page.get_by_role("button", name="Keep").click()
        walk.page.locator(".tn-told.tn-shown").wait_for()
        assert "expected" in walk.page.locator(".tn-told").inner_text()
