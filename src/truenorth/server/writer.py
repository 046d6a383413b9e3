"""Group commit: while one transaction is written the next gathers; an answer comes after its events are on disk."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from truenorth.server.ingest.parsed import Parsed
from truenorth.server.limits import Limits
from truenorth.store.ports import Appended, EventLog, StoreFull

logger = logging.getLogger(__name__)


class QueueFull(Exception):
    """As much as is allowed waits to be written; nothing was taken."""


class NotKept(Exception):
    """The store failed, or the writer has stopped; nothing was acknowledged."""


class _Waiting(NamedTuple):
    parsed: Parsed
    done: asyncio.Future[None]


class Commit(NamedTuple):
    """What one transaction wrote, and for how many requests."""

    appended: Appended
    n_refused: int
    n_requests: int


class LogWriter:
    """Writes what requests hand over, on one thread, in transactions of whatever has gathered.

    To be used in one event loop: `start`, any number of `append`, `stop`. ``on_commit`` is called in the loop after
    each transaction.
    """

    def __init__(self, log: EventLog, limits: Limits, on_commit: Callable[[Commit], None] | None = None) -> None:
        self._log = log
        self._limits = limits
        self._on_commit = on_commit
        self._queue: deque[_Waiting] = deque()
        self._n_waiting = 0
        self._has_work = asyncio.Event()
        self._is_stopping = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="truenorth-log")
        self._task: asyncio.Task[None] | None = None

    @property
    def n_waiting(self) -> int:
        """Events that have no answer yet."""
        return self._n_waiting

    @property
    def is_full(self) -> bool:
        """Whether no further event is taken."""
        return self._n_waiting >= self._limits.waiting_events

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="truenorth-log")

    async def stop(self) -> None:
        """Write what waits, answer everybody, and take no more."""
        self._is_stopping = True
        self._has_work.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def append(self, parsed: Parsed) -> None:
        """Return when everything of a request is on disk.

        Raises QueueFull, NotKept and StoreFull; then nothing of it is acknowledged. A request larger than the queue is
        taken when the queue is empty.
        """
        if not parsed.n_items:
            return
        if self._is_stopping:
            raise NotKept("the service is stopping")
        if self._n_waiting and self._n_waiting + parsed.n_items > self._limits.waiting_events:
            raise QueueFull
        waiting = _Waiting(parsed, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._n_waiting += parsed.n_items
        self._has_work.set()
        await waiting.done

    async def _run(self) -> None:
        while True:
            if not self._queue:
                if self._is_stopping:
                    return
                self._has_work.clear()
                await self._has_work.wait()
                continue
            group = self._gathered()
            await self._commit(group)
            self._n_waiting -= sum(waiting.parsed.n_items for waiting in group)

    def _gathered(self) -> list[_Waiting]:
        """The first requests of the queue, as many as fit one transaction, at least one."""
        group = [self._queue.popleft()]
        n_items = group[0].parsed.n_items
        while self._queue and n_items + self._queue[0].parsed.n_items <= self._limits.commit_events:
            group.append(self._queue.popleft())
            n_items += group[-1].parsed.n_items
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        error = await self._write(group)
        if error is not None and len(group) > 1 and not isinstance(error, StoreFull):
            for waiting in group:  # one of them is to blame; the others shall not suffer
                _answer([waiting], await self._write([waiting]))
            return
        _answer(group, error)

    async def _write(self, group: Sequence[_Waiting]) -> Exception | None:
        """Append in the thread; what went wrong, if anything did."""
        events = [event for waiting in group for event in waiting.parsed.events]
        refused = [one for waiting in group for one in waiting.parsed.refused]
        try:
            appended = await asyncio.get_running_loop().run_in_executor(self._thread, self._log.append, events, refused)
        except StoreFull as error:
            return error
        except Exception as error:  # whatever a store raises: the sender must be told
            # the message of a database error may quote what was written
            logger.error("%d events could not be appended: %s", len(events), type(error).__name__)  # noqa: TRY400
            return NotKept("the store failed")
        self._tell(Commit(appended, len(refused), len(group)))
        return None

    def _tell(self, commit: Commit) -> None:
        if self._on_commit is None:
            return
        try:
            self._on_commit(commit)
        except Exception:  # who listens must not stop who writes
            logger.exception("what follows a commit failed")


def _answer(group: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in group:
        if waiting.done.done():  # the sender has gone away
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(type(error)(*error.args))
