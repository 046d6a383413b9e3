"""Logs of the simulated company in which something has begun in two regions, with the truth beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

import truenorth as tn
from truenorth.engine.replay import Replay
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
