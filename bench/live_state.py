"""A runner with a million open cases: its memory, and how long a restart takes.

`python bench/live_state.py [--cases 1000000]`: a SQLite store gets one event a case (`contact` of the journey of
`service_process`: twelve promises, a calendar; deadlines far away so that all cases stay open), and a runner in a
process of its own judges them all and stops as it should. Then two more processes: one that begins where the first
ended, one that begins where a killed one ended, with the state of 100,000 further events in the log only. Seconds are
those from the start of the process to the end of its first step, interpreter and imports included; memory is the
largest resident set that the system saw.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import service_process
from tables import show

from truenorth.events import Event
from truenorth.store.opening import open_store

BATCH = 10_000
FAR = {"within: 14d": "within: 900d", "abandoned_after: 5d": "abandoned_after: 900d"}
N_FURTHER = 100_000
RUN = """
import os, signal, sys, time
from truenorth.server.runner import Runner
from truenorth.store.opening import open_store
with open_store(sys.argv[1]) as store:
    runner = Runner(store, clock=lambda: int(sys.argv[2]))
    while runner.step():
        pass
    print(runner.n_cases, flush=True)
    if sys.argv[3] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    runner.finish()
"""


def append(url: str, n_events: int, kind: str, first: int) -> None:
    with open_store(url) as store:
        for start in range(0, n_events, BATCH):
            store.events.append(
                [
                    Event(
                        source="bench",
                        id=f"{kind} {at}",
                        type=kind,
                        time_us=service_process.START_US + first + at,
                        received_us=0,
                        customer=f"customer {at}",
                        case=f"case {at}",
                        team="team 1",
                        cost=1.0,
                    )
                    for at in range(start, min(start + BATCH, n_events))
                ]
            )


def run(url: str, how: str) -> tuple[float, float, int]:
    """Seconds until the first line, megabytes at most, and the cases held."""
    start = perf_counter()
    call = [sys.executable, "-c", RUN, url, str(service_process.START_US), how]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        n_cases = int(process.stdout.readline())
        took_s = perf_counter() - start
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return took_s, usage.ru_maxrss / 1024, n_cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"))
    options = parser.parse_args()
    journey = service_process.JOURNEY
    for near, far in FAR.items():
        journey = journey.replace(near, far)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        url = f"sqlite:///{folder}/live.db"
        with open_store(url) as store:
            store.journeys.publish("service", journey, now_us=0)
        append(url, options.cases, "contact", 0)
        rows = []
        for title, how in (("the whole log", "stopped"), ("after a clean stop", "stopped")):
            seconds, megabytes, n_cases = run(url, how)
            rows.append([title, f"{n_cases:,}", f"{seconds:.1f}", f"{megabytes:,.0f}"])
        append(url, min(N_FURTHER, options.cases), "taken", 10**9)
        run(url, "killed")
        seconds, megabytes, n_cases = run(url, "stopped")
        rows.append(["after a kill", f"{n_cases:,}", f"{seconds:.1f}", f"{megabytes:,.0f}"])
    show(["begins with", "open cases", "seconds", "peak MB"], rows)


if __name__ == "__main__":
    main()
