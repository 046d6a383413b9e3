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
"""Largest log that maps are made of; so many events are held at a time, however many journeys have judged them."""
AGE_S = 300.0
"""How old a judged log may get while events go on coming."""
UNASKED_S = 900.0
"""A judged log that nobody asked about for so long is let go with the next question."""
WAIT_S = 8.0
"""How long a question waits for a log that has to be read; after that it is told to come back."""
MOST_WAITING = 8
"""Questions that wait at a time; the others are told to come back at once."""
RETRY_S = 2
LOOK_S = 0.1
"""Between two looks at how far a log is, by who waits as long as it takes."""


class Mark(NamedTuple):
    """What something was made from: a version of the journey, who was erased, and how far all was judged."""

    version: int
    n_erasures: int
    position: int
    watermark_us: int | None

    def may_stand_for(self, newer: Mark) -> bool:
        """Whether what was made then may be shown now, though events have come."""
        return self[:2] == newer[:2]


def mark_of(store: Store, journey: str, version: int) -> Mark:
    """How things are now."""
    progress = store.results.progress(journey)
    return Mark(version, store.results.n_erasures(), progress.position, progress.watermark_us)


class Held(NamedTuple):
    """A judged log: what it was made from, and when."""

    mark: Mark
    at_s: float
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
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._asked_s: dict[str, float] = {}
        self._making: dict[str, Future[Held]] = {}
        self._stopped = Flag()
        self._stage = ("waiting", 0.0)
        self._n_waiting = 0

    def of(self, journey: str, version: int) -> Replay:
        """The log judged by the live ``version`` of a journey; turned away where it takes long, or is too large."""
        mark = mark_of(self._store, journey, version)

        def is_fresh(held: Held) -> bool:
            return self._elapsed_s() - held.at_s < AGE_S or held.mark.position == mark.position

        with self._lock:
            held = self._kept(journey, mark, is_fresh)
            if held is not None:
                return held.replay
            n_events = self._store.events.last_position()
            if n_events > MOST_EVENTS:
                message = (
                    f"the log has some {n_events:,} events, maps here look at {MOST_EVENTS:,}; use 'truenorth report'"
                )
                raise Turned(409, "too_many_events", message)
            making = self._made(journey, version)
            if self._n_waiting >= MOST_WAITING:
                raise _not_yet()
            self._n_waiting += 1
        try:
            return making.result(WAIT_S).replay
        except NotYet:
            raise _not_yet() from None
        finally:
            with self._lock:
                self._n_waiting -= 1

    def whenever(
        self, journey: str, mark: Mark, is_fresh: Callable[[Held], bool], tell: Callable[[str, float], None]
    ) -> Held:
        """The log, judged at ``mark`` or later, however long it takes: for who has a thread to wait in.

        One that is held is taken if it ``is_fresh``. ``tell`` hears how far it is, and may raise to wait no more.
        """
        while True:
            with self._lock:
                held = self._kept(journey, mark, is_fresh)
                if held is not None:
                    return held
                making = self._made(journey, mark.version)
            while True:
                try:
                    made = making.result(LOOK_S)
                    break
                except NotYet:
                    tell(*self._stage)
            if made.mark.may_stand_for(mark) and made.mark.position >= mark.position:
                return made
            tell(*self._stage)

    def close(self) -> None:
        """Judge nothing more; returns when nothing is being judged."""
        self._stopped.set()
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _kept(self, journey: str, mark: Mark, is_fresh: Callable[[Held], bool]) -> Held | None:
        """What is held of a journey; nothing is held of erased people, of another version, or for nobody."""
        now_s = self._elapsed_s()
        self._asked_s[journey] = now_s
        for name, held in list(self._held.items()):
            is_outdated = held.mark.n_erasures != mark.n_erasures or now_s - self._asked_s[name] > UNASKED_S
            if is_outdated or (name == journey and not held.mark.may_stand_for(mark)):
                del self._held[name]
        found = self._held.get(journey)
        if found is None or not is_fresh(found):
            return None
        self._held.move_to_end(journey)
        return found

    def _made(self, journey: str, version: int) -> Future[Held]:
        if journey not in self._making:
            self._making[journey] = self._worker.submit(self._judge, journey, version)
        return self._making[journey]

    def _judge(self, journey: str, version: int) -> Held:
        from truenorth.server.foreseeing.teaching import judged_log  # noqa: PLC0415  (heavy)

        try:
            mark = mark_of(self._store, journey, version)
            replay = judged_log(self._store, journey, self._tell, until_us=mark.watermark_us).replay
            held = Held(mark, self._elapsed_s(), replay)
            with self._lock:
                self._held[journey] = held
                while len(self._held) > 1 and sum(map(_n_events, self._held.values())) > MOST_EVENTS:
                    self._held.popitem(last=False)
            return held
        finally:
            with self._lock:
                del self._making[journey]

    def _tell(self, stage: str, share: float) -> None:
        if self._stopped.is_set():
            raise Stopped
        self._stage = (stage, share)


def _n_events(held: Held) -> int:
    return int(held.replay.summary["events"])


def _not_yet() -> Turned:
    return Turned(503, "being_made", "the whole log is being read; ask again in a moment", RETRY_S)
