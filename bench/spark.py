"""The same Parquet file judged in this process and on Spark: `python bench/spark.py FILE.parquet [--events N]`.

Seconds are those of the wall inside one session: reading, judging and the summary; with ``--out`` the tables are
written too. A first small replay warms up both sides (Python workers, compiled code); starting Spark is a column.
``local[1]`` and ``local[2]`` are runs of their own. The file is made by `bench/service_process.py` if it is not there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import polars as pl
import pyarrow.parquet as pq
import service_process
from tables import millions, show

from truenorth import cluster
from truenorth.engine.replay import replay
from truenorth.results import write_results
from truenorth.spec.load import parse_journey
from truenorth.wiring.journey import open_log

RUNS = ((1, False), (2, False), (2, True))
"""Cores, and whether second arrivals are looked for on Spark; the process here always does."""


def on_one_machine(file: Path, out: Path | None, n_threads: int) -> float:
    journey = parse_journey(service_process.JOURNEY)
    started_s = perf_counter()
    log = open_log(file, journey)
    replayed = replay(journey, log.events, n_threads=n_threads)
    if out:
        write_results(replayed, log, out)
    return perf_counter() - started_s


def on_spark(master: str, file: Path, out: Path | None, memory: str, unique: bool) -> tuple[float, float]:
    """Seconds to start, and to replay after a warm-up."""
    journey = parse_journey(service_process.JOURNEY)
    began_s = perf_counter()
    settings = {"spark.driver.memory": memory, "spark.sql.shuffle.partitions": "8"}
    with cluster.open_session(master=master, settings=settings) as spark:
        start_s = perf_counter() - began_s
        few = file.with_suffix(".few.parquet")
        if not few.exists():
            pl.scan_parquet(file).head(20_000).sink_parquet(few)
        cluster.replay(spark, str(few), journey, keep="summary")
        started_s = perf_counter()
        log = cluster.read_parquet(spark, str(file), unique=unique)
        judged = cluster.replay(spark, log, journey, keep=out or "summary")
        if out:
            cluster.write_results(judged, str(out))
        return start_s, perf_counter() - started_s


def child(options: argparse.Namespace, master: str, out: Path | None, *more: str) -> dict[str, float]:
    """One run in a process of its own."""
    call = [sys.executable, __file__, str(options.file), "--run", master, "--memory", options.memory, *more]
    done = subprocess.run([*call, *(["--out", str(out)] if out else [])], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--memory", default="2g", help="of Spark's JVM")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--unique", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        if options.run.startswith("local"):
            start_s, seconds = on_spark(options.run, options.file, options.out, options.memory, options.unique)
        else:
            start_s, seconds = 0.0, on_one_machine(options.file, options.out, int(options.run))
            seconds = min(seconds, on_one_machine(options.file, options.out, int(options.run)))
        print(json.dumps({"start_s": start_s, "seconds": seconds}))
        return
    if not options.file.exists():
        make = [sys.executable, service_process.__file__, str(options.file), "--events", str(options.events)]
        subprocess.run(make, check=True, stdout=sys.stderr)
    n_events = pq.ParquetFile(options.file).metadata.num_rows
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for title, out in (("summary", None), ("summary and tables", Path(directory))):
            for n_threads, looks in RUNS:
                here = child(options, str(n_threads), out)["seconds"]
                there = child(options, f"local[{n_threads}]", out, *([] if looks else ["--unique"]))
                rate = millions(n_events, there["seconds"])
                cells = f"{here:.1f}", f"{there['seconds']:.1f}", rate, f"{there['seconds'] / here:.1f}"
                what = f"{title}, {n_threads} core{'s' * (n_threads > 1)}{', looking for second arrivals' * looks}"
                rows.append([what, *cells, f"{there['start_s']:.1f}"])
                print(rows[-1], file=sys.stderr)
    print(f"{n_events:,} events; seconds here with as many threads as Spark has cores\n")
    show(["what", "here, s", "Spark, s", "Spark, M events/s", "Spark : here", "starting Spark, s"], rows)


if __name__ == "__main__":
    main()
