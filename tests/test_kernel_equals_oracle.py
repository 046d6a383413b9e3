"""The kernel and the slow oracle agree on made-up journeys and logs, row by row."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from agreement import assert_agreement, to_frame, to_instant, to_journey
from strategies import Sample, journeys_with_logs, random_pack
from truenorth.engine import codes, marks
from truenorth.engine.replay import replay


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(journeys_with_logs())
def test_any_journey_and_log(sample: Sample) -> None:
    assert_agreement(*sample)


@pytest.mark.parametrize("seed", range(4))
def test_packs_of_a_thousand(seed: int) -> None:
    for sample in random_pack(seed, 1000):
        assert_agreement(*sample)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_packs_of_five_thousand(seed: int) -> None:
    for sample in random_pack(seed, 5000):
        assert_agreement(*sample)


@pytest.mark.parametrize("chunk_rows", [1, 3])
def test_pieces_of_any_size(chunk_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces: conditions are looked up by value, keys are numbered piece by piece."""
    monkeypatch.setattr(marks, "CHUNK_ROWS", chunk_rows)
    monkeypatch.setattr(codes, "CHUNK_ROWS", chunk_rows)
    for sample in random_pack(1000 + chunk_rows, 150):
        assert_agreement(*sample)


def test_a_frame_in_several_chunks_is_the_same_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "CHUNK_ROWS", 5)  # pieces that reach over the chunks
    for journey, events, columns, now in random_pack(2000, 60):
        frame = to_frame(events, columns)
        chunks = pl.concat([frame.slice(at, 2) for at in range(0, max(1, len(events)), 2)], rechunk=False)
        whole, chunked = (replay(to_journey(journey), one, now=to_instant(now)) for one in (frame, chunks))
        assert chunked.summary == whole.summary
        assert chunked.promises.equals(whole.promises)
        assert chunked.cases.equals(whole.cases)
