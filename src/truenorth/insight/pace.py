"""Time to the outcome, with open cases censored."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from truenorth.insight.replayed import DECIDED, OUTCOMES, Replayed


def time_to_outcome(replay: Replayed) -> pl.DataFrame:
    """How long cases took from opening to verdict, by verdict.

    One row per verdict: ``outcome``, ``n``, and over its cases ``min_us, p10_us, median_us, mean_us, p90_us, max_us``
    (microseconds, null where there is none). For ``open`` it is their age at the watermark: they are not done,
    so the row describes no time to an outcome.
    """
    aged = replay.cases.lazy().select("outcome", _age(replay).alias("us"))
    us = pl.col("us")
    stats = aged.group_by("outcome").agg(
        pl.len().cast(pl.Int64).alias("n"),
        us.min().alias("min_us"),
        us.quantile(0.1, "linear").alias("p10_us"),
        us.median().alias("median_us"),
        us.mean().alias("mean_us"),
        us.quantile(0.9, "linear").alias("p90_us"),
        us.max().alias("max_us"),
    )
    order = pl.LazyFrame({"outcome": OUTCOMES})
    return (
        order.join(stats, on="outcome", how="left", maintain_order="left")
        .with_columns(pl.col("n").fill_null(0))
        .collect()
    )


def _age(replay: Replayed) -> pl.Expr:
    end = pl.when(pl.col("outcome") == "open").then(_instant(replay.watermark)).otherwise("outcome_time")
    return (end - pl.col("opened")).dt.total_microseconds()


def _instant(at: datetime | None) -> pl.Expr:
    return pl.lit(at, dtype=pl.Datetime("us", "UTC"))


def cumulative_incidence(replay: Replayed) -> pl.DataFrame:
    """The share of cases that have come to each verdict by a given time since opening, open cases censored.

    The Aalen-Johansen estimator for competing risks: at each distinct time ``t`` with ``d_k`` verdicts of kind
    ``k`` among ``n_at_risk`` cases still undecided just before, ``F_k`` grows by ``S(t-) * d_k / n_at_risk``
    and ``S`` is multiplied by ``1 - sum(d_k) / n_at_risk``. Source: P. K. Andersen et al. (2002), "Competing
    risks as a multi-state model", Statistical Methods in Medical Research 11, 203-215, eq. (8). A case censored
    at a time is at risk at that time.

    *Counting rule*: with ``holds_for`` an achieved outcome is known only that much later than a failed one, so
    all are observed until watermark - ``holds_for``; a verdict after that instant is censored there. One row
    per time, starting at 0: ``t_us`` (microseconds), ``n_at_risk``, ``achieved``, ``failed``, ``abandoned``,
    ``undecided`` (the four add up to 1).
    """
    observed = _observed(replay)
    t = pl.col("t_us")
    counts = (
        observed.group_by("t_us")
        .agg(pl.len().alias("leaving"), *[(pl.col("cause") == name).sum().alias(name) for name in DECIDED])
        .sort("t_us")
        .with_columns(pl.col("leaving").reverse().cum_sum().reverse().cast(pl.Int64).alias("n_at_risk"))
        .filter(pl.sum_horizontal(DECIDED) > 0)
        .with_columns((1 - pl.sum_horizontal(DECIDED) / pl.col("n_at_risk")).cum_prod().alias("undecided"))
    )
    before = pl.col("undecided").shift(1, fill_value=1.0)
    curves = counts.select(
        t,
        "n_at_risk",
        *[(before * pl.col(name) / pl.col("n_at_risk")).cum_sum().alias(name) for name in DECIDED],
        "undecided",
    )
    start = pl.LazyFrame(
        {"t_us": [0], "n_at_risk": [replay.cases.height], "achieved": [0.0], "failed": [0.0], "abandoned": [0.0]}
    ).with_columns(undecided=1.0)
    return pl.concat([start, curves], how="vertical_relaxed").collect()


def _observed(replay: Replayed) -> pl.LazyFrame:
    """Per case ``t_us`` (time under observation, microseconds) and ``cause`` (its verdict, null if censored)."""
    hold = timedelta(microseconds=replay.journey.outcome.holds_for_us or 0)
    until = _instant(replay.watermark) - pl.lit(hold)
    known = (pl.col("outcome") != "open") & (pl.col("outcome_time") <= until)
    end = pl.when(known).then("outcome_time").otherwise(until)
    return replay.cases.lazy().select(
        (end - pl.col("opened")).dt.total_microseconds().clip(lower_bound=0).alias("t_us"),
        pl.when(known).then("outcome").alias("cause"),
    )
