"""A disk that is full: nothing acknowledged is lost, and everything goes on by itself when there is room again."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from process.checking import assert_all_is_right
from process.service_process import ServiceProcess, prepared, within
from process.test_crash import primed, settled
from process.traffic import JOURNEY, Clients

SMALL_BYTES, LARGE_BYTES = 3_000_000, 500_000_000
N_EVENTS = 6_000


class SmallFiles:
    """No file of the process may be larger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def limit(self, service: ServiceProcess, n_bytes: int) -> None:
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (n_bytes, LARGE_BYTES))

    def close(self) -> None:
        pass


class SmallDisk:
    """A file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self.folder.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={LARGE_BYTES}", "tmpfs")

    def _mount(self, *options: str) -> None:
        mounted = subprocess.run(["mount", *options, str(self.folder)], capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")

    def limit(self, service: ServiceProcess, n_bytes: int) -> None:
        self._mount("-o", f"remount,size={n_bytes}")

    def close(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture(params=[SmallFiles, pytest.param(SmallDisk, marks=pytest.mark.slow)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallFiles | SmallDisk]:
    found = request.param(tmp_path)
    yield found
    found.close()


def test_full_for_a_while(room: SmallFiles | SmallDisk, tmp_path: Path) -> None:
    url = f"sqlite:///{room.folder}/truenorth.db"
    secrets = prepared(url, JOURNEY)
    with ServiceProcess(url, tmp_path / "service.log", secrets.token) as service:
        primed(service, secrets)
        room.limit(service, SMALL_BYTES)
        clients = Clients([service.port], secrets.write_key, n_events=N_EVENTS, seed=6, batch=20, pause_s=0.0)
        with clients.sending(4):
            within(60, lambda: clients.statuses.get(503, 0) > 20, "answer of 503")
            assert service.ask("/healthz", timeout_s=1).status == 200
            n_taken = clients.statuses[200]
            room.limit(service, LARGE_BYTES)
            within(30, lambda: clients.statuses[200] > n_taken + 20, "events taken again")
        last_us = settled(service)
    assert_all_is_right(url, clients, last_us, tmp_path)
    assert set(clients.statuses) <= {200, 503}
