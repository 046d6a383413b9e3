"""What goes wrong while people work: two write the same journey, the service starts anew, an address leads nowhere,
a store has nothing in it yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.running import NAMES, PAGES, PASSWORD, Running, prepare, running
from console.walking import Walk, walking
from server.desk import NOW_US
from truenorth.server import passwords
from truenorth.store.opening import open_store

EDITOR = "/design?journey=support"
SECRET = "what nobody else may read"
MINE = "\n# what I was writing\n"


@pytest.fixture(scope="module")
def own_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("mishaps")
    prepare(folder)
    with running(folder) as found:
        yield found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console whose store has accounts and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        secret = store.accounts.invite(NAMES["admin"], "admin", by="test", now_us=NOW_US, expires_us=NOW_US + 1)
        assert store.accounts.accept(secret, NAMES["admin"], passwords.kept(PASSWORD), now_us=NOW_US)
    with running(folder) as found:
        yield found


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console whose store holds a journey that cannot be read: no page expects that."""
    folder = tmp_path_factory.mktemp("broken")
    prepare(folder)
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        store.journeys.publish("other", f"truenorth: 1\njourney: [{SECRET}]\n", now_us=NOW_US)
    with running(folder) as found:
        yield found


def the_file(walk: Walk) -> Any:
    return walk.page.get_by_label("Journey file (YAML)")


def write_more(walk: Walk, more: str) -> None:
    the_file(walk).fill(the_file(walk).input_value() + more)
    walk.page.get_by_text(f"+{more.strip()}").wait_for()


def publish(walk: Walk) -> None:
    walk.page.get_by_role("button", name="Publish ...").click()
    walk.page.get_by_role("button", name="Publish it").click()


def test_who_publishes_second_is_told_of_the_first(browser: Any, own_console: Running) -> None:
    with walking(browser, own_console, "analyst") as first, walking(browser, own_console, "analyst") as second:
        first.open(EDITOR)
        second.open(EDITOR)
        write_more(first, "# first\n")
        publish(first)
        first.page.get_by_text("It is the text of version 2").wait_for()
        write_more(second, "# second\n")
        publish(second)
        second.page.get_by_text("Version 2 was published after version 1").wait_for()
        second.page.get_by_text("-# first").wait_for()
        second.page.get_by_role("button", name="Publish it all the same").click()
        second.page.get_by_text("It is the text of version 3").wait_for()
        assert (first.faults, second.faults) == ([], [])


def test_a_draft_outlives_a_page_that_is_loaded_anew(browser: Any, own_console: Running) -> None:
    with walking(browser, own_console, "analyst") as walk:
        walk.open(EDITOR)
        write_more(walk, MINE)
        walk.open(EDITOR)
        assert MINE not in the_file(walk).input_value()
        walk.page.get_by_role("button", name="Take it up").click()
        walk.page.get_by_text(f"+{MINE.strip()}").wait_for()
        assert MINE in the_file(walk).input_value()
        walk.open(EDITOR)
        walk.page.get_by_role("button", name="Forget it").click()
        walk.open(EDITOR)
        assert walk.page.get_by_role("button", name="Take it up").count() == 0
        assert walk.faults == []


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/now?journey=support&case=NOPE", "There is no case 'NOPE' here"),
        ("/decisions/deadbeef", "there is no decision of this id"),
        ("/journey?journey=nope", "there is no live journey of this name"),
        ("/foresight?journey=nope", "There is no live journey of this name"),
        ("/journey?journey=support&since=yesterday", "'yesterday' is no day"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(browser: Any, console: Running, address: str, says: str) -> None:
    with walking(browser, console, "analyst") as walk:
        walk.open(address)
        walk.page.get_by_text(says).first.wait_for()
        assert "/api/" not in walk.page.locator(".tn-notice").first.inner_text()
        assert (walk.faults, walk.violations()) == ([], [])


def test_a_page_that_is_not_there_is_a_page_for_people_and_json_for_programs(console: Running) -> None:
    with console.client("viewer") as client:
        page = client.get("/nosuchpage", headers={"Accept": "text/html,*/*"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "There is no such page" in page.text
        for address, accept in (("/nosuchpage", "*/*"), ("/api/v1/nosuch", "text/html")):
            answer = client.get(address, headers={"Accept": accept})
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_page")


def test_a_fault_is_told_by_an_id_and_its_words_are_nowhere(broken: Running) -> None:
    with broken.client("admin") as client:
        answer = client.get("/journey")
    assert answer.status_code == 500
    request_id = answer.headers["X-Request-ID"]
    assert f"under {request_id}" in answer.text
    assert f'"request": "{request_id}"' in broken.log()
    assert SECRET not in answer.text + broken.log()


@pytest.mark.parametrize("page", [one for one in PAGES if one.group], ids=lambda one: one.path)
def test_with_nothing_in_the_store_a_page_says_so(browser: Any, empty: Running, page: Any) -> None:
    with walking(browser, empty, "admin") as walk:
        walk.open(page.address())
        shown = walk.page.inner_text("#main")
        assert len(shown.splitlines()) > 1
        assert "Traceback" not in shown
        walk.picture(f"empty{page.path.replace('/', '-')}")
        assert (walk.faults, walk.violations(), walk.overflow_px()) == ([], [], 0)
