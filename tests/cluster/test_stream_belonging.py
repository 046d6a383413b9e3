"""A checkpoint is gone on with by what it was begun with, and by nothing else."""

from __future__ import annotations

import os
import random  # noqa: TID251 (seeded)
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

import truenorth as tn
from truenorth.cluster.bucket import Work
from truenorth.cluster.stream.arrivals import read_folder
from truenorth.cluster.stream.belonging import FOLDER, belonging, check_places, claim
from truenorth.cluster.stream.bucket import StreamWork, Told
from truenorth.cluster.stream.judging import Batch, judge_stream
from truenorth.cluster.stream.sinks import FilesSink, StoreSink
from truenorth.logs.mapping import Plan
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import open_store

from .test_stream import EXAMPLE, JOURNEY, PACE, arrive, example

TEXT = "{truenorth: 1, journey: a, title: T, outcome: {achieved: type = 'x', within: 2d}, promises: [%s]}"
SAY = """
import sys
import truenorth as tn
from truenorth.cluster.bucket import Work
from truenorth.cluster.stream.belonging import belonging
from truenorth.cluster.stream.bucket import StreamWork
from truenorth.logs.mapping import Plan
work = Work(tn.load_journey(sys.argv[1]), Plan({}, {}, frozenset()), (), None)
print(belonging(StreamWork(work, {}, 0), 8))
"""
PROMISE = "{name: p, never: type = 'y'}"


def work_of(journey: tn.Journey, **columns: pl.DataType) -> StreamWork:
    return StreamWork(Work(journey, Plan({}, {}, frozenset()), (), None), {"type": pl.String(), **columns}, 0)


def test_rules_columns_and_buckets_belong_to_it_and_words_do_not() -> None:
    journey = parse_journey(TEXT % PROMISE)
    mine = belonging(work_of(journey), 8)
    assert mine == belonging(work_of(parse_journey((TEXT % PROMISE).replace("title: T", "title: Other"))), 8)
    assert mine == msgspec.structs.replace(belonging(work_of(journey), 3), buckets=8)
    others = [
        belonging(work_of(parse_journey(TEXT % "")), 8),
        belonging(work_of(parse_journey((TEXT % PROMISE).replace("2d", "3d"))), 8),
        belonging(work_of(journey, plan=pl.Int64()), 8),
        belonging(work_of(journey), 9),
    ]
    assert mine not in others


def test_another_process_belongs_to_it_as_well() -> None:
    """Sets have another order in each process: holidays of calendars are one."""
    said = [
        subprocess.run(
            [sys.executable, "-c", SAY, str(EXAMPLE / "journey.yaml")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] != ""


def test_a_checkpoint_begun_otherwise_is_refused(spark: Any, tmp_path: Path) -> None:
    checkpoint = str(tmp_path / "checkpoint")
    journey = parse_journey(TEXT % PROMISE)
    mine = belonging(work_of(journey), 8)
    claim(spark, checkpoint, mine)
    claim(spark, checkpoint, mine)
    other = belonging(work_of(parse_journey(TEXT % ""), plan=pl.Int64()), 9)
    with pytest.raises(TruenorthError) as refused:
        claim(spark, checkpoint, other)
    assert [problem.path.rpartition(" ")[2] for problem in refused.value.problems] == ["journey", "columns", "buckets"]
    claim(spark, checkpoint, mine)  # a refusal has changed nothing


def test_a_new_checkpoint_does_not_go_on_with_the_results_of_another(spark: Any, tmp_path: Path) -> None:
    """A place would take its first batches for ones that it has."""
    batch = Batch(0, [Told(n_events=1)], [])
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        files, rows = FilesSink(tmp_path / "out", JOURNEY), StoreSink(store, JOURNEY)
        assert (files.is_filled, rows.is_filled) == (False, False)
        files(batch)
        rows(batch)
        filled = {"--out": files.is_filled, "--db": rows.is_filled, "--signals-to": False}
    with pytest.raises(TruenorthError) as refused:
        check_places(spark, str(tmp_path / "new"), filled)
    assert [problem.path for problem in refused.value.problems] == ["--out", "--db"]
    claim(spark, str(tmp_path / "begun"), belonging(work_of(JOURNEY), 2))
    check_places(spark, str(tmp_path / "begun"), filled)
    check_places(spark, str(tmp_path / "new"), dict.fromkeys(filled, False))


def test_a_note_that_was_cut_off_is_written_again(spark: Any, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    mine = belonging(work_of(parse_journey(TEXT % PROMISE)), 8)
    claim(spark, str(tmp_path), mine)
    with pytest.raises(TruenorthError, match="buckets: expected 8, found 9"):
        claim(spark, str(tmp_path), msgspec.structs.replace(mine, buckets=9))


def test_a_stream_with_other_buckets_does_not_begin(spark: Any, tmp_path: Path) -> None:
    """Cases would be dealt to buckets that know nothing of them."""
    arrive(tmp_path / "in", example(10), random.Random(1))
    source, checkpoint = read_folder(spark, str(tmp_path / "in")), str(tmp_path / "checkpoint")
    query = judge_stream(source, JOURNEY, print, checkpoint, PACE._replace(every_s=600.0))
    query.stop()
    with pytest.raises(TruenorthError, match="buckets: expected 2, found 3"):
        judge_stream(source, JOURNEY, print, checkpoint, PACE._replace(n_buckets=3))
