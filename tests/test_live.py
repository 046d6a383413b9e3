"""Live equals replay: whatever the order of arrival, the batches and the watermarks on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from agreement import run_kernel, to_frame, to_journey
from strategies import random_pack
from truenorth.engine import kernel
from truenorth.engine.live import CHUNK_SLOTS, POSITION, Codes, Live, Moves
from truenorth.engine.replay import Replay

N_SAMPLES = 40
NOT_SHOWN = {"key", "next_due", "last", "team", "phase", "customer", "within_due", "hold_due"}
CASE_FIELDS = tuple(name for name in kernel.CASE.names or () if name not in NOT_SHOWN)
VERDICT_FIELDS = tuple(name for name in kernel.VERDICT.names or () if name != "key")


class Books:
    """What a store would hold: the newest row of each case and of each instance of a promise."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.cases: dict[tuple[str, int], tuple[Any, ...]] = {}
        self.verdicts: dict[tuple[str, int, int, int], tuple[Any, ...]] = {}

    def strike_out(self, keys: set[str]) -> None:
        self.cases = {at: row for at, row in self.cases.items() if at[0] not in keys}
        self.verdicts = {at: row for at, row in self.verdicts.items() if at[0] not in keys}

    def enter(self, moves: Moves) -> None:
        customers = self.live.customers
        for key, row in zip(self.live.keys(moves.cases["key"]), moves.cases, strict=True):
            who = customers[int(row["customer"])] if row["customer"] >= 0 else None
            self.cases[key, int(row["episode"])] = (*(row[name].item() for name in CASE_FIELDS), who)
        for key, row in zip(self.live.keys(moves.verdicts["key"]), moves.verdicts, strict=True):
            at = key, int(row["episode"]), int(row["promise"]), int(row["instance"])
            self.verdicts[at] = tuple(row[name].item() for name in VERDICT_FIELDS)


def expected_books(whole: Replay) -> tuple[dict[Any, Any], dict[Any, Any]]:
    run = whole._run
    cases: dict[Any, Any] = {}
    verdicts: dict[Any, Any] = {}
    for of_cases, of_verdicts in run.judge(lambda part: (part.cases.copy(), part.verdicts.copy())):
        for row in of_cases:
            who = run.customer.values[int(row["customer"])] if row["customer"] >= 0 else None
            at = run.key.values[int(row["key"])], int(row["episode"])
            cases[at] = (*(row[name].item() for name in CASE_FIELDS), who)
        for row in of_verdicts:
            at = run.key.values[int(row["key"])], int(row["episode"]), int(row["promise"]), int(row["instance"])
            verdicts[at] = tuple(row[name].item() for name in VERDICT_FIELDS)
    return cases, verdicts


def restarted(live: Live) -> Live:
    again = Live(live.journey, live.columns)
    for chunk in range(-(-live.n_slots // CHUNK_SLOTS)):
        again.unpack(live.pack(chunk))
    return again


def play(live: Live, frame: pl.DataFrame, rng: np.random.Generator, last_us: int) -> Books:
    """Events arrive by position, in batches of any size; the watermark rises by any steps, also past what comes."""
    books, n_seen, watermark_us = Books(live), 0, int(frame["time"].to_physical().min())
    while n_seen < frame.height:
        batch = frame.slice(n_seen, int(rng.integers(1, max(1, frame.height // 3), endpoint=True)))
        n_seen += batch.height
        watermark_us = int(rng.integers(watermark_us, last_us, endpoint=True)) if n_seen < frame.height else last_us
        late = live.late(batch)
        books.enter(live.take(batch.filter(~late), watermark_us))
        if rng.random() < 0.2:
            live = books.live = restarted(live)
        if late.any():
            keys = set(batch.filter(late)[live.key_column])
            books.strike_out(keys)
            history = frame.head(n_seen).filter(pl.col(live.key_column).is_in(list(keys)))
            live.forget(live.slots_of(sorted(keys)))
            books.enter(live.take(history, watermark_us))
    return books


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(n, marks=pytest.mark.slow) for n in range(4, 100))])
def test_live_equals_replay_whatever_the_arrival(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_late = 0
    for journey, events, columns, _ in random_pack(seed, N_SAMPLES):
        if not events or ("case" not in columns and "customer" not in columns):
            continue
        rng.shuffle(events)
        frame = to_frame(events, columns)
        last_us = max(event["time"] for event in events)
        whole = run_kernel(journey, events, columns, None)
        live = Live(to_journey(journey), frame.schema)
        books = play(live, frame.with_columns(pl.int_range(pl.len()).alias(POSITION)), rng, last_us)
        cases, verdicts = expected_books(whole)
        assert books.cases == cases
        assert books.verdicts == verdicts
        assert books.live.ignored().tolist() == [whole.summary["before_need"], whole.summary["after_close"]]
        n_late += len(events)
    assert n_late > N_SAMPLES


def test_what_is_due_is_told_and_passes_without_an_event() -> None:
    journey = {
        "truenorth": 1,
        "journey": "tea",
        "need": "type = 'asked'",
        "outcome": {"achieved": "type = 'served'", "abandoned_after": "1d"},
        "promises": [{"name": "soon", "after": "type = 'asked'", "expect": "type = 'served'", "within": "1h"}],
    }
    columns = {"id", "time", "case", "type"}
    frame = to_frame([{"id": "1", "time": 0, "case": "a", "type": "asked"}], columns)
    live = Live(to_journey(journey), frame.schema)
    hour_us = 3_600_000_000
    assert live.next_due_us() == kernel.NEVER
    asked = live.take(frame.with_columns(pl.lit(1, pl.Int64).alias(POSITION)), 0)
    assert asked.verdicts["verdict"].tolist() == [kernel.OPEN]
    assert live.next_due_us() == hour_us
    nothing = frame.clear().with_columns(pl.lit(1, pl.Int64).alias(POSITION))
    broken = live.take(nothing, hour_us)
    assert broken.verdicts["verdict"].tolist() == [kernel.BROKEN]
    assert len(live.take(nothing, hour_us + 1).cases) == 0
    assert live.next_due_us() == 24 * hour_us
    silent = live.take(nothing, 24 * hour_us)
    assert silent.cases["outcome"].tolist() == [kernel.ABANDONED]
    assert live.next_due_us() == kernel.NEVER


def test_a_key_that_stands_in_two_packed_chunks_has_one_number() -> None:
    """It was given up and came back elsewhere after the first of them was packed."""
    codes = Codes()
    codes.place(["a", "b"])
    slots, twice = codes.place(["b", "c"])
    assert (slots.tolist(), twice) == ([2, 3], [1])
    assert codes.held(0, 4) == ["a", None, "b", "c"]
    codes.give_up([0, 2, 3])
    assert codes.n_used == 0
