"""Compare a replay with the slow oracle, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

from oracle import evaluate
from strategies import PROPERTY_TYPES
from truenorth.engine.replay import Replay, replay
from truenorth.spec.conditions import fields_of
from truenorth.spec.lint_log import placed_conditions
from truenorth.spec.load import Draft, parse_journey
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


def from_yaml(text: str) -> dict[str, Any]:
    """A journey file as the oracle takes it: decisions as one condition."""
    mapping: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    decisions = mapping.get("decisions")
    if isinstance(decisions, list):
        mapping["decisions"] = " or ".join(f"({decision['when']})" for decision in decisions)
    return mapping


def from_frame(frame: pl.DataFrame) -> list[Row]:
    """Events of the engine as the oracle takes them: canonical instants in microseconds, ids as text, no nulls."""
    canonical = [name for name in ("time", "received") if name in frame.columns]
    rows = frame.with_columns(pl.col("id").cast(pl.String), pl.col(canonical).to_physical()).to_dicts()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def used_columns(journey: Journey, frame: pl.DataFrame) -> list[str]:
    """The columns of a log that a journey looks at, its keys and `id` among them."""
    used = {"id", "time", "case", "customer", "actor", "team", "cost", "revenue"}
    for _, condition in placed_conditions(Draft.of(journey)):
        used |= set(fields_of(condition.tree))
    used |= {promise.total for promise in journey.promises if promise.total}
    return [name for name in frame.columns if name in used]


def assert_log_agrees(text: str, frame: pl.DataFrame, now: datetime | None = None) -> None:
    """Every row of cases and promises, and the summary, of a journey file on a log are those of the oracle."""
    journey = parse_journey(text)
    frame = frame.select(used_columns(journey, frame))
    now_us = None if now is None else (now - EPOCH) // timedelta(microseconds=1)
    expected = evaluate(from_yaml(text), from_frame(frame), columns=set(frame.columns), now=now_us)
    found = replay(journey, frame, now=now)
    assert_rows_agree(plain(found.cases), expected.cases)
    assert_rows_agree(plain(found.promises), expected.promises)
    read_elsewhere = {"quarantined", "duplicates", "seconds"}
    summed = {name: pytest.approx(expected.summary[name], rel=1e-12) for name in ("cost", "revenue", "value")}
    summary = {key: n for key, n in found.summary.items() if key not in read_elsewhere}
    assert summary == expected.summary | summed


def assert_rows_agree(found: list[Row], expected: list[Row]) -> None:
    """The first row that differs is shown, not a million that do not."""
    first = next((pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]), None)
    assert first is None, first
    assert len(found) == len(expected)
