"""The desk in a browser: inviting, keys, the quarantine, erasing; and an open page whose session ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from console.running import PASSWORD, Running, prepare, running
from console.walking import walking
from truenorth.store.opening import open_store


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("desk")
    prepare(folder)
    with running(folder) as found:
        yield found


def test_somebody_invited_joins_and_is_switched_off_while_their_page_is_open(browser: Any, own: Running) -> None:
    with walking(browser, own, "admin") as admin, walking(browser, own, None) as guest:
        admin.open("/desk/accounts")
        admin.page.get_by_label("Name").fill("zoe")
        admin.page.get_by_label("Role").select_option("viewer")
        admin.page.get_by_role("button", name="Make a link").click()
        link = admin.page.locator("code", has_text="/join/").inner_text()
        assert link.startswith(f"{own.address}/join/")
        guest.page.goto(link)
        guest.page.get_by_label("Password").fill(PASSWORD)
        guest.page.get_by_role("button", name="Join").click()
        guest.page.wait_for_url(re.compile("/true-north$"))
        admin.open("/desk/accounts")
        admin.confirms = True
        admin.page.get_by_role("button", name="Switch off: zoe").click()
        guest.page.get_by_text("you are signed out; sign in again").wait_for(timeout=15_000)
        assert admin.faults == []


def test_an_invitation_stands_on_the_page_until_it_is_withdrawn(browser: Any, own: Running) -> None:
    with walking(browser, own, "admin") as walk:
        walk.page.set_viewport_size({"width": 1200, "height": 800})
        walk.open("/desk/accounts")
        walk.page.get_by_label("Name").fill("yan")
        walk.page.get_by_role("button", name="Make a link").click()
        link = walk.page.locator("code", has_text="/join/").inner_text()
        walk.confirms = True
        walk.page.get_by_role("region", name="Open invitations").get_by_text("yan", exact=True).wait_for()
        for table in walk.page.locator(".tn-scroll").all():
            assert table.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0
        walk.page.get_by_role("button", name="Withdraw: yan").click()
        walk.page.get_by_text("No invitation is open.").wait_for()
        assert walk.page.request.get(link).status == 404
        assert walk.faults == []


def test_a_key_is_shown_once_and_sends(browser: Any, own: Running) -> None:
    with walking(browser, own, "admin") as walk, own.client() as sender:
        walk.open("/desk/keys")
        walk.page.get_by_label("Source").fill("app")
        walk.page.get_by_role("button", name="Make a write key").click()
        key = walk.page.locator("code", has_text="tnw_").inner_text()
        sent = sender.post("/v1/track", json={"event": "Called", "userId": "u1"}, headers={"X-Write-Key": key})
        assert sent.status_code == 200
        walk.open("/desk/keys")
        assert key not in walk.page.content()
        assert walk.faults == []


def test_a_wrong_name_is_told_and_nothing_is_made(browser: Any, own: Running) -> None:
    with walking(browser, own, "admin") as walk:
        walk.open("/desk/keys")
        walk.page.get_by_label("Source").fill("<b>")
        walk.page.get_by_role("button", name="Make a write key").click()
        walk.page.locator("[role=status].tn-shown").wait_for()
        with open_store(f"sqlite:///{own.folder}/truenorth.db") as store:
            assert "<b>" not in [key.source for key in store.access.write_keys()]


def test_what_was_refused_is_put_right(browser: Any, own: Running) -> None:
    with walking(browser, own, "analyst") as walk:
        walk.open("/desk/quarantine")
        assert "<script>alert(1)</script>" in walk.page.inner_text("#main")
        walk.page.get_by_role("button", name="Put right: 1").click()
        text = '{"type": "track", "event": "Fixed", "userId": "C1", "messageId": "r1"}'
        walk.page.get_by_label("What is read in its place").fill(text)
        walk.page.get_by_role("button", name="Read it").click()
        walk.page.get_by_text("It is an event now.").wait_for()
        assert walk.page.get_by_role("button", name="Put right: 1").count() == 0
        assert walk.faults == []


def test_erasing_asks_for_the_id_once_more(browser: Any, own: Running) -> None:
    with walking(browser, own, "admin") as walk:
        walk.open("/desk/people?customer=C7")
        walk.page.get_by_label("Id", exact=True).fill("C8")
        walk.page.get_by_role("button", name="Erase for good").click()
        walk.page.get_by_text("nothing was erased").wait_for()
        walk.page.get_by_label("Id", exact=True).fill("C7")
        walk.page.get_by_role("button", name="Erase for good").click()
        walk.page.get_by_text("Erased: receipt 1").wait_for(timeout=30_000)
        assert walk.faults == []
    with open_store(f"sqlite:///{own.folder}/truenorth.db") as store:
        assert store.people.was_erased("C7")
