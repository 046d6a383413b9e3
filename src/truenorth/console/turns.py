"""Pages are made in turns: who came first has theirs first, instead of all who come together having theirs late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

AT_ONCE = 2
"""Pages that are made at the same time: while one waits for the store, the other one is drawn."""
LONGEST_S = 0.5
"""How long others wait for a page that takes long; then it goes on beside them."""


class Turns:
    """Turns, in the order in which they are asked for; of one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it for what is done inside, but no longer than `LONGEST_S`."""
        await self._free.acquire()
        with ExitStack() as held:
            held.callback(self._free.release)
            late = asyncio.get_running_loop().call_later(LONGEST_S, held.close)
            held.callback(late.cancel)
            yield
