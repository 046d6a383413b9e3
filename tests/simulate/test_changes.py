"""Incentives and drifts move what they are documented to move, and nothing that is stated to stay."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import polars as pl
import pytest

from truenorth.simulate import Company, Drift, World
from truenorth.simulate.company import DriftKind, Incentive
from truenorth.simulate.journeys import JOURNEYS

FROM_DAY = 20
N = 20_000


@cache
def cases(incentives: tuple[Incentive, ...] = (), drifts: tuple[Drift, ...] = ()) -> pl.DataFrame:
    """Cases of a world without spillover, so that needs are the same in all."""
    company = Company(n_customers=N, spillover=False, incentives=incentives, drifts=drifts)
    return World(company, 4).lived.cases.with_columns(
        day=(pl.col("opened") - pl.col("opened").dt.truncate("1d").min()).dt.total_days()
    )


def drifted(what: DriftKind, size: float) -> pl.DataFrame:
    return cases(drifts=(Drift(what, FROM_DAY, size),))


def unchanged(frame: pl.DataFrame, *columns: str) -> None:
    """The same cases, with the same values in these columns."""
    assert frame["case"].sort().equals(cases()["case"].sort())
    both = frame.join(cases(), on="case", suffix="_before")
    for column in columns:
        assert both[column].equals(both[f"{column}_before"]), column


def achieved(frame: pl.DataFrame, journey: str) -> float:
    decided = frame.filter((pl.col("journey") == journey) & (pl.col("outcome") != "open"))
    return float((decided["outcome"] == "achieved").mean())  # type: ignore[arg-type]


UNTOUCHED = (
    "connect.visit_kept",
    "connect.confirmed",
    "move.switched_in_time",
    "bill.corrected",
    "category",
    "severity",
)


def test_paid_by_handle_time() -> None:
    """Shorter talks, more wrong answers, cases closed too early: they come back, and more fail."""
    paid = cases(("handle_time",))
    unchanged(paid, *UNTOUCHED)
    for journey in JOURNEYS:
        assert -0.16 < achieved(paid, journey.name) - achieved(cases(), journey.name) < -0.02
    assert paid["help.right_first_time"].mean() > 1.5 * cases()["help.right_first_time"].mean()  # type: ignore[operator]
    assert paid["load"].mean() < cases()["load"].mean()  # type: ignore[operator]


def test_paid_by_handle_time_brings_cases_back() -> None:
    def reopened(incentives: tuple[Incentive, ...]) -> float:
        events = World(Company(incentives=incentives), 4).run().events()
        closed = events.filter(pl.col("type") == "Closed")["case"].n_unique()
        return events.filter(pl.col("type") == "Reopened")["case"].n_unique() / closed

    assert reopened(("handle_time",)) > 1.3 * reopened(())


def test_paid_by_answer_rate() -> None:
    """Calls are answered and passed on: more transfers, more questions asked again."""
    paid = cases(("answer_rate",))
    unchanged(paid, *UNTOUCHED, "help.visit_kept")
    for journey in JOURNEYS:
        name = f"{journey.name}.no_ping_pong"
        assert paid[name].mean() > 1.5 * cases()[name].mean()  # type: ignore[operator]
        assert -0.16 < achieved(paid, journey.name) - achieved(cases(), journey.name) < -0.02
    assert paid["help.asked_once"].mean() > cases()["help.asked_once"].mean() + 0.03  # type: ignore[operator]


def test_need_mix() -> None:
    frame = drifted("need_mix", 0.4)
    unchanged(frame, "severity", *UNTOUCHED[:4])
    hard = frame.filter(pl.col("journey") == "help")
    shares = [
        hard.filter(days)["category"].eq("router").mean()
        for days in (pl.col("day") < FROM_DAY, pl.col("day") >= FROM_DAY)
    ]
    assert shares[0] == pytest.approx(0.25, abs=0.02)
    assert shares[1] == pytest.approx(0.25 + 0.4 * 0.75, abs=0.02)
    assert achieved(frame, "help") < achieved(cases(), "help")


def test_channel() -> None:
    company = Company(n_customers=5000, drifts=(Drift("channel", FROM_DAY, 0.5),))
    events = World(company, 4).run().events().filter(pl.col("type") == "Asked for help")
    late = pl.col("time").dt.date() >= company.start + timedelta(days=FROM_DAY)
    before, after = (events.filter(days)["channel"].eq("phone").mean() for days in (~late, late))
    assert after == pytest.approx(0.5 * before, abs=0.03)  # type: ignore[operator]
    unchanged(drifted("channel", 0.5), *UNTOUCHED)


def test_patience() -> None:
    frame = drifted("patience", 0.8)
    unchanged(frame, *UNTOUCHED)
    rates = [(one.filter(pl.col("day") >= FROM_DAY)["outcome"] == "abandoned").mean() for one in (frame, cases())]
    assert rates[0] > 1.3 * rates[1]  # type: ignore[operator]


def test_process() -> None:
    frame = drifted("process", 1.0)
    unchanged(frame, *UNTOUCHED, "load", "help.kept_informed", "move.kept_informed")
    both = frame.join(cases(), on="case", suffix="_before").filter(pl.col("help.called_back").is_not_null())
    assert both.filter(pl.col("day") < FROM_DAY)["help.called_back"].equals(
        both.filter(pl.col("day") < FROM_DAY)["help.called_back_before"]
    )
    late = both.filter(pl.col("day") >= FROM_DAY)
    assert late["help.called_back"].mean() > late["help.called_back_before"].mean() + 0.3  # type: ignore[operator]
    unmoved = frame.filter((pl.col("journey") == "move") & (pl.col("outcome") != "open")).join(
        cases(), on=["case", "outcome"]
    )
    assert unmoved.height == frame.filter((pl.col("journey") == "move") & (pl.col("outcome") != "open")).height


def test_staffing() -> None:
    frame = drifted("staffing", 0.25)
    unchanged(frame, *UNTOUCHED)
    late = pl.col("day") >= FROM_DAY
    assert frame.filter(late)["load"].mean() > 1.5 * cases().filter(late)["load"].mean()  # type: ignore[operator]
    assert frame.filter(late)["help.answered_soon"].mean() > 1.5 * cases().filter(late)["help.answered_soon"].mean()  # type: ignore[operator]
    assert achieved(frame, "help") < achieved(cases(), "help")


@pytest.mark.parametrize("what", ["need_mix", "channel", "patience", "process", "staffing"])
def test_nothing_happens_before_the_day(what: DriftKind) -> None:
    company = Company(n_customers=1000, days=30)
    until = pl.col("time").dt.date() < company.start + timedelta(days=FROM_DAY)
    still = World(company, 4).run().events().filter(until)
    moved = World(Company(n_customers=1000, days=30, drifts=(Drift(what, FROM_DAY, 1.0),)), 4).run().events()
    assert moved.filter(until).equals(still)
    assert not moved.filter(~until).equals(World(company, 4).run().events().filter(~until))


@pytest.mark.parametrize("what", ["need_mix", "channel", "patience", "process", "staffing"])
def test_a_drift_of_no_size_is_none(what: DriftKind) -> None:
    company = Company(n_customers=300, days=15)
    drifting = Company(n_customers=300, days=15, drifts=(Drift(what, 5, 0.0),))
    assert World(drifting, 4).run().events().equals(World(company, 4).run().events())
