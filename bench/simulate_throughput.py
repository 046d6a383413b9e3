"""Simulated events a second on one core, and the memory that a long run takes.

`python bench/simulate_throughput.py` runs `truenorth simulate` as a process of its own, pinned to one core, to Parquet,
to compressed CSV, and a tenth of it with faults, which need the log in memory. A first small run compiles (unless one
did before), so that the figures are those of any later run. Seconds are those of the wall from start to end of the
process, interpreter, imports and writing included; memory is the largest resident set that the system saw, beside the
floor of a process that does nothing. By default there are so many customers that about 10 million events happen.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from replay_end_to_end import NOTHING, run
from tables import millions, show

CUSTOMERS = 650_000
DAYS = 60
FAULTS = "duplicates=0.01,disorder=0.05,lateness=0.02,clock_skew=0.05,missing=0.01,identity=0.1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--days", type=int, default=DAYS)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the processes started inherit it
    truenorth = str(Path(sys.executable).parent / "truenorth")
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        simulate = [truenorth, "simulate", "--json", "--days", str(options.days), "--customers"]
        large = [*simulate, str(options.customers), "--out"]
        calls = {
            NOTHING: [sys.executable, "-c", "pass"],
            "truenorth simulate, 100 customers, first run": [
                *simulate,
                "100",
                "--out",
                f"{folder}/a.csv",
            ],
            "truenorth simulate, 100 customers, second run": [*simulate, "100", "--out", f"{folder}/b.csv"],
            "to Parquet": [*large, f"{folder}/log.parquet"],
            "to CSV, gzip": [*large, f"{folder}/log.csv.gz"],
            "a tenth, to Parquet with all faults": [
                *simulate,
                str(options.customers // 10),
                "--out",
                f"{folder}/bad.parquet",
                "--faults",
                FAULTS,
            ],
        }
        rows = []
        for title, call in calls.items():
            seconds, megabytes, text = run(call)
            n_events = json.loads(text)["events"] if text else 0
            rate = millions(n_events, seconds) if n_events else "-"
            rows.append([title, f"{n_events:,}", f"{seconds:.1f}", rate, f"{megabytes:,.0f}"])
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:,.0f} MB" for path in sorted(folder.iterdir()))
    print(f"{options.customers:,} customers, {options.days} days; {sizes}")
    print()
    show(["process", "events", "seconds", "M events/s", "peak MB"], rows)


if __name__ == "__main__":
    main()
