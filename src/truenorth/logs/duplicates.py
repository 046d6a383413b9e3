"""Second arrivals of an event: found, counted and left out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

KEYS = ("source", "id")
"""What tells an event from all others, unless its format says otherwise."""


def without_duplicates(
    events: pl.DataFrame, position: pl.Series | None, *, keys: Sequence[str] = KEYS, unique: bool = False
) -> tuple[pl.DataFrame, int]:
    """The first arrival of each event, and how many others there were.

    Without ids, a row's ``position`` is its id; a row whose id is null gets its position as text and is never a
    duplicate. ``position`` may be None if every row has an id; ``keys``: those columns tell one event from another;
    ``unique``: there are no duplicates.

    >>> frame = pl.DataFrame({"id": ["a", None, "a", None]})
    >>> first, n = without_duplicates(frame, pl.Series([1, 2, 3, 4]))
    >>> first["id"].to_list(), n
    (['a', '2', '4'], 1)
    """
    if "id" not in events.columns:
        assert position is not None
        return events.insert_column(int("source" in events.columns), position.cast(pl.Int64).alias("id")), 0
    n_duplicates = 0
    again = None if unique or _increasing(events["id"]) else _again(events, keys)
    if again is not None:
        n_duplicates = len(again)
        first = pl.repeat(True, events.height, eager=True).scatter(again, False)
        events = events.filter(first)
        position = position.filter(first) if position is not None else None
    if events["id"].null_count():
        assert position is not None
        events = events.with_columns(pl.col("id").fill_null(position.cast(pl.String)))
    return events, n_duplicates


def n_equal_rows(frame: pl.DataFrame) -> int:
    """How many rows are the same, in every column, as an earlier one.

    >>> n_equal_rows(pl.DataFrame({"a": [1, 1, 1, 2], "b": ["x", "x", "y", "x"]}))
    1
    """
    return frame.height - (frame.hash_rows().n_unique() if frame.width else frame.height)


def _increasing(ids: pl.Series) -> bool:
    """True if every id is greater than the one before, so that none can be a duplicate."""
    return ids.null_count() == 0 and bool((ids.slice(1) > ids.slice(0, max(len(ids) - 1, 0))).all())


def _again(events: pl.DataFrame, keys: Sequence[str]) -> pl.Series | None:
    """The numbers of the rows whose key came before, or None.

    Equal keys have equal hashes, so only rows that share a hash are compared: sorting the hashes takes an eighth of the
    time of a table of texts.
    """
    keys = [name for name in keys if name in events.columns]
    hashes = events.select(pl.struct(keys).hash() if len(keys) > 1 else pl.col("id").hash()).to_series()
    ordered = hashes.filter(events["id"].is_not_null()).sort()
    shared = ordered.filter(ordered == ordered.shift(1)).unique()
    if shared.is_empty():
        return None
    suspects = events.select(
        pl.int_range(pl.len()).alias("row"),
        *(pl.col(name) for name in keys),
        hashes.is_in(shared.implode()).alias("in"),
    ).filter(pl.col("in") & pl.col("id").is_not_null())
    again = suspects.filter(~pl.struct(keys).is_first_distinct())["row"]
    return again if len(again) else None
