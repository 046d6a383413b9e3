"""The same seed gives the same bytes, however it is run and read; luck is a hash, fair and shared."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.simulate import Company, Constant, Drift, Lived, World
from truenorth.simulate.causal import fill_uniform
from truenorth.simulate.run import CHUNK
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import TruenorthError

COMPANIES = st.builds(
    Company,
    n_customers=st.integers(1, 300),
    days=st.integers(1, 20),
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    staffing=st.floats(0.2, 3),
    spillover=st.booleans(),
    surveys=st.booleans(),
    incentives=st.sampled_from([(), ("handle_time",), ("answer_rate",), ("handle_time", "answer_rate")]),
    drifts=st.sampled_from([(), (Drift("staffing", 3, 0.5),), (Drift("need_mix", 0, 0.3), Drift("patience", 5, 1.0))]),
)
SEEDS = st.integers(0, 2**62)


@settings(max_examples=25, deadline=None)
@given(COMPANIES, SEEDS, st.integers(1, 400))
def test_same_seed_same_events_in_parts_of_any_size(company: Company, seed: int, rows: int) -> None:
    events = World(company, seed).run().events()
    parts = list(World(company, seed).run().parts(rows))
    assert all(part.height == rows for part in parts[:-1])
    assert (pl.concat(parts) if parts else events.clear()).equals(events)


@settings(max_examples=25, deadline=None)
@given(COMPANIES, SEEDS)
def test_events_are_sound(company: Company, seed: int) -> None:
    lived = World(company, seed).run()
    events = lived.events()
    assert events.columns[:3] == ["source", "id", "type"]
    assert set(CANONICAL_TYPES) - set(events.columns) == {"received"}
    assert events["time"].is_sorted()
    assert events["id"].is_unique().all()
    end = company.start + timedelta(days=company.days)
    assert events["time"].dt.date().is_between(company.start, end, closed="left").all()
    assert events.select(pl.col("type", "time", "customer", "case").null_count()).row(0) == (0, 0, 0, 0)
    assert events["feeling"].drop_nulls().is_between(-1, 1).all()
    assert events.filter(pl.col("team").is_null() != pl.col("actor").is_null()).height == 0
    needs = events.group_by("case", maintain_order=True).agg(pl.col("type").first(), pl.col("customer").n_unique())
    assert needs.height == lived.counts["cases"] == lived.cases.height
    assert (needs["customer"] == 1).all()
    assert (
        needs["type"]
        .cast(pl.String)
        .is_in(["Ordered a line", "Asked for help", "Questioned a bill", "Announced a move"])
        .all()
    )


@settings(max_examples=15, deadline=None)
@given(COMPANIES, SEEDS, st.integers(1, 19))
def test_more_days_change_nothing_that_was(company: Company, seed: int, more: int) -> None:
    short = World(company, seed).run().events()
    longer = msgspec.structs.replace(company, days=company.days + more)
    assert World(longer, seed).run().events().head(short.height).equals(short)


@settings(max_examples=15, deadline=None)
@given(COMPANIES, SEEDS)
def test_a_policy_that_does_nothing_changes_nothing(company: Company, seed: int) -> None:
    world = World(company, seed)
    assert world.run(policy=Constant("do_nothing")).events().equals(world.run().events())
    assert world.policy_value(Constant("do_nothing")).cost_eur == 0 or not world.lived.decisions.height


def test_seeds_differ() -> None:
    company = Company(n_customers=200, days=10)
    assert not World(company, 1).run().events().equals(World(company, 2).run().events())


def test_growing_loses_nothing(lived: Lived) -> None:
    """More events, cases, entries and waiting people than there was room for at first."""
    crowded = World(Company(n_customers=20_000, staffing=0.02), seed=3).run()
    assert crowded.n_events > CHUNK
    assert crowded.counts["cases"] > 20_256
    types = crowded.events()["type"].cast(pl.String)
    queues = (types == "Answered").sum() + (types == "Hung up").sum()
    assert queues > crowded.counts["cases"]
    names = pl.Series(sorted(f"C{n + 1:07}" for n in range(20_000)))
    assert crowded.events()["customer"].is_in(names.to_list()).all()


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, 60), st.integers(0, 2000), st.integers(0, 2**40))
def test_luck_is_fair_and_unrelated(seed: int, purpose: int, index: int, first: int) -> None:
    n = 4000
    keys = np.arange(first, first + n)
    luck, other = np.empty(n), np.empty(n)
    fill_uniform(np.int64(seed), keys, np.int64(purpose), np.int64(index), luck)
    fill_uniform(np.int64(seed), keys, np.int64(purpose), np.int64(index + 1), other)
    assert ((luck > 0) & (luck < 1)).all()
    assert abs(luck.mean() - 0.5) < 6 / np.sqrt(12 * n)
    assert abs(np.corrcoef(luck, other)[0, 1]) < 6 / np.sqrt(n)
    assert abs(np.corrcoef(luck[1:], luck[:-1])[0, 1]) < 6 / np.sqrt(n)


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    World(Company(n_customers=50, days=4), 1).run(lambda stage, share: told.append((stage, share))).events(
        lambda stage, share: told.append((stage, share))
    )
    assert [stage for stage, _ in told] == ["living"] * 4 + ["writing events"]
    assert [share for _, share in told] == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        ({"n_customers": 0, "days": 0}, ["$.n_customers", "$.days"]),
        ({"staffing": 0.0}, ["$.staffing"]),
        ({"drifts": (Drift("staffing", -1, 2.0),)}, ["$.drifts[0].size", "$.drifts[0].from_day"]),
        ({"drifts": (Drift("weather", 1, 0.5),)}, ["$.drifts"]),
        ({"incentives": ("handle_time", "handle_time")}, ["$.incentives"]),
    ],
)
def test_wrong_companies_are_refused_with_every_reason(wrong: dict[str, object], paths: list[str]) -> None:
    with pytest.raises(TruenorthError) as refused:
        Company(**wrong)  # type: ignore[arg-type]
    assert [problem.path for problem in refused.value.problems] == paths


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TruenorthError, match="seed: expected a whole number from 0"):
        World(Company(), seed=-1)
    with pytest.raises(TruenorthError, match=r"did you mean help\.called_back"):
        World(Company(), do={"help.caled_back": "on"})
    with pytest.raises(TruenorthError, match="expected 'off'"):
        World(Company(), do={"help.called_back": "never"})  # type: ignore[dict-item]
