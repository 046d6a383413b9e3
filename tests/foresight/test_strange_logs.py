"""Logs that nobody would wish for: what they are made into is finite, what is said of them is no nonsense."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from truenorth.cli.app import app
from truenorth.engine.replay import replay
from truenorth.foresight import features
from truenorth.foresight.labels import Label, labelled
from truenorth.spec.load import parse_journey
from truenorth.wiring import foresight as wiring_foresight

START = datetime(2026, 1, 1, tzinfo=UTC)
JOURNEY = "{truenorth: 1, journey: strange, outcome: {achieved: type = 'won', failed: type = 'lost'}}"
BAD = Label(column="outcome", positive=("bad",))


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setattr(wiring_foresight, "n_threads", lambda: 1)


def log(n_cases, *, lost=lambda number, chance: chance.random() < 0.4, step_h=3.0, **columns):
    """Cases opened one an hour, of two to five events, the last of which tells how they end.

    ``columns`` make a value of (whether the case is lost, the generator) for each event.
    """
    chance, rows = np.random.default_rng(0), []
    for number in range(n_cases):
        at, is_lost = START + timedelta(hours=number), bool(lost(number, chance))
        for kind in [*chance.choice(["ask", "work"], chance.integers(1, 5)), "lost" if is_lost else "won"]:
            made = {name: make(is_lost, chance) for name, make in columns.items()}
            rows.append({"case": f"c{number}", "type": str(kind), "time": at, "outcome": "bad" if is_lost else "good"})
            rows[-1] |= made
            at += timedelta(hours=step_h * float(chance.random()))
    return pl.DataFrame(rows, infer_schema_length=None)


def run(tmp_path, events, *arguments):
    path = tmp_path / "log.csv"
    events.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).write_csv(path)
    (tmp_path / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    command, *more = arguments
    done = CliRunner().invoke(app, [command, str(path), *(one.replace("JOURNEY", str(tmp_path)) for one in more)])
    assert done.exit_code == 0, done.output
    return done.stdout


def by_label(tmp_path, events, *more):
    return run(tmp_path, events, "backtest", "--label", "outcome", "--positive", "bad", *more)


def by_journey(tmp_path, events, *more):
    return run(tmp_path, events, "train", "-j", "JOURNEY/journey.yaml", "--without", "outcome", *more)


HUGE = (float("inf"), float("-inf"), float("nan"), 1e300, -1e39, 3.0, 7.0)


def test_numbers_that_are_infinite_or_too_large_are_not_known(tmp_path):
    events = log(200, amount=lambda _lost, chance: float(chance.choice(HUGE)))
    assert not np.isinf(features.table_of_log(events, BAD).rows.x).any()
    assert "the logistic baseline looks at" in by_label(tmp_path, events)


@given(st.lists(st.sampled_from(["bad", "good", None]), min_size=1, max_size=8), st.data())
def test_a_label_is_the_same_with_blanks_around_it_and_in_capitals(values, data):
    blank = st.sampled_from(["", " ", "  ", "\t"])
    bent = [
        data.draw(blank) if value is None else data.draw(blank) + data.draw(st.sampled_from([value, value.upper()]))
        for value in values
    ]
    cases = [f"c{i // 2}" for i in range(len(values))]
    as_is, otherwise = (
        labelled(pl.DataFrame({"case": cases, "type": "x", "outcome": pl.Series(one, dtype=pl.String)}), BAD)
        for one in (values, bent)
    )
    assert as_is.equals(otherwise)


def test_the_positive_value_may_be_written_otherwise_than_in_the_log(tmp_path):
    written = (pl.lit(" ") + pl.col("outcome").str.to_uppercase()).alias("outcome")
    found = json.loads(by_label(tmp_path, log(60).with_columns(written), "--json"))
    assert 0.2 < found["base_rate"] < 0.6


def test_a_column_that_says_how_every_case_ends_is_no_feature_of_a_journey_either():
    journey = parse_journey(JOURNEY)
    events = log(
        200, code=lambda lost, _chance: "L7" if lost else "W3", topic=lambda _lost, chance: f"t{chance.integers(3)}"
    )
    found = features.vocabulary_of_replay(journey, replay(journey, events.with_row_index("id")))
    assert {one.name for one in found.categories} == {"topic"}
    assert {one.name for one in found.dropped} >= {"code", "outcome"}


def test_cases_that_end_at_the_instant_they_open_cannot_be_foretold(tmp_path):
    said = by_journey(tmp_path, log(120, step_h=0.0))
    assert "no held-out case was open" in said
    assert "nan" not in said
    assert "1970" not in said


def test_where_nobody_failed_before_nothing_is_alarmed_and_it_is_said(tmp_path):
    events = log(200, lost=lambda number, chance: number > 160 and chance.random() < 0.5)
    said = by_label(tmp_path, events)
    assert "no failing case was alarmed" in said
    assert "nan" not in said
    assert "of the judged cases ended as 'bad'" in said


def test_a_handful_of_cases_gets_the_base_rate(tmp_path):
    said = by_label(tmp_path, log(40))
    assert "too few cases of each outcome" in said
    assert "nan" not in said


def test_a_model_that_is_too_good_makes_one_ask_why(tmp_path):
    events = log(320, settled=lambda lost, chance: lost + 0.01 * float(chance.random()))
    assert "--without COLUMN" in by_label(tmp_path, events)
    assert "--without COLUMN" not in by_label(tmp_path, events, "--without", "settled")
