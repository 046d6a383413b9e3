"""Laws that hold for every journey and log, on made-up ones."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from weakref import ref

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from agreement import plain, run_kernel
from strategies import random_pack
from truenorth.engine import kernel
from truenorth.engine.replay import Replay

SEEDS = range(3)
N_SAMPLES = 150
WEEK_US = 7 * 24 * 3_600_000_000


def rows_of(replay: Replay) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return plain(replay.cases), plain(replay.promises)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verdict_never_changes_on_a_longer_log(seed: int) -> None:
    for journey, events, columns, _ in random_pack(seed, N_SAMPLES):
        if not events:
            continue
        times = sorted(event["time"] for event in events)
        early = run_kernel(journey, events, columns, times[len(times) // 2])
        late = run_kernel(journey, events, columns, times[-1] + WEEK_US)
        final = [row for row in plain(late.promises) if row["verdict"] != "open"]
        assert all(row in final for row in plain(early.promises) if row["verdict"] != "open")
        outcomes = {row["case"]: (row["outcome"], row["reason"], row["outcome_time"]) for row in plain(late.cases)}
        for row in plain(early.cases):
            if row["outcome"] != "open":
                assert outcomes[row["case"]] == (row["outcome"], row["reason"], row["outcome_time"])


def shifted(rows: list[dict[str, Any]], by_us: int) -> list[dict[str, Any]]:
    instants = {"opened", "resolved", "closed", "outcome_time", "started", "due", "decided"}
    return [{key: n + by_us if key in instants and n is not None else n for key, n in row.items()} for row in rows]


@pytest.mark.parametrize("seed", SEEDS)
def test_shifting_every_instant_shifts_nothing_else(seed: int) -> None:
    n_compared = 0
    for journey, events, columns, now in random_pack(seed, N_SAMPLES):
        if journey.get("calendars") or "time" in str(journey):  # calendars and literal instants stand still
            continue
        n_compared += 1
        later = [{**event, "time": event["time"] + WEEK_US} for event in events]
        moved = run_kernel(journey, later, columns, None if now is None else now + WEEK_US)
        still = run_kernel(journey, events, columns, now)
        assert rows_of(moved) == tuple(shifted(rows, WEEK_US) for rows in rows_of(still))
    assert n_compared > N_SAMPLES // 10


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_arrival_changes_nothing_but_ties(seed: int) -> None:
    for journey, events, columns, now in random_pack(seed, N_SAMPLES):
        by_time = sorted(events, key=lambda event: event["time"])  # stable: ties keep their order of arrival
        cases, promises = rows_of(run_kernel(journey, events, columns, now))
        sorted_cases, sorted_promises = rows_of(run_kernel(journey, by_time, columns, now))
        in_order = sorted(cases, key=lambda row: row["case"])
        assert in_order == sorted(sorted_cases, key=lambda row: row["case"])
        assert sorted(map(str, promises)) == sorted(map(str, sorted_promises))


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_are_the_same_once_all_tables_are_held(seed: int) -> None:
    for journey, events, columns, now in random_pack(seed, N_SAMPLES // 10):
        replay = run_kernel(journey, events, columns, now)
        run = ref(replay._run)
        cases, promises = pl.concat(replay.case_parts()), pl.concat(replay.promise_parts())
        assert_frame_equal(replay.promises, promises)
        n_events = replay.events.height
        assert run() is not None
        assert_frame_equal(replay.cases, cases)
        assert run() is None  # the log as numbers is let go
        assert_frame_equal(pl.concat(replay.case_parts()), cases)
        assert_frame_equal(pl.concat(replay.promise_parts()), promises)
        assert sum(replay.events_of(case).height for case in cases["case"]) == n_events


def in_batches(replay: Replay, n_batches: int) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """The step fed piece by piece, each case in its own slot, settled at the end: as a live service does."""
    run = replay._run
    n_keys, n_promises = len(run.starts) - 1, len(replay.journey.promises)
    state = np.zeros(n_keys, kernel.CASE), np.zeros((n_keys, n_promises), kernel.PROMISE)
    n_rows = len(run.events.log) * (n_promises + 2) + 64
    written = kernel.Written(
        np.zeros(n_rows, kernel.CASE),
        np.zeros(n_rows * 2, kernel.VERDICT),
        np.zeros(2, np.int64),
        np.zeros(3, np.int64),
        np.zeros(0, np.int32),
    )
    watermark_us = int(run.events.log["time_us"].max())
    cuts = np.linspace(run.events.log["time_us"].min() - 1, watermark_us, n_batches + 1)
    for first_us, last_us in pairwise(cuts):
        runs = []
        for key in range(n_keys):
            times = run.events.log["time_us"][run.starts[key] : run.starts[key + 1]]
            span = run.starts[key] + np.searchsorted(times, [first_us, last_us], side="right")
            runs.append((key, key, *span))
        settles = last_us == cuts[-1]
        at = np.array([0, kernel.NOTHING])
        assert kernel.step(run.tables, *state, np.array(runs), run.events, written, at, watermark_us, settles)
    return written.cases[: written.n[0]], written.verdicts[: written.n[1]]


def as_sets(rows: NDArray[np.void], names: tuple[str, ...]) -> set[tuple[Any, ...]]:
    return {tuple(row[name].item() for name in names) for row in rows}


@pytest.mark.parametrize("seed", SEEDS)
def test_batching_changes_nothing(seed: int) -> None:
    case_fields = tuple(name for name in kernel.CASE.names or () if name not in {"next_due", "last", "team", "phase"})
    for sample in random_pack(seed, N_SAMPLES):
        journey, events, columns, _ = sample
        whole = run_kernel(journey, events, columns, None)
        if not len(whole._run.events.log):
            continue
        no_key_last = whole._run.events.log["time_us"].max() < max(event["time"] for event in events)
        if no_key_last:  # the batches end with the last event that has a key
            continue
        for n_batches in (1, 2, 7):
            cases, verdicts = in_batches(whole, n_batches)
            parts = list(whole._run.judge(lambda part: (part.cases.copy(), part.verdicts.copy())))
            of_cases, of_verdicts = zip(*parts, strict=True)
            assert as_sets(cases, case_fields) == as_sets(np.concatenate(of_cases), case_fields)
            fields = kernel.VERDICT.names or ()
            assert as_sets(verdicts, fields) == as_sets(np.concatenate(of_verdicts), fields)


def test_a_case_with_more_verdicts_than_room_is_judged_all_the_same() -> None:
    journey = {
        "truenorth": 1,
        "journey": "long",
        "promises": [{"name": "often", "expect": "type = 'a'", "at_least_every": "1h"}],
    }
    events = [{"id": str(n), "time": n, "case": "only", "type": "a"} for n in range(5000)]
    replayed = run_kernel(journey, events, {"id", "time", "case", "type"}, None)
    assert replayed.summary["promises"]["often"] == {"kept": 4999, "broken": 0, "lapsed": 0, "open": 1}
    assert replayed.promises["instance"].to_list() == list(range(1, 5001))


def test_the_step_is_compiled_once_whatever_the_journey() -> None:
    for journey, events, columns, now in random_pack(0, 30):
        run_kernel(journey, events, columns, now)
    assert len(kernel.step.signatures) == 1
