"""A company that is watched lives as it would have lived anyway, until somebody does something for a case."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.simulate import Company, World
from truenorth.simulate.unfolding import Unfolding

HOUR_US = 3_600_000_000
DAYS = 12
WORLD = World(Company(n_customers=300, days=DAYS), seed=3)
END_US = Unfolding(WORLD).start_us + DAYS * 24 * HOUR_US


def unfolded(cuts: list[int]) -> pl.DataFrame:
    company = Unfolding(WORLD)
    return pl.concat([company.until(company.start_us + cut) for cut in [*sorted(cuts), DAYS * 24 * HOUR_US]])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, DAYS * 24 * HOUR_US), max_size=6))
def test_however_it_is_cut_it_is_what_the_world_lives(cuts: list[int]) -> None:
    assert unfolded(cuts).equals(WORLD.lived.events())


def test_an_hour_at_a_time() -> None:
    assert unfolded([HOUR_US * hour for hour in range(DAYS * 24)]).equals(WORLD.lived.events())


def test_it_lives_longer_than_the_days_of_its_company() -> None:
    company = Unfolding(WORLD)
    company.until(END_US)
    assert company.until(END_US + 48 * HOUR_US).height > 0


def acted(action: str, hour: int) -> tuple[pl.DataFrame, str]:
    """All events where something is done once for every case that is open after some hours; the name of one."""
    company = Unfolding(WORLD)
    before = company.until(company.start_us + hour * HOUR_US)
    cases = before["case"].unique(maintain_order=True).to_list()
    assert all(company.act(case, action) for case in cases)
    return pl.concat([before, company.until(END_US)]), cases[0]


def test_what_is_done_is_an_event_of_its_case_at_that_instant() -> None:
    events, _ = acted("call_back_now", 60)
    done = events.filter(type="Called back at once")
    assert set(done["case"]) == set(events.filter(pl.col("time") < done["time"].min())["case"])
    assert done["time"].unique().to_physical().to_list() == [Unfolding(WORLD).start_us + 60 * HOUR_US]
    assert events["time"].is_sorted()
    assert events["id"].n_unique() == events.height


def test_it_is_done_once() -> None:
    events, _ = acted("apology_letter", 60)
    assert events.filter(type="Apology posted")["case"].is_unique().all()


def left(action: str) -> int:
    """How many customers leave where something is done for every case of help within six hours."""
    company = Unfolding(World(Company(n_customers=1500, days=20, spillover=False), seed=3))
    n_left, done = 0, set[str]()
    for part in range(4 * 20):
        events = company.until(company.start_us + (part + 1) * 6 * HOUR_US)
        n_left += events.filter(pl.col("type") == "Left").height
        for case in set(events.filter(pl.col("journey") == "help")["case"]) - done if action else ():
            company.act(case, action)
            done.add(case)
    return n_left


def test_what_helps_changes_what_becomes_of_cases_and_what_does_nothing_does_not() -> None:
    nothing = left("")
    assert left("apology_letter") == nothing
    assert left("call_back_now") < 0.9 * nothing


@pytest.mark.parametrize("case", ["", "H", "X0000001-001", "H0000001", "H0000001-999", "Hx-y"])
def test_a_case_that_is_not_there(case: str) -> None:
    company = Unfolding(WORLD)
    company.until(company.start_us + HOUR_US)
    assert not company.act(case, "apology_letter")


def test_an_unknown_action() -> None:
    with pytest.raises(ValueError, match="fly"):
        Unfolding(WORLD).act("H0000001-001", "fly")
