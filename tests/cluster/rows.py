"""Results of the cluster beside those of one machine."""

from __future__ import annotations

from typing import Any

import polars as pl

from truenorth.cluster import ClusterReplay
from truenorth.cluster.session import without_pandas
from truenorth.engine.replay import Replay

INSTANT = pl.Datetime("us", "UTC")
KEYS = {"cases": ["case"], "promises": ["case", "promise", "instance"]}
MONEY = ("cost", "revenue")


def frame_of(frame: Any) -> pl.DataFrame:
    """Spark's rows as a frame of ours."""
    with without_pandas():
        found = pl.DataFrame(frame.toArrow())
    zoned = [name for name, kind in found.schema.items() if isinstance(kind, pl.Datetime)]
    return found.with_columns(pl.col(name).dt.convert_time_zone("UTC").cast(INSTANT) for name in zoned)


def assert_same(found: ClusterReplay, expected: Replay) -> None:
    """Row by row and number by number; money is added up in another order."""
    for name, key in KEYS.items():
        rows, wanted = frame_of(getattr(found, name)), getattr(expected, name)
        assert rows.schema == wanted.schema
        assert rows.sort(key).equals(wanted.sort(key)), name
    assert_same_summary(found.summary, expected.summary)


def assert_same_summary(found: dict[str, Any], expected: dict[str, Any]) -> None:
    wanted = {name: n for name, n in expected.items() if name not in (*MONEY, "seconds")}
    assert {name: n for name, n in found.items() if name not in (*MONEY, "seconds")} == wanted
    for name in MONEY:  # the sums of two orders of n numbers differ by less than n roundings
        assert abs(found[name] - expected[name]) <= expected["events"] * 2.3e-16 * max(1.0, abs(expected[name]))
