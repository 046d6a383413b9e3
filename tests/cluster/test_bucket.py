"""Any way to deal cases into buckets, and events into batches in any order, comes to what one replay comes to."""

from __future__ import annotations

import pickle
import random  # noqa: TID251 (seeded)
from collections.abc import Iterator

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreement import to_frame, to_instant, to_journey
from strategies import Sample, journeys_with_logs
from truenorth.cluster.bucket import Work, added, judge, plain, unpacked
from truenorth.engine.live import POSITION
from truenorth.engine.replay import replay
from truenorth.logs.mapping import plan

from .rows import KEYS, assert_same_summary


def batches_of(bucket: pl.DataFrame, chance: random.Random) -> Iterator[pa.RecordBatch]:
    """The events of a bucket in any order, in batches of any size, some of them empty."""
    rows = bucket.sample(fraction=1.0, shuffle=True, seed=chance.randrange(2**31))
    while rows.height:
        n = chance.randint(0, 5)
        yield from plain(rows.head(n)).to_batches()
        rows = rows.slice(n)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(journeys_with_logs(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_buckets_add_up_to_a_replay(sample: Sample, n_buckets: int, chance: random.Random) -> None:
    mapping, events, columns, now_us = sample
    journey, frame, now = to_journey(mapping), to_frame(events, columns), to_instant(now_us)
    expected = replay(journey, frame, now=now)
    chosen = plan("log", frame.columns, {})
    names = tuple(chosen.columns(None))
    work = Work(journey, chosen, names, expected.watermark)
    work = pickle.loads(pickle.dumps(work))

    key = "case" if "case" in frame.columns else "customer"
    seen = frame.with_row_index(POSITION, 1)
    seen = seen if now is None else seen.filter(pl.col("time") <= now)
    keyed = seen.filter(pl.col(key).is_not_null()).select(*names, pl.col(POSITION).cast(pl.Int64))
    bucket_of = {name: chance.randrange(n_buckets) for name in keyed[key].unique(maintain_order=True)}
    found = []
    for number in range(n_buckets):
        mine = keyed.filter(pl.col(key).is_in([name for name, bucket in bucket_of.items() if bucket == number]))
        found += list(judge(work, batches_of(mine, chance)))
    blobs = pa.Table.from_batches(found) if found else None
    for what, order in KEYS.items():
        wanted_rows = getattr(expected, what)
        rows = [] if blobs is None else blobs.filter(pa.compute.equal(blobs["what"], what)).to_batches()
        parts = [pl.DataFrame(batch) for batch in unpacked(iter(rows))]
        assert pl.concat([wanted_rows.clear(), *parts]).sort(order).equals(wanted_rows.sort(order))
    summaries = [] if blobs is None else [row for row in blobs.to_pylist() if row["what"] == "summary"]
    empty = replay(journey, frame.clear()).summary
    counts = {"events": expected.summary["events"], "no_key": expected.summary["no_key"]}
    total = added(iter([empty, *(msgspec.json.decode(row["blob"]) for row in summaries)])) | counts
    assert_same_summary(total, expected.summary)


def test_summaries_add_up_whatever_they_hold() -> None:
    assert added(iter([])) == {}
    assert added(iter([{"a": 1, "b": {"x": {"n": 2}}}, {"a": 0.5, "b": {"x": {"n": 3}}}])) == {
        "a": 1.5,
        "b": {"x": {"n": 5}},
    }
