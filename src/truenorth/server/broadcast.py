"""Signals as they are given, to any number of listeners, with one reader of the store for all of them.

A listener first reads from the store what it has missed, then is joined to the reader at the very place it has come to.
One that is too slow for its bounded queue is let go and reads on from the store. So nobody misses a signal or gets one
twice, and a slow listener costs no memory. The reader runs only while somebody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import NamedTuple

import structlog
from starlette.concurrency import run_in_threadpool

from truenorth.store.rows import Signal

PAGE_SIGNALS = 500
"""Signals that are read at a time."""
POLL_S = 0.2
"""Between two looks at a store that had nothing new."""
RETRY_S = 1.0
"""The wait after the store has failed."""

LOG = structlog.get_logger("truenorth.broadcast")

Read = Callable[[int, int], Sequence[Signal]]
"""The next signals after a number, at most so many."""


class Alive(NamedTuple):
    """Nothing new; everything up to a number was seen."""

    number: int


class _Listener:
    """A bounded queue; ``is_joined`` ends where it overflowed."""

    def __init__(self, size: int) -> None:
        self.queue: asyncio.Queue[Signal] = asyncio.Queue(size)
        self.is_joined = True

    def offer(self, signal: Signal) -> bool:
        try:
            self.queue.put_nowait(signal)
        except asyncio.QueueFull:
            self.is_joined = False
        return self.is_joined


class Broadcast:
    """One reader and its listeners; to be used in one event loop."""

    def __init__(
        self, read: Read, last_number: Callable[[], int], *, heartbeat_s: float, waiting: int, poll_s: float = POLL_S
    ) -> None:
        self._read = read
        self._last_number = last_number
        self._heartbeat_s = heartbeat_s
        self._waiting = waiting
        self._poll_s = poll_s
        self._listeners: set[_Listener] = set()
        self._reader: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._position = 0
        self._closing = False
        self.n_streams = 0
        """Listeners, those that still catch up included."""

    def wake(self) -> None:
        """Tell the reader that there are new signals; from any thread. Those of other processes it finds by itself."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    def close(self) -> None:
        """End all streams, soon; new ones end at once."""
        self._closing = True
        for listener in self._listeners:
            listener.is_joined = False
            with suppress(asyncio.QueueFull):
                listener.queue.put_nowait(_END)

    async def listen(self, after: int | None) -> AsyncGenerator[Signal | Alive, None]:
        """Signals after a number (None: given from now on), each once and in order; `Alive` where there are none."""
        self.n_streams += 1
        try:
            newest = await run_in_threadpool(self._last_number)
            seen = newest if after is None else min(after, newest)
            yield Alive(seen)
            while not self._closing:
                was_at = self._position if self._reader else 0
                page = await run_in_threadpool(self._read, seen, PAGE_SIGNALS)
                for signal in page:
                    yield signal
                    seen = signal.number
                if len(page) == PAGE_SIGNALS:
                    continue
                seen = max(seen, was_at)  # what the reader has read and this page has not is erased
                if self._reader is None or self._position <= seen:
                    async with aclosing(self._joined(seen)) as joined:
                        async for told in joined:
                            yield told
                            seen = told.number
        finally:
            self.n_streams -= 1

    async def _joined(self, seen: int) -> AsyncGenerator[Signal | Alive, None]:
        """What the reader reads from now on, until the listener is let go."""
        listener = _Listener(self._waiting)
        self._join(listener, seen)
        try:
            while listener.is_joined or not listener.queue.empty():
                try:
                    signal = await asyncio.wait_for(listener.queue.get(), self._heartbeat_s)
                except TimeoutError:
                    seen = max(seen, self._position) if listener.queue.empty() else seen
                    yield Alive(seen)
                    continue
                if signal is _END:
                    return
                if signal.number > seen:
                    yield signal
                    seen = signal.number
        finally:
            self._leave(listener)

    def _join(self, listener: _Listener, seen: int) -> None:
        self._listeners.add(listener)
        if self._reader is None:
            self._position = seen
            self._loop = asyncio.get_running_loop()
            self._reader = asyncio.create_task(self._run(), name="truenorth-signals")

    def _leave(self, listener: _Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners and self._reader is not None:
            self._reader.cancel()
            self._reader = self._loop = None

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                page = await run_in_threadpool(self._read, self._position, PAGE_SIGNALS)
            except Exception as error:  # whatever a store raises: listeners wait until it answers again
                LOG.warning("signals could not be read", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                continue
            for signal in page:
                self._position = signal.number
                self._listeners = {one for one in self._listeners if one.offer(signal)}
            if len(page) < PAGE_SIGNALS:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._poll_s)


_END = Signal(number=0, journey="", kind="", time_us=0, body=b"")
"""Stands in a queue whose stream ends."""
