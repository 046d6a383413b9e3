"""Variants: the different ways in which cases go, event by event."""

from __future__ import annotations

from itertools import groupby

import polars as pl

from truenorth.insight.flow import cases_of, numbered
from truenorth.insight.replayed import OUTCOMES, Replayed

LABEL_CHARS = 160
"""Longer labels of variants are cut here."""


def variants(replay: Replayed, top: int | None = 20) -> pl.DataFrame:
    """The ``top`` most frequent sequences of event types (all of them if None), the most frequent first.

    Two cases are of one variant when their types, in order, are the same; the sequences themselves are
    compared, not a digest of them. Columns: ``rank`` (from 1), ``label`` (text such as ``call → wait x3``, at
    most 160 characters), ``types`` (list), ``length`` (events), ``n`` (cases), ``share`` (of all cases),
    ``cumulated`` (share of this and all better ranks), one count for each of ``achieved, failed, abandoned,
    open``, ``achieved_share`` (of decided cases, null if none is) and ``median_us`` (median time from opening
    to verdict of decided cases, microseconds). Equal counts are ordered by length, then by the types' names.
    """
    sequences = _sequences(replay)
    grouped = sequences.group_by("codes").agg(
        pl.len().cast(pl.Int64).alias("n"),
        *[(pl.col("outcome") == name).sum().cast(pl.Int64).alias(name) for name in OUTCOMES],
        pl.col("duration_us").median().alias("median_us"),
    )
    ranked = grouped.with_columns(pl.col("codes").list.len().cast(pl.Int64).alias("length"))
    ranked = ranked.sort("n", "length", "codes", descending=[True, False, False])
    total = max(replay.cases.height, 1)
    ranked = ranked.with_columns(
        (pl.col("n") / total).alias("share"), (pl.col("n").cum_sum() / total).alias("cumulated")
    )
    shown = ranked if top is None else ranked.head(top)
    decided = pl.col("achieved") + pl.col("failed") + pl.col("abandoned")
    texts = shown["codes"].to_list()
    return shown.with_columns(
        pl.Series("types", texts, dtype=pl.List(pl.String)),
        pl.Series("label", [_label(types) for types in texts], dtype=pl.String),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank"),
        pl.when(decided > 0).then(pl.col("achieved") / decided).alias("achieved_share"),
    ).select(
        *("rank", "label", "types", "length", "n", "share", "cumulated"),
        *(*OUTCOMES, "achieved_share", "median_us"),
    )


def n_variants(replay: Replayed) -> int:
    """How many different sequences of event types there are."""
    return _sequences(replay)["codes"].n_unique()


def _sequences(replay: Replayed) -> pl.DataFrame:
    """One row per case: ``codes`` (its types in order), ``outcome``, ``duration_us`` (null while open)."""
    runs = (
        numbered(replay.events)
        .group_by("run", maintain_order=True)
        .agg(pl.col("type").alias("codes"))
        .join(cases_of(replay.events), on="run")
    )
    duration = (pl.col("outcome_time") - pl.col("opened")).dt.total_microseconds()
    verdicts = replay.cases.lazy().select(
        "case", "outcome", pl.when(pl.col("outcome") != "open").then(duration).alias("duration_us")
    )
    return runs.join(verdicts, on="case").select("codes", "outcome", "duration_us").collect()


def _label(types: list[str]) -> str:
    runs = [(name, sum(1 for _ in same)) for name, same in groupby(types)]
    text = " → ".join(name if n == 1 else f"{name} ×{n}" for name, n in runs)  # noqa: RUF001 a sign, not a letter
    return text if len(text) <= LABEL_CHARS else text[: LABEL_CHARS - 1] + "…"
