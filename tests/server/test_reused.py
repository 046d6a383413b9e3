"""What many ask for: made one at a time, as seldom as can be, and never waited for where there is one before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event

from hypothesis import given
from hypothesis import strategies as st

from truenorth.server.api.totals import LONGEST_S, MOST_KEPT, TIMES, Remembered, Reused

EXACT_S = st.integers(1, 30 * 1024).map(lambda n: n / 1024)
"""Seconds whose sums and small multiples no float rounds."""


def numbered(took_s: float) -> tuple[Reused[str, int], list[float], list[float]]:
    """Values 1, 2, ... that take so long to make; the clock, and when each was made."""
    clock, made = [0.0], list[float]()

    def make(_: str) -> int:
        clock[0] += took_s
        made.append(clock[0])
        return len(made)

    return Reused(make, lambda: clock[0]), clock, made


@given(took_s=EXACT_S, asked_s=st.lists(EXACT_S, min_size=1))
def test_a_value_is_used_again_for_a_multiple_of_what_it_took(took_s: float, asked_s: list[float]) -> None:
    reused, clock, made = numbered(took_s)
    for later in asked_s:
        clock[0] += later
        is_good = bool(made) and clock[0] < made[-1] + min(TIMES * took_s, LONGEST_S)
        before = len(made)
        assert reused.of("k") == len(made) == before + (not is_good)


@given(took_s=EXACT_S, age_s=EXACT_S, later_s=EXACT_S)
def test_whoever_takes_an_older_value_gets_one_of_that_age(took_s: float, age_s: float, later_s: float) -> None:
    reused, clock, _ = numbered(took_s)
    assert reused.of("k", age_s=age_s) == 1
    clock[0] += later_s
    is_good = later_s < max(age_s, min(TIMES * took_s, LONGEST_S))
    assert reused.of("k", age_s=age_s) == 1 + (not is_good)


def test_whoever_asks_while_one_is_made_anew_gets_the_one_before() -> None:
    clock, may_end, began = [0.0], Event(), Event()

    def make(_: str) -> float:
        if clock[0]:
            began.set()
            assert may_end.wait(30)
        return clock[0]

    reused = Reused(make, lambda: clock[0])
    assert reused.of("k") == 0.0
    clock[0] = 1.0
    with ThreadPoolExecutor(1) as elsewhere:
        anew = elsewhere.submit(reused.of, "k")
        assert began.wait(30)
        assert reused.of("k") == 0.0
        may_end.set()
        assert anew.result() == reused.of("k") == 1.0


def test_what_never_changes_is_made_once_and_no_more_than_so_many_are_kept() -> None:
    made: list[int] = []
    remembered = Remembered(lambda key: made.append(key) or -key)  # type: ignore[func-returns-value]
    assert [remembered.of(n) for n in (1, 2, 1, 2)] == [-1, -2, -1, -2]
    assert made == [1, 2]
    for n in range(MOST_KEPT + 5):
        remembered.of(n)
    assert len(remembered._made) <= MOST_KEPT


def test_what_never_changes_is_made_once_for_those_who_ask_together() -> None:
    together, twice, made = Barrier(8), Barrier(2), list[str]()

    def make(key: str) -> str:
        made.append(key)
        try:
            twice.wait(timeout=0.5)  # where two were ever in here they would meet
        except BrokenBarrierError:
            return key.upper()
        return key

    remembered = Remembered(make)

    def ask() -> str:
        together.wait()
        return remembered.of("a")

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ask) for _ in range(8)]
        assert [one.result() for one in asked] == ["A"] * 8
    assert made == ["a"]
