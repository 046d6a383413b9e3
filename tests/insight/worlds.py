"""Logs of the simulated company in which something begins in two regions on day 28, with the truth beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

import truenorth as tn
from truenorth.engine.replay import Replay
from truenorth.simulate import Company, World
from truenorth.simulate.company import Incentive
from truenorth.simulate.rollout import roll_out
from truenorth.simulate.tables import Setting

EXAMPLES = Path(__file__).parents[2] / "examples" / "company"
SINCE = datetime(2026, 2, 2, tzinfo=UTC)
SCOPE = "region in ('north', 'east')"


class Rolled(NamedTuple):
    replay: Replay
    truth: pl.DataFrame


def rolled(
    seed: int,
    *,
    n_customers: int = 6_000,
    days: int = 77,
    incentive: Incentive | None = None,
    do: dict[str, Setting] | None = None,
) -> Rolled:
    before = Company(n_customers=n_customers, days=days, spillover=False, surveys=False)
    after = msgspec.structs.replace(before, incentives=(incentive,) if incentive else ())
    found = roll_out(World(before, seed).run(), World(after, seed, do).run(), SINCE, ("north", "east"))
    journey = tn.load_journey(EXAMPLES / "help.yaml")
    return Rolled(tn.replay(journey, found.events), found.truth.filter(pl.col("journey") == "help"))
