"""Made-up tables whose truth is known: the risk of a case is a function of two of its columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from truenorth.foresight.rows import NEVER, Cases, Column, Rows, Table

HOUR_US = 3_600_000_000
COLUMNS = (
    Column("waited", "hours waited"),
    Column("transfers", "transfers so far"),
    Column("last", "last event", "category", ("Call", "Mail", "Wait")),
    Column("noise", "a number of no meaning"),
    Column("prefix", "events so far"),
)


def table(
    n_cases: int = 600, seed: int = 0, *, strength: float = 1.5, n_outcomes: int = 2, open_share: float = 0.05
) -> Table:
    """Cases opened one an hour, of 1 to 6 events; the log-odds of failing grow by ``strength`` times what is seen."""
    generator = np.random.default_rng(seed)
    n_events = generator.integers(1, 7, n_cases)
    case = np.repeat(np.arange(n_cases), n_events).astype(np.int32)
    prefix = np.concatenate([np.arange(1, n + 1) for n in n_events]).astype(np.int32)
    waited = generator.gamma(2.0, 2.0, n_cases)
    transfers = generator.poisson(0.7, n_cases)
    odds = strength * ((waited - 4.0) / 3.0 + (transfers - 0.7)) - 0.8
    failed = generator.random(n_cases) < 1 / (1 + np.exp(-odds))
    outcome = np.where(failed, generator.integers(1, n_outcomes, n_cases) if n_outcomes > 2 else 1, 0)
    opened = np.arange(n_cases, dtype=np.int64) * HOUR_US
    duration = (n_events * 5.0 + waited) * HOUR_US
    ended = opened + duration.astype(np.int64)
    is_open = generator.random(n_cases) < open_share
    last = generator.integers(0, 3, len(case)).astype(float)
    x = np.column_stack([waited[case], transfers[case], last, generator.normal(size=len(case)), prefix])
    x[generator.random(len(x)) < 0.05, 3] = np.nan
    time = opened[case] + (prefix.astype(np.int64) - 1) * 5 * HOUR_US
    following = np.where(prefix < n_events[case], (last + 1) % 3, 3).astype(np.float32)
    remaining = np.where(is_open[case], np.nan, (ended[case] - time) / (24 * HOUR_US))
    broken = np.where(waited > 5, generator.random(n_cases) < 0.8, generator.random(n_cases) < 0.1)
    cases = Cases(
        id=pl.Series([f"c{i}" for i in range(n_cases)]),
        opened_us=opened,
        ended_us=np.where(is_open, NEVER, ended),
        outcome=np.where(is_open, -1, outcome).astype(np.int8),
        customer=pl.Series([f"p{i}" for i in range(n_cases)]),
    )
    return Table(
        columns=COLUMNS,
        rows=Rows(x.astype(np.float32), case, prefix, time, np.ones(len(case), bool)),
        cases=cases,
        outcomes=("achieved", "failed", "abandoned")[:n_outcomes],
        targets={
            "promise:called_back": np.where(prefix % 2 == 1, broken[case], np.nan).astype(np.float32),
            "remaining_days": remaining.astype(np.float32),
            "next": following,
        },
        next_types=("Call", "Mail", "Wait", "end"),
    )
