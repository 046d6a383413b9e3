"""What acting brought, and what another limit would bring, in a browser; the same as CSV and as JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from action.company import past_decisions
from action.company_store import ACTIONS, JOURNEY, fill
from console.running import NAMES, PASSWORD, Running, running
from console.walking import NARROW, WIDE, walking
from server.desk import NOW_US
from truenorth.server import passwords
from truenorth.store.opening import open_store

N_DECISIONS = 900
ASKED = "/decisions/what-if?journey=support&policy=call&least=50"


def prepare(folder: Path) -> None:
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        store.journeys.publish("support", JOURNEY + ACTIONS, now_us=0)
        fill(store, past_decisions(N_DECISIONS, seed=4))
        secret = store.accounts.invite(NAMES["analyst"], "analyst", by="test", now_us=NOW_US, expires_us=NOW_US + 1)
        assert store.accounts.accept(secret, NAMES["analyst"], passwords.kept(PASSWORD), now_us=NOW_US)


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("decided")
    with ThreadPoolExecutor(1) as elsewhere:  # the browser has a loop of its own in this thread
        elsewhere.submit(prepare, folder).result()
    with running(folder) as found:
        yield found


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=str)
def test_three_crowns_stand_side_by_side(browser: Any, decided: Running, size: tuple[int, int], scheme: str) -> None:
    with decided.client("analyst") as client:
        lines = client.get("/api/v1/ledger?journey=support&per=year").json()["lines"]
    with walking(browser, decided, "analyst", size, scheme) as walk:
        walk.open("/decisions/ledger?journey=support&per=year")
        cards = walk.page.locator("section.tn-card")
        cards.first.wait_for()
        assert cards.count() == len(lines)
        for place, line in enumerate(lines):
            shown = cards.nth(place).inner_text()
            assert f"{line['n_acted']} acted upon, {line['n_holdout']} held out" in shown
            assert all(words in shown for words in ("Service", "Cost", "Revenue"))
            mean = 100 * line["achieved"]["increment"]["mean"]
            assert f"{'+' if mean > 0 else ''}{mean:.1f} points" in shown
        assert "The split is sound" in walk.page.locator(".tn-notice").first.inner_text()
        walk.picture(f"ledger-{size[0]}-{scheme}")
        assert (walk.faults, walk.violations(), walk.overflow_px() <= 0) == ([], [], True)


def test_one_action_by_itself_and_as_csv(browser: Any, decided: Running) -> None:
    with walking(browser, decided, "analyst") as walk:
        walk.open("/decisions/ledger?journey=support&per=year")
        walk.page.get_by_label("Action").select_option("letter")
        walk.page.wait_for_url("**action=letter**")
        walk.page.locator("section.tn-card").first.wait_for()
        assert walk.page.locator("h2").first.inner_text() == "Letter"
    with decided.client("analyst") as client:
        rows = list(csv.DictReader(StringIO(client.get("/csv/decisions/ledger?journey=support&action=letter").text)))
    assert {row["action"] for row in rows} == {"letter"}
    assert {row["figure"] for row in rows} == {"cost", "revenue", "achieved", "kept", "broken", "customer_us"}


def test_a_policy_is_judged_and_its_gain_is_that_of_the_api(browser: Any, decided: Running) -> None:
    with decided.client("analyst") as client:
        said = client.get("/api/v1/policies/call/evaluation?journey=support&least=50").json()
    with walking(browser, decided, "analyst", NARROW) as walk:
        walk.open(ASKED)
        walk.page.get_by_text("Better than what was done.").wait_for()
        assert f"{said['gain']['mean_cents'] / 100:.2f}" in walk.page.locator(".tn-tile").first.inner_text()
        walk.picture("what-if-390-light")
        assert (walk.faults, walk.violations(), walk.overflow_px() <= 0) == ([], [], True)


def test_where_the_log_cannot_tell_nothing_is_said(browser: Any, decided: Running) -> None:
    with walking(browser, decided, "analyst") as walk:
        walk.open(f"{ASKED}0000")
        walk.page.get_by_text("No answer: the log is worth").wait_for()
        assert walk.page.locator(".tn-tile").first.inner_text().splitlines()[1] == "not said"
        assert walk.page.get_by_text("doubly robust", exact=False).locator("visible=true").count() == 0
    with decided.client("analyst") as client:
        assert client.get(f"/csv{ASKED}0000").json()["code"] == "cannot_tell"


def test_it_is_asked_by_a_form_that_makes_the_address(browser: Any, decided: Running) -> None:
    with walking(browser, decided, "analyst") as walk:
        walk.open("/decisions/what-if?journey=support")
        walk.page.get_by_label("One action may cost").fill("4.5")
        walk.page.get_by_label("Chosen is").select_option("learnt")
        walk.page.wait_for_url("**limit=4.5**")
        walk.page.get_by_role("heading", name="it might cost 4.50").wait_for()
        twin = walk.page.get_by_role("link", name="The same as JSON").get_attribute("href")
        assert twin == "/api/v1/policies/learnt/evaluation?journey=support&limit=4.5&least=200"
