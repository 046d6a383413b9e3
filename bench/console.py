"""How fast Now opens and an event reaches the screen: `python bench/console.py [--cases 10000] [--opens 10]`.

A service as it is run, over a SQLite store with so many open cases, each with a risk and promises, seen in Chromium.
*To be read*: from the address to the queue and the first case on the screen, as the answer has them (first contentful
paint). *Drawn by its scripts*: until keys and buttons are there too. *Browser's own work*: the time on the processor
of the page's thread, whatever else the machine does. *Event to screen*: from the call of the Segment client to the
place in the queue of a second service, with a runner.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from playwright.sync_api import sync_playwright
from segment.analytics.client import Client

from truenorth.console.door import COOKIE
from truenorth.events import Event
from truenorth.server.runner import now_us
from truenorth.store.foresight_rows import Foretold, ModelRow, RiskRow
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import CaseEvent, CaseRow, Judged, Progress, PromiseRow
from truenorth.store.staff import StaffMember, StaffTeam

JOURNEY = """\
truenorth: 1
journey: support
currency: EUR
need: type = 'Contact'
outcome: {achieved: type = 'Fixed', failed: type = 'Left', value: {achieved: 90, failed: -240}}
moments: type in ('Contact', 'Fixed')
promises:
  - {name: taken_up, after: type = 'Contact', expect: type = 'Taken up', within: 4h}
  - {name: no_ping_pong, at_most: 1, of: handover}
actions:
  - {name: call_back, cost: 12, needs: call_back, prior: {recovers: 0.4, strength: 400}, channel: phone}
authority: {roles: {agent: {call_back: true}}}
"""
HOUR_US = 3_600_000_000
PROGRAM = (sys.executable, "-c", "from truenorth.cli.app import main; main()")
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]"
CHROMIUM = shutil.which("chromium")


def fill(store: Store, n_cases: int) -> None:
    """Open cases of as many customers, with two promises and a risk each."""
    at_us = now_us()
    numbers = range(n_cases)
    opened = [at_us - (n % 72) * HOUR_US for n in numbers]
    events = [
        Event(
            source="s", id=f"e{n}", type="Contact", time_us=opened[n], received_us=at_us, customer=f"C{n}", case=f"T{n}"
        )
        for n in numbers
    ]  # fmt: skip
    store.events.append(events)
    cases = [CaseRow(case=f"T{n}", customer=f"C{n}", opened_us=opened[n], events=1, moments=1, open=2) for n in numbers]
    promises = [
        PromiseRow(
            case=f"T{n}", promise=name, instance=1, started_us=opened[n], started_by=f"e{n}",
            due_us=at_us + (1 + n % 4) * HOUR_US if name == "taken_up" else None,
        )
        for n in numbers
        for name in ("taken_up", "no_ping_pong")
    ]  # fmt: skip
    keys = [CaseEvent(f"T{n}", opened[n], n + 1) for n in numbers]
    judged = Judged(progress=Progress(n_cases, at_us), cases=cases, promises=promises, case_events=keys)
    store.results.write("support", judged, n_erasures=0)
    model = ModelRow(
        journey="support", version="m0", made_us=at_us, data_from_us=0, data_to_us=at_us, n_cases=n_cases, beats=True,
        why="bench", threshold=0.5,
    )  # fmt: skip
    store.models.add(model, b"")
    store.models.promote("support", "m0", now_us=at_us)
    risks = [_risk(n, at_us) for n in numbers]
    store.risks.write("support", Foretold(risks=risks, points=[]), n_erasures=0)


def _risk(n: int, at_us: int) -> RiskRow:
    p = (1 + n * 7919 % 98) / 100
    return RiskRow(
        model="m0", case=f"T{n}", customer=f"C{n}", at_us=at_us, position=n + 1, p_failed=p, avoidable=330 * p,
        alarmed=p >= 0.5, p=b'{"achieved":0.5,"failed":0.5,"abandoned":0.0}', remaining_days=b"[0.4,2.1,6.3]",
        next=b'{"Fixed":0.6}', why=b'[{"column":"hours_silent","words":"hours since the last event: 5","added":0.9}]',
        lowers=b'[{"words":"be in touch with the customer now","risk":%.2f,"risk_after":%.2f}]' % (p, p / 2),
        n_past=1, p_past=p,
    )  # fmt: skip


def prepare(folder: Path, n_cases: int) -> tuple[str, str]:
    """A store; the secret of an agent's session, and a write key."""
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        store.journeys.publish("support", JOURNEY, now_us=now_us())
        agnes = StaffMember(id="agnes", name="Agnes", teams=("desk",), roles=("agent",), added_us=0)
        store.staff.put([agnes], [StaffTeam(name="desk", roles=("agent",), journeys=("support",))])
        if n_cases:
            fill(store, n_cases)
        link = store.accounts.invite("agnes", "agent", by="bench", now_us=now_us(), expires_us=now_us() + HOUR_US)
        store.accounts.accept(link, "agnes", "no password", now_us=now_us())
        session = store.accounts.begin_session("agnes", now_us=now_us(), expires_us=now_us() + HOUR_US)
        return session, store.access.add_write_key("shop", now_us=now_us())


class Serving(NamedTuple):
    """A service that listens."""

    address: str
    pid: int

    def cpu_s(self) -> float:
        """Seconds that it and the processes that it started have worked."""
        of_all = [file.read_text().rsplit(")", 1) for file in Path("/proc").glob("[0-9]*/stat")]
        fields = {int(head.split(" ", 1)[0]): tail.split() for head, tail in of_all}
        own = [pid for pid, found in fields.items() if self.pid in {pid, int(found[1])}]
        return sum(int(fields[pid][at]) for pid in own for at in (11, 12)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Serving]:
    """A service of the store of a folder."""
    url = f"sqlite:///{folder}/truenorth.db"
    command = [*PROGRAM, "serve", "--db", url, "--port", "0", "--no-foresight", *options]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield Serving(_address(folder), process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _address(folder: Path) -> str:
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        said = (folder / "log").read_text()
        if "serving at " in said:
            return said.split("serving at ")[1].split()[0]
        time.sleep(0.1)
    raise SystemExit((folder / "log").read_text())


def measure_open(browser: Any, n_cases: int, n_opens: int) -> dict[str, list[float]]:
    """Milliseconds until the first byte of Now, until it can be read, until it is drawn, of the browser's own work."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session, _ = prepare(folder, n_cases)
        with serving(folder, "--no-runner") as service, _tab(browser, service.address, session) as page:
            address = service.address
            tools = page.context.new_cdp_session(page)
            tools.send("Performance.enable", {"timeDomain": "threadTicks"})
            found: dict[str, list[float]] = {
                name: [] for name in ("to the first byte", "to be read", "drawn by its scripts", "browser's own work")
            }
            for n in range(n_opens + 2):
                began = time.perf_counter()
                page.goto(f"{address}/now", wait_until="commit")
                page.locator("#app .tn-case .tn-name").wait_for()
                drawn = (time.perf_counter() - began) * 1000
                byte = page.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
                page.wait_for_function(f"{PAINT} !== undefined")  # it is told a little later
                read = page.evaluate(f"{PAINT}.startTime")
                if n >= 2:  # the first ones fill caches
                    for words, took in zip(found, (byte, read, drawn, _worked(tools)), strict=True):
                        found[words].append(took)
            return found


def _worked(tools: Any) -> float:
    """Milliseconds that the page's thread has worked since it was navigated."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return 1000 * float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def measure_event(browser: Any, n_events: int) -> list[float]:
    """Milliseconds from the client's call to the place in the queue."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session, key = prepare(folder, 0)
        with serving(folder, "--lateness", "1s") as service, _tab(browser, service.address, session) as page:
            address = service.address
            client = Client(key, host=address, sync_mode=True)
            client.track("first", "Contact", {"case": "first"})
            until_s = time.monotonic() + 60
            while (
                time.monotonic() < until_s
                and "first" not in httpx.get(f"{address}/api/v1/queue", cookies={COOKIE: session}).text
            ):
                time.sleep(0.2)
            page.goto(f"{address}/now")
            page.locator("#app .tn-case .tn-name").wait_for()
            page.wait_for_timeout(2_000)
            took = []
            for n in range(n_events):
                began = time.perf_counter()
                client.track(f"Customer {n}", "Contact", {"case": f"N{n}"})
                page.locator(".tn-queue .tn-who", has_text=f"Customer {n}").wait_for()
                took.append((time.perf_counter() - began) * 1000)
                page.wait_for_timeout(1_500)
            return took


@contextmanager
def _tab(browser: Any, address: str, session: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", timezone_id="UTC")
    known = {COOKIE: session, "truenorth_zone": "UTC", "truenorth_shade": "light"}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in known.items()])
    try:
        yield context.new_page()
    finally:
        context.close()


def main() -> None:
    """Measure and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=10_000)
    asked.add_argument("--opens", type=int, default=10)
    given = asked.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        found = measure_open(browser, given.cases, given.opens)
        rows = {f"Now, {given.cases:,} open cases: {words}": took for words, took in found.items()}
        rows["event of the Segment client to the screen"] = measure_event(browser, given.opens)
        browser.close()
    print("| | median | best | slowest |\n|---|---|---|---|")
    for words, took in rows.items():
        print(f"| {words} | {statistics.median(took):.0f} ms | {min(took):.0f} ms | {max(took):.0f} ms |")


if __name__ == "__main__":
    main()
