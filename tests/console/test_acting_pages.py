"""Now, by keyboard and live: a case is taken up, decided, promised; an event shows without a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from console.running import NAMES, PASSWORD, Running, running
from console.walking import NARROW, Walk, walking
from server.acting_desk import acting_desk, open_cases
from server.desk import HOSTILE, NOW_US
from truenorth.server import passwords
from truenorth.server.acting.acting import Asker
from truenorth.store.opening import open_store
from truenorth.store.staff import StaffMember

HERE = "document.querySelector('.tn-queue a[aria-current]').innerText"
TEAM = Asker("team:first_line", ("agent",), (), "first_line")


def prepare(folder: Path) -> None:
    """A store whose journey may act, with proposals in the queue of an agent's team."""
    with acting_desk(folder) as desk:
        acting = desk.app.state.context.acting
        for case in open_cases(desk):
            acting.decide("support", case, TEAM, "proposed")
        agnes = StaffMember(id=NAMES["agent"], name="Agnes", teams=("first_line",), roles=("agent",), added_us=NOW_US)
        desk.store.staff.put([agnes])
        keep = passwords.kept(PASSWORD)
        for role, name in NAMES.items():
            secret = desk.store.accounts.invite(name, role, by="test", now_us=NOW_US, expires_us=NOW_US + 1)
            assert desk.store.accounts.accept(secret, name, keep, now_us=NOW_US)


@pytest.fixture(scope="module")
def acting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("acting")
    with ThreadPoolExecutor(1) as elsewhere:  # the browser has a loop of its own in this thread
        elsewhere.submit(prepare, folder).result()
    with running(folder) as found:
        yield found


@contextmanager
def now(browser: Any, acting: Running, address: str = "/now", **options: Any) -> Iterator[Walk]:
    with walking(browser, acting, "agent", **options) as walk:
        walk.open(address)
        yield walk
        assert walk.faults == []


def chosen(walk: Walk) -> str:
    return str(walk.page.locator(".tn-queue a[aria-current]").inner_text())


def states(acting: Running) -> list[str]:
    with acting.client("agent") as client:
        places = client.get("/api/v1/queue").json()["items"]
    return [one["decision"]["state"] for one in places if one["decision"]]


def test_keys_move_decline_in_two_strokes_and_accept_in_one(browser: Any, acting: Running) -> None:
    with now(browser, acting) as walk:
        first = chosen(walk)
        walk.page.keyboard.press("j")
        walk.page.wait_for_function(
            "(was) => document.querySelector('[aria-current=true]').innerText !== was", arg=first
        )
        walk.page.keyboard.press("k")
        walk.page.wait_for_function(
            "(was) => document.querySelector('[aria-current=true]').innerText === was", arg=first
        )
        walk.page.keyboard.press("d")
        walk.page.get_by_role("group", name="Why not?").wait_for()
        declined = walk.page.locator(".tn-name").inner_text()
        walk.page.keyboard.press("2")
        walk.page.wait_for_function("(was) => document.querySelector('#app .tn-name').innerText !== was", arg=declined)
        assert "The customer does not want it" in str(reactions(acting))
        walk.page.locator(".tn-chosen", has_text="proposed").wait_for()  # the next one that waits
        walk.page.keyboard.press("a")
        walk.page.locator(".tn-chosen", has_text="accepted").wait_for()
        assert "accepted" in states(acting)
        walk.page.keyboard.press("f")
        walk.page.locator(".tn-chosen", has_text="done").wait_for()


def test_a_key_right_after_another_is_about_the_next_case(browser: Any, acting: Running) -> None:
    with acting.client("agent") as client:
        places = client.get("/api/v1/queue").json()["items"]
    at = next(n for n, one in enumerate(places[1:]) if one["decision"] and one["decision"]["state"] == "proposed")
    with now(browser, acting, f"/now?journey={places[at]['journey']}&case={places[at]['case']}") as walk:
        walk.page.keyboard.type("jd")  # faster than the case can be drawn
        walk.page.get_by_role("group", name="Why not?").wait_for()
        assert walk.page.locator(".tn-name").inner_text() == places[at + 1]["customer"]


def reactions(acting: Running) -> list[Any]:
    with open_store(f"sqlite:///{acting.folder}/truenorth.db") as store:
        return [one.reason for one in store.decisions.reactions()]


def proposed(acting: Running) -> str:
    """The address of a case for which something is proposed."""
    with acting.client("agent") as client:
        places = client.get("/api/v1/queue").json()["items"]
    one = next(one for one in places if one["decision"] and one["decision"]["state"] == "proposed")
    return f"/now?journey={one['journey']}&case={one['case']}"


def test_what_is_beyond_limits_is_asked_for_and_refused(browser: Any, acting: Running) -> None:
    address = proposed(acting)
    case = dict(parse_qsl(urlsplit(address).query))["case"]
    with now(browser, acting, address) as walk:
        walk.page.locator(".tn-chosen", has_text="proposed").wait_for()
        walk.page.keyboard.press("r")
        walk.page.get_by_role("group", name="Ask for").wait_for()
        walk.page.keyboard.press("1")
        walk.page.locator(".tn-chosen", has_text="approval asked").wait_for()
    with walking(browser, acting, "analyst") as walk:
        walk.open("/decisions?journey=support")
        waits = walk.page.get_by_role("region", name="Approvals waiting").get_by_role("row", name="credit")
        cells = waits.get_by_role("cell").all_inner_texts()
        assert cells[:3] == ["credit", case, "EUR\N{NO-BREAK SPACE}50.00"]
        walk.page.get_by_role("button", name="Refuse: credit").click()
        told = walk.page.get_by_role("status")
        told.get_by_text("expected somebody who may take this action by themselves").wait_for()
        assert walk.overflow_px() <= 0


def test_a_promise_in_one_line_waits_and_is_done(browser: Any, acting: Running) -> None:
    with now(browser, acting) as walk:
        walk.page.keyboard.press("p")
        walk.page.keyboard.type("ring back within 2h")  # keys are text while somebody types
        walk.page.keyboard.press("Enter")
        word = walk.page.locator(".tn-word", has_text="ring back")
        word.get_by_text("waits").wait_for()
        word.get_by_role("button", name="Done").click()
        walk.page.locator(".tn-word", has_text="ring back").get_by_role("button").first.wait_for(state="detached")
        walk.page.keyboard.press("p")
        walk.page.keyboard.type("soon")
        walk.page.keyboard.press("Enter")
        walk.page.get_by_role("status").get_by_text("what is promised and until when").wait_for()


def test_the_help_opens_by_key_and_keys_can_be_switched_off(browser: Any, acting: Running) -> None:
    with now(browser, acting) as walk:
        walk.page.keyboard.press("?")
        walk.page.get_by_text("ask for approval of what is beyond your limits").wait_for()
        walk.page.get_by_role("button", name="Switch keys off").click()
        walk.page.get_by_role("button", name="Switch keys on").wait_for()
        first = chosen(walk)
        walk.page.keyboard.press("j")
        walk.page.wait_for_timeout(300)
        assert chosen(walk) == first


def test_a_strangers_text_is_text_on_the_time_line(browser: Any, acting: Running) -> None:
    for size in ((1440, 900), NARROW):
        with now(browser, acting, "/panel/C11", size=size) as walk:
            walk.page.locator("summary", has_text="Time line").click()
            shown = walk.page.locator(".tn-words").first.inner_text()
            assert "<script>alert(1)</script>" in shown
            assert HOSTILE[:20] in shown
            assert walk.overflow_px() <= 0
            assert walk.violations() == []


def test_a_panel_may_stand_in_the_frame_of_a_help_desk_that_was_named(acting: Running) -> None:
    with acting.client("agent") as client:
        policy = client.get("/panel/C1").headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy  # none was named
        assert not re.search("<nav|tn-menu", client.get("/panel/C1").text)


def test_what_is_proposed_can_be_answered_after_another_decision(browser: Any, acting: Running) -> None:
    address = proposed(acting)
    one = dict(parse_qsl(urlsplit(address).query))
    with acting.client("agent") as client:
        held = client.get("/api/v1/decisions", params=one).json()[0]
    with open_store(f"sqlite:///{acting.folder}/truenorth.db") as store:
        [row] = [row for row in store.decisions.of_case(one["journey"], one["case"]) if row.id == held["id"]]
        later = msgspec.structs.replace(row, id="later", state="nothing", chosen="do_nothing", at_us=row.at_us + 1)
        with store.decisions.taking(later.at_us) as taking:
            taking.add(later, ())
    with now(browser, acting, address) as walk:
        walk.page.get_by_role("button", name="Accept (a)").wait_for()
        assert walk.page.locator(".tn-chosen", has_text="proposed").is_visible()


def test_a_double_click_is_one_click(browser: Any, acting: Running) -> None:
    with now(browser, acting, proposed(acting)) as walk:
        walk.page.get_by_role("button", name="Accept (a)").dblclick()
        walk.page.locator(".tn-chosen", has_text="accepted").wait_for()
        assert walk.page.get_by_role("status").inner_text() == "Accepted."
