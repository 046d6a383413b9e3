"""The live service under load: events a second that are durable, and how long from an event to its signal.

`python bench/live_load.py [--db URL] [--seconds 20] [--rate 10000]`: starts the service as a process of its own on
loopback (SQLite in a temporary folder by default), with the journey of `service_process`: twelve promises, a
calendar, a hold. One client process sends Segment batches of 100 over 32 connections, prepared beforehand, so that
both cores are for the service and for sending.

* *as fast as it goes*: every connection sends its next batch when the last one is answered, that is: on disk. The
  runner works meanwhile.
* *at a steady rate*: batches leave on time whether or not the ones before were answered; another process listens to
  the stream of signals. An event's delay is from the instant its batch was due to leave to the arrival of the signal
  `opened` of its case, so waiting in any queue counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import service_process
from tables import show

BATCH = 100
N_CONNECTIONS = 32
SERVE = """
import sys
from pathlib import Path
from truenorth.server.addresses import listening
from truenorth.server.service import Settings, run_service
from truenorth.wiring.service import open_service, pace_of, runner_command
url, port, journeys = sys.argv[1:]
settings = Settings(is_open=True, runner_command=runner_command(pace_of("1s")))
with (
    listening("127.0.0.1", int(port)) as sockets,
    open_service(url, settings, journeys=Path(journeys)) as service,
):
    run_service(service.app, settings, sockets, lambda _: print(service.write_key, flush=True))
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Served:
    """A service process."""

    def __init__(self, url: str, folder: Path) -> None:
        (folder / "journeys").mkdir()
        (folder / "journeys" / "service.yaml").write_text(service_process.JOURNEY)
        self.port = free_port()
        call = [sys.executable, "-c", SERVE, url, str(self.port), str(folder / "journeys")]
        environment = {**os.environ, "TRUENORTH_DB": url}  # where the runner beside the service looks for it
        self.process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, env=environment)
        assert self.process.stdout is not None
        self.key = self.process.stdout.readline().strip()

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def request(port: int, key: str, body: bytes) -> bytes:
    head = f"POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Write-Key: {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Batches:
    """Bodies of batches, their events in the order of time; cases take turns."""

    def __init__(self, n_batches: int, prefix: str) -> None:
        lived = service_process.live(n_batches * BATCH)
        names = service_process.TYPES
        self.bodies: list[bytes] = []
        self.opened: list[list[str]] = []
        seen: set[int] = set()
        for first in range(0, n_batches * BATCH, BATCH):
            messages, new = [], []
            for at in range(first, first + BATCH):
                case = int(lived.case[at])
                properties: dict[str, Any] = {"case": f"{prefix}{case}", "cost": float(lived.cost[at])}
                if lived.team[at] >= 0:
                    properties["team"] = f"team {lived.team[at]}"
                kind = names[lived.type[at]]
                if case not in seen and kind == "contact":
                    seen.add(case)
                    new.append(properties["case"])
                messages.append(
                    {
                        "type": "track",
                        "event": kind,
                        "userId": f"customer {case}",
                        "messageId": f"{prefix}m{at}",
                        "properties": properties,
                        "context": {"library": {"name": "bench", "version": "1"}},
                    }
                )
            self.bodies.append(json.dumps({"batch": messages}).encode())
            self.opened.append(new)


async def answered(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def as_fast_as_it_goes(port: int, requests: Sequence[bytes], seconds: float) -> tuple[int, float]:
    """Batches that were acknowledged, and the seconds that it took."""
    waiting = iter(requests)
    n_kept = 0
    began = time.perf_counter()

    async def send() -> None:
        nonlocal n_kept
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for one in waiting:
            if time.perf_counter() - began > seconds:
                break
            writer.write(one)
            status = await answered(reader)  # first: others count meanwhile
            n_kept += status == 200
        writer.close()

    await asyncio.gather(*(send() for _ in range(N_CONNECTIONS)))
    return n_kept, time.perf_counter() - began


async def at_a_rate(port: int, requests: Sequence[bytes], batches_a_second: float) -> tuple[list[float], int]:
    """When each batch was due to leave, and how many were acknowledged."""
    n_connections = max(1, min(N_CONNECTIONS, int(batches_a_second)))  # each busy enough to be kept open
    n_kept = 0
    began = time.time() + 0.5

    async def send(first: int) -> None:
        nonlocal n_kept
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for at in range(first, len(requests), n_connections):
            await asyncio.sleep(max(0.0, began + at / batches_a_second - time.time()))
            writer.write(requests[at])
            status = await answered(reader)  # first: others count meanwhile
            n_kept += status == 200
        writer.close()

    due_times = [began + at / batches_a_second for at in range(len(requests))]
    await asyncio.gather(*(send(first) for first in range(n_connections)))
    return due_times, n_kept


async def signals_of(port: int) -> AsyncIterator[tuple[float, str]]:
    """When each signal `opened` arrived, and of which case."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(f"GET /api/v1/stream?kind=opened HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    print("listening", flush=True)
    while line := await reader.readline():
        if line.startswith(b"data:"):
            yield time.time(), json.loads(line[5:])["case"]


def listen(port: int, file: Path) -> None:
    """Write what arrives, until stopped."""

    async def run() -> None:
        with file.open("w") as out:
            async for at, case in signals_of(port):
                out.write(f"{at} {case}\n")
                out.flush()

    asyncio.run(run())


def delays(batches: Batches, due_times: Sequence[float], heard: Path) -> np.ndarray[Any, Any]:
    """Seconds from an event to its signal; infinite where none came."""
    arrived = {case: float(at) for at, case in (line.split(" ", 1) for line in heard.read_text().splitlines())}
    pairs = [(due, case) for due, new in zip(due_times, batches.opened, strict=True) for case in new]
    return np.array([arrived.get(case, np.inf) - due for due, case in pairs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--listen", nargs=2, metavar=("PORT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.listen:
        listen(int(options.listen[0]), Path(options.listen[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = Served(options.db or f"sqlite:///{folder}/live.db", folder)
        rows = []
        try:
            steady = Batches(int(options.rate * options.seconds / BATCH), "a")
            heard = folder / "heard"
            call = [sys.executable, __file__, "--listen", str(served.port), str(heard)]
            listener = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
            assert listener.stdout is not None
            listener.stdout.readline()
            requests = [request(served.port, served.key, body) for body in steady.bodies]
            first = [request(served.port, served.key, body) for body in Batches(10, "w").bodies]
            asyncio.run(as_fast_as_it_goes(served.port, first, 5))  # every column has been seen
            time.sleep(2)
            cpu_s = served.cpu_s()
            due_times, n_kept = asyncio.run(at_a_rate(served.port, requests, options.rate / BATCH))
            cpu_s = served.cpu_s() - cpu_s
            time.sleep(3)
            listener.terminate()
            waited = delays(steady, due_times, heard)
            quantiles = ", ".join(f"{np.quantile(waited, q) * 1e3:,.0f} ms" for q in (0.5, 0.99, 1.0))
            rows.append(
                [
                    f"steady, {options.rate:,}/s",
                    f"{n_kept * BATCH / options.seconds:,.0f}",
                    quantiles,
                    f"{cpu_s / options.seconds:.0%}",
                    f"{served.peak_mb():,.0f}",
                ]
            )
            fast = Batches(int(40_000 * options.seconds / BATCH), "b")
            requests = [request(served.port, served.key, body) for body in fast.bodies]
            cpu_s = served.cpu_s()
            n_kept, took_s = asyncio.run(as_fast_as_it_goes(served.port, requests, options.seconds))
            cpu_s = served.cpu_s() - cpu_s
            rows.append(
                [
                    "as fast as it goes",
                    f"{n_kept * BATCH / took_s:,.0f}",
                    "-",
                    f"{cpu_s / took_s:.0%}",
                    f"{served.peak_mb():,.0f}",
                ]
            )
        finally:
            served.stop()
        show(["load", "durable events/s", "event to signal: median, p99, most", "CPU of the service", "peak MB"], rows)


if __name__ == "__main__":
    main()
