"""Work side by side: answers in order, failures that are told, nothing that goes on after one."""

from __future__ import annotations

from concurrent.futures import CancelledError
from functools import partial
from threading import Barrier, Event, Lock, get_ident

import pytest

from truenorth.foresight.abreast import go_on, side_by_side

LONG_S = 30.0


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_answers_are_in_the_order_of_the_calls(n_threads):
    assert side_by_side([partial(pow, 2, n) for n in range(20)], n_threads) == [2**n for n in range(20)]


def test_so_many_are_at_work_at_once():
    met = Event()
    first_in = Lock()

    def meet():
        if not first_in.acquire(blocking=False):
            met.set()
        return met.wait(LONG_S)

    assert side_by_side([meet, meet], 2) == [True, True]
    assert len(set(side_by_side([get_ident] * 3, 1))) == 1


def test_a_failure_is_told_and_ends_what_works_beside_it_however_deep():
    all_at_work, ended_by, never = Barrier(3), [], []

    def works_on():
        all_at_work.wait(LONG_S)
        try:
            while not Event().wait(0.001):
                go_on()
        except CancelledError as error:
            ended_by.append(error)
            raise

    def fails():
        all_at_work.wait(LONG_S)
        raise ValueError("no")

    def inner():
        return side_by_side([works_on, works_on], 2)

    with pytest.raises(ValueError, match="no"):
        side_by_side([inner, fails, partial(never.append, 1), partial(never.append, 2)], 2)
    assert len(ended_by) == 2
    assert not never


def test_work_goes_on_where_another_one_has_failed():
    with pytest.raises(ZeroDivisionError):
        side_by_side([partial(divmod, 1, 0), partial(divmod, 1, 1)], 2)
    go_on()
    assert side_by_side([go_on, go_on], 2) == [None, None]
