"""Official clients, unmodified and with their defaults, through a full queue and two deaths of the real service."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from clients.turning_away import full_queue, n_turned_away
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
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A client that lives no longer than its test."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("language", "client"), [*PYTHON_CLIENTS, *NODE_CLIENTS])
def test_everything_is_delivered_once(language: str, client: str, tmp_path: Path) -> None:
    database = tmp_path / "truenorth.db"
    url = f"sqlite:///{database}"
    secrets = prepared(url, JOURNEY)
    start = command(language, client)
    with (
        ServiceProcess(url, tmp_path / "service.log", secrets.token, limits={"waiting_events": 1}) as service,
        open_store(url) as store,
        ExitStack() as at_the_end,
    ):
        with full_queue(service, database, secrets.write_key):
            sending = at_the_end.enter_context(running([*start, service.address, secrets.write_key, str(N_EVENTS)]))
            within(20, lambda: n_turned_away(service), "answer of 429")
        service.settings["limits"] = {}
        service.start()
        within(60, store.events.last_position, "event")
        service.kill()
        assert store.events.last_position() < N_EVENTS
        service.start()
        said, _ = sending.communicate("Send the other half.\n", timeout=90)
        assert sending.returncode == 0, said
        events = [found.event for found in store.events.read()]
        refused = store.events.refused()
    orders = sorted(
        (event for event in events if event.type == "Order Completed"), key=lambda event: event.revenue or 0
    )
    assert [(event.customer, event.revenue) for event in orders] == [(f"u{n}", n) for n in range(N_EVENTS)]
    assert refused == []
