"""Pages that follow the signals: one reader of the store tells all of them, none of them polls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import structlog
from nicegui import background_tasks, ui

from truenorth.console.sight import Sight, words_of
from truenorth.server.broadcast import Broadcast
from truenorth.server.receiving import Turned
from truenorth.spec.problems import TruenorthError
from truenorth.store.ports import StoreFull
from truenorth.store.rows import Signal

CALM_S = 0.15
"""Signals that come together are answered together."""
LEAST_S = 1.0
"""Between two refreshes of a page."""

LOG = structlog.get_logger("truenorth.console")


def follow(sight: Sight, refresh: Callable[[Sequence[Signal]], Awaitable[None]]) -> None:
    """Call ``refresh`` with what was told, soon after it was told, as long as the page is open.

    A page that is slow gets signals in larger parts, and never two refreshes at a time.
    """
    client = ui.context.client
    news: asyncio.Queue[Signal] = asyncio.Queue(sight.reader.served.bounds.stream_waiting)

    async def refreshing() -> None:
        while True:
            told = [await news.get()]
            await asyncio.sleep(CALM_S)
            while not news.empty():
                told.append(news.get_nowait())
            try:
                with client:
                    await refresh(told)
            except (Turned, TruenorthError, StoreFull) as error:
                with client:
                    sight.tell(words_of(error), "bad")
                if getattr(error, "code", "") == "signed_out":
                    return
            await asyncio.sleep(LEAST_S - CALM_S)

    tasks = [
        background_tasks.create(_listen(sight.reader.served.broadcast, news), name="truenorth-page-signals"),
        background_tasks.create(refreshing(), name="truenorth-page-refresh"),
    ]

    def end() -> None:
        for task in tasks:
            task.cancel()

    client.on_delete(end)


async def _listen(broadcast: Broadcast, news: asyncio.Queue[Signal]) -> None:
    async with aclosing(broadcast.listen(None)) as told:
        async for one in told:
            if isinstance(one, Signal) and not news.full():  # one that is left out is in the next refresh anyway
                news.put_nowait(one)
