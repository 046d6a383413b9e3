"""Outcomes over time, by when cases were opened."""

from __future__ import annotations

import polars as pl

from truenorth.insight.replayed import OUTCOMES, Replayed

PERIODS = {"1h": 1 / 24, "1d": 1.0, "1w": 7.0, "1mo": 30.4, "1q": 91.3, "1y": 365.25}
"""Lengths of period to choose from, in days."""

MAX_PERIODS = 60
"""At most so many periods when the length is chosen for the reader."""


def outcome_trend(replay: Replayed, every: str | None = None) -> pl.DataFrame:
    """Outcomes by the period in which the case was opened; periods without cases are there with zeros.

    ``every`` is a Polars duration such as ``1d``, ``1w``, ``1mo``; None chooses the shortest of hour, day, week, month,
    quarter, year that gives at most 60 periods. Columns: ``period`` (its first instant, UTC; weeks begin on
    Monday), ``cases``, a count for each of ``achieved, failed, abandoned, open``, and ``achieved_share`` (of
    the decided cases, null if none is). The last periods hold more open cases: their shares are not final.
    """
    opened = replay.cases["opened"].drop_nulls()
    every = every or chosen_period(opened)
    counted = (
        replay.cases.lazy()
        .filter(pl.col("opened").is_not_null())
        .group_by(pl.col("opened").dt.truncate(every).alias("period"))
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            *[(pl.col("outcome") == name).sum().cast(pl.Int64).alias(name) for name in OUTCOMES],
        )
        .sort("period")
        .collect()
    )
    if counted.height:
        first, last = counted["period"][0], counted["period"][-1]
        periods = pl.datetime_range(first, last, every, time_unit="us", eager=True).alias("period").to_frame()
        counted = periods.join(counted, on="period", how="left", maintain_order="left").fill_null(0)
    decided = pl.col("cases") - pl.col("open")
    return counted.with_columns(pl.when(decided > 0).then(pl.col("achieved") / decided).alias("achieved_share"))


def chosen_period(opened: pl.Series) -> str:
    """The shortest period that cuts the span of ``opened`` into at most 60.

    >>> from datetime import datetime
    >>> chosen_period(pl.Series([datetime(2024, 1, 1), datetime(2024, 12, 31)]))
    '1w'
    """
    low, high = opened.min(), opened.max()
    if low is None or high is None:
        return "1d"
    days = (opened.max() - opened.min()).total_seconds() / 86_400  # type: ignore[operator, union-attr]
    return next((every for every, length in PERIODS.items() if days / length + 1 <= MAX_PERIODS), "1y")
