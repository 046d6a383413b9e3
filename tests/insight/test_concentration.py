"""Concentration: exact numbers by hand, laws of the Gini coefficient, intervals that cover."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.replays import CASES, EVENTS, MadeReplay, diced, frame, hours, journey
from truenorth.figures.concentration import concentration_figure, words
from truenorth.insight.concentration import BROKEN_PROMISE, concentration, gini
from truenorth.spec.problems import TruenorthError

AMOUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any)


def clicks(counts: dict[str, int], customers: int = 0) -> MadeReplay:
    """One case per click of a campaign, each customer's own (or of so many customers in turn)."""
    names = [name for name, n in counts.items() for _ in range(n)]
    events = [
        {"case": str(i), "id": str(i), "type": "click", "time": hours(i), "channel": name, "moment": True}
        for i, name in enumerate(names)
    ]
    cases = [
        {"case": str(i), "customer": str(i % customers if customers else i), "opened": hours(i), "outcome": "failed"}
        for i in range(len(names))
    ]
    return MadeReplay(
        journey=journey(), events=frame(events, EVENTS), cases=frame(cases, CASES), watermark=events[-1]["time"]
    )


def test_the_top_five_of_six_have_most_of_the_clicks() -> None:
    found = concentration(clicks({"a": 40, "b": 20, "c": 15, "d": 10, "e": 4, "f": 11}), "channel", "events", 5)
    assert found.top.items == ("a", "b", "c", "f", "d")
    assert found.top.share == 0.96
    assert found.n_items == 6
    assert found.table["cumulated"][-1] == pytest.approx(1.0)


def test_interval_is_that_of_a_share_where_every_customer_counts_once() -> None:
    top = concentration(clicks({"a": 40, "b": 60}), "channel", "cases", 1).top
    assert top.low is not None
    half = 1.959963984540054 * (0.6 * 0.4 / 99) ** 0.5
    assert (top.share, top.low, top.high) == (0.6, pytest.approx(0.6 - half), pytest.approx(0.6 + half))


def test_broken_promises_are_causes_of_failure() -> None:
    replay = diced(300, seed=3)
    found = concentration(replay, BROKEN_PROMISE, "failed", 2)
    bad = replay.cases.filter(pl.col("outcome").is_in(["failed", "abandoned"])).select("case")
    pairs = replay.promises.filter(pl.col("verdict") == "broken").join(bad, on="case", how="semi")
    assert dict(found.table.select("item", "amount").iter_rows()) == dict(
        pairs.unique(["case", "promise"]).group_by("promise").len().cast({"len": pl.Float64}).iter_rows()
    )


def test_last_period_against_the_one_before() -> None:
    replay = clicks({"a": 24, "b": 24, "c": 24})  # one a day, by the hour
    found = concentration(replay, "channel", "events", 1, every="1d")
    assert found.last is not None
    assert found.before is not None
    assert (found.before.items, found.last.items) == (("a",), ("b",))  # the third day is not over
    assert found.change == (0.0, 0.0, 0.0)


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    with pytest.raises(TruenorthError, match="nix"):
        concentration(clicks({"a": 1}), "nix")
    with pytest.raises(TruenorthError, match="revenue"):
        concentration(clicks({"a": 1}), "channel", "revenue")


def test_nothing_to_share_is_said() -> None:
    found = concentration(clicks({"a": 3}), "channel", "cost")
    assert (found.gini, found.top.share) == (None, None)
    assert "Nothing" in concentration_figure(found).layout.meta["title"]


def test_what_is_counted_more_than_once_is_said_and_all_of_them_is_no_finding() -> None:
    found = clicks({"a": 6, "b": 3, "c": 1})
    assert words(concentration(found, "channel", "cases", 2))[0] == (
        "The top 2 of 3 by channel have 90.0 % of cases, each counted once a channel"
    )
    assert words(concentration(found, "channel", "events", 5))[0] == "Of 3 by channel the first has 60.0 % of events"


@given(AMOUNTS, st.integers(2, 50))
def test_gini_knows_no_unit_and_no_order(amounts: list[int], times: int) -> None:
    once = gini(pl.Series(amounts))
    assert once == pytest.approx(gini(pl.Series([times * x for x in reversed(amounts)])))
    assert once is not None
    assert -1e-12 <= once < 1


@given(AMOUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(amounts: list[int]) -> None:
    x = np.array(amounts, dtype=float)
    by_definition = np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())
    assert gini(pl.Series(amounts)) == pytest.approx(by_definition)


@given(AMOUNTS)
def test_giving_to_the_richest_makes_it_no_more_equal(amounts: list[int]) -> None:
    richer = sorted(amounts)
    richer[-1] += 100
    before, after = gini(pl.Series(amounts)), gini(pl.Series(richer))
    assert before is not None
    assert after is not None
    assert after >= before - 1e-12


def test_intervals_cover_the_true_share_of_customers_with_many_clicks() -> None:
    dice, covered, tries = np.random.default_rng(5), 0, 300
    for _ in range(tries):
        rows = []
        for customer in range(120):
            keen = dice.random() < 0.6  # who is keen clicks more, and on "a" alone
            rows += [
                (customer, "a" if keen or dice.random() < 0.2 else "b")
                for _ in range(dice.poisson(9 if keen else 3) + 1)
            ]
        events = [
            {"case": str(who), "id": str(i), "type": "click", "time": hours(i), "channel": name}
            for i, (who, name) in enumerate(rows)
        ]
        cases = [{"case": str(who), "customer": str(who), "opened": hours(0), "outcome": "open"} for who in range(120)]
        replay = MadeReplay(journey=journey(), events=frame(events, EVENTS), cases=frame(cases, CASES))
        table = concentration(replay, "channel", "events", 1)
        assert table.top.items == ("a",)
        assert table.top.low is not None
        assert table.top.high is not None
        true = (0.6 * 10 + 0.4 * 4 * 0.2) / (0.6 * 10 + 0.4 * 4)
        covered += table.top.low <= true <= table.top.high
    assert 0.91 < covered / tries <= 0.99  # 95 %, four standard errors of 300 tries being 5 points
