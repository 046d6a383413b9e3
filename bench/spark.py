"""The same Parquet file judged in this process and on Spark: `python bench/spark.py FILE.parquet [--events N]`.

Measured inside one session, after a small replay that warms up both sides: reading, judging, and the tables where they
are written. Seconds of the wall, and seconds of the processors (this process, the JVM and its Python workers), which
say more where the machine has other work. ``local[1]`` and ``local[2]`` are processes of their own. The file is made
by `bench/service_process.py` if it is not there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import polars as pl
import psutil
import pyarrow.parquet as pq
import service_process
from tables import millions, show

from truenorth import cluster
from truenorth.engine.replay import replay
from truenorth.results import write_results
from truenorth.spec.load import parse_journey
from truenorth.wiring.journey import open_log

FEW = 20_000
WAYS = {
    "summary": (False, True),
    "summary and tables": (True, True),
    "summary and tables, looking for second arrivals": (True, False),
}
"""Whether tables are written, and whether Spark is told that ids are unique; the process here always looks."""


def processor_seconds() -> float:
    """Of this process and all that it started."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall_s, processors_s = perf_counter(), processor_seconds()
    work()
    return perf_counter() - wall_s, processor_seconds() - processors_s


def on_one_machine(file: Path, out: Path, n_threads: int) -> dict[str, tuple[float, float]]:
    journey = parse_journey(service_process.JOURNEY)

    def judge(path: Path, tables: bool) -> None:
        log = open_log(path, journey)
        replayed = replay(journey, log.events, n_threads=n_threads)
        if tables:
            write_results(replayed, log, out)

    judge(few_of(file), True)
    return {way: timed(lambda tables=tables: judge(file, tables)) for way, (tables, _) in WAYS.items()}


def on_spark(file: Path, out: Path, n_cores: int, memory: str) -> dict[str, tuple[float, float]]:
    journey = parse_journey(service_process.JOURNEY)
    settings = {"spark.driver.memory": memory, "spark.sql.shuffle.partitions": "8"}
    with cluster.open_session(master=f"local[{n_cores}]", settings=settings) as spark:

        def judge(path: Path, tables: bool, unique: bool) -> None:
            log = cluster.read_parquet(spark, str(path), unique=unique)
            cluster.replay(spark, log, journey, keep=out if tables else "summary")

        judge(few_of(file), True, False)
        return {way: timed(lambda how=how: judge(file, *how)) for way, how in WAYS.items()}


def few_of(file: Path) -> Path:
    few = file.with_suffix(".few.parquet")
    if not few.exists():
        pl.scan_parquet(file).head(FEW).sink_parquet(few)
    return few


def in_a_process(options: argparse.Namespace, where: str, n_cores: int) -> dict[str, tuple[float, float]]:
    call = [sys.executable, __file__, str(options.file), "--run", where, "--cores", str(n_cores)]
    done = subprocess.run([*call, "--memory", options.memory], capture_output=True, text=True, check=True)
    print(where, n_cores, done.stdout.splitlines()[-1], file=sys.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--memory", default="2g", help="of Spark's JVM")
    parser.add_argument("--cores", type=int, default=2, help="as many threads here as cores there; half of them too")
    parser.add_argument("--only", action="store_true", help="not with half of them")
    parser.add_argument("--run", choices=["here", "spark"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        with tempfile.TemporaryDirectory() as out:
            found = (
                on_one_machine(options.file, Path(out), options.cores)
                if options.run == "here"
                else on_spark(options.file, Path(out), options.cores, options.memory)
            )
        print(json.dumps(found))
        return
    if not options.file.exists():
        make = [sys.executable, service_process.__file__, str(options.file), "--events", str(options.events)]
        subprocess.run(make, check=True, stdout=sys.stderr)
    n_events = pq.ParquetFile(options.file).metadata.num_rows
    rows = []
    for n_cores in (options.cores,) if options.only else (options.cores // 2, options.cores):
        here, there = (in_a_process(options, where, n_cores) for where in ("here", "spark"))
        for way in WAYS:
            (wall_s, used_s), (spark_wall_s, spark_used_s) = here[way], there[way]
            walls = f"{wall_s:.1f}", f"{spark_wall_s:.1f}", millions(n_events, spark_wall_s)
            ratios = f"{spark_wall_s / wall_s:.1f}", f"{spark_used_s / used_s:.1f}"
            rows.append([f"{way}, {n_cores} core{'s' * (n_cores > 1)}", *walls, *ratios])
    print(f"{n_events:,} events, once each\n")
    head = ["what", "here, s", "Spark, s", "Spark, M events/s", "Spark : here, wall", "Spark : here, processors"]
    show(head, rows)


if __name__ == "__main__":
    main()
