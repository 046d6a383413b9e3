"""A bucket that takes events in pieces, in any order and with restarts, comes to what one replay comes to."""

from __future__ import annotations

import random  # noqa: TID251 (seeded)
from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreement import to_frame, to_journey
from server.test_signals import folded
from strategies import Sample, journeys_with_logs
from truenorth.cluster.bucket import Work, plain
from truenorth.cluster.stream import bucket as module
from truenorth.cluster.stream.bucket import Bucket, StreamWork, kinds_of_events
from truenorth.cluster.stream.held import HASH
from truenorth.cluster.stream.tables import Tables
from truenorth.engine.live import POSITION
from truenorth.engine.replay import replay
from truenorth.logs.mapping import Plan, plan

from .rows import KEYS

DAY_US = 86_400_000_000


class InMemory:
    """Blobs by kind and number."""

    def __init__(self) -> None:
        self.blobs: dict[tuple[str, int], bytes] = {}

    def read(self, kind: str, number: int) -> bytes | None:
        return self.blobs.get((kind, number))

    def read_all(self, kind: str) -> Mapping[int, bytes]:
        return {number: blob for (of, number), blob in self.blobs.items() if of == kind}

    def write(self, kind: str, number: int, blob: bytes) -> None:
        self.blobs[kind, number] = blob

    def remove(self, kind: str, number: int) -> None:
        del self.blobs[kind, number]


def arrivals_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Events in the order of arrival, each with a hash (many share one) and its place."""
    return frame.with_columns(
        pl.int_range(pl.len()).mod(5).cast(pl.Int64).alias(HASH),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(POSITION),
    )


def stream_of(mapping: object, frame: pl.DataFrame, held_us: int) -> StreamWork:
    chosen = plan("log", frame.drop(HASH, POSITION).columns, {})
    names = (*chosen.columns(None), HASH)
    work = Work(to_journey(mapping), Plan(chosen.fields, {**chosen.properties, HASH: HASH}, frozenset()), names, None)
    none = plain(frame.clear().select(*names, POSITION))
    return StreamWork(work, kinds_of_events(work, none), held_us)


def rows_of(stream: StreamWork, arrivals: pl.DataFrame) -> pa.Table:
    return plain(arrivals.select(*stream.work.columns, POSITION))


@pytest.mark.parametrize("most_parts", [2, 1_000])
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sample=journeys_with_logs(), chance=st.randoms(use_true_random=False))
def test_in_pieces_it_comes_to_a_replay(most_parts: int, sample: Sample, chance: random.Random) -> None:
    mapping, events, columns, _ = sample
    frame = to_frame(events, columns)
    frame = frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("id"))
    arrivals = arrivals_of(frame)
    stream = stream_of(mapping, arrivals, 10_000 * DAY_US)  # nothing is let go
    kept, tables, signals = InMemory(), Tables(stream.work.journey), []
    bucket = Bucket(stream, kept)
    at, watermark_us = 0, None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_PARTS", most_parts)
        while at < arrivals.height:
            if chance.random() < 0.3:
                bucket = Bucket(stream, kept)
            n, again = chance.randint(1, 6), chance.randint(0, 3)
            piece = arrivals.slice(max(0, at - again), n + min(at, again))
            told = bucket.step(kept, rows_of(stream, piece), watermark_us)
            tables.add(told)
            signals += told.signals
            at += n
            seen_us = arrivals.head(at)["time"].to_physical().max()
            watermark_us = seen_us if chance.random() < 0.5 else watermark_us  # type: ignore[assignment]
    last_us = int(arrivals["time"].to_physical().max()) if arrivals.height else None  # type: ignore[arg-type]
    told = bucket.step(kept, None, last_us)
    tables.add(told)
    signals += told.signals
    expected = replay(stream.work.journey, frame)
    for what, order in KEYS.items():
        wanted = getattr(expected, what)
        assert tables.frame(what).sort(order).equals(wanted.sort(order)), what
    verdicts, outcomes = folded(signals)
    promises, cases = expected.promises, expected.cases
    given_verdicts = {
        (row[0], row[1], row[2]): row[3] for row in promises.select("case", "promise", "instance", "verdict").rows()
    }
    assert verdicts == {key: verdict for key, verdict in given_verdicts.items() if verdict != "open"}
    assert outcomes == {case: outcome for case, outcome in cases.select("case", "outcome").rows() if outcome != "open"}


def test_what_comes_after_its_case_was_let_go_is_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PARTS", 1)
    mapping = {
        "truenorth": 1, "journey": "j", "need": "type = 'ask'",
        "outcome": {"achieved": "type = 'done'", "within": "40h"},
    }  # fmt: skip
    rows = [
        ("T1", "ask", 0),
        ("T1", "done", 1),
        ("T2", "ask", 50),
        ("T2", "note", 51),
        ("T1", "note", 0),
        ("T2", "done", 49),
    ]
    frame = pl.DataFrame(
        {
            "id": [str(n) for n in range(len(rows))],
            "case": [case for case, _, _ in rows],
            "type": [kind for _, kind, _ in rows],
            "time": pl.Series([hours * 3_600_000_000 for *_, hours in rows]).cast(pl.Datetime("us", "UTC")),
        }
    )
    arrivals = arrivals_of(frame)
    stream, kept = stream_of(mapping, arrivals, 3_600_000_000), InMemory()
    bucket = Bucket(stream, kept)
    for first, n, hours in ((0, 2, 1), (2, 1, 50), (3, 1, 51)):
        told = bucket.step(kept, rows_of(stream, arrivals.slice(first, n)), hours * 3_600_000_000)
        assert not told.too_late
    assert (bucket.n_keys, bucket.n_events) == (2, 2)  # the events of T1 were let go, its state stays
    bucket = Bucket(stream, kept)
    told = bucket.step(kept, rows_of(stream, arrivals.slice(4)), 51 * 3_600_000_000)
    (late,) = told.too_late
    assert '"case":"T1"' in late.row
    assert {row.case: row.outcome for row in told.cases} == {"T2": "open"}  # 'done' came before it was asked for
    assert told.n_events == 1
