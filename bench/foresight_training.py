"""How long learning takes, and how much memory: `python bench/foresight_training.py [--rows 500000]`.

The help journey of the made-up company is lived until its cases, looked at after each event and in silences, make so
many rows; then everything is learnt of them: outcome, promises, what comes next, time remaining. Seconds of this
process are the work of all its cores; where others use them too, these say more than the time on the wall.
"""

from __future__ import annotations

import argparse
import os
import resource
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from tables import show

from truenorth.foresight.features import table_of_replay, vocabulary_of_replay
from truenorth.foresight.learnt import learn
from truenorth.foresight.split import all_known
from truenorth.foresight.train import Effort
from truenorth.simulate.company import Company
from truenorth.simulate.world import World
from truenorth.wiring.journey import load_journey, replay

JOURNEY = Path(__file__).parent.parent / "examples" / "company" / "help.yaml"
DAYS = 120
ROWS_PER_CUSTOMER = 34
"""Of the help journey in so many days; the number that there are is printed."""


def main() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    n_customers = parser.parse_args().rows // ROWS_PER_CUSTOMER
    begun_load, journey = os.getloadavg()[0], load_journey(JOURNEY)
    events = World(Company(n_customers=n_customers, days=DAYS), 1).lived.events()
    replayed = replay(journey, events)
    found: list[list[str]] = []

    def timed(what: str, call: Callable[[], Any]) -> Any:
        wall_s, used_s = perf_counter(), process_time()
        answer = call()
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        found.append([what, f"{perf_counter() - wall_s:.0f}", f"{process_time() - used_s:.0f}", f"{peak_gb:.1f}"])
        return answer

    vocabulary = timed("choosing columns", lambda: vocabulary_of_replay(journey, replayed))
    table = timed("making rows", lambda: table_of_replay(journey, replayed, vocabulary))
    split = all_known(table.cases, table.rows)
    timed("learning, all of it", lambda: learn(table, split, 0, Effort(n_threads=2), lambda _stage, _share: None))
    rows, columns = table.rows.x.shape
    print(f"{rows:,} rows of {columns} columns, {len(table.cases.id):,} cases, {len(table.targets)} targets")
    print(f"load average {begun_load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores\n")
    show(["what", "s on the wall", "s of this process", "most memory so far, GB"], found)


if __name__ == "__main__":
    main()
