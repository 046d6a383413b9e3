"""Logs of the simulated company in which something has begun in two regions, with the truth beside it."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

import truenorth as tn
from truenorth.engine.replay import Replay
from truenorth.logs import write_events
from truenorth.simulate import Company, World
from truenorth.simulate.rollout import roll_out
from truenorth.simulate.tables import Setting

SINCE = datetime(2026, 2, 2, tzinfo=UTC)
"""Day 28 of a company that starts on 5 January."""
SOME = ("north", "east")
ALL = ("north", "east", "south", "west")


class Rolled(NamedTuple):
    """A replay of the journey `help`, and the truth of the cases that the change reached."""

    replay: Replay
    truth: pl.DataFrame


def rolled(
    before: Company,
    after: Company,
    seed: int,
    regions: Collection[str] = SOME,
    do_before: Mapping[str, Setting] | None = None,
    do_after: Mapping[str, Setting] | None = None,
) -> Rolled:
    """A company before `SINCE` and outside some regions, another in them since."""
    worlds = World(before, seed, do_before).run(), World(after, seed, do_after).run()
    found = roll_out(*worlds, SINCE, regions)
    journey = tn.load_journey("examples/company/help.yaml")
    return Rolled(tn.replay(journey, found.events), found.truth.filter(pl.col("journey") == "help"))


def main() -> None:
    """Write the log that docs/insight-kpis.md and docs/insight-true-north.md show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--change", choices=("handle_time", "called_back"), required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    before = Company(n_customers=12_000, days=84, spillover=False, surveys=False)
    after = before
    if options.change == "handle_time":
        after = msgspec.structs.replace(before, incentives=("handle_time",))
    done: dict[str, Setting] = {} if options.change == "handle_time" else {"help.called_back": "off"}
    worlds = World(before, options.seed).run(), World(after, options.seed, done).run()
    found = roll_out(*worlds, SINCE, SOME)
    write_events(found.events, options.out)
    print(found.truth.filter(pl.col("journey") == "help").select(pl.col("achieved", "cost", "revenue").mean()))


if __name__ == "__main__":
    main()
