"""Cases that are still open teach by what they have shown: each outcome by its chance, and nothing from later on."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from foresight.tables import table
from truenorth.foresight import features
from truenorth.foresight.labels import Label
from truenorth.foresight.learnt import risks_of
from truenorth.foresight.rows import Cases, Column, Rows, Table
from truenorth.foresight.samples import LEAST_CHANCE, parts_with_open
from truenorth.foresight.split import split_at, temporal_split
from truenorth.foresight.train import Effort, learn_outcome
from truenorth.spec.durations import DAY_US

EFFORT = Effort(n_threads=1)
N, CHANGED, SIGN_AFTER, QUICK, SLOW = 2_000, 700, 10, 20, 1_000
"""A case is opened each day, of a kind of two; after so many days it shows a sign or not. It ends soon or late."""


def whose_signs_have_changed(seed: int) -> Table:
    """Of the first kind 10 % show a bad sign, of slow ones from a day on 80 %; of the other 50 %.

    With the sign 90 % fail, else 10 %.
    """
    generator = np.random.default_rng(seed)
    opened, kind, is_slow = np.arange(N), generator.integers(0, 2, N), generator.random(N) < 0.7
    rate = np.where(is_slow & (opened >= CHANGED), 0.8, 0.1)
    has_sign = generator.random(N) < np.where(kind == 1, 0.5, rate)
    failed = generator.random(N) < np.where(has_sign, 0.9, 0.1)
    case = np.repeat(np.arange(N, dtype=np.int32), 2)
    second = np.tile([False, True], N)
    x = np.column_stack([kind[case], np.where(second, has_sign[case], np.nan)]).astype(np.float32)
    time_us = (opened[case] + SIGN_AFTER * second) * DAY_US
    ids = pl.Series(map(str, range(N)))
    return Table(
        columns=(Column("kind", "the kind"), Column("sign", "the sign")),
        rows=Rows(x, case, 1 + second.astype(np.int32), time_us, np.ones(2 * N, bool)),
        cases=Cases(
            ids, opened * DAY_US, (opened + np.where(is_slow, SLOW, QUICK)) * DAY_US, failed.astype(np.int8), ids
        ),
        outcomes=("achieved", "failed"),
        targets={},
        next_types=(),
    )


@pytest.mark.parametrize("seed", range(3))
def test_what_open_cases_have_shown_is_learnt_before_any_of_them_ends(seed):
    made = whose_signs_have_changed(seed)
    split = temporal_split(made.cases, made.rows, 0.2)
    assert split.test_us - SLOW * DAY_US < CHANGED * DAY_US  # no slow case that was opened since has ended
    of_ended = split._replace(open=np.zeros_like(split.open))
    first = np.flatnonzero(split.test & (made.rows.prefix == 1) & (made.rows.x[:, 0] == 0))
    truth = (made.cases.outcome[made.rows.case[first]] > 0).mean()
    of_ended, of_both = (
        risks_of(learn_outcome(made, one, 0, EFFORT).trees, made.rows.x[first]).mean() for one in (of_ended, split)
    )
    assert of_ended < truth - 0.3
    assert abs(truth - of_both) < 0.6 * (truth - of_ended)


def test_an_open_case_teaches_as_much_as_an_ended_one_and_nothing_from_the_split_on():
    made = table(300, n_outcomes=3, open_share=0.2)
    split = temporal_split(made.cases, made.rows)
    chances = np.zeros((300, 3))
    open_cases = np.unique(made.rows.case[split.open])
    chances[open_cases] = 0.1 + 0.7 * np.random.default_rng(0).dirichlet(np.ones(3), len(open_cases))
    for part in parts_with_open(made, split, chances, 10_000, 0):
        weights = part.sample.weight / part.sample.weight[0]
        of_case = np.bincount(part.case, weights, minlength=300)
        n_rows = np.bincount(made.rows.case[split.fit | split.valid | split.open], minlength=300)
        there = of_case > 0
        assert np.allclose(of_case[there], np.sqrt(n_rows[there]))
        of_first = np.bincount(part.case, weights * (part.sample.y == 1), minlength=300)
        of = open_cases[there[open_cases]]
        assert np.allclose(of_first[of] / of_case[of], chances[of, 1])
    assert (made.rows.time_us[split.open] < split.test_us).all()


def test_an_outcome_of_hardly_any_chance_is_rarely_there_and_weighs_as_much_in_the_mean():
    made = table(3_000, open_share=0.5)
    split = temporal_split(made.cases, made.rows)
    made.cases.outcome[:] = 0
    still = np.unique(made.rows.case[split.open])
    chances = np.zeros((3_000, 2))
    chances[still] = (1 - 0.005, 0.005)
    fit = parts_with_open(made, split, chances, 100_000, 0).fit
    taught = np.intersect1d(still, fit.case)
    failing = np.unique(fit.case[fit.sample.y == 1])
    assert 0 < len(failing) < len(taught) * 2 * 0.005 / LEAST_CHANCE
    share = fit.sample.weight[fit.sample.y == 1].sum() / fit.sample.weight.sum()
    assert share == pytest.approx(0.005 * len(taught) / len(np.unique(fit.case)), rel=0.5)


def test_rows_that_are_there_more_than_once_count_as_often():
    made = table(6_000, open_share=0.5)
    split = temporal_split(made.cases, made.rows)
    chances = np.zeros((6_000, 2))
    chances[np.unique(made.rows.case[split.open])] = 0.5
    for part, n_most in zip(parts_with_open(made, split, chances, 4_000, 0), (4_000, 1_000), strict=True):
        assert 0.8 * n_most < len(part.case) < 1.2 * n_most


def test_a_case_of_which_nothing_is_said_teaches_nothing():
    made = table(300, open_share=0.2)
    split = temporal_split(made.cases, made.rows)
    taught = [part.case for part in parts_with_open(made, split, np.zeros((300, 2)), 10_000, 0)]
    assert set(np.concatenate(taught)) == set(made.rows.case[split.fit | split.valid])


def test_open_cases_of_a_log_are_watched_as_they_stood_at_the_split():
    days = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 4, 9), "1d", eager=True, time_zone="UTC")
    ends = [(f"c{n}", day.replace(hour=1) if n % 2 else day, "End") for n, day in enumerate(days)]
    events = pl.DataFrame(
        [(case, day, "Begin") for (case, *_), day in zip(ends, days, strict=True)]
        + [(case, day + np.timedelta64(30, "D").item(), kind) for case, day, kind in ends],
        schema=["case", "time", "type"],
        orient="row",
    ).with_columns(pl.lit("yes").alias("label"))
    split_us = int(days.to_physical()[80])
    made = features.table_of_log(events, Label(column="label", positive=("yes",)), split_us=split_us)
    assert made.rows.at_event.all()
    assert (made.watched.time_us < split_us).all()
    still = split_at(made.cases, made.watched, 0, split_us)
    case = made.watched.case[still.open]
    assert len(case) == len(set(case)) == 30
    silent_us = made.watched.time_us[still.open] - made.cases.opened_us[case]
    assert silent_us.max() == 256 * 3_600_000_000
    assert (~made.watched.at_event[still.valid]).any()
