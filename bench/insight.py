"""What the subjects of insight take on a large log of the simulated company.

`python bench/insight.py` lets a company of 65,000 customers live (about a million events, all four journeys) and asks
every subject about the largest journey, `help`, whose KPIs and initiatives are among the examples, replayed once.
Seconds are those of the wall and of the processor; memory is the largest resident set of the whole process, the
simulation included. `--customers 650000` gives about ten million events.
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path
from time import perf_counter, process_time

import msgspec
import polars as pl
from tables import show

import truenorth as tn
from truenorth.report.subjects import SUBJECTS
from truenorth.simulate import Company, World
from truenorth.wiring.insight import inputs

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=65_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--journey", default="help")
    options = parser.parse_args()
    world = World(Company(n_customers=options.customers, days=options.days), seed=1)
    events = world.run().events().with_columns(pl.col(pl.Categorical).cast(pl.String))
    path = ROOT / f"examples/company/{options.journey}.yaml"
    start = perf_counter()
    replayed = tn.replay(path, events)
    n_events, n_cases = replayed.events.height, replayed.cases.height
    rows = [["replay, with the tables of events and cases", f"{perf_counter() - start:.1f}", ""]]
    company = ROOT / "examples/company"
    given = inputs(kpis=company / "kpis.yaml", initiatives=company / "initiatives.yaml")
    for number, subject in enumerate(SUBJECTS):
        start, start_cpu = perf_counter(), process_time()
        subject.make(
            replayed, msgspec.structs.replace(given, seed=number)
        )  # another seed each: nothing is kept from the subject before
        rows.append([f"insight {subject.name}", f"{perf_counter() - start:.1f}", f"{process_time() - start_cpu:.1f}"])
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = f"{n_events:,} events in {n_cases:,} cases of {options.journey}"
    print(f"{events.height:,} events, {sizes}; peak {peak_mb:,.0f} MB\n")
    show(["subject", "seconds", "of a processor"], rows)


if __name__ == "__main__":
    main()
