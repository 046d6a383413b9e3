"""What adds up over buckets is what one machine finds; a sample has whole cases and says how many of how many."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import truenorth as tn
from truenorth import cluster
from truenorth.cluster.features import frame_of as rows_of
from truenorth.foresight.columns import blocks_of, columns_of
from truenorth.foresight.features import table_of_replay, vocabulary_of_replay
from truenorth.insight import event_types, moments
from truenorth.insight.concentration import concentration
from truenorth.logs import read_log
from truenorth.spec.problems import TruenorthError

from .rows import frame_of
from .test_spark_replay import ROOT

JOURNEY = ROOT / "examples/support/journey.yaml"
THREE = cluster.How(n_buckets=3)


@pytest.fixture(scope="module")
def log() -> tn.Log:
    return read_log(ROOT / "examples/support/log.csv", fields=tn.load_journey(JOURNEY).fields)


@pytest.fixture(scope="module")
def replayed(log: tn.Log) -> tn.Replay:
    return tn.replay(JOURNEY, log)


def test_types_of_events(spark: Any, log: tn.Log, replayed: tn.Replay) -> None:
    found = cluster.event_types(spark, cluster.deal(spark, log), tn.load_journey(JOURNEY), THREE)
    names = ["type", "n", "n_cases", "moments", "decisions", "internal"]
    assert found.sort("type").select(names).equals(event_types(replayed).sort("type").select(names))
    assert int(found["handovers"].sum()) == replayed.summary["handovers"]
    assert float(found["cost"].sum()) == pytest.approx(replayed.summary["cost"], rel=1e-12)


def test_which_moments_cause_which_work(spark: Any, log: tn.Log, replayed: tn.Replay) -> None:
    found = cluster.causal_flow(spark, cluster.deal(spark, log), tn.load_journey(JOURNEY), THREE)
    expected, by = moments(replayed).flow, ["moment", "kind", "type"]
    assert found.select(*by, "n").equals(expected.select(*by, "n"))
    assert (found["cost"] - expected["cost"]).abs().max() <= 1e-9  # whole cents, added up in another order


@pytest.mark.parametrize("measure", ["events", "failed", "customers", "cost"])
def test_how_much_comes_from_how_few(spark: Any, log: tn.Log, replayed: tn.Replay, measure: Any) -> None:
    dealt = cluster.deal(spark, log)
    found = cluster.concentration(spark, dealt, tn.load_journey(JOURNEY), "team", measure, THREE)
    expected = concentration(replayed, "team", measure)
    assert found.table["item"].to_list() == expected.table["item"].to_list()
    assert found.table["amount"].to_list() == pytest.approx(expected.table["amount"].to_list(), rel=1e-12)
    assert found.gini == pytest.approx(expected.gini, rel=1e-12)


def test_an_unknown_column_is_told(spark: Any, log: tn.Log) -> None:
    with pytest.raises(TruenorthError, match="--of"):
        cluster.concentration(spark, cluster.deal(spark, log), tn.load_journey(JOURNEY), "campain", how=THREE)


def test_a_sample_has_whole_cases_of_every_outcome(spark: Any, log: tn.Log, replayed: tn.Replay) -> None:
    journey = tn.load_journey(JOURNEY)
    dealt = cluster.deal(spark, log)
    drawn = cluster.sample(spark, dealt, journey, share=0.3, seed=4, how=THREE)
    assert drawn.there == replayed.summary["outcome"]  # in this log each key has one case
    assert all(abs(drawn.drawn[name] - 0.3 * n) < 3 for name, n in drawn.there.items())  # each of three buckets rounds
    again = tn.replay(journey, drawn.log, now=replayed.watermark)
    assert {name: n for name, n in again.summary["outcome"].items() if n} == {k: n for k, n in drawn.drawn.items() if n}
    mine = pl.col("case").is_in(again.cases["case"].implode())
    assert again.cases.equals(replayed.cases.filter(mine))
    assert again.promises.equals(replayed.promises.filter(mine))
    assert cluster.sample(spark, dealt, journey, share=0.3, seed=4, how=THREE).log.events.equals(drawn.log.events)


def test_a_sample_of_all_is_all(spark: Any, log: tn.Log) -> None:
    everything = cluster.sample(spark, cluster.deal(spark, log), tn.load_journey(JOURNEY), share=1.0, how=THREE)
    assert everything.log.events.select("id").equals(log.events.filter(pl.col("case").is_not_null()).select("id"))
    assert everything.drawn == everything.there


def test_features_are_those_of_one_machine_but_for_what_other_buckets_know(
    spark: Any, log: tn.Log, replayed: tn.Replay
) -> None:
    journey = tn.load_journey(JOURNEY)
    vocabulary = vocabulary_of_replay(journey, replayed)
    found = frame_of(cluster.features(spark, cluster.deal(spark, log), journey, vocabulary, THREE))
    expected = rows_of(table_of_replay(journey, replayed, vocabulary), vocabulary, frozenset({"load", "earlier"}))
    by = ["case", "time", "prefix"]
    assert found.sort(by).equals(expected.sort(by))
    left_out = {one.name for block, some in blocks_of(vocabulary) if block in {"load", "earlier"} for one in some}
    built = {one.name for one in columns_of(vocabulary)} & set(found.columns)
    assert (built | left_out, built & left_out) == ({one.name for one in columns_of(vocabulary)}, set())
