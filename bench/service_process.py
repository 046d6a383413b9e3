"""Events of a made-up service desk for measurements, any number of them, the same for the same seed.

`python bench/service_process.py FILE.parquet [--events 20000000]` writes a log: ten types in the order of a Markov
chain (or uniformly random ones), ten events a case on average, twelve teams, ids and cases as text, sorted by time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

SEED = 2026
TYPES = ("contact", "taken", "question", "reply", "transfer", "update", "chase", "fixed", "back", "left")
CHAIN = {
    "contact": {"taken": 0.9, "chase": 0.1},
    "taken": {"question": 0.35, "transfer": 0.25, "update": 0.3, "fixed": 0.1},
    "question": {"reply": 0.85, "chase": 0.15},
    "reply": {"update": 0.5, "transfer": 0.2, "question": 0.2, "fixed": 0.1},
    "transfer": {"taken": 0.6, "update": 0.3, "chase": 0.1},
    "update": {"question": 0.2, "transfer": 0.2, "chase": 0.2, "fixed": 0.3, "update": 0.1},
    "chase": {"update": 0.7, "chase": 0.2, "left": 0.1},
    "fixed": {"back": 0.4, "contact": 0.6},
    "back": {"taken": 0.7, "chase": 0.3},
    "left": {"contact": 1.0},
}
BY_CUSTOMER = ("contact", "reply", "chase", "back", "left")
N_TEAMS = 12
EVENTS_A_CASE = 10
START_US = 1_767_225_600_000_000  # 2026-01-01
SPAN_US = 365 * 86_400_000_000
CHUNK = 1_000_000

OUTCOME = """\
need: type = 'contact'
outcome:
  achieved: type = 'fixed'
  failed: type = 'left'
  within: 14d
  holds_for: 3d
  reopened: type = 'back'
  abandoned_after: 5d
  value: {achieved: 10, failed: -30, abandoned: -10}
"""

JOURNEY = f"""
truenorth: 1
journey: service
{OUTCOME}moments: type in ('contact', 'question', 'reply', 'update', 'chase', 'fixed', 'back', 'left')
decisions: type = 'transfer'
calendars:
  office: {{timezone: Europe/Rome, hours: {{mon-fri: "08:00-20:00"}}, holidays: [2026-12-25]}}
promises:
  - {{name: taken_soon, after: type = 'contact', expect: type = 'taken', within: 4h, calendar: office}}
  - {{name: chase_answered, after: type = 'chase', expect: type = 'update', within: 6h}}
  - name: reply_used
    after: type = 'reply'
    expect: type in ('update', 'fixed')
    within: 1d
    unless: type = 'left'
  - {{name: kept_informed, expect: "type in ('update', 'question', 'fixed')", at_least_every: 2d}}
  - {{name: kept_moving, expect: internal, at_least_every: 3d}}
  - {{name: stays_fixed, after: type = 'fixed', never: type = 'back', within: 3d}}
  - {{name: no_chasing, never: type = 'chase'}}
  - {{name: asked_once, at_most: 1, of: type = 'question'}}
  - {{name: no_ping_pong, at_most: 1, of: handover}}
  - {{name: cheap_enough, at_most: 40, total: cost}}
  - {{name: taken_first, before: type = 'fixed', require: type = 'taken'}}
  - {{name: told_first, before: type = 'transfer', require: type = 'update'}}
"""
"""Twelve promises of all six kinds, a calendar, a hold, a reopening, a silence."""


class Lived(NamedTuple):
    """Events sorted by time: number of the case, code of the type, code of the team (-1: the customer), time, cost."""

    case: NDArray[np.int32]
    type: NDArray[np.int8]
    team: NDArray[np.int8]
    time_us: NDArray[np.int64]
    cost: NDArray[np.float64]


def live(n_events: int, *, uniform: bool = False, seed: int = SEED) -> Lived:
    """About ``n_events`` events, exactly so many kept; types follow `CHAIN`, or are drawn at random."""
    rng = np.random.default_rng(seed)
    n_cases = max(n_events // EVENTS_A_CASE, 1)
    lengths = 2 + rng.poisson(EVENTS_A_CASE - 2, n_cases)
    lengths[-1] += max(n_events - int(lengths.sum()), 0)
    cases = np.repeat(np.arange(n_cases, dtype=np.int32), lengths)[:n_events]
    types = rng.integers(0, len(TYPES), len(cases), dtype=np.int8) if uniform else _chained(rng, lengths)[:n_events]
    firsts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    gaps = rng.exponential(8 * 3_600_000_000, int(lengths.sum())).astype(np.int64)
    elapsed = np.cumsum(gaps)
    starts = rng.integers(0, SPAN_US, n_cases)
    times = (START_US + np.repeat(starts - elapsed[firsts], lengths) + elapsed)[:n_events]
    teams = rng.integers(0, N_TEAMS, len(cases), dtype=np.int8)
    teams[np.isin(types, [TYPES.index(name) for name in BY_CUSTOMER])] = -1
    cost = rng.integers(0, 40, len(cases)) * 0.25
    order = np.argsort(times, kind="stable")
    return Lived(cases[order], types[order], teams[order], times[order], cost[order])


def _chained(rng: np.random.Generator, lengths: NDArray[np.int64]) -> NDArray[np.int8]:
    """Types of all cases, one after another, each by the chain from 'contact' on: one step of all cases at a time."""
    weights = np.array([[CHAIN[source].get(target, 0.0) for target in TYPES] for source in TYPES])
    bounds = weights.cumsum(axis=1)
    firsts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    types = np.zeros(int(lengths.sum()), np.int8)
    alive, current = np.arange(len(lengths)), np.zeros(len(lengths), np.int8)
    for step in range(1, int(lengths.max())):
        alive = alive[lengths[alive] > step]
        drawn = rng.random(len(alive))
        current[alive] = (bounds[current[alive]] < drawn[:, None]).sum(axis=1).clip(max=len(TYPES) - 1)
        types[firsts[alive] + step] = current[alive]
    return types


def frame(lived: Lived, first: int = 0, end: int | None = None) -> pl.DataFrame:
    """Some of the events as a log: ids, cases, types and teams as text."""
    part = Lived(*(column[first:end] for column in lived))
    names, teams = pl.Series(TYPES), pl.Series([*(f"team {number}" for number in range(N_TEAMS)), None])
    numbers = pl.DataFrame({"id": np.arange(first, first + len(part.case)), "case": part.case})
    return numbers.select(
        pl.format("e{}", pl.col("id") + 1_000_000_000).alias("id"),
        pl.format("c{}", pl.col("case") + 10_000_000).alias("case"),
        names.gather(part.type).alias("type"),
        pl.Series("time", part.time_us).cast(pl.Datetime("us", "UTC")),
        teams.gather(np.where(part.team < 0, N_TEAMS, part.team)).alias("team"),
        pl.Series("cost", part.cost),
    )


def write(path: Path, n_events: int, *, one_row_group: bool = False) -> None:
    """Write the log, a row group a million events as most writers do, or everything in one."""
    lived = live(n_events)
    if one_row_group:
        frame(lived).write_parquet(path, compression="zstd", row_group_size=n_events)
        return
    writer = None
    for first in range(0, n_events, CHUNK):
        table = frame(lived, first, first + CHUNK).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--one-row-group", action="store_true")
    options = parser.parse_args()
    write(options.file, options.events, one_row_group=options.one_row_group)
    print(f"{options.file}: {options.events:,} events, {options.file.stat().st_size / 1e6:,.0f} MB")
