"""How often pace dates a planted drift within a week, and how often it is alarmed by a year in which nothing changes.

`python bench/insight_pace.py --seeds 20`: for each drift of the simulated company, worlds of 90 days with the drift on
day 40, in which the signal that it should move is looked at; and still worlds of 365 days. One process; seconds are
those of the wall.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from time import perf_counter

from tables import show

import truenorth as tn
from truenorth.insight.pace_of_change import Pace, pace_of_change
from truenorth.simulate import Company, Drift, World

EXPECTED = {"need_mix": "needs", "channel": "channels", "patience": "patience", "process": "promises", "staffing": ""}
"""The signal that a drift moves; staffing moves how fast we answer and what is kept, whichever shows first."""
DAY, SIZE = 40, 0.3


def pace_of(company: Company, seed: int) -> Pace:
    """The pace of the journey `help` in a world."""
    journey = tn.load_journey("examples/company/help.yaml")
    return pace_of_change(tn.replay(journey, World(company, seed).run().events()), seed=seed)


def drifted(what: str, seed: int) -> int | None:
    """Days between a planted drift and the change that is found nearest to it; None where there is none."""
    company = Company(days=90, drifts=(Drift(what, DAY, SIZE),), spillover=False)  # type: ignore[arg-type]
    day = company.start + timedelta(days=DAY)
    changes = pace_of(company, seed).changes
    wanted = [one for one in changes if one.signal == (EXPECTED[what] or one.signal) and one.side == side_of(what)]
    return min((abs((one.at - day).days) for one in wanted), default=None)


def side_of(what: str) -> str:
    return "inside" if what in ("process", "staffing") else "outside"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = range(parser.parse_args().seeds)
    rows = []
    for what in EXPECTED:
        started_s = perf_counter()
        days = [drifted(what, seed) for seed in seeds]
        near = sum(1 for one in days if one is not None and one <= 7)
        rows.append([f"{what}, {SIZE} on day {DAY}", str(len(days)), str(near), f"{perf_counter() - started_s:.0f}"])
    show(["drift", "worlds", "dated within a week", "seconds"], rows)
    rows = []
    for title, spillover in (("a case touches no other", False), ("customers leave, cases bring cases", True)):
        started_s = perf_counter()
        found = [pace_of(Company(days=365, spillover=spillover), seed) for seed in seeds]
        outside = sum(1 for one in found if any(change.side == "outside" for change in one.changes))
        alarms = sum(1 for one in found if one.alarm)
        rows.append([title, str(len(found)), str(alarms), str(outside), f"{perf_counter() - started_s:.0f}"])
    show(["still years", "worlds", "alarms", "with a change outside", "seconds"], rows)


if __name__ == "__main__":
    main()
