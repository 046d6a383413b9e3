"""The four journey files judge the log as the company lived it, and no single type of event gives an outcome away."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from truenorth.engine.replay import Replay, replay
from truenorth.simulate import Company, Lived, World
from truenorth.simulate.journeys import CONSEQUENCES, JOURNEYS
from truenorth.simulate.model import OUTCOMES, JourneyModel
from truenorth.spec.load import parse_journey
from truenorth.spec.model import Journey
from truenorth.wiring.journey import check

FOLDER = Path(__file__).parent.parent.parent / "examples" / "company"
DAY_US = 86_400_000_000
MOST_TELLING = 0.7
"""Youden's J of a type for an outcome: the share of cases with the outcome that have the type, less that of others."""

MOST_ACCURATE = 0.97
"""The share of cases in which the presence (or absence) of one type tells rightly whether it was that outcome."""

one_journey = pytest.mark.parametrize("model", JOURNEYS, ids=lambda model: model.name)


@pytest.fixture(scope="module")
def company() -> Lived:
    return World(Company(n_customers=10_000), seed=6).run()


@cache
def journey_of(name: str) -> Journey:
    return parse_journey((FOLDER / f"{name}.yaml").read_text())


@pytest.fixture(scope="module")
def replays(company: Lived) -> dict[str, Replay]:
    events = company.events()
    return {model.name: replay(journey_of(model.name), events) for model in JOURNEYS}


@pytest.fixture(scope="module")
def log(company: Lived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company") / "log.parquet"
    company.events().write_parquet(path)
    return path


@one_journey
def test_check_has_nothing_to_say(model: JourneyModel, log: Path) -> None:
    checked = check(FOLDER / f"{model.name}.yaml", log=log, today=Company().start)
    assert [str(problem) for problem in (*checked.errors, *checked.warnings)] == []


@one_journey
def test_every_promise_is_a_cause_or_a_consequence(model: JourneyModel) -> None:
    known = [cause.name for cause in model.causes] + [one.name for one in CONSEQUENCES if one.journey == model.name]
    journey = journey_of(model.name)
    assert sorted(promise.name for promise in journey.promises) == sorted(known)
    assert dict(journey.outcome.value) == dict(zip(OUTCOMES, model.value, strict=True))


@one_journey
def test_times_are_those_of_the_model(model: JourneyModel) -> None:
    outcome = journey_of(model.name).outcome
    times = (outcome.within_us, outcome.holds_for_us, outcome.abandoned_after_us)
    assert times == tuple(days * DAY_US for days in (model.within_d, model.holds_for_d, model.abandoned_after_d))
    promises = {promise.name: promise.within_us for promise in journey_of(model.name).promises}
    assert promises["answered_soon"] == model.late_after_min * 60_000_000
    due_us = {step.cause: step.due_h * 3_600_000_000 for step in model.steps if step.due_h and step.cause}
    assert {name: promises[name] for name in due_us} == due_us


def test_all_kinds_of_promises_are_there() -> None:
    assert len({promise.kind for model in JOURNEYS for promise in journey_of(model.name).promises}) == 6


@one_journey
def test_outcomes_are_those_that_were_lived(model: JourneyModel, company: Lived, replays: dict[str, Replay]) -> None:
    assert company.counts["overrun"] == 0
    lived = company.cases.filter(pl.col("journey") == model.name).select(
        "case", lived=pl.col("outcome").cast(pl.String)
    )
    both = (
        replays[model.name].cases.select("case", "outcome", "value").join(lived, on="case", how="full", coalesce=True)
    )
    assert both.null_count().row(0) == (0, 0, 0, 0)
    decided = both.filter(pl.col("outcome") != "open")
    assert decided.height > 500
    assert decided["outcome"].equals(decided["lived"])
    value = dict(zip(OUTCOMES, model.value, strict=True))
    assert decided["value"].to_list() == [value[outcome] for outcome in decided["lived"]]
    assert set(both.filter(pl.col("lived") == "open")["outcome"]) <= {"open"}


@one_journey
def test_promises_are_broken_where_causes_are_there(
    model: JourneyModel, company: Lived, replays: dict[str, Replay]
) -> None:
    settled = company.cases.filter((pl.col("journey") == model.name) & (pl.col("outcome") != "open"))
    verdicts = replays[model.name].promises
    for cause in model.causes:
        forced = 2 if cause.kind == "transfers" else 1
        told = settled.select("case", there=pl.col(f"{model.name}.{cause.name}") >= forced).drop_nulls()
        broken = (
            verdicts.filter(pl.col("promise") == cause.name)
            .group_by("case")
            .agg(broken=(pl.col("verdict") == "broken").any())
        )
        both = told.join(broken, on="case", how="left")
        assert both["broken"].null_count() == 0
        assert both["broken"].equals(both["there"].rename("broken")), cause.name
        assert 0 < both["there"].sum() < both.height


@one_journey
def test_no_type_of_event_gives_the_outcome_away(
    model: JourneyModel, company: Lived, replays: dict[str, Replay]
) -> None:
    decided = replays[model.name].cases.filter(pl.col("outcome") != "open").select("case", "outcome")
    pairs = company.events().select("case", pl.col("type").cast(pl.String)).unique().join(decided, on="case")
    for outcome in OUTCOMES:
        of_outcome = pl.col("outcome") == outcome
        n, n_other = ((decided["outcome"] == outcome).sum(), (decided["outcome"] != outcome).sum())
        telling = pairs.group_by("type").agg(j=of_outcome.sum() / n - (~of_outcome).sum() / n_other)
        best = telling.sort(pl.col("j").abs(), descending=True).row(0)
        right = (of_outcome.sum() + n_other - (~of_outcome).sum()) / (n + n_other)
        accuracy = pairs.group_by("type").agg(right=right)["right"]
        assert max(accuracy.max(), 1 - accuracy.min()) < MOST_ACCURATE  # type: ignore[operator,type-var]
        assert 0.2 < abs(best[1]) < MOST_TELLING, best


@one_journey
def test_the_readme_of_the_examples_has_the_figures(model: JourneyModel) -> None:
    summary = replay(journey_of(model.name), World(Company(), seed=1).run().events()).summary
    shares = {name: f"{100 * n / summary['cases']:.1f} %" for name, n in summary["outcome"].items()}
    told = (
        f"{summary['cases']:,} cases: {shares['achieved']} achieved, {shares['failed']} failed, "
        f"{shares['abandoned']} abandoned, {shares['open']} still open"
    )
    assert told in (FOLDER.parent / "README.md").read_text(encoding="utf-8")


@one_journey
def test_base_rates_are_plausible(model: JourneyModel, replays: dict[str, Replay]) -> None:
    outcome = replays[model.name].summary["outcome"]
    decided = sum(outcome[name] for name in OUTCOMES)
    assert 0.70 < outcome["achieved"] / decided < 0.82
    assert 0.13 < outcome["failed"] / decided < 0.24
    assert 0.03 < outcome["abandoned"] / decided < 0.09


def test_journeys_share_customers_and_bring_one_another_about(company: Lived) -> None:
    cases = company.cases
    assert cases.group_by("customer").agg(pl.col("journey").n_unique())["journey"].max() == len(JOURNEYS)
    alone = World(Company(n_customers=10_000, spillover=False), seed=6).run().cases
    shares = [frame.group_by("journey").len().with_columns(pl.col("len") / frame.height) for frame in (cases, alone)]
    help_shares = [share.filter(pl.col("journey") == "help")["len"][0] for share in shares]
    moved = cases.filter(pl.col("journey") == "move").select("customer", moved="opened")
    billed = cases.filter(pl.col("journey") == "bill").select("customer", billed="opened").join(moved, on="customer")
    after = billed.filter(pl.col("billed") > pl.col("moved")).height
    assert after > 1.5 * billed.filter(pl.col("billed") < pl.col("moved")).height
    assert min(help_shares) > 0.4


def test_few_campaigns_bring_most_orders(company: Lived) -> None:
    orders = company.events().filter(pl.col("type") == "Ordered a line")
    counts = orders["campaign"].value_counts().sort("count", descending=True)["count"]
    assert orders["campaign"].null_count() == 0
    assert 0.6 < counts.head(5).sum() / orders.height < 0.95
    assert counts.len() > 15


def test_surveys_are_few_and_biased(company: Lived) -> None:
    """About one closed case in eight answers; those who left are not asked; extremes answer more."""
    events = company.events()
    rated = events.filter(pl.col("source") == "survey")
    assert company.surveys.equals(rated)
    assert rated["score"].is_between(0, 10).all()
    assert rated["score"].null_count() == 0
    left = events.filter(pl.col("type") == "Left")["case"]
    assert not rated["case"].is_in(left.to_list()).any()
    asked = company.cases.filter(
        pl.col("outcome").cast(pl.String).is_in(["achieved", "failed"]) & ~pl.col("case").is_in(left.to_list())
    )
    assert 0.09 < rated.height / asked.height < 0.15
    outcomes = (
        rated.join(company.cases.select("case", "outcome"), on="case")
        .group_by(pl.col("outcome").cast(pl.String))
        .agg(pl.col("score").mean())
    )
    means = dict(outcomes.iter_rows())
    assert means["achieved"] > means["failed"] + 3
    assert not World(Company(n_customers=500, surveys=False), 1).run().surveys.height


def test_texts_are_in_the_language_of_the_customer_and_of_the_mood(company: Lived) -> None:
    said = company.events().filter(pl.col("text").is_not_null())
    assert said.filter(pl.col("feeling").is_null()).height == 0
    first = said.with_columns(
        about=pl.col("text").cast(pl.String).str.extract(r"(It is about|Es geht um|C'est au sujet de|Se trata de)")
    )
    assert first["about"].null_count() == 0
    assert (first.group_by("customer").agg(pl.col("about").n_unique())["about"] == 1).all()
    assert first["about"].n_unique() == 4
    cross = first.filter(pl.col("text").cast(pl.String).str.contains("annoyed|verärgert|fâché|molesto"))
    assert cross["feeling"].max() < -0.2  # type: ignore[operator]
