"""Whether insights that are made in the service make those wait who send events.

`python bench/insight_beside_ingest.py [--batches 2000] [--seconds 20]`: a service as in `live_load` takes in batches of
100 events, and answers one insight, with which it loads what insights need; then one client sends a batch every tenth
of a second, each on time whether or not the one before was answered, first alone, then while another asks for insights
of all events, one after the other. Told is how long a batch waited for its answer (it is on disk then), by the clock at
which it was due.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from live_load import BATCH, Batches, Served, answered, as_fast_as_it_goes, request
from tables import show

EVERY_S = 0.1
N_CONNECTIONS = 8
SUBJECTS = ("failure", "moments", "pace", "feel", "concentration", "maturity")


async def waits(port: int, requests: Sequence[bytes]) -> list[float]:
    """Seconds from when each batch was due to its answer."""
    found: list[float] = []
    began = time.perf_counter() + 0.5

    async def send(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for at in range(first, len(requests), N_CONNECTIONS):
            due = began + at * EVERY_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(requests[at])
            assert await answered(reader) == 200
            found.append(time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(send(first) for first in range(N_CONNECTIONS)))
    return found


def ask(port: int, subject: str, seed: int) -> float:
    """Seconds until an insight is answered; 202 means that it is being made."""
    began = time.perf_counter()
    options = f"&seed={seed}" if subject in ("failure", "pace") else ""
    url = f"http://127.0.0.1:{port}/api/v1/insight/{subject}?journey=service&wait=5{options}"
    while True:
        with urllib.request.urlopen(url, timeout=60) as answer:
            if answer.status == 200:
                return time.perf_counter() - began


async def beside(port: int, requests: Sequence[bytes]) -> tuple[list[float], list[float]]:
    """Waits of batches and of insights, asked for one after the other as long as batches are sent."""
    taken: list[float] = []
    sending = asyncio.create_task(waits(port, requests))
    n = 0
    while not sending.done():
        taken.append(await asyncio.to_thread(ask, port, SUBJECTS[n % len(SUBJECTS)], n))
        n += 1
    return await sending, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        served = Served(f"sqlite:///{name}/live.db", Path(name))
        try:
            held = [request(served.port, served.key, body) for body in Batches(options.batches, "w").bodies]
            n_kept, _ = asyncio.run(as_fast_as_it_goes(served.port, held, 600))
            time.sleep(5)  # the runner has judged them
            ask(served.port, "maturity", 0)
            n = int(options.seconds / EVERY_S)
            first, second = (
                [request(served.port, served.key, body) for body in Batches(n, prefix).bodies] for prefix in "ab"
            )
            alone = asyncio.run(waits(served.port, first))
            with_insights, taken = asyncio.run(beside(served.port, second))
            peak_mb = served.peak_mb()
        finally:
            served.stop()
    rows = []
    for title, found in (("alone", alone), ("while insights are made", with_insights)):
        told = [f"{1e3 * np.quantile(found, q):,.0f} ms" for q in (0.5, 0.99, 1.0)]
        rows.append([title, str(len(found)), *told])
    show(["batches", "n", "median", "p99", "longest"], rows)
    print(f"{n_kept * BATCH:,} events held; {len(taken)} insights, the longest {max(taken):.1f} s; {peak_mb:,.0f} MB.")


if __name__ == "__main__":
    main()
