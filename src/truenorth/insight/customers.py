"""Whose case is whose: rows of one customer belong together."""

from __future__ import annotations

import numpy as np
import polars as pl

from truenorth.insight.coded import CodedEvents, Ints


def customers_of(events: CodedEvents) -> Ints:
    """A number from 0 for the customer of each case; a case without one stands for itself."""
    if not events.n_cases:
        return np.zeros(0, np.int64)
    own = pl.concat_str(pl.lit("case "), pl.col("case").cast(pl.String))
    names = events.cases.select(
        pl.coalesce(pl.concat_str(pl.lit("customer "), pl.col("customer").cast(pl.String)), own)
    )
    return names.to_series().rank("dense").to_numpy().astype(np.int64) - 1
