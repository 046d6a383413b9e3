"""An event log in memory, and the service around it without a socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import httpx
from starlette.applications import Starlette

from truenorth.events import Event, Refused
from truenorth.server.ingest.webhook import Hook
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.keys import HashedKeys, hash_of
from truenorth.server.limits import Limits
from truenorth.server.links import Links
from truenorth.server.writer import LogWriter
from truenorth.spec.problems import Problem
from truenorth.store.ports import Appended, Stored, StoreFull

NOW_US = 1_767_605_400_000_000
"""2026-01-05 09:30 UTC."""

T = TypeVar("T")

KEYS = HashedKeys({hash_of("WRITEKEY"): "shop", hash_of("wk:secret"): "jitsu"})


class MemoryLog:
    """Keeps events in a list. A test may have it fail, or wait at a gate."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.not_events: list[tuple[int, Refused]] = []
        self.n_commits = 0
        self.n_arrived = 0
        self.is_full = False
        self.fails_for: Callable[[Event], bool] = lambda event: False
        self.gate = threading.Event()
        self.gate.set()
        self._seen: set[tuple[str, str]] = set()

    @property
    def events(self) -> list[Event]:
        return [one.event for one in self.stored]

    @property
    def reasons(self) -> list[str]:
        return [one.reason for _, one in self.not_events]

    def append(self, events: Sequence[Event], refused: Sequence[Refused] = ()) -> Appended:
        assert self.gate.wait(20)
        if self.is_full:
            raise StoreFull(Problem(path="log", expected="room to write", found="none"))
        if any(self.fails_for(event) for event in events):
            raise RuntimeError("secret words")
        n_before = len(self.stored)
        self.n_arrived += len(events) + len(refused)
        for event in events:
            if (event.source, event.id) not in self._seen:
                self._seen.add((event.source, event.id))
                self.stored.append(Stored(len(self.stored) + 1, event))
        self.not_events.extend((len(self.not_events) + 1 + index, one) for index, one in enumerate(refused))
        self.n_commits += 1
        n_new = len(self.stored) - n_before
        return Appended(n_new, len(events) - n_new, 0)

    def read(self, after: int = 0, *, limit: int = 10_000) -> Sequence[Stored]:
        return [one for one in self.stored if one.position > after][:limit]

    def refused(self, after: int = 0, *, limit: int = 1_000) -> Sequence[tuple[int, Refused]]:
        return [one for one in self.not_events if one[0] > after][:limit]

    def of_customers(self, ids: Sequence[str]) -> Iterator[Stored]:
        return (one for one in self.stored if one.event.customer in ids)


class Service(NamedTuple):
    """What a test talks to: a client, the log behind it, and the writer between."""

    client: httpx.AsyncClient
    log: MemoryLog
    writer: LogWriter
    app: Starlette


@asynccontextmanager
async def serving(
    limits: Limits | None = None,
    *,
    log: MemoryLog | None = None,
    hooks: Mapping[str, Hook] | None = None,
    links: Links | None = None,
    now_us: Callable[[], int] = lambda: NOW_US,
) -> AsyncIterator[Service]:
    limits, log = limits or Limits(), log or MemoryLog()
    writer = LogWriter(log, limits)
    app = Starlette(routes=ingest_routes(writer, KEYS, now_us, limits, hooks=hooks, links=links))
    await writer.start()
    try:
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            yield Service(client, log, writer, app)
    finally:
        await writer.stop()


def talk(conversation: Callable[[Service], Awaitable[T]], **settings: Any) -> T:
    """Hold one conversation with a fresh service."""

    async def held() -> T:
        async with serving(**settings) as service:
            return await conversation(service)

    return asyncio.run(held())
