"""Compare a replay with the slow oracle, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from oracle import evaluate
from strategies import PROPERTY_TYPES
from truenorth.engine.replay import Replay, replay
from truenorth.spec.load import parse_journey
from truenorth.spec.model import CANONICAL_TYPES, Journey

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")
DTYPES: Mapping[Any, Any] = {
    "text": pl.String,
    "instant": INSTANT,
    "number": pl.Float64,
    int: pl.Int64,
    float: pl.Float64,
    bool: pl.Boolean,
    str: pl.String,
}

Row = dict[str, Any]


def to_journey(mapping: Mapping[str, Any]) -> Journey:
    """The journey of a mapping: JSON is YAML."""
    return parse_journey(json.dumps(mapping, default=str))


def to_instant(us: int | None) -> datetime | None:
    return None if us is None else EPOCH + timedelta(microseconds=us)


def to_frame(events: Iterable[Row], columns: Iterable[str]) -> pl.DataFrame:
    """Events of the oracle as the engine takes them."""
    dtypes = {name: DTYPES[CANONICAL_TYPES.get(name, PROPERTY_TYPES.get(name))] for name in sorted(columns)}
    rows = [{name: event.get(name) for name in dtypes} for event in events]
    return pl.DataFrame(
        {
            name: pl.Series([row[name] for row in rows], dtype=pl.Int64).cast(dtype)
            if dtype == INSTANT
            else pl.Series([row[name] for row in rows], dtype=dtype)
            for name, dtype in dtypes.items()
        }
    )


def plain(frame: pl.DataFrame) -> list[Row]:
    """A result table with its instants in microseconds."""
    return frame.with_columns(
        pl.col(name).to_physical() for name in frame.columns if frame[name].dtype == INSTANT
    ).to_dicts()


def run_kernel(journey: Mapping[str, Any], events: list[Row], columns: set[str], now: int | None) -> Replay:
    return replay(to_journey(journey), to_frame(events, columns), now=to_instant(now))


def assert_agreement(journey: Mapping[str, Any], events: list[Row], columns: set[str], now: int | None) -> None:
    """Every row of cases and promises, and the summary, are those of the oracle."""
    expected = evaluate(dict(journey), events, columns=columns, now=now)
    found = run_kernel(journey, events, columns, now)
    assert plain(found.cases) == expected.cases
    assert plain(found.promises) == expected.promises
    read_elsewhere = {"quarantined", "duplicates", "seconds"}
    assert {key: n for key, n in found.summary.items() if key not in read_elsewhere} == expected.summary
