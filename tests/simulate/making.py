"""Made-up events of the shape that a simulated company has."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
from hypothesis import strategies as st

from truenorth.logs.log import INSTANT

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
TYPES = ["Called", "Answered", "Transferred", "Closed", "Reopened"]


def frame_of(gaps_s: list[int], seed: int, n_customers: int = 6) -> pl.DataFrame:
    """Events in the order of time, so many seconds apart; all else is drawn."""
    n = len(gaps_s)
    rng = np.random.default_rng(seed)
    customer = rng.integers(n_customers, size=n)

    def some(values: list[str] | pl.Series) -> pl.Series:
        return pl.select(pl.when(pl.Series(rng.random(n) < 0.8)).then(pl.Series(values))).to_series()

    return pl.DataFrame(
        {
            "source": rng.choice(["crm", "survey"], n).tolist(),
            "id": [f"e{number}" for number in range(n)],
            "type": rng.choice(TYPES, n).tolist(),
            "time": pl.Series(gaps_s, dtype=pl.Int64).cum_sum() * 1_000_000,
            "customer": some([f"c{one}" for one in customer]),
            "case": some([f"k{one}" for one in customer]),
            "team": some(rng.choice(["desk", "field"], n).tolist()),
            "cost": some(pl.Series(rng.integers(50, size=n) / 2, dtype=pl.Float64)),
            "severity": rng.integers(4, size=n),
        },
        schema_overrides={"source": pl.String, "id": pl.String, "type": pl.String},
    ).with_columns(
        pl.col("source", "type", "team").cast(pl.Categorical),
        (pl.col("time") + int(START.timestamp()) * 1_000_000).cast(pl.Datetime("us")).cast(INSTANT),
    )


@st.composite
def frames(draw: st.DrawFn, *, min_size: int = 0) -> pl.DataFrame:
    """Events of few customers, many at one instant."""
    gap_s = st.one_of(st.sampled_from([0, 0, 0, 60]), st.integers(0, 200_000))
    gaps_s = draw(st.lists(gap_s, min_size=min_size, max_size=40))
    return frame_of(gaps_s, draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 6)))


def large(n: int, seed: int = 7) -> pl.DataFrame:
    """Many events, a minute apart."""
    return frame_of([60] * n, seed, n_customers=n // 8)
