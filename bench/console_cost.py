"""What a page costs the service: `python bench/console_cost.py [--rounds 12]`; nothing else happens meanwhile.

Milliseconds of processor, not of waiting, so that a busy machine hardly changes them. *Its own thread*: the one that
makes pages and takes events, one after the other. *Others*: those that read the store for it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
from console_many import N_CASES
from tables import show

from console import prepare, serving
from truenorth.console.door import COOKIE

PAGES = ("/now", "/true-north", "/promises", "/cases")
Cost = tuple[float, float]
"""Milliseconds of the service's own thread, and of the others."""


def worked(pid: int) -> Cost:
    """What the threads of a process have worked so far."""
    by_thread = {file.parent.name: int(file.read_text().split()[0]) for file in _threads(pid)}
    own = by_thread.pop(str(pid))
    return own / 1e6, sum(by_thread.values()) / 1e6


def _threads(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/task").glob("*/schedstat")


def measure(folder: Path, n_rounds: int) -> dict[str, list[Cost]]:
    """The cost of each load of each page, by page."""
    session, _ = prepare(folder, N_CASES)
    headers = {"Cookie": f"{COOKIE}={session}; truenorth_zone=UTC; truenorth_shade=light", "Accept-Language": "en-GB"}
    found: dict[str, list[Cost]] = {page: [] for page in PAGES}
    with serving(folder, "--no-runner") as service, httpx.Client(headers=headers, timeout=60) as client:
        for page in PAGES * n_rounds:
            before = worked(service.pid)
            client.get(service.address + page).raise_for_status()
            after = worked(service.pid)
            found[page].append((after[0] - before[0], after[1] - before[1]))
    return found


def _row(page: str, costs: list[Cost]) -> list[str]:
    own, others = zip(*costs, strict=True)
    return [page, *(f"{value:.0f} ms" for value in (own[0], others[0], *map(statistics.median, (own[1:], others[1:]))))]


def main() -> None:
    """Measure and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=12)
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), asked.parse_args().rounds)
    rows = [_row(page, costs) for page, costs in found.items()]
    show(["", "first: its own thread", "first: others", "later: its own thread", "later: others"], rows)


if __name__ == "__main__":
    main()
