"""Insights from the log of a store: made one at a time beside the service, and kept until they are out of date.

An answer looks at the whole log. So it is made beside (`truenorth.server.insight_making`), whoever asks meanwhile is
told how far it is, and what was found is used again: as long as nothing has come, or for some minutes while events go
on coming. What was found before a journey was published anew or somebody was erased is never shown again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event as Flag
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from truenorth.server.insight_making import Maker
from truenorth.server.insight_question import Question
from truenorth.server.judged_logs import Mark, Stopped, mark_of
from truenorth.server.receiving import Turned
from truenorth.store.opening import Store

if TYPE_CHECKING:
    from truenorth.report.section import Section, Subject

BUSY_SECONDS = 10
"""What somebody is told to wait who asks while too many wait."""
IDLE = ("waiting", 0.0)


class InsightBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept and made: see `truenorth.server.api.bounds.Bounds`, which has these with ``insight_`` before."""

    events: int
    waiting: int
    kept: int
    age_seconds: float


class Found(NamedTuple):
    """An answer: the subject, its section, all of it as plain values; the journey's version, when, in what time."""

    subject: Subject
    section: Section
    document: dict[str, Any]
    version: int
    made_us: int
    seconds: float


class Making(NamedTuple):
    """An answer that is being made: what is done now, and the share of that in [0, 1]; questions before it."""

    future: Future[Found]
    stage: str
    share: float
    ahead: int


class _Kept(NamedTuple):
    mark: Mark
    at_s: float
    found: Found | Exception


Job = tuple[Question, int, int]
"""A question, the version of the journey, and the number of erasures."""


class Insights:
    """Answers of one store. Safe to use from any number of threads."""

    def __init__(
        self,
        store: Store,
        maker: Maker,
        bounds: InsightBounds,
        now_us: Callable[[], int],
        elapsed_s: Callable[[], float],
    ) -> None:
        self._store, self._maker, self._bounds = store, maker, bounds
        self._now_us, self._elapsed_s = now_us, elapsed_s
        self._lock = RLock()
        self._stopped = Flag()
        self._worker = ThreadPoolExecutor(1, "truenorth-insight")
        self._making: dict[Job, Future[Found]] = {}
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._stage = IDLE

    def ask(self, question: Question, version: int) -> Found | Making:
        """The answer, or how far it is: asking again is how one comes to it.

        ``version``: the live one of the journey. `TruenorthError` with what the question does not fit in the log;
        turned away where too many questions wait or there are too many events.
        """
        mark = mark_of(self._store, question.journey, version)
        with self._lock:
            self._forget_before(mark, question.journey)
            kept = self._kept.get(question)
            if kept is None:
                return self._asked_for(question, mark)
            if not self._is_fresh(kept.mark, kept.at_s, mark) and len(self._making) < self._bounds.waiting:
                self._make(question, mark)
            self._kept.move_to_end(question)
        if isinstance(kept.found, Exception):
            raise kept.found.with_traceback(None)
        return kept.found

    def close(self) -> None:
        """Make nothing more; returns when nothing is being made."""
        self._stopped.set()
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._maker.close()

    def _is_fresh(self, made: Mark, at_s: float, now: Mark) -> bool:
        return made == now or (made.may_stand_for(now) and self._elapsed_s() - at_s < self._bounds.age_seconds)

    def _forget_before(self, mark: Mark, journey: str) -> None:
        """Forget what must not be shown any more: of erased people in any journey, of another version of this one."""
        self._kept = OrderedDict(
            (question, kept)
            for question, kept in self._kept.items()
            if kept.mark.n_erasures == mark.n_erasures
            and (question.journey != journey or kept.mark.may_stand_for(mark))
        )

    def _asked_for(self, question: Question, mark: Mark) -> Making:
        """An answer that somebody waits for."""
        job = (question, mark.version, mark.n_erasures)
        if job not in self._making:
            if len(self._making) >= self._bounds.waiting:
                raise Turned(429, "busy", "too many insights are being made; ask again", BUSY_SECONDS)
            n_events, most = self._store.events.last_position(), self._bounds.events
            if n_events > most:
                message = f"the log has some {n_events:,} events, insights here look at {most:,}; export it and use "
                raise Turned(409, "too_many_events", f"{message}'truenorth insight' where there is more room")
            self._make(question, mark)
        ahead = list(self._making).index(job)
        return Making(self._making[job], *(IDLE if ahead else self._stage), ahead)

    def _make(self, question: Question, mark: Mark) -> None:
        job = (question, mark.version, mark.n_erasures)
        if job not in self._making:
            self._making[job] = self._worker.submit(self._answer, job, mark)

    def _answer(self, job: Job, mark: Mark) -> Found:
        """In the thread: have it made, keep it; what cannot be answered is kept, too."""
        from truenorth.report.subjects import subject  # noqa: PLC0415  (Plotly: not for whoever runs no service)

        found: Found | Exception
        began_s = self._elapsed_s()
        try:
            mark, section, whole = self._maker.make(job[0], mark, self._tell)
            seconds = self._elapsed_s() - began_s
            found = Found(subject(job[0].subject), section, whole, mark.version, self._now_us(), seconds)
        except Stopped:
            raise
        except Exception as error:
            found = error
            raise
        finally:
            with self._lock:
                del self._making[job]
                self._stage = IDLE
                if not self._stopped.is_set():
                    self._keep(job[0], _Kept(mark, self._elapsed_s(), found))
        return found

    def _keep(self, question: Question, kept: _Kept) -> None:
        self._kept[question] = kept
        self._kept.move_to_end(question)
        while len(self._kept) > self._bounds.kept:
            self._kept.popitem(last=False)

    def _tell(self, stage: str, share: float) -> None:
        if self._stopped.is_set():
            raise Stopped
        self._stage = (stage, share)
