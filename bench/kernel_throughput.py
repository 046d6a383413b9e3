"""The step alone on one core, with the twelve promises of `service_process.JOURNEY`.

`python bench/kernel_throughput.py [--events 5000000] [--oracle 100000]`: the same events for everyone, already in
memory, sorted by case for the step and for SQL.

* *step*: the time spent inside the compiled step during a replay on one thread; reading, hashing and sorting are not
  in it.
* *plain Python*: the slow evaluator of the tests on fewer events, everything included (it has no stages to leave out).
* *DuckDB*: the eleven promises that one pass of window functions can say, without calendar, hold, reopening, silence or
  verdicts by instance, on one thread; see `peer_duckdb.py`. A lower bound of the work in SQL, not the same work.

Without need and outcome every event counts for every promise until the end of the log; with uniformly random types on
top nothing can be foreseen: the worst case.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import polars as pl
import service_process
from peers import HERE, PEERS_PYTHON
from tables import best, millions, show

from truenorth.engine import kernel
from truenorth.engine.replay import replay
from truenorth.spec.load import parse_journey

sys.path.insert(0, str(HERE.parent / "tests"))
from agreement import from_frame, from_yaml
from oracle import evaluate

N_ROUNDS = 3


@contextmanager
def step_timed() -> Iterator[list[float]]:
    """Collects the seconds of every call of the step."""
    seconds: list[float] = []
    step = kernel.step

    def timed(*arguments: Any) -> Any:
        start = perf_counter()
        result = step(*arguments)
        seconds.append(perf_counter() - start)
        return result

    kernel.step = timed
    try:
        yield seconds
    finally:
        kernel.step = step


def step_seconds(text: str, events: pl.DataFrame) -> float:
    """The best of a few replays, counting only the step."""
    journey = parse_journey(text)
    replay(journey, events.head(1000), n_threads=1)  # compiled, or read from the cache
    found = []
    for _ in range(N_ROUNDS):
        with step_timed() as seconds:
            replay(journey, events, n_threads=1)
        found.append(sum(seconds))
    return min(found)


def oracle_seconds(text: str, events: pl.DataFrame) -> float:
    journey, rows = from_yaml(text), from_frame(events)
    return best(lambda: evaluate(journey, rows, columns=set(events.columns)), 1)


def duckdb_seconds(events: pl.DataFrame) -> float | None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "events.parquet"
        events.sort("case", "time", maintain_order=True).write_parquet(file)
        call = [PEERS_PYTHON, str(HERE / "peer_duckdb.py"), str(file)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--oracle", type=int, default=100_000)
    options = parser.parse_args()
    endless = service_process.JOURNEY.replace(service_process.OUTCOME, "")
    rows: list[list[str]] = []
    for title, text, uniform in (
        ("service process", service_process.JOURNEY, False),
        ("service process, no need or outcome", endless, False),
        ("uniformly random, no need or outcome", endless, True),
    ):
        events = service_process.frame(service_process.live(options.events, uniform=uniform))
        few = service_process.frame(service_process.live(options.oracle, uniform=uniform))
        step, slow = step_seconds(text, events), oracle_seconds(text, few) / few.height
        sql = duckdb_seconds(events)
        ratios = [f"{slow * events.height / step:,.0f}", "-" if sql is None else f"{sql / step:,.1f}"]
        plain, duck = millions(1, slow), "-" if sql is None else millions(events.height, sql)
        rows.append([title, millions(events.height, step), plain, duck, *ratios])
    head = [
        "order of events",
        "step, M events/s",
        "plain Python, M/s",
        "DuckDB windows, M/s",
        "step : Python",
        "step : SQL",
    ]
    print(f"{options.events:,} events, 12 promises, one core; millions of events a second")
    print()
    show(head, rows)


if __name__ == "__main__":
    main()
