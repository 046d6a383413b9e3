"""Laws of a disturbed log: nothing is lost, what was done is known, and what can be undone is undone."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import truenorth as tn
from simulate.making import frames, large
from truenorth.simulate.faults import LOSABLE, MOST_OVERTAKING, Disturbed, Faults, apply, counted, parse_faults
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import TruenorthError

RATES = st.sampled_from([0.0, 0.1, 0.5, 1.0])
SEEDS = st.integers(0, 2**63)
N_LARGE = 40_000
LAWS = settings(deadline=None)
REPLAYS = settings(deadline=None, max_examples=40)

JOURNEY = """\
truenorth: 1
journey: help
outcome: {achieved: type = 'Closed', reopened: type = 'Reopened', holds_for: 1d, within: 9d, abandoned_after: 12d}
promises:
  - {name: answered, after: type = 'Called', expect: type = 'Answered', within: 4h}
  - {name: no_ping_pong, at_most: 1, of: handover}
  - {name: kept_informed, expect: type = 'Answered', at_least_every: 2d}
  - {name: answered_first, before: type = 'Closed', require: type = 'Answered'}
  - {name: cheap, at_most: 30, total: cost}
"""


@st.composite
def faults(draw: st.DrawFn) -> Faults:
    return Faults(**{name: draw(RATES) for name in Faults.__struct_fields__})


def replayed(frame: pl.DataFrame) -> tn.Replay:
    with TemporaryDirectory() as folder:
        frame.write_parquet(f"{folder}/log.parquet")
        return tn.replay(parse_journey(JOURNEY), f"{folder}/log.parquet")


def first_arrivals(disturbed: Disturbed) -> pl.DataFrame:
    return disturbed.arrivals.filter(~disturbed.truth["duplicate"])


@LAWS
@given(frames(), SEEDS)
def test_without_faults_nothing_changes(frame: pl.DataFrame, seed: int) -> None:
    disturbed = apply(frame, Faults(), seed)
    assert_frame_equal(disturbed.arrivals, frame)
    assert disturbed.truth["row"].to_list() == list(range(frame.height))


@LAWS
@given(frames(), faults(), SEEDS)
def test_nothing_is_lost_and_nothing_unknown_arrives(frame: pl.DataFrame, rates: Faults, seed: int) -> None:
    arrivals, truth = apply(frame, rates, seed)
    assert arrivals.height == truth.height
    first = truth.filter(~pl.col("duplicate") & pl.col("row").is_not_null())
    assert sorted(first["row"]) == list(range(frame.height))
    real = truth["row"].is_not_null()
    keys = frame.select("source", "id")[truth.filter(real)["row"]]
    assert_frame_equal(arrivals.filter(real).select("source", "id"), keys)
    assert arrivals.filter(~real)["type"].unique().to_list() in ([], ["identify"])
    assert arrivals.select(pl.struct("source", "id").n_unique()).item() == truth.filter(~pl.col("duplicate")).height


@LAWS
@given(frames(), RATES, RATES, RATES, SEEDS)
def test_what_only_delays_and_repeats_can_be_undone(
    frame: pl.DataFrame, duplicates: float, disorder: float, lateness: float, seed: int
) -> None:
    disturbed = apply(frame, Faults(duplicates=duplicates, disorder=disorder, lateness=lateness), seed)
    rows = disturbed.truth.filter(~pl.col("duplicate"))["row"]
    restored = disturbed.arrivals.unique(["source", "id"], keep="first", maintain_order=True)
    assert_frame_equal(restored, first_arrivals(disturbed))
    restored = restored.with_columns(rows.alias("row")).sort("time", "row").select(frame.columns)
    assert_frame_equal(restored, frame)


@LAWS
@given(frames(), faults(), SEEDS)
def test_the_same_seed_gives_the_same(frame: pl.DataFrame, rates: Faults, seed: int) -> None:
    for one, other in zip(apply(frame, rates, seed), apply(frame, rates, seed), strict=True):
        assert_frame_equal(one, other)


@LAWS
@given(frames(), faults(), SEEDS)
def test_the_truth_undoes_every_change(frame: pl.DataFrame, rates: Faults, seed: int) -> None:
    arrivals, truth = apply(frame, rates, seed)
    real = truth["row"].is_not_null()
    arrivals, truth = arrivals.filter(real), truth.filter(real)
    original = frame[truth["row"]]
    assert truth["true_time"].equals(original["time"])
    assert truth["true_customer"].equals(original["customer"])
    assert arrivals["time"].to_physical().equals(original["time"].to_physical() + truth["skew_us"])
    for name in set(LOSABLE) & set(frame.columns) - {"customer"}:
        lost = truth["missing"].str.split(",").list.contains(name)
        assert original.filter(lost)[name].null_count() == 0
        assert arrivals[name].equals(pl.select(pl.when(~lost).then(original[name]).alias(name)).to_series())
    for name in ("type", "severity"):
        assert arrivals[name].equals(original[name])


@LAWS
@given(frames(), faults(), SEEDS)
def test_what_the_device_says_of_its_clock_tells_the_true_time(frame: pl.DataFrame, rates: Faults, seed: int) -> None:
    arrivals, truth = apply(frame, rates, seed)
    if rates.clock_skew:
        told = arrivals.select(pl.col("time") + (pl.col("received") - pl.col("sent_at"))).to_series()
        assert told.equals(truth["true_time"])
    if "received" in arrivals.columns:
        assert arrivals["received"].is_sorted()
        assert (arrivals["received"] >= truth["true_time"]).all()
        in_time = (truth["late_us"] == 0) & ~truth["held_back"] & ~truth["duplicate"]
        if not rates.disorder:
            assert arrivals.filter(in_time)["received"].equals(truth.filter(in_time)["true_time"])


@LAWS
@given(frames(), RATES, SEEDS)
def test_an_identify_event_comes_after_all_that_is_anonymous(frame: pl.DataFrame, rate: float, seed: int) -> None:
    arrivals, truth = apply(frame, Faults(identity=rate), seed)
    if not rate:
        return
    seen: dict[str, set[str]] = {}
    joined = {}
    rows = zip(arrivals.iter_rows(named=True), truth["row"], truth["true_customer"], strict=True)
    for event, row, customer in rows:
        if row is None:
            assert (event["type"], event["customer"]) == ("identify", customer)
            joined[event["anonymous_id"]] = customer
        elif event["anonymous_id"] is not None:
            assert event["customer"] == event["anonymous_id"] not in joined
            seen.setdefault(event["customer"], set()).add(customer)
        else:
            assert event["customer"] == customer
            assert customer not in {next(iter(known)) for known in seen.values()} - set(joined.values())
    assert {anonymous: {customer} for anonymous, customer in joined.items()} == seen


@REPLAYS
@given(frames(min_size=1), RATES, RATES, SEEDS)
def test_a_replay_sees_neither_duplicates_nor_disorder(
    frame: pl.DataFrame, duplicates: float, disorder: float, seed: int
) -> None:
    disturbed = apply(frame, Faults(duplicates=duplicates, disorder=disorder), seed).arrivals
    clean, seen = replayed(frame), replayed(disturbed)
    assert seen.summary["duplicates"] == disturbed.height - frame.height
    keys = ["case", "opened"]
    assert_frame_equal(seen.cases.sort(keys), clean.cases.sort(keys))
    keys = ["case", "promise", "instance"]
    assert_frame_equal(seen.promises.sort(keys), clean.promises.sort(keys))


@pytest.mark.parametrize(("name", "rate"), [(name, rate) for name in Faults.__struct_fields__ for rate in (0.02, 0.3)])
def test_rates_are_met(name: str, rate: float) -> None:
    frame = large(N_LARGE)
    truth = apply(frame, Faults(**{name: rate}), seed=11).truth
    happened, possible = COUNTED[name](frame, truth)
    error = (rate * (1 - rate) / possible) ** 0.5
    assert abs(happened / possible - rate) < 5 * error


COUNTED = {
    "duplicates": lambda frame, truth: (truth["duplicate"].sum(), frame.height),
    "disorder": lambda frame, truth: (truth["held_back"].sum(), frame.height),
    "lateness": lambda frame, truth: ((truth["late_us"] > 0).sum(), frame.height),
    "clock_skew": lambda frame, truth: (
        truth.filter(pl.col("skew_us") != 0)["true_customer"].drop_nulls().n_unique(),
        frame["customer"].drop_nulls().n_unique(),
    ),
    "missing": lambda frame, truth: (
        truth["missing"].str.split(",").list.contains("team").sum(),
        frame["team"].count(),
    ),
    "identity": lambda frame, truth: (
        truth["row"].null_count(),
        frame.drop_nulls("customer").group_by("customer").len().filter(pl.col("len") > 1).height,
    ),
}


@LAWS
@given(frames(), faults(), SEEDS)
def test_the_counts_are_those_of_the_truth(frame: pl.DataFrame, rates: Faults, seed: int) -> None:
    arrivals, truth = apply(frame, rates, seed)
    n = counted(truth)
    assert arrivals.height == frame.height + n["duplicates"] + n["identity"]
    assert {name for name, count in n.items() if count} <= {name for name in n if getattr(rates, name)}
    first = arrivals.with_columns(truth["row"]).filter(~truth["duplicate"] & truth["row"].is_not_null())
    lost = [name for name in LOSABLE if name in frame.columns]
    assert n["missing"] == sum(first[name].null_count() - frame[name].null_count() for name in lost)


def test_an_event_held_back_is_overtaken_by_few() -> None:
    truth = apply(large(N_LARGE), Faults(disorder=0.05), seed=3).truth
    moved = truth.with_row_index("at").filter("held_back")
    displaced = moved["at"].cast(pl.Int64) - moved["row"]
    assert len(displaced) > 0
    assert displaced.max() <= MOST_OVERTAKING
    assert (displaced >= 1).mean() > 0.95  # the rest only stand behind others that are held back longer
    assert truth.filter(~pl.col("held_back"))["row"].is_sorted()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("duplicates=2", "duplicates: expected a rate from 0 to 1, found 2.0"),
        ("duplicates=-0.1", "found -0.1"),
        ("duplicates=nan", "found nan"),
        ("duplicates", "found nothing"),
        ("disorder=much", "found much"),
        ("latness=0.1", "did you mean 'lateness'?"),
        ("skew=0.1", "clock_skew"),
    ],
)
def test_bad_rates_are_named(text: str, said: str) -> None:
    with pytest.raises(TruenorthError, match=said.replace("?", r"\?")):
        parse_faults(text)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(TruenorthError) as raised:
        parse_faults("duplicates=2,latness=0.1,disorder=x")
    assert len(raised.value.problems) == 3


def test_an_instant_of_arrival_that_is_known_counts() -> None:
    frame = large(100).with_columns((pl.col("time") + pl.duration(seconds=5)).alias("received"))
    disturbed = apply(frame, Faults(duplicates=0.5), seed=0)
    assert_frame_equal(first_arrivals(disturbed), frame)
    assert disturbed.arrivals["received"].is_sorted()


def test_events_without_ids_are_refused() -> None:
    with pytest.raises(TruenorthError, match="expected a column 'id'"):
        apply(large(100).drop("id"), Faults(), seed=0)
