"""What was known of a case when it opened: the attributes by which cases are made comparable."""

from __future__ import annotations

import polars as pl

from truenorth.insight.matching import openings
from truenorth.insight.replayed import Replayed
from truenorth.spec.model import FLAGS

LEFT_OUT = frozenset(
    {"source", "id", "time", "received", "customer", "case", "actor", "text", "feeling", "cost", "revenue", *FLAGS}
)
"""Columns that say who, when and what came of it, not what kind of case it is."""

MAX_VALUES = 200
"""A text with more distinct values than this tells cases apart one by one; it is left out."""


def known_before(replay: Replayed, cases: pl.Series) -> pl.DataFrame:
    """One row per case of ``cases``, in their order: numbers, and codes (Categorical) for texts.

    *Rule*: the columns of the event that opens the case, but for identities, times, words, money and flags; texts of at
    most 200 values; nothing that is the same everywhere. To these come ``hour`` and ``weekday`` of the opening (UTC)
    and ``day`` (days since the first opening), so that rush hours and slow changes are no explanation.
    """
    events = openings(replay)
    wanted = pl.DataFrame({"case": cases.cast(events["case"].dtype)})
    opened = wanted.join(events, on="case", how="left", maintain_order="left")
    time = pl.col("time")
    clock = opened.select(
        time.dt.hour().cast(pl.Float64).alias("hour"),
        time.dt.weekday().cast(pl.Float64).alias("weekday"),
        ((time - time.min()).dt.total_seconds() / 86_400).alias("day"),
    )
    kept = [usable for name in opened.columns if name not in LEFT_OUT and (usable := _usable(opened[name])) is not None]
    taken = {column.name for column in kept}
    return pl.DataFrame([*kept, *(column for column in clock.iter_columns() if column.name not in taken)])


def _usable(column: pl.Series) -> pl.Series | None:
    n_values = column.n_unique()
    if n_values < 2:
        return None
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64)
    if n_values > MAX_VALUES or column.dtype.is_nested() or column.dtype.is_temporal():
        return None
    return column.cast(pl.String).cast(pl.Categorical)
