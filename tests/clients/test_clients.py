"""Official clients, unmodified and with their defaults, through a full queue and two deaths of the real service."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from process.service_process import ServiceProcess, prepared, within
from process.traffic import JOURNEY
from truenorth.store.opening import open_store

HERE = Path(__file__).parent
N_EVENTS = 500
PACKAGES = HERE / "node_modules"
PYTHON_CLIENTS = [
    ("python", "segment"),
    pytest.param("python", "posthog", marks=pytest.mark.slow),
    pytest.param("python", "cloudevents", marks=pytest.mark.slow),
]
NODE_CLIENTS = [("node", name) for name in ("segment", "rudderstack", "posthog", "cloudevents")]


def command(language: str, client: str) -> list[str]:
    if language == "python":
        return [sys.executable, str(HERE / "python_clients.py"), client]
    if shutil.which("node") is None:
        pytest.skip("no node on this machine")
    if not PACKAGES.is_dir():
        pytest.skip("the Node clients are not installed: run `npm ci` in tests/clients")
    return ["node", str(HERE / f"{client}.js")]


@contextmanager
def full_queue(service: ServiceProcess, database: Path, write_key: str) -> Iterator[None]:
    """Somebody else holds the database, and a first event waits for it: everybody else is told 429."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("begin immediate")
    body = json.dumps({"event": "first", "userId": "first", "messageId": "first"}).encode()
    first = Thread(target=service.ask, args=("/v1/track", body, {"X-Write-Key": write_key}))
    first.start()
    within(10, lambda: service.gauges().get("truenorth_waiting_events"), "first event in the queue")
    try:
        yield
    finally:
        service.kill()
        first.join()
        other.close()


def n_turned_away(service: ServiceProcess) -> float:
    gauges = service.gauges()
    return sum(n for name, n in gauges.items() if name.startswith("truenorth_requests_total") and '"429"' in name)


@pytest.mark.parametrize(("language", "client"), [*PYTHON_CLIENTS, *NODE_CLIENTS])
def test_everything_is_delivered_once(language: str, client: str, tmp_path: Path) -> None:
    database = tmp_path / "truenorth.db"
    url = f"sqlite:///{database}"
    secrets = prepared(url, JOURNEY)
    start = command(language, client)
    with (
        ServiceProcess(url, tmp_path / "service.log", secrets.token, limits={"waiting_events": 1}) as service,
        open_store(url) as store,
    ):
        with full_queue(service, database, secrets.write_key):
            sending = subprocess.Popen(
                [*start, service.address, secrets.write_key, str(N_EVENTS)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            within(20, lambda: n_turned_away(service), "answer of 429")
        service.settings["limits"] = {}
        service.start()
        within(60, store.events.last_position, "event")
        service.kill()
        assert store.events.last_position() < N_EVENTS
        service.start()
        said, _ = sending.communicate(timeout=90)
        assert sending.returncode == 0, said
        events = [found.event for found in store.events.read()]
        refused = store.events.refused()
    orders = sorted(
        (event for event in events if event.type == "Order Completed"), key=lambda event: event.revenue or 0
    )
    assert [(event.customer, event.revenue) for event in orders] == [(f"u{n}", n) for n in range(N_EVENTS)]
    assert refused == []
