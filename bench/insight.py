"""What the twelve subjects of insight take on a large log of the simulated company.

`python bench/insight.py --events 1000000` lets a company of 65,000 customers live, takes the events of the journey
`help` (some 471,000) and repeats them with new cases and customers, nine weeks later each time, until there are so
many: a log of several years. Another process reads it, replays it once and answers every subject, one after the
other as a report does. So its memory, the largest resident set, has nothing of the simulation in it. Seconds are those
of the wall and of all processors together. `--profile SUBJECT` shows where one subject spends its time.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from tempfile import gettempdir
from time import perf_counter, process_time
from typing import Any

import polars as pl
from tables import show

import truenorth as tn
from truenorth.insight import distil, parse_questionnaire
from truenorth.report.subjects import SUBJECTS
from truenorth.simulate import Company, World
from truenorth.wiring.insight import inputs
from truenorth.wiring.journey import replay_file

COMPANY = Path(__file__).parent.parent / "examples" / "company"
EVERY = timedelta(weeks=9)
QUESTIONS = "accredited_years: 2\nquestions: [{key: hard, text: What stands in your way?, kind: challenge}]"
CHALLENGES = (
    "targets of handle time",
    "no authority to act",
    "old systems",
    "silos between teams",
    "no time to listen",
)


def make(path: Path, n_events: int, n_customers: int) -> None:
    """Write a log of at least so many events of the journey `help`."""

    lived = World(Company(n_customers=n_customers, days=60), seed=1).run().events()
    lived = lived.filter(pl.col("journey").cast(pl.String) == "help")
    n_times = -(-n_events // lived.height)
    again = [
        lived.lazy().with_columns(
            pl.col("time") + EVERY * number,
            *((pl.col(name).cast(pl.String) + f"~{number}").alias(name) for name in ("id", "case", "customer")),
        )
        for number in range(n_times)
    ]
    pl.concat(again).sink_parquet(path)
    print(f"{lived.height * n_times:,} events: {lived.height:,} events {n_times} times in a row")


def survey(n_contributors: int) -> pl.DataFrame:
    """Answers of practitioners."""
    texts = [f"{CHALLENGES[n % 5]}; {CHALLENGES[n * 7 % 5]} again" for n in range(n_contributors)]
    names = [f"p{n}" for n in range(n_contributors)]
    return pl.DataFrame({"contributor": names, "accredited": ["2020-01-01"] * n_contributors, "hard": texts})


def timed(name: str, work: Callable[[], Any], rows: list[list[str]], profiled: str | None) -> Any:
    """Do something and note what it took; memory is what the process had at most so far."""
    profile = cProfile.Profile() if name == profiled else None
    start, start_cpu = perf_counter(), process_time()
    made = profile.runcall(work) if profile else work()
    took, took_cpu = perf_counter() - start, process_time() - start_cpu
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append([name, f"{took:.1f}", f"{took_cpu:.1f}", f"{peak_mib:,.0f}"])
    if profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
    return made


def answer(path: Path, profiled: str | None, only: list[str]) -> None:
    """Read, replay, answer everything."""

    rows: list[list[str]] = []
    journey = tn.load_journey(COMPANY / "help.yaml")
    replayed = timed("read and replay", lambda: replay_file(journey, path, all_columns=True)[0], rows, profiled)
    n_events, n_cases = timed(
        "tables",
        lambda: (replayed.events.height, replayed.cases.height * (replayed.promises.height > 0)),
        rows,
        profiled,
    )
    steering = COMPANY / "steering"
    given = inputs(kpis=steering / "kpis.yaml", initiatives=steering / "initiatives.yaml")
    for subject in SUBJECTS:
        if subject.can(given) and (not only or subject.name in only):
            timed(subject.name, lambda one=subject: one.make(replayed, given), rows, profiled)
    asked, answers = parse_questionnaire(QUESTIONS, "questions"), survey(1_000)
    timed("practitioners", lambda: distil(asked, answers, date(2026, 1, 1)), rows, profiled)
    whole, cpu = (sum(float(row[at]) for row in rows) for at in (1, 2))
    rows.append(["all", f"{whole:.1f}", f"{cpu:.1f}", rows[-1][3]])
    print(f"{n_events:,} events in {n_cases:,} cases\n")
    show(["", "seconds", "of processors", "MiB at most so far"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=65_000, help="of the company that is simulated")
    parser.add_argument("--log", type=Path, help="where the log is, or is to be written")
    parser.add_argument("--answer", action="store_true", help="the log is there: answer in this process")
    parser.add_argument("--only", action="append", default=[], metavar="SUBJECT")
    parser.add_argument("--profile", metavar="SUBJECT")
    options = parser.parse_args()
    path = options.log or Path(gettempdir()) / f"insight-{options.events}.parquet"
    if options.answer:
        answer(path, options.profile, options.only)
        return
    if not path.exists():
        make(path, options.events, options.customers)
    again = [sys.executable, __file__, "--answer", "--log", str(path)]
    again += [word for name in options.only for word in ("--only", name)]
    again += ["--profile", options.profile] if options.profile else []
    subprocess.run(again, check=True)


if __name__ == "__main__":
    main()
