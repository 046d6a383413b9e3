"""One running console for all tests that only look; a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.running import CHROMIUM, Running, prepare, running

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("console")
    prepare(folder)
    with running(folder) as found:
        yield found


@pytest.fixture(scope="module")  # while it is open, its driver's loop runs in this thread
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()
