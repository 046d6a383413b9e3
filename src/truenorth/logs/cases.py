"""Events grouped for formats that know cases: what belongs to the case, what to the event."""

from __future__ import annotations

import polars as pl

CASE_PREFIX = "case:"


def of_cases(frame: pl.DataFrame) -> list[str]:
    """The ``case:`` columns that have one value in each case, and none outside of cases.

    >>> of_cases(pl.DataFrame({"case": ["a", "a", "b"], "case:x": [1, 1, None], "case:y": [1, 2, 3]}))
    ['case:x']
    """
    named = [name for name in frame.columns if name.startswith(CASE_PREFIX) and name != CASE_PREFIX]
    if "case" not in frame.columns or not named or not frame.height:
        return []
    inside = frame.filter(pl.col("case").is_not_null())
    outside = frame.filter(pl.col("case").is_null())
    counts = inside.group_by("case").agg(pl.col(named).n_unique()).select(pl.col(named).max())
    return [
        name
        for name in named
        if (counts[name][0] or 1) == 1 and outside[name].null_count() == outside.height and frame[name].dtype != pl.Null
    ]
