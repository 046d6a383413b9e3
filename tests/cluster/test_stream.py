"""Files that arrive in random pieces, judged by a stream that ends and goes on, come to what a replay comes to."""

from __future__ import annotations

import json
import random  # noqa: TID251 (seeded)
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import truenorth as tn
from server.test_signals import folded
from truenorth.cluster.stream.arrivals import RAW, kafka_options, of_messages, read_folder
from truenorth.cluster.stream.judging import Batch, Pace, judge_stream
from truenorth.cluster.stream.sinks import FilesSink, StoreSink, read_tables
from truenorth.spec.problems import TruenorthError, UnreadableLog
from truenorth.store.opening import Store, open_store

from .rows import KEYS

EXAMPLE = Path(__file__).parents[2] / "examples" / "support"
JOURNEY = tn.load_journey(EXAMPLE / "journey.yaml")
PACE = Pace(lateness_us=0, n_buckets=2)


def example(n_rows: int) -> pl.DataFrame:
    """The first events of the example log, in an order that is not that of time."""
    frame = tn.read_log(EXAMPLE / "log.csv").events.head(n_rows)
    return frame.sample(fraction=1.0, shuffle=True, seed=5)


def arrive(folder: Path, rows: pl.DataFrame, chance: random.Random, first: int = 0) -> int:
    """Files of random sizes; the number of the next one."""
    folder.mkdir(exist_ok=True)
    while rows.height:
        n = chance.randint(100, 400)
        hidden = folder / ".arriving"
        rows.head(n).write_parquet(hidden)
        hidden.rename(folder / f"{first:05}.parquet")
        rows, first = rows.slice(n), first + 1
    return first


def to_all(*sinks: Callable[[Batch], object]) -> Callable[[Batch], object]:
    return lambda batch: [sink(batch) for sink in sinks]


def run(spark: Any, folder: Path, sink: Any, pace: Pace = PACE) -> None:
    source = read_folder(spark, str(folder), most_files=2)
    judge_stream(source, JOURNEY, sink, str(folder.parent / "checkpoint"), pace).awaitTermination()


def assert_is_a_replay(folder: Path, out: Path, store: Store) -> None:
    expected, tables = tn.replay(JOURNEY, str(folder)), read_tables(out, JOURNEY)
    for what, order in KEYS.items():
        wanted = getattr(expected, what)
        assert tables.frame(what).sort(order).equals(wanted.sort(order)), what  # type: ignore[arg-type]
    outcomes = dict(expected.cases.select("case", "outcome").rows())
    assert {row.case: row.outcome for row in store.results.cases(JOURNEY.name, limit=10_000)} == outcomes
    verdicts, told = folded(list(store.signals.read(limit=100_000)))
    assert told == {case: outcome for case, outcome in outcomes.items() if outcome != "open"}
    wanted_verdicts = expected.promises.filter(pl.col("verdict") != "open")
    assert verdicts == {
        (case, promise, instance): verdict
        for case, promise, instance, verdict in wanted_verdicts.select("case", "promise", "instance", "verdict").rows()
    }


def test_a_stream_that_ends_and_goes_on_is_a_replay(spark: Any, tmp_path: Path) -> None:
    chance, rows, folder, out = random.Random(3), example(1_200), tmp_path / "in", tmp_path / "out"
    bad = rows.head(3).with_columns(
        id=pl.Series([None, "bad-1", "bad-2"]), time=pl.when(pl.int_range(3) == 1).then(None).otherwise("time")
    )
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        sink = to_all(FilesSink(out, JOURNEY), StoreSink(store, JOURNEY))
        number = arrive(folder, pl.concat([rows.head(700), bad.head(2)]), chance)
        run(spark, folder, sink)
        number = arrive(folder, pl.concat([rows.slice(650), rows.head(20)]), chance, number)  # some come again
        run(spark, folder, sink)
        for path in folder.iterdir():  # a replay numbers events without an id, a stream puts them aside
            pl.read_parquet(path).filter(pl.col("id").is_not_null() & pl.col("time").is_not_null()).write_parquet(path)
        assert_is_a_replay(folder, out, store)
    aside = [json.loads(line) for path in sorted((out / "aside").iterdir()) for line in path.read_text().splitlines()]
    assert [one["reason"] for one in aside] == ["id is missing", "time is missing"]


def test_a_batch_that_comes_again_counts_once(spark: Any, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    arrive(folder, example(400), random.Random(1))
    batches: list[Batch] = []
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        files, rows = FilesSink(out, JOURNEY), StoreSink(store, JOURNEY)
        run(spark, folder, to_all(batches.append, files, rows, files, rows))
        assert_is_a_replay(folder, out, store)
        progress, last = store.results.progress(JOURNEY.name), store.signals.last_number()
        rows(batches[-1])
        assert (store.results.progress(JOURNEY.name), store.signals.last_number()) == (progress, last)
    assert progress.n_events == 400


def test_events_that_state_identities_are_put_aside_unless_taken_as_written(spark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    stated = pl.when(pl.int_range(150) < 2).then(pl.lit("x"))
    arrive(folder, example(150).with_columns(other_id=stated, other_kind=pl.lit("alias")), random.Random(1))
    batches: list[Batch] = []
    run(spark, folder, batches.append)
    reasons = [one.reason for batch in batches for one in batch.aside]
    assert len(reasons) == 2
    assert all("joins nobody" in reason for reason in reasons)
    taken: list[Batch] = []
    judge_stream(
        read_folder(spark, str(folder)), JOURNEY, taken.append, str(tmp_path / "other"), PACE._replace(as_written=True)
    ).awaitTermination()
    assert sum(told.n_events for batch in taken for told in batch.told) == 150


def test_what_cannot_be_streamed_says_so(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TruenorthError, match="a folder with a Parquet file"):
        read_folder(spark, str(tmp_path / "empty"))
    arrive(tmp_path / "in", example(10).drop("id"), random.Random(1))
    with pytest.raises(UnreadableLog, match="known by their ids"):
        judge_stream(read_folder(spark, str(tmp_path / "in")), JOURNEY, print, str(tmp_path / "cp"))


def test_messages_of_kafka_become_events(spark: Any) -> None:
    event = {
        "id": "e1", "source": "shop", "type": "asked", "time": "2026-03-01T10:00:00.123456Z", "case": "T1",
        "cost": 2.5, "properties": {"amount": 7.5, "other_id": "a9"},
    }  # fmt: skip
    sent = {**event, "id": "e2", "properties": {"properties": {"amount": 3.5}}}  # as a client's event is exported
    rows = [(json.dumps(event).encode(), 0, 12), (b"not JSON", 1, 3), (json.dumps(sent).encode(), 0, 13)]
    messages = spark.createDataFrame(rows, "value binary, partition int, offset long")
    source = of_messages(messages, "kafka events", {"amount": "double"})
    client, good, bad = source.frame.orderBy("offset", ascending=False).collect()
    assert (good["id"], good["type"], good["case"], good["cost"], good["amount"]) == ("e1", "asked", "T1", 2.5, 7.5)
    assert (client["id"], client["amount"], client["other_id"]) == ("e2", 3.5, None)
    assert (good["other_id"], good[RAW]) == ("a9", None)
    assert good["time"].microsecond == 123456
    assert (bad["time"], bad[RAW]) == (None, "not JSON")
    assert kafka_options("k:9092", "events", {"subscribe": "other"})["subscribe"] == "events"
