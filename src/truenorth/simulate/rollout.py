"""A change that reaches one region after another: one log out of two worlds of a seed, with the true effect beside it.

What a company tries, it tries somewhere first. Two worlds of one seed without spillover have the same cases and the
same luck; a roll-out takes each case from the one or from the other, by where and when it was opened.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from truenorth.simulate import records as r
from truenorth.simulate.effects import ask_model
from truenorth.simulate.lived import Lived


class RolledOut(NamedTuple):
    """``events``: the log. ``truth``: one row per case that the change reached and both worlds have settled: ``case``,
    ``journey``, and for each of ``achieved`` (chance by the causal model), ``cost`` and ``revenue`` (as lived) the
    difference that the change made."""

    events: pl.DataFrame
    truth: pl.DataFrame


def roll_out(before: Lived, after: Lived, since: datetime, regions: Collection[str]) -> RolledOut:
    """The log of a company in which cases opened in ``regions`` at or after ``since`` are as in the world ``after``.

    Both worlds must be of one seed and one company but for what changes, without spillover: then a case is the same
    need of the same customer in both.

    >>> from datetime import UTC
    >>> from truenorth.simulate import Company, World
    >>> company = Company(n_customers=200, days=20, spillover=False, surveys=False)
    >>> worlds = [World(company, 1, do).run() for do in ({}, {"help.called_back": "off"})]
    >>> rolled = roll_out(*worlds, datetime(2026, 1, 15, tzinfo=UTC), ["north"])
    >>> rolled.events.height > 0, bool((rolled.truth["achieved"] >= -1e-9).all())
    (True, True)
    """
    frames = [world.events() for world in (before, after)]
    reached = _reached(frames[1], since, regions)
    old = frames[0].join(reached, on="case", how="anti", maintain_order="left")
    new = frames[1].join(reached, on="case", how="semi", maintain_order="left")
    events = pl.concat([old, new]).sort("time", maintain_order=True)
    numbered = events.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("id"))
    without, with_change = (
        _settled(world).join(_money(frame), on="case") for world, frame in zip((before, after), frames, strict=True)
    )
    both = with_change.join(reached, on="case", how="semi").join(without, on="case", suffix="_before")
    differences = [(pl.col(name) - pl.col(f"{name}_before")).alias(name) for name in ("achieved", "cost", "revenue")]
    return RolledOut(numbered, both.select("case", "journey", *differences))


def _reached(events: pl.DataFrame, since: datetime, regions: Collection[str]) -> pl.DataFrame:
    opened = events.group_by("case").agg(pl.col("time").min(), pl.col("region").first().cast(pl.String))
    return opened.filter((pl.col("time") >= since) & pl.col("region").is_in(list(regions))).select("case")


def _settled(lived: Lived) -> pl.DataFrame:
    cases = lived.run.cases
    rows = np.flatnonzero(cases["outcome"] != r.UNSETTLED)
    chances = ask_model(lived.tables, cases[rows], lived.run.levels[rows]).chances
    return lived.cases.select("case", "journey").select(pl.all().gather(rows)).with_columns(achieved=chances[:, 0])


def _money(events: pl.DataFrame) -> pl.DataFrame:
    return events.group_by("case").agg(pl.col("cost", "revenue").sum())
