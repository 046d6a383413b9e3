"""Run all measurements and write docs/benchmarks.md: `python bench/run.py --date 2026-11-22 [--small]`.

Needs the scratch environment of `bench/peers.sh` for the peers; without it their columns are dashes. The large file
goes into `--scratch` (about 0.3 GB) and is removed afterwards.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from ratios import ratios

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
LIBRARIES = ("truenorth", "polars", "numba", "numpy", "pyspark")
PEERS = ("pm4py", "rustxes", "duckdb", "polars", "pandas", "xgboost")
GOALS = """\
What we want of it: the step 25 million events a second and core; a replay 3 million a second on two cores in less than
6 GB; XES at least as fast as the fastest other importer; `import truenorth` in less than 0.3 s, `truenorth --help` in
less than 0.5 s; 200,000 simulated events a second and core, ten million in less than 4 GB; 20,000 durable events a
second in batches of 100 on SQLite, half of that with less than 250 ms from an event to its signal (p99); a million open
cases in less than 2 GB, a restart with them in less than 10 s. The figures below are what one run gave, met or not.
"""

FAILED = "**Not measured.**"


def measured(script: str, *arguments: str) -> str:
    """What a script prints; where it fails, that it did and why: a page without it would look as if all were well."""
    print(f"{script} {' '.join(arguments)}", file=sys.stderr)
    call = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout.strip()
    reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
    print(reason, file=sys.stderr)
    return f"{FAILED} `bench/{script}` ended with an error.\n\n```\n{reason}\n```"


def tables(found: str) -> str:
    """The tables of what a script prints, or that it failed."""
    return found if found.startswith(FAILED) else "\n".join(line for line in found.splitlines() if line.startswith("|"))


def machine() -> str:
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    pages = Path("/proc/meminfo").read_text().split()[1]
    n_cores = len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    return (
        f"{cpu}, {n_cores} cores, {int(pages) / 2**20:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    )


def peers() -> str:
    from peers import PEERS_PYTHON  # noqa: PLC0415 (importing it loads the product)

    code = f"from importlib.metadata import version; print(', '.join(f'{{n}} {{version(n)}}' for n in {PEERS!r}))"
    done = subprocess.run([PEERS_PYTHON, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no peers"


def page(options: argparse.Namespace) -> str:
    events, replayed = ("500000", "1000000") if options.small else ("10000000", "20000000")
    spark = "1000000" if options.small else "50000000"
    file = options.scratch / f"service-{replayed}.parquet"
    kernel = measured("kernel_throughput.py", "--events", events)
    whole = measured("replay_end_to_end.py", str(file), "--events", replayed)
    file.unlink(missing_ok=True)
    parts = [
        "# Benchmarks",
        f"Measured on {options.date} by `bench/run.py`. {machine()}.",
        f"{', '.join(f'{name} {version(name)}' for name in LIBRARIES)}. Peers: {peers()}.",
        GOALS,
        *([options.remark] if options.remark else []),
        "## The step",
        kernel,
        "DuckDB answers eleven of the twelve, by case and without calendar, hold, reopening or silence: less work.",
        "## A whole replay",
        whole,
        "## Reading XES",
        measured("xes_import.py", *(["--slow"] if options.slow else [])),
        "## Direct follows",
        tables(measured("peers_dfg.py")),
        "Ours orders the events and judges the journey as well. All counts are compared.",
        "## Rules of Declare",
        tables(measured("peers_declare.py")),
        "The sets of cases that violate each rule are compared.",
        "## Starting",
        measured("startup.py"),
        "`import truenorth` loads nothing yet: what is used is imported at its first use, which the third row shows.",
        "## A simulated company",
        measured("simulate_throughput.py", *(["--customers", "6000"] if options.small else [])),
        "## The live service",
        measured("live_load.py", "--seconds", "5" if options.small else "20"),
        measured("live_state.py", "--cases", "20000" if options.small else "1000000"),
        "### What an append takes",
        measured("store_append.py"),
        "### What parsing takes",
        measured("ingest_parse.py"),
        "### What answers take",
        measured("api.py"),
        "## Decisions",
        measured("decide.py"),
        "## Foresight",
        "Log by log, beside what is published: [foresight-benchmarks.md](foresight-benchmarks.md). Beside the true "
        "chances of a made-up company: [foresight-company.md](foresight-company.md).",
        tables(measured("foresight_peers.py", *(["--only", "bpic2012 cancelled"] if options.small else []))),
        measured("foresight_live.py", "--cases", "10000" if options.small else "100000"),
        "## On Spark",
        measured("spark.py", str(options.scratch / f"spark-{spark}.parquet"), "--events", spark),
        "## How it is measured",
        "Each script under `bench/` says in its docstring what is inside the clock and what is not.",
    ]
    whole = "\n\n".join(part.strip() for part in parts) + "\n"
    first, _, rest = whole.partition("\n\n## ")
    return f"{first}\n\n## All ratios of this run\n\n{ratios(whole)}\n\n## {rest}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True)
    parser.add_argument("--remark", default="", help="what a reader must know about the machine during the run")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--slow", action="store_true", help="also the XES importers that are written in Python")
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    options.page.write_text(page(options))
