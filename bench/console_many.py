"""Many who have the console open while events come: `python bench/console_many.py [--viewers 50] [--rate 2000]`.

A service as it is run, its runner beside it, over a SQLite store with 2,000 open cases of one journey; the events are
of another one, with twelve promises, sent as Segment batches of 100 by a process of its own. Some viewers are tabs of
Chromium (``--browsers``), each in a context of its own; the others do what a page does, without drawing it: they load
it, open its socket, take its updates and acknowledge them. All go from page to page, each looked at for some seconds.
They begin when the open cases are judged and proposals for them are made.

*Loaded*: from asking for a page to the last byte of its answer, which has all that is read at first. *To be read*: from
the address to the first contentful paint of Chromium. *Live*: from the address until the scripts have drawn the page
and its socket is open.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain, count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import service_process
import socketio
from live_load import BATCH, Batches, at_a_rate, request
from playwright.async_api import Browser, async_playwright
from tables import show

from console import CHROMIUM, PAINT, prepare, serving
from truenorth.console.door import COOKIE
from truenorth.server.runner import now_us
from truenorth.store.opening import open_store

PAGES = ("/now", "/true-north", "/promises?journey=service", "/cases?journey=service")
LOOKED_AT_S = 10.0
"""How long each page stays open."""
N_CASES = 2_000
REST_S = 4.0
"""Nobody looks before nothing was signalled for so long."""
LONGEST_S = 600.0
"""How long that may take."""
SETTLE_S = 30.0
"""How long judging may go on after the last event."""


class Seen:
    """What the viewers saw."""

    def __init__(self) -> None:
        self.loaded_ms: dict[str, list[float]] = {one: [] for one in PAGES}
        self.read_ms: list[float] = []
        self.live_ms: list[float] = []
        self.n_updates = 0
        self.n_failed = 0


async def view(address: str, session: str, pages: Iterator[str], until_s: float, seen: Seen) -> None:
    """Go from page to page without drawing them."""
    headers = {"Cookie": f"{COOKIE}={session}; truenorth_zone=UTC; truenorth_shade=light", "Origin": address}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        while time.monotonic() < until_s:
            page, began = next(pages), time.perf_counter()
            answer = await client.get(page)
            seen.loaded_ms[page].append((time.perf_counter() - began) * 1000)
            seen.n_failed += answer.status_code != 200
            try:
                await _stay(address, headers, answer.text, seen)
            except socketio.exceptions.SocketIOError:  # a browser would try again
                seen.n_failed += 1


async def _stay(address: str, headers: dict[str, str], page: str, seen: Seen) -> None:
    """Open the page's socket, and take its updates for as long as it is looked at."""
    client_id = re.search(r"'client_id': '([^']+)'", page)
    first = re.search(r"'next_message_id': (\d+)", page)
    assert client_id, "a page without a client"
    tab = f"tab-{client_id[1]}"
    asked = {
        "client_id": client_id[1], "next_message_id": first[1] if first else "0", "implicit_handshake": "true",
        "document_id": tab, "tab_id": tab, "old_tab_id": "",
    }  # fmt: skip
    socket = socketio.AsyncClient(reconnection=False)
    newest = 0

    async def updated(_: str, told: Any) -> None:
        nonlocal newest
        seen.n_updates += 1
        newest = max(newest, int(told.get("_id", 0)) if isinstance(told, dict) else 0)

    socket.on("*", updated)
    await socket.connect(
        f"{address}?{urlencode(asked)}",
        headers=dict(headers),  # its cookie is taken out of them
        transports=["websocket"],
        socketio_path="/_nicegui_ws/socket.io",
        wait_timeout=30,
    )
    await asyncio.sleep(LOOKED_AT_S)
    await socket.emit("ack", {"client_id": client_id[1], "next_message_id": newest + 1})
    await socket.disconnect()


async def draw(browser: Browser, address: str, session: str, pages: Iterator[str], until_s: float, seen: Seen) -> None:
    """Go from page to page in a tab."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    known = {COOKIE: session, "truenorth_zone": "UTC", "truenorth_shade": "light"}
    await context.add_cookies([{"name": name, "value": value, "url": address} for name, value in known.items()])
    page = await context.new_page()
    for n in count():
        if time.monotonic() > until_s:
            break
        began = time.perf_counter()
        await page.goto(address + next(pages), wait_until="commit")
        await page.wait_for_function("window.socket?.connected && document.querySelector('#app h1')")
        took = (time.perf_counter() - began) * 1000
        await page.wait_for_function(f"{PAINT} !== undefined")  # it is told a little later
        paint = await page.evaluate(f"{PAINT}.startTime")
        if n:  # the first page fills the browser's cache
            seen.live_ms.append(took)
            seen.read_ms.append(paint)
        await asyncio.sleep(LOOKED_AT_S)
    await context.close()


async def watch(address: str, session: str, seconds: float, n_viewers: int, n_browsers: int) -> Seen:
    """All viewers, for some seconds."""
    seen, until_s = Seen(), time.monotonic() + seconds
    pages = [cycle(PAGES[n % len(PAGES) :] + PAGES[: n % len(PAGES)]) for n in range(n_viewers)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        drawing = [draw(browser, address, session, own, until_s, seen) for own in pages[:n_browsers]]
        viewing = [_late(n, view(address, session, own, until_s, seen)) for n, own in enumerate(pages[n_browsers:])]
        await asyncio.gather(*drawing, *viewing)
        await browser.close()
    return seen


async def _late(n: int, coming: Any) -> None:
    """Not all come at the same instant."""
    await asyncio.sleep(LOOKED_AT_S * n / 50)
    await coming


def send(port: int, key: str, rate: int, seconds: float) -> None:
    """Send batches at a rate, and say how many were acknowledged."""
    batches = Batches(int(rate * seconds / BATCH), "live")
    requests = [request(port, key, body) for body in batches.bodies]
    print("ready", flush=True)
    sys.stdin.readline()
    _, n_kept = asyncio.run(at_a_rate(port, requests, rate / BATCH))
    print(n_kept, flush=True)


def measure(folder: Path, given: argparse.Namespace) -> list[list[str]]:
    """Rows of a table."""
    session, key = prepare(folder, N_CASES)
    url = f"sqlite:///{folder}/truenorth.db"
    with open_store(url) as store:
        store.journeys.publish("service", service_process.JOURNEY, now_us=now_us())
        n_before = store.events.last_position()
    with serving(folder, "--lateness", "1s") as service:
        _at_rest(url)
        address = service.address
        port = address.rpartition(":")[2]
        call = [
            sys.executable,
            __file__,
            "--send",
            port,
            key,
            "--rate",
            str(given.rate),
            "--seconds",
            str(given.seconds),
        ]
        sender = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert sender.stdout is not None
        assert sender.stdin is not None
        sender.stdout.readline()
        sender.stdin.write("go\n")
        sender.stdin.flush()
        cpu_s, began = service.cpu_s(), time.monotonic()
        seen = asyncio.run(watch(address, session, given.seconds, given.viewers, given.browsers))
        busy = (service.cpu_s() - cpu_s) / (time.monotonic() - began)
        n_kept = int(sender.stdout.readline()) * BATCH
        sender.wait(60)
        behind_s = _judged_after(url)
    with open_store(url) as store:
        n_stored = store.events.last_position() - n_before
    n_sent = int(given.rate * given.seconds)
    return [
        _row(f"loaded ({given.viewers - given.browsers} that do not draw)", [*chain(*seen.loaded_ms.values())]),
        *(_row(f"{page.partition('?')[0]} loaded", took) for page, took in seen.loaded_ms.items()),
        _row(f"to be read ({given.browsers} tabs of Chromium)", seen.read_ms),
        _row(f"live ({given.browsers} tabs of Chromium)", seen.live_ms),
        ["events sent, acknowledged, stored", f"{n_sent:,}", f"{n_kept:,}", f"{n_stored:,}", ""],
        ["pages and sockets that failed; updates taken", f"{seen.n_failed}", f"{seen.n_updates:,}", "", ""],
        ["the service and its runner, of one core", f"{busy:.0%}", "", "", ""],
        ["all judged after the last event", f"{behind_s:.1f} s", "", "", ""],
    ]


def _at_rest(url: str) -> None:
    """Wait until what the store began with is judged, and proposals for it are made."""
    newest, since_s, until_s = 0, time.monotonic(), time.monotonic() + LONGEST_S
    with open_store(url) as store:
        while not newest or time.monotonic() - since_s < REST_S:
            if time.monotonic() > until_s:
                raise SystemExit(f"expected no more signals after {LONGEST_S:.0f} s, found some: the machine is busy")
            time.sleep(0.5)
            if (number := store.signals.last_number()) != newest:
                newest, since_s = number, time.monotonic()


def _judged_after(url: str) -> float:
    """Seconds until the runner has come to the end of the log."""
    began = time.monotonic()
    with open_store(url) as store:
        while store.results.progress("service").position < store.events.last_position():
            if time.monotonic() - began > SETTLE_S:
                return float("inf")
            time.sleep(0.1)
    return time.monotonic() - began


def _row(words: str, took: Sequence[float]) -> list[str]:
    if len(took) < 2:
        return [words, "-", "-", "-", f"{len(took)}"]
    deciles = statistics.quantiles(took, n=20, method="inclusive")
    return [words, *(f"{value:,.0f} ms" for value in (statistics.median(took), deciles[18], max(took))), f"{len(took)}"]


def main() -> None:
    """Measure and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--viewers", type=int, default=50)
    asked.add_argument("--browsers", type=int, default=3, help="of the viewers, tabs of Chromium")
    asked.add_argument("--rate", type=int, default=2_000, help="events a second")
    asked.add_argument("--seconds", type=float, default=40)
    asked.add_argument("--send", nargs=2, metavar=("PORT", "KEY"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.send:
        send(int(given.send[0]), given.send[1], given.rate, given.seconds)
        return
    with tempfile.TemporaryDirectory() as name:
        rows = measure(Path(name), given)
    show(["", "median", "95 %", "slowest", "n"], rows)


if __name__ == "__main__":
    main()
