"""Official browser clients, unmodified, in Chromium: a page of another origin, a full queue, a death, a page that ends.

What a page has not delivered when it ends is delivered by the client when the person comes back to the site.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest

from clients.turning_away import full_queue, n_turned_away
from process.service_process import ServiceProcess, prepared, within
from process.traffic import JOURNEY
from truenorth.store.opening import Store, open_store

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
N_AT_A_TIME = 10
KEEP_WHEN_A_PAGE_ENDS = ("rudderstack", "posthog")
"""Segment's client loses some of what is on its way then."""
SETTLING_MS = 500
"""A client makes itself ready once it has its settings."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "posthog-js").is_dir(),
        reason="the browser clients are not installed: run `npm ci` in tests/clients",
    ),
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a site with the clients' pages: another origin than that of the service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(HERE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page with a client, which is told to send; numbers go on."""

    def __init__(self, browser: Any, address: str, service: str, hosts: set[str]) -> None:
        self._page = browser.new_context().new_page()
        self._page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
        self._address, self._service = address, service
        self.n_sent = 0
        self.come()

    def come(self) -> None:
        """Open the page; clients ask for their settings first."""
        with self._page.expect_response(lambda answer: "address=" not in answer.url and self._service in answer.url):
            self._page.goto(self._address)
        self._page.wait_for_function("window.send !== undefined")
        self._page.wait_for_timeout(SETTLING_MS)

    def send(self, n: int) -> None:
        """Have the client send some events."""
        numbers = list(range(self.n_sent, self.n_sent + n))
        self._page.evaluate("numbers => { for (const n of numbers) send(`o${n}`, n) }", numbers)
        self.n_sent += n

    def leave(self) -> None:
        """Go elsewhere: the page ends."""
        self._page.goto("about:blank")

    def until(self, seconds: float, holds: Callable[[], Any], what: str) -> None:
        """Wait while the page goes on."""
        for _ in range(int(seconds * 5)):
            if holds():
                return
            self._page.wait_for_timeout(200)
        pytest.fail(f"no {what} within {seconds} s")


def delivered(store: Store) -> list[float]:
    """The numbers of the events that came."""
    events = [found.event for found in store.events.read()]
    return sorted(event.revenue or 0 for event in events if event.type == "Order Completed")


def page_of(site: str, client: str, service: ServiceProcess, write_key: str, **options: Any) -> str:
    asked = {"address": service.address, "key": write_key, "options": json.dumps(options)}
    return f"{site}/browser/{client}.html?{urlencode(asked)}"


@pytest.mark.parametrize("client", ["segment", "rudderstack", "posthog"])
def test_everything_is_delivered_once(client: str, site: str, browser: Any, tmp_path: Path) -> None:
    database = tmp_path / "truenorth.db"
    url = f"sqlite:///{database}"
    secrets = prepared(url, JOURNEY)
    hosts: set[str] = set()
    with (
        ServiceProcess(url, tmp_path / "service.log", secrets.token, limits={"waiting_events": 1}) as service,
        open_store(url) as store,
    ):
        visit = Visit(browser, page_of(site, client, service, secrets.write_key), service.address, hosts)
        with full_queue(service, database, secrets.write_key):
            visit.send(N_AT_A_TIME)
            visit.until(30, lambda: n_turned_away(service), "answer that the service is busy")
        service.settings["limits"] = {}
        service.start()
        visit.send(N_AT_A_TIME)
        visit.until(60, lambda: len(delivered(store)) >= N_AT_A_TIME, "events after the service was busy")
        service.kill()
        visit.send(N_AT_A_TIME)
        service.start()
        visit.until(60, lambda: len(delivered(store)) == visit.n_sent, "all events after a death")
        visit.send(N_AT_A_TIME)
        visit.leave()
        visit.come()
        if client in KEEP_WHEN_A_PAGE_ENDS:
            visit.until(60, lambda: len(delivered(store)) >= visit.n_sent, "events of a page that has ended")
        within(5, lambda: service.gauges().get("truenorth_waiting_events") == 0, "empty queue")
        came = delivered(store)
        n_sure = visit.n_sent if client in KEEP_WHEN_A_PAGE_ENDS else visit.n_sent - N_AT_A_TIME
        assert len(came) == len(set(came))
        assert set(range(n_sure)) <= set(came) <= set(range(visit.n_sent))
        assert store.events.refused() == []
    assert hosts <= {"127.0.0.1", ""}


def test_a_beacon_arrives_when_the_page_ends(site: str, browser: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/truenorth.db"
    secrets = prepared(url, JOURNEY)
    with (
        ServiceProcess(url, tmp_path / "service.log", secrets.token) as service,
        open_store(url) as store,
    ):
        page = page_of(site, "rudderstack", service, secrets.write_key, useBeacon=True)
        visit = Visit(browser, page, service.address, set())
        visit.send(N_AT_A_TIME)
        visit.leave()
        within(10, lambda: len(delivered(store)) >= visit.n_sent, "events by beacon")
        assert delivered(store) == list(range(visit.n_sent))
