"""Pages are made in the order in which they were asked for, two at a time; a slow one does not hold up the others."""

from __future__ import annotations

import asyncio

import pytest

from truenorth.console import turns
from truenorth.console.turns import AT_ONCE, Turns


class Making:
    """Pages that are made in turns, each until it is told to be done."""

    def __init__(self, own: Turns, n_pages: int) -> None:
        self.begun: list[int] = []
        self.done = [asyncio.Event() for _ in range(n_pages)]
        self.tasks = [asyncio.create_task(self._make(own, n)) for n in range(n_pages)]

    async def _make(self, own: Turns, n: int) -> None:
        async with own.turn():
            self.begun.append(n)
            await self.done[n].wait()

    async def end(self) -> None:
        """Finish what is still being made."""
        for one in self.done:
            one.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def settle() -> None:
    """Let all tasks come to where they wait."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_who_came_first_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 3600.0)

    async def run() -> None:
        making = Making(Turns(), 5)
        await settle()
        assert making.begun == list(range(AT_ONCE)) == [0, 1]
        making.done[1].set()
        await settle()
        assert making.begun == [0, 1, 2]
        making.tasks[3].cancel()  # whoever goes away loses their turn, and nobody else's
        making.done[0].set()
        making.done[2].set()
        await settle()
        assert making.begun == [0, 1, 2, 4]
        await making.end()

    asyncio.run(run())


def test_slow_ones_hold_up_nobody_for_long_and_give_back_one_turn_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 0.0)

    async def run() -> None:
        own = Turns()
        slow = Making(own, 6)
        async with asyncio.timeout(30):
            while len(slow.begun) < 6:  # though none of them is done
                await asyncio.sleep(0)
        await settle()
        await slow.end()
        monkeypatch.setattr(turns, "LONGEST_S", 3600.0)
        making = Making(own, 3)
        await settle()
        assert making.begun == [0, 1]
        await making.end()

    asyncio.run(run())
