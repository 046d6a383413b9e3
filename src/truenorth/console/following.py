"""Pages that follow the signals: one listener tells all pages of the process, none of them polls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from nicegui import background_tasks, ui

from truenorth.console.sight import WRONG, Sight, words_of
from truenorth.server.broadcast import Broadcast
from truenorth.store.rows import Signal

CALM_S = 0.15
"""Signals that come together are told together."""
LEAST_S = 0.85
"""Between two refreshes of a page."""
MOST_SIGNALS = 1_000
"""Signals that are told at a time, and parts that wait for a page: what is left out is in its next refresh anyway."""

Part = Sequence[Signal]


class Followers:
    """The pages that are told. Signals are taken once and passed on in parts, however many pages there are."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[Part]] = set()
        self._gathered: list[Signal] = []
        self._listening: asyncio.Task[None] | None = None

    def join(self, broadcast: Broadcast) -> asyncio.Queue[Part]:
        """Where a page finds what it is told; the first one begins to listen."""
        page: asyncio.Queue[Part] = asyncio.Queue(MOST_SIGNALS)
        self._pages.add(page)
        if self._listening is None or self._listening.done():
            self._listening = background_tasks.create(self._listen(broadcast), name="truenorth-signals")
        return page

    def leave(self, page: asyncio.Queue[Part]) -> None:
        """Tell a page no more; the last one ends the listening."""
        self._pages.discard(page)
        if not self._pages and self._listening is not None:
            self._listening.cancel()
            self._listening = None

    async def _listen(self, broadcast: Broadcast) -> None:
        loop = asyncio.get_running_loop()
        async with aclosing(broadcast.listen(None)) as told:
            async for one in told:
                if not isinstance(one, Signal):
                    continue
                if not self._gathered:
                    loop.call_later(CALM_S, self._pass_on)
                if len(self._gathered) < MOST_SIGNALS:
                    self._gathered.append(one)

    def _pass_on(self) -> None:
        part, self._gathered = self._gathered, []
        for page in self._pages:
            if not page.full():
                page.put_nowait(part)


def follow(sight: Sight, refresh: Callable[[Part], Awaitable[None]]) -> None:
    """Call ``refresh`` with what was told, soon after it was told, as long as the page is open.

    A page that is slow gets signals in larger parts, and never two refreshes at a time.
    """
    client, followers = ui.context.client, sight.reader.followers
    news = followers.join(sight.reader.served.broadcast)

    async def refreshing() -> None:
        while True:
            told = list(await news.get())
            while not news.empty():
                told += news.get_nowait()
            try:
                with client:
                    await refresh(told)
            except WRONG as error:
                with client:
                    sight.tell(words_of(error), "bad")
                if getattr(error, "code", "") == "signed_out":
                    return
            await asyncio.sleep(LEAST_S)

    task = background_tasks.create(refreshing(), name="truenorth-page-refresh")

    def end() -> None:
        task.cancel()
        followers.leave(news)

    client.on_delete(end)
