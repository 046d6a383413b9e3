"""Effects before and after a change: laws first, then whether the interval holds what was planted."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from truenorth.insight.before_after import design_of, effect, placebo, pre_trend

DID = "difference in differences"
ITS = "interrupted time series"


def cases(seed: int, n: int = 1500, by: float = 0.0, *, everywhere: bool = False, drift: float = 0.0) -> pl.DataFrame:
    """Cases over 8 weeks, the change in the middle; customers come again and have a level of their own."""
    dice = np.random.default_rng(seed)
    day, customer = dice.uniform(-28, 28, n), dice.integers(0, n // 2, n)
    reached = np.ones(n, bool) if everywhere else customer % 2 == 0
    level = dice.normal(0, 1, n)[customer]
    y = level + 0.02 * day + reached * (1.0 + drift * day + by * (day >= 0)) + dice.normal(0, 1, n)
    return pl.DataFrame({"day": day, "reached": reached, "customer": customer.astype(str), "y": y})


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5), st.floats(0.1, 10), st.sampled_from([DID, ITS]))
def test_moves_with_the_measure(seed: int, shift: float, scale: float, design: str) -> None:
    frame = cases(seed, 400, 0.5)
    moved = frame.with_columns(pl.col("y") * scale + shift)
    found, other = (effect(one, "y", design) for one in (frame, moved))  # type: ignore[arg-type]
    assert other.effect == pytest.approx(scale * found.effect, rel=1e-6, abs=1e-6)
    assert other.high - other.low == pytest.approx(scale * (found.high - found.low), rel=1e-6)
    assert other.p == pytest.approx(found.p, rel=1e-5, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_cases_changes_nothing(seed: int) -> None:
    frame = cases(seed, 400, 0.5)
    found, other = effect(frame, "y", DID), effect(frame.sample(fraction=1.0, shuffle=True, seed=seed), "y", DID)
    assert (other.effect, other.low, other.high) == pytest.approx((found.effect, found.low, found.high))


def test_one_period_each_is_the_difference_of_differences() -> None:
    dice = np.random.default_rng(3)
    day = np.repeat([-1.0, 1.0], 200)
    reached = np.tile([True, False], 200)
    frame = pl.DataFrame(
        {"day": day, "reached": reached, "customer": np.arange(400).astype(str), "y": dice.random(400)}
    )
    means = {key: group["y"].mean() for key, group in frame.group_by(pl.col("day") > 0, "reached")}
    wanted = (means[True, True] - means[False, True]) - (means[True, False] - means[False, False])
    assert effect(frame, "y", DID).effect == pytest.approx(wanted)


@pytest.mark.parametrize("design", [DID, ITS])
def test_intervals_hold_what_was_planted(design: str) -> None:
    """About 19 in 20 of 100 trials: 87 or more is four standard errors below."""
    held = 0
    for seed in range(100):
        found = effect(cases(seed, 1500, 0.3, everywhere=design == ITS), "y", design)  # type: ignore[arg-type]
        held += found.low <= 0.3 <= found.high
    assert held >= 87


def test_groups_that_moved_apart_before_are_seen() -> None:
    frame = cases(1, 3000, 0.3, drift=0.05)
    assert pre_trend(frame, "y", DID).p < 0.01
    assert pre_trend(frame, "y", DID).effect == pytest.approx(0.35, abs=0.15)
    assert placebo(frame, "y", DID).p < 0.05
    assert pre_trend(cases(1, 3000, 0.3), "y", DID).p > 0.05


def test_the_design_follows_from_the_cases() -> None:
    frame = cases(1)
    assert design_of(frame) == DID
    assert design_of(frame.filter("reached")) == ITS
    assert design_of(frame.filter(pl.col("day") < 0)) is None
    assert math.isnan(effect(frame, "y", None).effect)
    assert math.isnan(placebo(frame.filter(pl.col("day") >= 0), "y", DID).effect)


def test_what_is_the_same_everywhere_has_no_effect() -> None:
    found = effect(cases(1).with_columns(y=pl.lit(0.0)), "y", DID)
    assert (found.effect, found.low, found.high, found.p, found.direction) == (0, 0, 0, 1, 0)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_cells_give_what_statsmodels_gives_of_the_whole_matrix(seed: int, before: bool) -> None:
    import statsmodels.api as sm  # noqa: PLC0415 takes a second

    frame = cases(seed, 300, 0.5).with_columns(pl.col("day").floor())
    frame = frame.filter(pl.col("day") < 0) if before else frame
    found = pre_trend(frame, "y", DID) if before else effect(frame, "y", DID)
    day, reached = frame["day"].to_numpy(), frame["reached"].to_numpy().astype(float)
    weeks = day // 7
    asked = reached * day / 7 if before else reached * (day >= 0)
    dummies = [(weeks == week).astype(float) for week in np.unique(weeks)]
    who, when = (frame[name].rank("dense").cast(pl.Int64).to_numpy() for name in ("customer", "day"))
    y, columns = frame["y"].to_numpy(), np.column_stack([reached, *dummies, asked])
    fits = [
        sm.OLS(y, columns).fit(cov_type="cluster", cov_kwds={"groups": groups}) for groups in (who, who * 1000 + when)
    ]
    estimate = float(fits[0].params[-1])
    by_who, by_both = (float(fit.bse[-1]) ** 2 for fit in fits)
    days = np.unique(when)
    without = [sm.OLS(y[when != one], columns[when != one]).fit().params[-1] for one in days]
    by_day = float(((np.array(without) - estimate) ** 2).sum()) * (len(days) - 1) / len(days)
    half = t.ppf(0.975, len(days) - 1) * math.sqrt(max(by_who, by_day, by_who + by_day - by_both))
    assert (found.low, found.effect, found.high) == pytest.approx(
        (estimate - half, estimate, estimate + half), rel=1e-7, abs=1e-9
    )


def test_days_on_which_all_cases_fare_alike_widen_the_interval() -> None:
    """Shocks of a day are shared by all of its cases in scope: what 56 days say, not what 3,000 cases say."""
    held = 0
    for seed in range(60):
        frame = cases(seed, 3000, 0.3).with_columns(pl.col("day").floor())
        shocks = np.random.default_rng(seed).normal(0, 1, 56)[frame["day"].cast(pl.Int64).to_numpy() + 28]
        shaken = frame.with_columns(pl.col("y") + pl.Series(shocks) * pl.col("reached"))
        found = effect(shaken, "y", DID)
        held += found.low <= 0.3 <= found.high
    assert held >= 50
