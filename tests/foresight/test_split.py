"""Held-out time: nothing that is learnt was known later, no case is on two sides, still open is not negative."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foresight.tables import table
from truenorth.foresight.rows import NEVER, Cases, Rows
from truenorth.foresight.split import all_known, censoring_weights, rank_in_case, row_weights, temporal_split

lives = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 60), st.integers(-1, 1), st.integers(1, 4)), min_size=1, max_size=60
)


def cases_of(found):
    opened, lasted, outcome, n_rows = (np.array(part) for part in zip(*found, strict=True))
    ended = np.where(outcome >= 0, opened + lasted, NEVER)
    ids = pl.Series([str(i) for i in range(len(found))])
    case = np.repeat(np.arange(len(found)), n_rows).astype(np.int32)
    zeros = np.zeros(len(case), np.int32)
    rows = Rows(np.zeros((len(case), 1), np.float32), case, zeros + 1, opened[case], zeros == 0)
    return Cases(ids, opened, ended, outcome.astype(np.int8), ids), rows


@given(lives, st.floats(0.1, 0.9))
def test_nothing_learnt_was_known_later(found, share):
    cases, rows = cases_of(found)
    split = temporal_split(cases, rows, share)
    taught, tried = rows.case[split.fit | split.valid], rows.case[split.test]
    assert (cases.ended_us[taught] < split.test_us).all()
    assert (cases.opened_us[tried] >= split.test_us).all()
    assert (cases.outcome[np.r_[taught, tried]] >= 0).all()


@given(lives, st.floats(0.1, 0.9))
def test_no_case_is_on_two_sides_and_each_is_somewhere(found, share):
    cases, rows = cases_of(found)
    split = temporal_split(cases, rows, share)
    sides = [set(rows.case[mask].tolist()) for mask in split[:3]]
    assert sum(map(len, sides)) == len(set().union(*sides))
    later_unknown = ((cases.opened_us >= split.test_us) & (cases.outcome < 0)).sum()
    assert sum(map(len, sides)) + split.n_censored + later_unknown == len(found)


@given(lives)
def test_a_model_for_work_learns_of_all_that_ended(found):
    cases, rows = cases_of(found)
    split = all_known(cases, rows)
    assert ((split.fit | split.valid) == (cases.outcome >= 0)[rows.case]).all()
    assert not (split.fit & split.valid).any()


@pytest.mark.parametrize(("lasts", "n_chosen_on"), [(5, 175), (85, 163), (600, 60)])
def test_the_latest_that_have_ended_choose_where_outcomes_come_late(lasts, n_chosen_on):
    cases, rows = cases_of([(at, lasts, at % 3 % 2, 1) for at in range(1_000)])
    split = temporal_split(cases, rows, 0.1)
    fit, valid = rows.case[split.fit], rows.case[split.valid]
    assert len(valid) == n_chosen_on
    assert len(fit) + len(valid) == split.test_us - lasts
    assert fit.max() < valid.min()


def test_those_that_failed_choose_too_where_it_takes_longer_to_know():
    cases, rows = cases_of([(at, 300 if at % 5 == 0 else 5, int(at % 5 == 0), 1) for at in range(1_000)])
    split = temporal_split(cases, rows, 0.1)
    of_fit, of_valid = (cases.outcome[rows.case[part]] for part in (split.fit, split.valid))
    assert (of_fit > 0).sum() == 96
    assert (of_valid > 0).sum() == 24
    late = cases_of([(at, 5, int(at % 5 == 0 and at < 800), 1) for at in range(1_000)])
    for_work = all_known(*late)
    assert (late[0].outcome[late[1].case[for_work.valid]] > 0).sum() == 32


def test_censoring_weights_put_the_share_of_long_cases_right():
    generator = np.random.default_rng(1)
    opened = generator.integers(0, 1_000, 20_000)
    is_long = generator.random(20_000) < 0.3
    ended = opened + np.where(is_long, 600, 20)
    seen = ended < 1_000
    weights = censoring_weights(opened, ended, 1_000)
    assert is_long[seen].mean() < 0.16  # what is seen is wrong
    assert abs(np.average(is_long, weights=weights) - 0.3) < 0.02
    assert (weights[~seen] == 0).all()
    assert (weights[seen] >= 1).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 40))
def test_a_rank_knows_nothing_of_the_rows_to_come(case, n):
    case = np.array(case, np.int32)
    ranks = rank_in_case(case)
    assert (rank_in_case(case[:n]) == ranks[:n]).all()
    for one in np.unique(case):
        assert ranks[case == one].tolist() == list(range(1, int((case == one).sum()) + 1))


def test_weights_leave_the_share_of_what_ends_soon_as_it_is():
    generator = np.random.default_rng(3)
    is_short = generator.random(4_000) < 0.2
    case = np.repeat(np.arange(4_000, dtype=np.int32), np.where(is_short, 1, 9))
    made = table(4_000, open_share=0.0)
    rows = made.rows._replace(x=np.zeros((len(case), 5), np.float32), case=case)
    weights = row_weights(made._replace(rows=rows), np.ones(len(case), bool), int(made.cases.ended_us.max()) + 1)
    first = rank_in_case(case) == 1
    assert np.average(is_short[case][first], weights=weights[first]) == pytest.approx(is_short.mean(), abs=0.01)


@given(lives, st.integers(1, 30))
def test_cases_that_ended_without_a_label_do_not_move_the_split(found, n_more):
    cases, rows = cases_of(found)
    opened, ended = np.r_[cases.opened_us, np.full(n_more, 99)], np.r_[cases.ended_us, np.full(n_more, 100)]
    outcome = np.r_[cases.outcome, np.full(n_more, -1, np.int8)]
    more = Cases(cases.id, opened, ended, outcome, cases.customer)
    assert temporal_split(more, rows).test_us == temporal_split(cases, rows).test_us


def test_a_long_case_weighs_less_than_its_rows():
    made = table(200)
    split = temporal_split(made.cases, made.rows)
    weights = row_weights(made, split.fit, split.test_us)
    case = made.rows.case[split.fit]
    of_case, n_rows = np.bincount(case, weights), np.bincount(case)
    assert abs(weights.mean() - 1) < 1e-9
    long, short = of_case[n_rows >= 5].mean(), of_case[n_rows == 1].mean()
    assert short < long < 4 * short
