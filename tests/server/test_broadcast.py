"""Every listener hears every signal once and in order, however slow it is and whenever it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.server.broadcast import PAGE_SIGNALS, Alive, Broadcast
from truenorth.store.rows import Signal


class Told:
    """Signals that are given as a test wants it."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.n_reads = 0
        self.fails = False

    def read(self, after: int, limit: int) -> Sequence[Signal]:
        self.n_reads += 1
        if self.fails:
            raise RuntimeError("no answer")
        numbers = [number for number in self.numbers if number > after][:limit]
        return [Signal(number=n, journey="j", kind="k", time_us=n, body=b"{}") for n in numbers]

    def last_number(self) -> int:
        return max(self.numbers, default=0)


def broadcast(told: Told, waiting: int = 5) -> Broadcast:
    return Broadcast(told.read, told.last_number, heartbeat_s=0.05, waiting=waiting, poll_s=0.001)


async def heard(source: Broadcast, after: int | None, until: int, pause: Callable[[], Any] | None = None) -> list[int]:
    """The numbers that a listener hears up to one."""
    numbers: list[int] = []
    async with aclosing(source.listen(after)) as listening:
        async for one in listening:
            if isinstance(one, Signal):
                numbers.append(one.number)
                if one.number >= until:
                    break
                if pause:
                    await pause()
    return numbers


def within(seconds: float, coroutine: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(seconds):
            return await coroutine

    return asyncio.run(bounded())


@given(
    steps=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    waiting=st.integers(1, 6),
    cuts=st.lists(st.integers(0, 29), max_size=4),
    slow=st.lists(st.booleans(), min_size=1, max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_nothing_lost_nothing_doubled(steps: list[int], waiting: int, cuts: list[int], slow: list[bool]) -> None:
    numbers = [sum(steps[: n + 1]) for n in range(len(steps))]
    stops = sorted({numbers[cut] for cut in cuts if cut < len(numbers)} | {numbers[-1]})

    async def listener(source: Broadcast, is_slow: bool) -> list[int]:
        """Hears up to each stop, goes away, and comes back with the last number it had."""
        numbers_heard: list[int] = []
        last = 0
        for stop in stops:
            if stop > last:
                pause = (lambda: asyncio.sleep(0.002)) if is_slow else None
                numbers_heard += await heard(source, last, stop, pause)
                last = numbers_heard[-1]
        return numbers_heard

    async def told_while_they_listen() -> None:
        told = Told()
        source = broadcast(told, waiting)
        listeners = [asyncio.create_task(listener(source, is_slow)) for is_slow in slow]
        for number in numbers:
            told.numbers.append(number)
            if number % 3 == 0:
                await asyncio.sleep(0.002)
        # clamping to what there is: who comes first begins at 0
        for one in listeners:
            assert await one == numbers
        assert (source.n_streams, source._reader) == (0, None)

    within(20, told_while_they_listen())


def test_from_now_on() -> None:
    async def conversation() -> None:
        told = Told(1, 2, 3)
        source = broadcast(told)
        async with aclosing(source.listen(None)) as listening:
            assert await anext(listening) == Alive(3)
            told.numbers.append(4)
            assert (await anext(listening)).number == 4  # type: ignore[union-attr]

    within(10, conversation())


def test_one_reader_for_all() -> None:
    async def conversation() -> int:
        told = Told(1)
        source = broadcast(told)
        tasks = [asyncio.create_task(heard(source, 1, 2)) for _ in range(100)]
        while len(source._listeners) < 100:
            await asyncio.sleep(0.005)
        before = told.n_reads
        await asyncio.sleep(0.1)
        told.numbers.append(2)
        assert await asyncio.gather(*tasks) == [[2]] * 100
        return told.n_reads - before

    assert within(20, conversation()) <= 110  # one reader every millisecond at most, not a hundred


@pytest.mark.parametrize("after", [7, 10**9])
def test_what_was_erased_is_not_waited_for(after: int) -> None:
    async def conversation() -> None:
        told = Told(*range(1, 8))
        source = broadcast(told)
        first = asyncio.create_task(heard(source, 7, 9))
        while not source._listeners:
            await asyncio.sleep(0.001)
        told.numbers = [1, 2]
        second = asyncio.create_task(heard(source, after, 9))
        while len(source._listeners) < 2:
            await asyncio.sleep(0.001)
        told.numbers += [8, 9]
        assert await first == await second == [8, 9]

    within(10, conversation())


def test_a_store_that_fails_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truenorth.server.broadcast.RETRY_S", 0.001)

    async def conversation() -> None:
        told = Told(1)
        source = broadcast(told)
        listening = asyncio.create_task(heard(source, 1, 2))
        while not source._listeners:
            await asyncio.sleep(0.001)
        told.fails = True
        before = told.n_reads
        while told.n_reads < before + 3:
            await asyncio.sleep(0.001)
        told.numbers.append(2)
        told.fails = False
        assert await listening == [2]

    within(10, conversation())


def test_signs_of_life_and_the_end() -> None:
    async def conversation() -> None:
        source = broadcast(Told(5))
        ones = []
        async for one in source.listen(None):
            ones.append(one)
            if len(ones) == 3:
                source.close()
        assert ones[:3] == [Alive(5)] * 3
        assert [one async for one in source.listen(None)] == [Alive(5)]

    within(10, conversation())


def test_a_long_absence_is_read_in_pages() -> None:
    last = 2 * PAGE_SIGNALS + 3
    told = Told(*range(1, last + 1))
    assert within(10, heard(broadcast(told), 0, last)) == list(range(1, last + 1))
    assert told.n_reads == 3
