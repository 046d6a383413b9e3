"""Line of sight: from the work of a team to moments and promises, and from those to the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_

import polars as pl

from truenorth.insight.matching import breaking, fits, keeping, matching
from truenorth.insight.replayed import NO_TYPE, Replayed
from truenorth.spec.expressions import Condition
from truenorth.spec.model import Promise

EVERYBODY = "(everybody)"
"""Stands for all who act, where a log names persons and no teams: no figure is about a person."""


def work_in_sight(replay: Replayed) -> pl.DataFrame:
    """What each team does, by event type, and what it leads to.

    *Rule*: an event is *in sight* of the outcome where it is a moment (the customer meets us), keeps a promise (it fits
    ``expect`` or ``require``), or achieves the outcome. What only breaks a promise (it fits ``never`` or ``of``) is
    not; nor is everything else: work that no customer would miss until somebody says which outcome it serves. Events
    without a team (nor an actor, where the log names no teams) are the customer's own, and left out. Where a log names
    persons and no teams, all of them are one team, `EVERYBODY`.

    Columns: ``team``, ``type``, ``n`` events, ``cost``, ``n_in_sight``, ``n_moments`` (how many of them are), ``keeps``
    and ``breaks`` (names of promises), ``achieves`` (whether some achieve the outcome). Sorted by team, then by ``n``,
    most first.
    """
    events = replay.events
    team = _column(events, "team", pl.String)
    if "team" not in events.columns and "actor" in events.columns:
        team = pl.when(pl.col("actor").is_not_null()).then(pl.lit(EVERYBODY)).alias("team")
    kept, broken = _by_promise(replay, keeping), _by_promise(replay, breaking)
    achieved = replay.journey.outcome.achieved
    marks = events.lazy().select(
        team,
        _column(events, "type", pl.String).fill_null(NO_TYPE),
        _column(events, "cost", pl.Float64).fill_null(0.0),
        _column(events, "moment", pl.Boolean).fill_null(False),
        (_expr(replay, achieved) if achieved else pl.lit(False)).alias("achieves"),
        *(expr.alias(f"keeps {name}") for name, expr in kept.items()),
        *(expr.alias(f"breaks {name}") for name, expr in broken.items()),
    )
    counted = (
        marks.filter(pl.col("team").is_not_null())
        .group_by("team", "type")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("cost").sum(),
            pl.any_horizontal("moment", "achieves", *(f"keeps {name}" for name in kept))
            .sum()
            .cast(pl.Int64)
            .alias("n_in_sight"),
            pl.col("moment").sum().cast(pl.Int64).alias("n_moments"),
            _names("keeps", kept),
            _names("breaks", broken),
            pl.col("achieves").any(),
        )
        .sort("team", "n", "type", descending=[False, True, False])
    )
    return counted.select(list(SCHEMA)).collect()


SCHEMA: dict[str, pl.DataType] = {
    "team": pl.String(),
    "type": pl.String(),
    "n": pl.Int64(),
    "cost": pl.Float64(),
    "n_in_sight": pl.Int64(),
    "n_moments": pl.Int64(),
    "keeps": pl.List(pl.String()),
    "breaks": pl.List(pl.String()),
    "achieves": pl.Boolean(),
}
"""Columns of `work_in_sight`."""


def teams_in_sight(work: pl.DataFrame) -> pl.DataFrame:
    """`work_in_sight` by team, those with the smallest share in sight first.

    Columns: ``team``, ``n``, ``n_in_sight``, ``share``, ``cost``, the promises that it ``keeps``, and the types of its
    work that serve nothing (``out_of_sight``, most events first).
    """
    out_of_sight = pl.col("type").filter(pl.col("n_in_sight") == 0)
    return (
        work.group_by("team", maintain_order=True)
        .agg(
            pl.col("n", "n_in_sight", "cost").sum(),
            pl.col("keeps").explode().drop_nulls().unique(maintain_order=True),
            out_of_sight.alias("out_of_sight"),
        )
        .with_columns((pl.col("n_in_sight") / pl.col("n")).alias("share"))
        .sort("share", "team")
        .select("team", "n", "n_in_sight", "share", "cost", "keeps", "out_of_sight")
    )


def _column(events: pl.DataFrame, name: str, dtype: type[pl.DataType]) -> pl.Expr:
    return (pl.col(name).cast(dtype) if name in events.columns else pl.lit(None, dtype)).alias(name)


def _by_promise(replay: Replayed, conditions: Callable[[Promise], tuple[Condition, ...]]) -> dict[str, pl.Expr]:
    """For each promise that has such conditions: whether an event fits one of them."""
    found = {promise.name: conditions(promise) for promise in replay.journey.promises}
    return {name: reduce(or_, [_expr(replay, one) for one in given]) for name, given in found.items() if given}


def _names(what: str, promises: Mapping[str, pl.Expr]) -> pl.Expr:
    """The names of the promises that some event of a group keeps or breaks."""
    if not promises:
        return pl.lit([], pl.List(pl.String)).first().alias(what)
    given = [pl.when(pl.col(f"{what} {name}").any()).then(pl.lit(name)) for name in promises]
    return pl.concat_list(given).list.drop_nulls().alias(what)


def _expr(replay: Replayed, condition: Condition) -> pl.Expr:
    schema = replay.events.schema
    return matching(condition, schema) if fits(condition, schema) else pl.lit(False)
