"""The whole loop in a browser: an event arrives, the queue shows it, the agent accepts, the decision and the saved case
are seen. `python bench/console.py` measures it; here nothing is timed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from segment.analytics.client import Client

from console.running import NAMES, PASSWORD, Running
from console.walking import walking
from process.service_process import free_port, within
from server.acting_desk import ACTIONS, PEOPLE
from server.desk import HOUR_US, JOURNEY
from truenorth.action.people_file import load_people
from truenorth.events import Event
from truenorth.server import passwords
from truenorth.server.runner import now_us
from truenorth.store.opening import open_store
from truenorth.store.rows import Role
from truenorth.store.staff import StaffMember

PROGRAM = (sys.executable, "-c", "from truenorth.cli.app import main; main()")
ACTING = ACTIONS.replace("    when: promise_broken('taken_up')\n", "").replace("budget: 2000/day\n", "")


class Loop(NamedTuple):
    """A service with its console, as it is run, and a key for its events."""

    console: Running
    write_key: str


def prepare(folder: Path) -> str:
    """A store with a journey that may act, a team, and accounts; the write key."""
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        store.journeys.publish("support", JOURNEY + ACTING, now_us=now_us())
        loaded = load_people(PEOPLE).people
        assert loaded is not None
        agnes = StaffMember(id=NAMES["agent"], name="Agnes", teams=("first_line",), roles=("agent",), added_us=0)
        store.staff.load([agnes], loaded.teams, (), now_us=now_us())
        keep, roles = passwords.kept(PASSWORD), ("agent", "analyst")
        for role in roles:
            name: str = NAMES[role]
            secret = store.accounts.invite(name, role, by="test", now_us=now_us(), expires_us=now_us() + 10**9)
            assert store.accounts.accept(secret, name, keep, now_us=now_us())
        store.events.append(history())
        return store.access.add_write_key("shop", now_us=now_us())


def history() -> list[Event]:
    """Cases of the last days, every second of which failed: by them the value of acting is known."""
    began_us = now_us() - 10 * 24 * HOUR_US
    return [
        Event(
            source="shop",
            id=f"{number}-{kind}",
            type=kind,
            time_us=began_us + number * HOUR_US + place,
            received_us=began_us,
            customer=f"C{number}",
            case=f"H{number}",
        )
        for number in range(40)
        for place, kind in enumerate(("Contact", "Left" if number % 2 else "Fixed"))
    ]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    folder = tmp_path_factory.mktemp("loop")
    key, port = prepare(folder), free_port()
    url = f"sqlite:///{folder}/truenorth.db"
    command = [*PROGRAM, "serve", "--db", url, "--port", str(port), "--lateness", "1s", "--no-foresight"]
    console = Running(f"http://127.0.0.1:{port}", folder)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        within(60, lambda: is_judged(console), "judged history")
        yield Loop(console, key)
        process.terminate()


def is_judged(console: Running) -> bool:
    """Whether the service answers and its runner has judged what was there: history is no news."""
    try:
        if httpx.get(f"{console.address}/healthz", timeout=5).status_code != 200:
            return False
        with console.client("analyst") as client:
            return bool(client.get("/api/v1/summary?journey=support").json()["cases"] == 40)
    except httpx.TransportError:
        return False


def test_from_an_event_to_a_saved_case(browser: Any, loop: Loop) -> None:
    client = Client(loop.write_key, host=loop.console.address, sync_mode=True)
    agent: Role = "agent"
    with walking(browser, loop.console, agent) as walk:
        walk.open("/now")
        walk.page.get_by_text("Nothing waits").wait_for()
        client.track("Mrs Rossi", "Contact", {"case": "T1", "channel": "phone"})
        place = walk.page.locator(".tn-queue a", has_text="Mrs Rossi")
        place.wait_for()
        place.click()
        walk.page.locator(".tn-chosen", has_text="call back now").wait_for()
        walk.page.keyboard.press("a")
        walk.page.locator(".tn-chosen", has_text="accepted").wait_for()
        place.get_by_text("under way").wait_for()
        client.track("Mrs Rossi", "Fixed", {"case": "T1"})
        walk.page.locator(".tn-heading .tn-tag", has_text="achieved").wait_for()
        assert walk.faults == []
    with walking(browser, loop.console, "analyst") as walk:
        walk.open("/decisions?journey=support")
        walk.page.get_by_role("row", name="T1").get_by_text("accepted").wait_for()
