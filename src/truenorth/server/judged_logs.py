"""Whole logs judged by a journey, kept for questions that look at all of it: made one at a time, beside the service."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from truenorth.server.receiving import Turned
from truenorth.store.opening import Store

if TYPE_CHECKING:
    from truenorth.engine.replay import Replay

MOST_EVENTS = 5_000_000
"""Largest log that is read here; so many events are held at a time, however many journeys have judged them."""
AGE_S = 300.0
"""How old a judged log may get while events go on coming."""
WAIT_S = 8.0
"""How long a question waits for a log that has to be read; after that it is told to come back."""
MOST_WAITING = 8
"""Questions that wait at a time; the others are told to come back at once."""
RETRY_S = 2


class _Held(NamedTuple):
    version: int
    n_erasures: int
    position: int
    at_s: float
    n_events: int
    replay: Replay


class Stopped(Exception):
    """The service ends."""


class JudgedLogs:
    """Replays of a store's log by its live journeys. Safe to use from any number of threads."""

    def __init__(self, store: Store, elapsed_s: Callable[[], float]) -> None:
        self._store = store
        self._elapsed_s = elapsed_s
        self._worker = ThreadPoolExecutor(1, "truenorth-judged-log")
        self._lock = Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._making: dict[str, Future[Replay]] = {}
        self._stopped = Flag()
        self._n_waiting = 0

    def of(self, journey: str, version: int) -> Replay:
        """The log judged by the live ``version`` of a journey; turned away where it takes long, or is too large."""
        with self._lock:
            held = self._fresh(journey, version)
            if held is not None:
                return held.replay
            n_events = self._store.events.last_position()
            if n_events > MOST_EVENTS:
                message = (
                    f"the log has some {n_events:,} events, maps here look at {MOST_EVENTS:,}; use 'truenorth report'"
                )
                raise Turned(409, "too_many_events", message)
            if journey not in self._making:
                self._making[journey] = self._worker.submit(self._judge, journey, version)
            making = self._making[journey]
            if self._n_waiting >= MOST_WAITING:
                raise _not_yet()
            self._n_waiting += 1
        try:
            return making.result(WAIT_S)
        except NotYet:
            raise _not_yet() from None
        finally:
            with self._lock:
                self._n_waiting -= 1

    def close(self) -> None:
        """Judge nothing more; returns when nothing is being judged."""
        self._stopped.set()
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _fresh(self, journey: str, version: int) -> _Held | None:
        held = self._held.get(journey)
        if held is None or (held.version, held.n_erasures) != (version, self._store.results.n_erasures()):
            self._held.pop(journey, None)
            return None
        is_young = self._elapsed_s() - held.at_s < AGE_S
        if not is_young and held.position != self._store.results.progress(journey).position:
            return None
        self._held.move_to_end(journey)
        return held

    def _judge(self, journey: str, version: int) -> Replay:
        from truenorth.server.foreseeing.teaching import judged_log  # noqa: PLC0415  (heavy)

        try:
            n_erasures, progress = self._store.results.n_erasures(), self._store.results.progress(journey)
            replay = judged_log(self._store, journey, self._tell, until_us=progress.watermark_us).replay
            n_events = int(replay.summary["events"])
            held = _Held(version, n_erasures, progress.position, self._elapsed_s(), n_events, replay)
            with self._lock:
                self._held[journey] = held
                while len(self._held) > 1 and sum(one.n_events for one in self._held.values()) > MOST_EVENTS:
                    self._held.popitem(last=False)
            return replay
        finally:
            with self._lock:
                del self._making[journey]

    def _tell(self, _stage: str, _share: float) -> None:
        if self._stopped.is_set():
            raise Stopped


def _not_yet() -> Turned:
    return Turned(503, "being_made", "the whole log is being read; ask again in a moment", RETRY_S)
