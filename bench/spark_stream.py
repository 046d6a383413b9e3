"""A stream on Spark: `python bench/spark_stream.py FILE.parquet [--events N] [--batches N] [--buckets N]`.

The first events of a file in the order of time arrive as files, one a micro-batch, all there from the start: so a batch
is as long as it takes. Measured are the batches after the first, which starts the workers. The state is what
Spark says of its store, and the blobs of a bucket in this process. The file is made by `bench/service_process.py` if it
is not there.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import polars as pl
import service_process
from tables import show

from truenorth import cluster
from truenorth.cluster.stream.judging import Batch
from truenorth.cluster.stream.sinks import FilesSink, read_tables
from truenorth.engine.replay import replay
from truenorth.spec.load import parse_journey


def pieces(file: Path, folder: Path, n_events: int, n_batches: int) -> pl.DataFrame:
    """Write the first events as so many files; all of them."""
    events = pl.read_parquet(file, n_rows=n_events).sort("time", maintain_order=True)
    if "id" not in events.columns:
        events = events.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("id"))
    folder.mkdir()
    size = -(-events.height // n_batches)
    for n in range(n_batches):
        events.slice(n * size, size).write_parquet(folder / f"{n:05}.parquet")
    return events


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--buckets", type=int, default=2)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--memory", default="2g")
    chosen = parser.parse_args()
    journey = parse_journey(service_process.JOURNEY)
    if not chosen.file.exists():
        service_process.write(chosen.file, chosen.events)
    with tempfile.TemporaryDirectory() as scratch:
        folder, out = Path(scratch, "in"), Path(scratch, "out")
        events = pieces(chosen.file, folder, chosen.events, chosen.batches)
        times: list[float] = []
        files = FilesSink(out, journey)

        def sink(batch: Batch) -> None:
            files(batch)
            times.append(perf_counter())

        pace = cluster.Pace(lateness_us=0, n_buckets=chosen.buckets)
        with cluster.open_session(master=chosen.master, settings={"spark.driver.memory": chosen.memory}) as spark:
            source = cluster.read_folder(spark, str(folder), most_files=1)
            query = cluster.judge_stream(source, journey, sink, str(Path(scratch, "checkpoint")), pace)
            query.awaitTermination()
            state = [one for progress in query.recentProgress for one in progress["stateOperators"]][-1]
        expected = replay(journey, events)
        same = read_tables(out, journey).frame("cases").sort("case").equals(expected.cases.sort("case"))
    seconds = [later - earlier for earlier, later in pairwise(times)][: chosen.batches - 1]
    size = events.height / chosen.batches
    n_open = expected.summary["outcome"]["open"]
    rows = [
        ("events a micro-batch", f"{size:,.0f}"),
        ("seconds a micro-batch, median and longest", f"{median(seconds):.1f}, {max(seconds):.1f}"),
        ("events a second", f"{size / median(seconds):,.0f}"),
        ("keys", f"{events['case'].n_unique():,}"),
        ("open cases at the end", f"{n_open:,}"),
        ("bytes of Spark's state", f"{state['memoryUsedBytes']:,}"),
        ("rows of Spark's state", f"{state['numRowsTotal']:,}"),
        ("the cases are those of a replay", "yes" if same else "NO"),
    ]
    show(("", "measured"), rows)
    print({name: n for name, n in state.get("customMetrics", {}).items() if "rocksdb" in name and n})


if __name__ == "__main__":
    main()
