"""A replay on Spark is a replay: the same rows from any log, whatever is in it and however it lies in files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import truenorth as tn
from agreement import to_frame, to_instant, to_journey
from strategies import random_pack
from truenorth import cluster
from truenorth.cli.app import app
from truenorth.cluster import people
from truenorth.identity import Statement, persons
from truenorth.logs import Log, read_log
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import TruenorthError, UnreadableLog

from .rows import assert_same, frame_of

ROOT = Path(__file__).parents[2]
DAY0 = datetime(2026, 1, 1, tzinfo=UTC)
JOURNEY_TEXT = """
truenorth: 1
journey: help
need: type = 'ask'
outcome: {achieved: type = 'done', within: 2d, holds_for: 1d, reopened: type = 'back', abandoned_after: 9d}
moments: type in ('ask', 'back')
promises:
  - {name: answered, after: type = 'ask', expect: type = 'work', within: 4h}
  - {name: cheap, at_most: 20, total: cost}
  - {name: no_bad_news, never: feeling < -0.5}
  - {name: plan_kept, before: type = 'done', require: plan = 2}
"""
JOURNEY = parse_journey(JOURNEY_TEXT)


def messy(n: int = 600, n_keys: int = 23) -> pl.DataFrame:
    """Rows in no order of time, with ties, second arrivals, nulls, and every way in which a row cannot be read."""
    numbers = range(n)
    return pl.DataFrame(
        {
            "id": [None if i % 41 == 0 else f"e{i % (n - 30)}" for i in numbers],
            "time": [None if i % 97 == 0 else DAY0 + timedelta(hours=(i * 7919) % 500) for i in numbers],
            "type": [("ask", "work", "back", "done", "note")[i * 31 % 5] for i in numbers],
            "case": [None if i % 53 == 0 else (i * i) % n_keys for i in numbers],
            "cost": [float("nan") if i % 71 == 0 else float("inf") if i % 73 == 0 else (i % 9) / 4 for i in numbers],
            "revenue": [Decimal(i % 5) / 2 if i % 3 else None for i in numbers],
            "feeling": [3.0 if i % 67 == 0 else ((i % 5) - 2) / 2 for i in numbers],
            "plan": [i % 3 for i in numbers],
            "actor": [("eve", "max", None)[i % 3] for i in numbers],
        },
        schema_overrides={"revenue": pl.Decimal(10, 2), "case": pl.Int32, "plan": pl.Int8},
    ).with_columns(
        pl.when(pl.int_range(pl.len()) % 89 == 5).then(datetime(2350, 1, 1, tzinfo=UTC)).otherwise("time").alias("time")
    )


def on_one_machine(path: Path, journey: tn.Journey = JOURNEY, **options: Any) -> tn.Replay:
    return tn.replay(journey, path, **options)


def test_any_journey_and_log(spark: Any) -> None:
    for mapping, events, columns, now in random_pack(77, 3):
        journey, log, at = to_journey(mapping), Log(to_frame(events, columns)), to_instant(now)
        found = cluster.replay(spark, cluster.deal(spark, log), journey, now=at, n_buckets=3)
        assert_same(found, tn.replay(journey, log, now=at))
        found.release()


def test_rows_that_cannot_be_read_and_second_arrivals(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    messy().write_parquet(path)
    expected, log = on_one_machine(path), read_log(path)
    assert min(expected.summary[name] for name in ("quarantined", "duplicates", "no_key", "before_need")) > 0
    found = cluster.replay(spark, str(path), JOURNEY, n_buckets=4)
    assert_same(found, expected)
    put_aside = frame_of(found.quarantine).sort("line")
    assert put_aside["line"].to_list() == log.quarantine["line"].to_list()
    assert [reason.split(" ")[0] for reason in put_aside["reason"]] == [
        reason.split(" ")[0] for reason in log.quarantine["reason"]
    ]
    found.release()


def test_as_of_an_instant_and_naive_times(spark: Any, tmp_path: Path) -> None:
    path, now = tmp_path / "log.parquet", DAY0 + timedelta(days=8, hours=3)
    messy().with_columns(pl.col("time").dt.replace_time_zone(None)).write_parquet(path)
    found = cluster.replay(spark, str(path), JOURNEY, now=now, n_buckets=2)
    assert_same(found, on_one_machine(path, now=now))
    found.release()


def test_files_of_a_folder_follow_each_other_by_path(spark: Any, tmp_path: Path) -> None:
    """Positions name events without ids and order events of one instant: they go on from file to file."""
    rows, parts = messy().drop("id").with_columns(pl.col("time").dt.truncate("1d")), tmp_path / "parts"
    parts.mkdir()
    for number, at in enumerate(range(0, rows.height, 130)):
        rows.slice(at, 130).write_parquet(parts / f"{number:04}.parquet", row_group_size=40)
    rows.write_parquet(tmp_path / "whole.parquet")
    found = cluster.replay(spark, str(parts), JOURNEY, n_buckets=3)
    assert_same(found, on_one_machine(tmp_path / "whole.parquet"))
    found.release()


def test_columns_that_lie_in_an_export_are_not_taken_for_null(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    whole = messy().with_columns(properties=pl.lit('{"plan":2}'), time=pl.col("time").fill_null(DAY0))
    whole.drop("plan").write_parquet(path)
    with pytest.raises(UnreadableLog, match=r"no plan, and JSON text in column 'properties'.*truenorth convert"):
        cluster.replay(spark, str(path), JOURNEY)
    whole.write_parquet(path)
    cluster.replay(spark, str(path), JOURNEY, n_buckets=1).release()


def test_money_that_mostly_is_none_becomes_a_property(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    messy().with_columns(cost=pl.lit(float("nan")), time=pl.col("time").fill_null(DAY0)).write_parquet(path)
    found = cluster.replay(spark, str(path), JOURNEY, n_buckets=1)
    assert_same(found, on_one_machine(path))
    found.release()
    with pytest.raises(UnreadableLog, match="cost: expected numbers"):
        cluster.replay(spark, cluster.read_parquet(spark, str(path), fields={"cost": "cost"}), JOURNEY)


def test_one_customer_with_most_events_and_many_without_one(spark: Any, tmp_path: Path) -> None:
    path, n = tmp_path / "log.parquet", 60_000
    rows = pl.DataFrame({"row": range(n)}).select(
        time=pl.lit(DAY0).cast(pl.Datetime("us", "UTC")) + pl.duration(seconds=pl.col("row") * 7 % 100_000),
        type=pl.Series(["ask", "work", "note", "back"]).gather(pl.Series(range(n)) % 4),
        customer=pl.when(pl.col("row") % 4 == 0).then(None).when(pl.col("row") % 50 == 1).then("row").otherwise(-1),
    )
    rows.write_parquet(path)
    found = cluster.replay(spark, str(path), JOURNEY, n_buckets=8)
    assert_same(found, on_one_machine(path))
    assert found.summary["no_key"] == n // 4
    found.release()


def test_an_empty_log(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    messy().clear().write_parquet(path)
    found = cluster.replay(spark, str(path), JOURNEY)
    assert_same(found, on_one_machine(path))


def test_ids_of_one_person(spark: Any, tmp_path: Path) -> None:
    said = [
        ("browser", None, None),
        ("ann", "browser", "anonymous"),
        ("ann@example.org", "ann", "alias"),
        ("bob", "browser", "anonymous"),
        ("bob", None, None),
        ("zoe", "tablet", "anonymous"),
    ]
    rows = pl.DataFrame(
        {
            "id": [f"e{n}" for n in range(60)],
            "time": [DAY0 + timedelta(hours=n) for n in range(60)],
            "type": [("ask", "work", "done")[n % 3] for n in range(60)],
            "customer": [said[n % 6][0] for n in range(60)],
            "other_id": [said[n % 6][1] for n in range(60)],
            "other_kind": [said[n % 6][2] for n in range(60)],
        }
    )
    rows.write_parquet(path := tmp_path / "log.parquet")
    with pytest.raises(TruenorthError, match="40 events that state another id"):
        cluster.replay(spark, str(path), JOURNEY)
    as_written = cluster.replay(spark, str(path), JOURNEY, identities="as-written", n_buckets=2)
    assert_same(as_written, on_one_machine(path))
    stated = rows.filter(pl.col("other_id").is_not_null()).select(
        "customer", "other_id", "other_kind", pl.col("time").dt.epoch(), pl.lit("").alias("source"), "id"
    )
    known = persons(Statement(*row) for row in stated.iter_rows())
    expected = tn.replay(JOURNEY, rows.with_columns(pl.col("customer").replace(known)))
    joined = cluster.replay(spark, str(path), JOURNEY, identities="joined", n_buckets=2)
    assert_same(joined, expected)
    assert joined.summary["cases"] != as_written.summary["cases"]


def test_too_many_statements_are_refused(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.DataFrame(
        {"time": [DAY0] * 9, "type": ["ask"] * 9, "customer": [f"c{n}" for n in range(9)], "other_id": ["x"] * 9}
    ).with_columns(other_kind=pl.lit("alias"))
    rows.write_parquet(path := tmp_path / "log.parquet")
    monkeypatch.setattr(people, "MAX_STATEMENTS", 8)
    with pytest.raises(TruenorthError, match="at most 8 different statements"):
        cluster.replay(spark, str(path), JOURNEY, identities="joined")


def test_what_would_have_to_be_guessed_is_an_error(spark: Any) -> None:
    rows = pl.DataFrame({"time": ["1 May"], "cost": ["1,5"], "case": [1.5], "type": ["ask"], "position": [1]})
    with pytest.raises(UnreadableLog) as refused:
        cluster.replay(spark, spark.createDataFrame(rows.to_arrow()), JOURNEY)
    assert {problem.path.split(": ")[1] for problem in refused.value.problems} == {"time", "cost", "case"}
    with pytest.raises(TruenorthError, match="tells the order of arrival"):
        cluster.replay(spark, spark.createDataFrame(rows.drop("position").to_arrow()), JOURNEY)


def test_a_condition_that_does_not_fit_is_told_before_anything_is_judged(spark: Any, tmp_path: Path) -> None:
    messy().write_parquet(path := tmp_path / "log.parquet")
    wrong = parse_journey("{truenorth: 1, journey: a, outcome: {achieved: plan = 'gold'}}")
    with pytest.raises(tn.InvalidJourney, match=r"outcome\.achieved"):
        cluster.replay(spark, str(path), wrong)


def test_the_command_writes_the_layout_of_a_replay(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(spark), "stop", lambda _session: None)  # the command works in this test's session
    journey, log, out = ROOT / "examples/support/journey.yaml", ROOT / "examples/support/log.csv", tmp_path / "out"
    call = ["replay", str(log), "-j", str(journey), "--on", "spark", "--master", "local[2]", "--out", str(out)]
    done = CliRunner().invoke(app, [*call, "--json"])
    assert done.exit_code == 0, done.output
    expected = tn.replay(journey, log)
    assert json.loads(done.stdout) | {"seconds": 0} == expected.summary | {"seconds": 0}
    assert json.loads((out / "summary.json").read_text()) == json.loads(done.stdout)
    for name, key in (("cases", ["case"]), ("promises", ["case", "promise", "instance"])):
        rows = pl.read_parquet(out / f"{name}.parquet/*.parquet").sort(key)
        assert rows.equals(getattr(expected, name).sort(key))
    assert pl.read_csv(out / "quarantine.csv/*.csv").height == expected.summary["quarantined"]


def test_results_that_are_lost_are_judged_again(spark: Any, tmp_path: Path) -> None:
    messy().write_parquet(path := tmp_path / "log.parquet")
    found = cluster.replay(spark, str(path), JOURNEY, n_buckets=3)
    found.release()
    assert_same(found, on_one_machine(path))
