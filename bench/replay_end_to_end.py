"""A whole replay of a large Parquet file as a process of its own, beside reading the same file with Polars alone.

`python bench/replay_end_to_end.py FILE.parquet` (made by `bench/service_process.py` if it is not there). Seconds are
those of the wall from start to end of the process, interpreter, imports and results included; memory is the largest
resident set that the system saw.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import polars as pl
import service_process
from tables import millions, show

READ = "import polars; polars.read_parquet({path!r}{columns})"
COLUMNS = ["id", "case", "type", "time", "team", "cost"]


def run(call: list[str]) -> tuple[float, float, str]:
    """Seconds, megabytes at most, and what the process printed."""
    start = perf_counter()
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(call)} ended with {process.returncode}")
    return perf_counter() - start, usage.ru_maxrss / 1024, text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=20_000_000)
    options = parser.parse_args()
    if not options.file.exists():
        service_process.write(options.file, options.events)
    n_events = pl.scan_parquet(options.file).select(pl.len()).collect().item()
    truenorth = str(Path(sys.executable).parent / "truenorth")
    with tempfile.TemporaryDirectory() as directory:
        journey = Path(directory) / "service.yaml"
        journey.write_text(service_process.JOURNEY)
        replay = [truenorth, "replay", str(options.file), "--journey", str(journey), "--json"]
        calls = {
            "truenorth replay --json": replay,
            "truenorth replay --json --out DIR": [*replay, "--out", directory],
            "polars.read_parquet, all columns": [sys.executable, "-c", READ.format(path=str(options.file), columns="")],
            "polars.read_parquet, 3 columns": [
                sys.executable,
                "-c",
                READ.format(path=str(options.file), columns=", columns=['case', 'type', 'time']"),
            ],
        }
        rows, first = [], None
        for title, call in calls.items():
            seconds, megabytes, text = run(call)
            first = first or json.loads(text)
            rows.append([title, f"{seconds:.1f}", millions(n_events, seconds), f"{megabytes:,.0f}"])
    print(f"{n_events:,} events of {first['cases']:,} episodes, {options.file.stat().st_size / 1e6:,.0f} MB Parquet")
    print()
    show(["process", "seconds", "M events/s", "peak MB"], rows)


if __name__ == "__main__":
    main()
