"""Pace: planted drifts are dated, still times raise no alarm, and what a log does not say is not told."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import polars as pl
import pytest

import truenorth as tn
from insight.worlds import EXAMPLES
from report.replays import tiny
from truenorth.insight.pace_of_change import CHANGE_SCHEMA, Pace, pace_of_change
from truenorth.insight.signals import QUESTIONS, signals
from truenorth.simulate import Company, Drift, World
from truenorth.simulate.company import DriftKind

DAY = 40
MOVES = {"need_mix": "needs", "channel": "channels", "patience": "patience", "process": "promises"}


def pace_of(seed: int, days: int = 80, *drifts: Drift) -> Pace:
    company = Company(days=days, drifts=drifts, spillover=False)
    journey = tn.load_journey(EXAMPLES / "help.yaml")
    return pace_of_change(tn.replay(journey, World(company, seed).run().events()), seed=seed, n_shuffles=199)


def days_off(pace: Pace, signal: str) -> int | None:
    planted = Company().start + timedelta(days=DAY)
    return min((abs((one.at - planted).days) for one in pace.changes if one.signal == signal), default=None)


@pytest.mark.parametrize("what", ["need_mix", "channel"])
def test_a_drift_outside_is_dated_and_alarms(what: DriftKind) -> None:
    pace = pace_of(3, 80, Drift(what, DAY, 0.4))
    off = days_off(pace, MOVES[what])
    assert off is not None
    assert off <= 3
    assert pace.outside > 0
    assert pace.alarm == (pace.outside > pace.inside)
    assert {one.side for one in pace.changes if one.signal == MOVES[what]} == {"outside"}


def test_a_still_time_raises_no_alarm() -> None:
    pace = pace_of(4)
    assert not pace.alarm
    assert not [one for one in pace.changes if one.side == "outside"]
    assert set(pace.pace) == set(QUESTIONS)


def test_the_frame_has_its_columns_even_without_changes() -> None:
    found = pace_of_change(tiny())
    assert found.to_frame().schema == pl.Schema(CHANGE_SCHEMA)
    assert (found.alarm, found.outside, found.changes) == (False, 0.0, ())


def test_an_empty_log_has_no_signals() -> None:
    made = tiny()
    empty = type(made)(journey=made.journey, cases=made.cases.clear(), events=made.events.clear(), watermark=None)
    assert signals(empty) == []
    assert pace_of_change(empty).pace == {}


def test_counts_are_those_of_the_openings() -> None:
    """Each question of `needs` is answered by every case that counts, once."""
    company = Company(n_customers=1500, days=40, spillover=False)
    replay = tn.replay(tn.load_journey(EXAMPLES / "help.yaml"), World(company, 1).run().events())
    needs = next(one for one in signals(replay) if one.name == "needs")
    until = replay.watermark - timedelta(days=6)
    n_cases = replay.cases.filter(pl.col("opened") <= until).height
    number = needs.strata.index("category")
    assert needs.counts[:, needs.stratum == number].sum() == n_cases


def test_what_is_left_out_tells_no_need_and_moves_nothing_else() -> None:
    company = Company(n_customers=1500, days=40, spillover=False)
    replay = tn.replay(tn.load_journey(EXAMPLES / "help.yaml"), World(company, 1).run().events())
    whole, less = ({one.name: one for one in signals(replay, exclude=names)} for names in ((), ("category",)))
    assert set(whole["needs"].strata) - set(less["needs"].strata) == {"category"}
    for name in whole.keys() - {"needs"}:
        assert (whole[name].counts == less[name].counts).all()


@pytest.mark.slow
@pytest.mark.parametrize("what", get_args(DriftKind))
def test_drifts_of_many_worlds(what: DriftKind) -> None:
    """Dated within a week in at least 16 of 20."""
    near = 0
    for seed in range(20):
        pace = pace_of(seed, 90, Drift(what, DAY, 0.3))
        wanted = [MOVES[what]] if what in MOVES else ["speed", "promises"]
        near += any((off := days_off(pace, signal)) is not None and off <= 7 for signal in wanted)
    assert near >= 16


@pytest.mark.slow
def test_still_years() -> None:
    """At most one alarm in twenty."""
    assert sum(pace_of(seed, 365).alarm for seed in range(20)) <= 1
