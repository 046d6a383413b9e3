"""The simulated company, lived once for all tests of insights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

import truenorth as tn
from truenorth.engine.replay import Replay
from truenorth.simulate import Company, World

ROOT = Path(__file__).parents[2]
N_CUSTOMERS, DAYS, SEED = 6_000, 60, 1


@cache
def world(n_customers: int = N_CUSTOMERS, seed: int = SEED) -> World:
    """A company without drift or incentive."""
    return World(Company(n_customers=n_customers, days=DAYS), seed=seed)


@cache
def lived(n_customers: int = N_CUSTOMERS, seed: int = SEED) -> pl.DataFrame:
    """All events of its time."""
    return world(n_customers, seed).lived.events().with_columns(pl.col(pl.Categorical).cast(pl.String))


@cache
def replay_of(journey: str, n_customers: int = N_CUSTOMERS, seed: int = SEED) -> Replay:
    """One of its four journeys, judged."""
    return tn.replay(ROOT / f"examples/company/{journey}.yaml", lived(n_customers, seed))
