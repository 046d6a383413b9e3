"""Logs that say when work started and when it was complete: one event of the two is enough."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from truenorth.discovery.names import folded
from truenorth.discovery.wording import percent
from truenorth.spec.counted import counted

COLUMNS = ("lifecycle transition", "lifecycle", "transition", "event lifecycle")
PAIRED = 0.2
"""A type has pairs where its starts and completions differ by at most this share."""
MIN_EVENTS = 0.3
"""Pairs are worth a filter where their types make up this share of the events."""


@dataclass(frozen=True)
class Pairs:
    """Start and complete events in pairs: the column, how it writes 'complete', and the evidence."""

    column: str
    values: tuple[str, ...]
    evidence: str

    def keep(self, events: pl.DataFrame) -> pl.DataFrame:
        """The completions alone.

        >>> Pairs("step", ("complete",), "").keep(pl.DataFrame({"step": ["start", "complete"]})).height
        1
        """
        return events.filter(events[self.column].alias("step").is_in(list(self.values)))


def lifecycle_column(columns: list[str]) -> str | None:
    """The column that tells the start of work from its completion.

    >>> lifecycle_column(["concept:name", "lifecycle:transition"])
    'lifecycle:transition'
    """
    return next((name for name in columns if folded(name) in COLUMNS), None)


def find_pairs(events: pl.DataFrame, column: str | None) -> Pairs | None:
    """The pairs of a log whose types mostly have a start for each completion; None where there are none.

    >>> log = pl.DataFrame({"type": ["a", "a"], "step": ["START", "COMPLETE"]})
    >>> find_pairs(log, "step").values
    ('COMPLETE',)
    """
    if column not in events.columns or "type" not in events.columns or events[column].dtype != pl.String:
        return None
    steps = pl.DataFrame([events["type"], events[column].alias("step").str.to_lowercase()])
    n_of = {name: (pl.col("step") == name).sum() for name in ("start", "complete")}
    by_type = steps.group_by("type").agg(**n_of, n=pl.len())
    paired = by_type.filter(
        (pl.col("start") > 0)
        & ((pl.col("start") - pl.col("complete").cast(pl.Int64)).abs() <= PAIRED * pl.col("start"))
    )
    n_paired = int(paired["n"].sum())
    if not events.height or n_paired < MIN_EVENTS * events.height:
        return None
    values = events[column].alias("step").drop_nulls().unique().sort().to_list()
    complete = tuple(value for value in values if value.lower() == "complete")
    n_kept = int(events[column].alias("step").is_in(list(complete)).sum())
    evidence = (
        f"{counted(paired.height, 'type')} of events come in pairs of a start and a completion: "
        f"{percent(n_paired, events.height)} of {events.height:,} events. Counted once, when complete, {n_kept:,} "
        "events are left. Where the time between start and completion matters, remove this line."
    )
    return Pairs(column, complete, evidence)
