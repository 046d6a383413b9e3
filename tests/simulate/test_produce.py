"""What is ordered of a company is what comes: its file, its faults, its truth, its stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import truenorth as tn
from simulate.making import large
from simulate.test_stream import KEY, Present, receiver
from truenorth.simulate.faults import Faults, apply
from truenorth.simulate.produce import Order, Produced, Receiver, produce
from truenorth.spec.problems import TruenorthError

N_EVENTS = 900
SEED = 3
TRUTH = {"causes": [{"name": "late", "causal": True}]}


class Company:
    """Stands for a simulated company: the same events every time."""

    def __init__(self) -> None:
        journeys = pl.when(pl.col("severity") > 1).then(pl.lit("help")).otherwise(pl.lit("move"))
        self.frame = large(N_EVENTS).with_columns(journeys.alias("journey"))

    def run(self, on_progress: object = None) -> Company:
        return self

    def events(self) -> pl.DataFrame:
        return self.frame

    def parts(self, rows_per_part: int) -> Iterator[pl.DataFrame]:
        assert rows_per_part > 0
        return self.frame.iter_slices(100)

    @property
    def n_events(self) -> int:
        return self.frame.height


def made(order: Order) -> Produced:
    shares: list[float] = []
    tell = lambda _stage, share: shares.append(share)  # noqa: E731
    produced = produce(Company(), order, SEED, truth_of=lambda _: TRUTH, clock=Present(), on_progress=tell)
    assert all(0 <= share <= 1 for share in shares)
    return produced


def test_a_file(tmp_path: Path) -> None:
    out = tmp_path / "log.parquet"
    produced = made(Order(out=out))
    assert (produced.n_events, produced.n_arrivals, produced.written) == (N_EVENTS, N_EVENTS, (out,))
    assert not any(produced.faults.values())
    assert_frame_equal(pl.read_parquet(out), Company().frame)


def test_one_journey_alone(tmp_path: Path) -> None:
    out = tmp_path / "log.parquet"
    help_alone = Company().frame.filter(pl.col("journey") == "help")
    assert made(Order(out=out, journey="help")).n_events == help_alone.height < N_EVENTS
    assert_frame_equal(pl.read_parquet(out), help_alone)
    produced = made(Order(out=out, journey="help", faults=Faults(disorder=0.5)))
    assert produced.n_events == help_alone.height
    assert_frame_equal(pl.read_parquet(out).sort("time", "id"), help_alone.sort("time", "id"))


def test_faults_and_what_was_done(tmp_path: Path) -> None:
    faults = Faults(duplicates=0.1, disorder=0.1, lateness=0.1, clock_skew=0.1, missing=0.1, identity=0.5)
    out, truth = tmp_path / "log.parquet", tmp_path / "truth.json"
    produced = made(Order(out=out, truth=truth, faults=faults))
    disturbed = apply(Company().frame, faults, SEED)
    assert produced.written == (out, truth, tmp_path / "truth.faults.parquet")
    assert_frame_equal(pl.read_parquet(out), disturbed.arrivals)
    assert_frame_equal(pl.read_parquet(produced.written[2]), disturbed.truth)
    assert json.loads(truth.read_text()) == TRUTH
    assert produced.n_events == N_EVENTS < produced.n_arrivals == disturbed.arrivals.height
    assert all(produced.faults.values())
    log = tn.read_log(out)
    assert log.n_duplicates == produced.faults["duplicates"]
    assert log.n_events == N_EVENTS + produced.faults["identity"]


def test_truth_without_faults_is_one_file(tmp_path: Path) -> None:
    produced = made(Order(out=tmp_path / "log.csv", truth=tmp_path / "truth.json"))
    assert sorted(tmp_path.iterdir()) == sorted(produced.written)


def test_a_stream(tmp_path: Path) -> None:
    with receiver() as server:
        to = Receiver(url=server.url, write_key=KEY, speed=float("inf"))
        produced = made(Order(to=to, out=tmp_path / "log.csv", faults=Faults(duplicates=0.2)))
    assert produced.streamed is not None
    assert produced.streamed.n_delivered == produced.n_arrivals == len(server.taken) > N_EVENTS
    assert [message["messageId"] for message in server.taken] == pl.read_csv(tmp_path / "log.csv")["id"].to_list()


def test_all_that_cannot_be_had_is_said_before_anything_is_done(tmp_path: Path) -> None:
    to = Receiver(url="http://127.0.0.1:1", write_key=KEY, speed=0)
    with pytest.raises(TruenorthError) as raised:
        Order(to=to, out=tmp_path / "log.docx", truth=tmp_path / "none" / "t.json", faults=Faults(clock_skew=0.1))
    places = [problem.path.removeprefix(str(tmp_path)) for problem in raised.value.problems]
    assert places == ["speed", "faults", "/log.docx", "/none"]
    with pytest.raises(TruenorthError, match="a file to write or a receiver"):
        Order()
