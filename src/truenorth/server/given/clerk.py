"""Settles given promises when their time is over, and sees when what was promised has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import structlog

from truenorth.events import Event
from truenorth.server.given.word import GivenWord, answered, settled, words_of
from truenorth.store.opening import Store
from truenorth.store.ports import StoreFull

IDLE_S = 1.0
"""Between two looks: what is due is settled within it, as of the instant at which it was due."""
PAGE_WORDS = 5_000
"""Events of promises that are read at a time."""

LOG = structlog.get_logger("truenorth.given")


class Clerk:
    """Knows the promises that wait, from the log. What it writes, it may write twice: the second changes nothing."""

    def __init__(self, store: Store, now_us: Callable[[], int], ids_of: Callable[[str], Sequence[str]]) -> None:
        self._store = store
        self._now_us = now_us
        self._ids_of = ids_of
        self._begin()

    def _begin(self) -> None:
        self._n_erasures = self._store.results.n_erasures()
        self._told: dict[str, list[Event]] = {}
        self._position = 0

    async def run(self, stopped: asyncio.Event) -> None:
        """Look every now and then until stopped; a store that refuses is tried again."""
        while not stopped.is_set():
            try:
                await asyncio.to_thread(self.step)
            except StoreFull as error:
                LOG.warning("the store refuses", reason=str(error))
            try:
                await asyncio.wait_for(stopped.wait(), IDLE_S)
            except TimeoutError:
                continue

    def step(self) -> int:
        """Settle what is to be settled now; how many events that took."""
        waiting, now_us = self.waiting(), self._now_us()
        events = [event for word in waiting for event in self._due(word, now_us)]
        if events:
            self._store.events.append(events)
        return len(events)

    def waiting(self) -> list[GivenWord]:
        """The promises that are neither answered nor settled nor withdrawn."""
        if self._store.results.n_erasures() != self._n_erasures:
            self._begin()
        while page := self._store.given.after(self._position, limit=PAGE_WORDS):
            for position, event in page:
                self._told.setdefault(event.id.rpartition("/")[0], []).append(event)
                self._position = position
        words = [word for told in self._told.values() for word in words_of(told)]
        found = [word for word in words if word.state == "waiting"]
        self._told = {word.id: self._told[word.id] for word in found}
        return found

    def _due(self, word: GivenWord, now_us: int) -> Iterator[Event]:
        done_us = self._happened_us(word, now_us) if word.expect else None
        if done_us is not None:
            yield from answered(word, done_us, now_us)
        elif word.due_us <= now_us:
            yield settled(word, now_us)

    def _happened_us(self, word: GivenWord, now_us: int) -> int | None:
        """When the customer had the event that was promised, after it was promised and in time; None if not."""
        until_us = min(word.due_us, now_us)
        return self._store.given.first_of(self._ids_of(word.customer), str(word.expect), word.given_us + 1, until_us)
