"""A whole replay of a large Parquet file as a process of its own, beside reading the same file with Polars alone.

`python bench/replay_end_to_end.py FILE.parquet` (made by `bench/service_process.py` if it is not there). Seconds are
those of the wall from start to end of the process, interpreter, imports and results included; memory is the largest
resident set that the system saw. That set begins as large as the process that starts it ever was, so this script stays
small: the file is made by a process of its own, and the row of a process that does nothing shows the floor.
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

import pyarrow.parquet as pq
import service_process
from tables import millions, show

NOTHING = "python -c pass (the floor)"
READ = "import polars; polars.read_parquet({path!r}{columns})"
COLUMNS = ["id", "case", "type", "time", "team", "cost"]


def run(call: list[str]) -> tuple[float, float, str]:
    """Seconds, megabytes at most, and what the process printed."""
    start = perf_counter()
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().strip().splitlines()
    if process.returncode:
        sys.exit(
            f"{Path(call[0]).name} {call[1]} ended with {process.returncode}: {said[-1] if said else 'no message'}"
        )
    return perf_counter() - start, usage.ru_maxrss / 1024, text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--one-row-group", action="store_true", help="write the file so; most files have many")
    options = parser.parse_args()
    if not options.file.exists():
        make = [sys.executable, service_process.__file__, str(options.file), "--events", str(options.events)]
        subprocess.run([*make, *(["--one-row-group"] if options.one_row_group else [])], check=True, stdout=sys.stderr)
    n_events = pq.ParquetFile(options.file).metadata.num_rows
    truenorth = str(Path(sys.executable).parent / "truenorth")
    with tempfile.TemporaryDirectory() as directory:
        journey = Path(directory) / "service.yaml"
        journey.write_text(service_process.JOURNEY)
        replay = [truenorth, "replay", str(options.file), "--journey", str(journey), "--json"]
        calls = {
            NOTHING: [sys.executable, "-c", "pass"],
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
            first = first or (json.loads(text) if text else None)
            rate = "-" if title == NOTHING else millions(n_events, seconds)
            rows.append([title, f"{seconds:.1f}", rate, f"{megabytes:,.0f}"])
    n_groups = pq.ParquetFile(options.file).num_row_groups
    size = f"{options.file.stat().st_size / 1e6:,.0f} MB Parquet in {n_groups} row group{'s' * (n_groups != 1)}"
    print(f"{n_events:,} events of {first['cases']:,} episodes, {size}")
    print()
    show(["process", "seconds", "M events/s", "peak MB"], rows)


if __name__ == "__main__":
    main()
