"""The level follows what becomes of cases, knows nothing before its time, and prefers no case for ending soon."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from truenorth.foresight.level import MOST, Lives, Said, followed, level_of, raised, window_of, with_level
from truenorth.foresight.metrics import calibration_error
from truenorth.foresight.rows import NEVER

RISKS = st.floats(0.01, 0.99)
SAID = st.lists(st.tuples(RISKS, RISKS, st.integers(-1, 1)), max_size=60)


def said(cases: list[tuple[float, float, int]], times: int = 1) -> Said:
    """Of each case one word, so many ``times``, and what is known best by now."""
    said_, newest, failed = (np.array(part) for part in zip(*cases, strict=True)) if cases else (np.zeros(0),) * 3
    rows = (np.arange(len(cases)), said_, newest, failed.astype(np.int8))
    return Said(*(np.repeat(row, times) for row in rows))


@settings(deadline=None)
@given(SAID)
def test_a_level_is_bounded_and_goes_the_way_in_which_cases_differ(cases):
    level = level_of(said(cases))
    differs = sum((newest if failed < 0 else failed) - first for first, newest, failed in cases)
    assert abs(level) <= MOST
    assert level * differs >= 0


@settings(deadline=None)
@given(SAID)
def test_the_opposite_said_of_the_opposite_has_the_opposite_level(cases):
    turned = [(1 - first, 1 - newest, failed if failed < 0 else 1 - failed) for first, newest, failed in cases]
    assert abs(level_of(said(cases)) + level_of(said(turned))) < 0.001


@settings(deadline=None)
@given(SAID, st.permutations(range(60)))
def test_the_order_of_cases_does_not_matter(cases, order):
    mixed = [cases[n] for n in order if n < len(cases)]
    assert abs(level_of(said(cases)) - level_of(said(mixed))) < 0.001


@settings(deadline=None)
@given(SAID, st.integers(2, 5))
def test_saying_the_same_more_often_makes_nothing_surer(cases, times):
    assert abs(level_of(said(cases)) - level_of(said(cases, times))) < 0.001


@settings(deadline=None)
@given(SAID)
def test_open_cases_of_which_nothing_new_is_said_do_not_turn_a_level(cases):
    """They say neither that it is right nor that it is wrong."""
    still = [(first, first, -1) for first, _, _ in cases]
    assert level_of(said(still)) == 0.0
    assert level_of(said(cases)) * level_of(said(cases + still)) >= 0.0


@settings(deadline=None)
@given(st.lists(RISKS, min_size=1, max_size=20), st.floats(-3, 3))
def test_raising_keeps_order_and_can_be_undone(risks, level):
    risk = np.sort(np.array(risks))
    moved = raised(risk, level)
    assert (np.diff(moved) >= 0).all()
    np.testing.assert_allclose(logit(moved) - logit(risk), level, atol=1e-9)
    np.testing.assert_allclose(raised(moved, -level), risk, atol=1e-9)
    assert (raised(risk, 0.0) == risk).all()


@settings(deadline=None)
@given(st.lists(st.tuples(RISKS, RISKS, RISKS), min_size=1, max_size=20), st.floats(-3, 3))
def test_chances_at_a_level_still_sum_to_one_and_share_the_risk_as_before(parts, level):
    p = np.array(parts)
    p = p / p.sum(1, keepdims=True)
    moved = with_level(p, level)
    np.testing.assert_allclose(moved.sum(1), 1.0)
    np.testing.assert_allclose(1.0 - moved[:, 0], raised(1.0 - p[:, 0], level))
    np.testing.assert_allclose(moved[:, 1] * p[:, 2], moved[:, 2] * p[:, 1], atol=1e-12)


def lives(n: int, seed: int, *, moved: float = 0.0) -> tuple[Lives, np.ndarray]:
    """Cases one a minute, of whom what fails is known three times as soon; from half on the truth is ``moved``.

    Each is spoken of at its opening, and again when it is half as old as it can get: what is open still fails less.
    """
    generator = np.random.default_rng(seed)
    opened = np.arange(n, dtype=np.int64) * 60
    risk = expit(generator.normal(-0.5, 0.7, n))
    truth = np.where(opened >= opened[n // 2], expit(logit(risk) + moved), risk)
    failed = generator.random(n) < truth
    lasts = generator.integers(1, 6_000, n) * np.where(failed, 1, 3)
    again = np.flatnonzero(lasts > 3_000)
    later = risk[again] / 2 / (risk[again] / 2 + (1 - risk[again]) * 5 / 6)
    case = np.concatenate([np.arange(n), again]).astype(np.int32)
    times, told = np.concatenate([opened, opened[again] + 3_000]), np.concatenate([risk, later])
    return Lives(case, times, told, opened + lasts, failed.astype(np.int8)), failed[case]


def test_what_ends_soon_is_not_taken_for_what_is_usual():
    steady, _ = lives(6_000, 1)
    in_force = followed(steady, window_us=20_000, from_us=180_000)
    assert abs(in_force[steady.time_us >= 180_000].mean()) < 0.2
    ended = steady.ended_us[:6_000] < 300_000
    of_late = (np.arange(6_000) * 60 > 294_000) & ended
    assert steady.failed[of_late].mean() > steady.risk[:6_000].mean() + 0.15  # what a count of ended cases would say


def test_a_level_follows_a_truth_that_moves():
    moved, failed = lives(6_000, 2, moved=1.5)
    in_force = followed(moved, window_us=40_000, from_us=100_000)
    late = moved.time_us > 260_000
    assert abs(in_force[late].mean() - 1.5) < 0.4
    before, after = moved.risk[late], raised(moved.risk, in_force)[late]
    assert calibration_error(failed[late], after) < 0.3 * calibration_error(failed[late], before)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(5_000, 30_000))
def test_nothing_is_known_before_its_time(seed, until_us):
    whole, _ = lives(400, seed, moved=2.0)
    generator = np.random.default_rng(seed)
    unknown = whole.ended_us >= until_us
    others = np.where(unknown, generator.integers(0, 2, 400), whole.failed).astype(np.int8)
    other = whole._replace(failed=others, ended_us=np.where(unknown, NEVER, whole.ended_us))
    before = whole.time_us <= until_us
    levels = [followed(one, 30_000, 0)[before] for one in (whole, other)]
    np.testing.assert_array_equal(*levels)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(-(10**12), 10**12))
def test_shifting_every_instant_shifts_nothing_else(seed, by_us):
    one, _ = lives(300, seed, moved=2.0)
    later = one._replace(time_us=one.time_us + by_us, ended_us=one.ended_us + by_us)
    np.testing.assert_array_equal(followed(one, 30_000, 3_000), followed(later, 30_000, 3_000 + by_us))


def test_a_window_is_long_enough_for_most_cases_to_have_ended_and_for_enough_to_be_opened():
    opened = np.arange(1_000, dtype=np.int64) * 10
    assert window_of(opened, opened + 50_000) == 100_000
    assert window_of(opened, opened + 1) == 3_990
    assert window_of(opened[:0], opened[:0]) == 0
