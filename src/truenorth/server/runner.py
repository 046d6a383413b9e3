"""The runner: takes the log as it grows, lets time pass, and writes what it concludes. The one place with a clock.

The watermark follows the clock by the allowed lateness, but only once everything that has arrived is taken. It goes
back only where the clock that it followed was wrong: then all is judged anew. Everything here can be made again from
the log: after a crash, a runner takes over the packed state and takes the rest of the log once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from time import time_ns as wall_ns

import msgspec
import structlog

from truenorth.engine import kernel
from truenorth.identity import Identities
from truenorth.server.columns import Records, Sight, records
from truenorth.server.past import RecentIds, StoredPast
from truenorth.server.tracker import Tracker
from truenorth.server.who_is_who import Joined, joined_by, learn
from truenorth.spec.load import parse_journey
from truenorth.spec.model import Journey
from truenorth.spec.problems import InvalidJourney
from truenorth.store.opening import Store
from truenorth.store.ports import Stored, StoreFull
from truenorth.store.results import Outdated
from truenorth.store.rows import JourneyText, Judged, NewSignal, Progress

LATENESS_US = 5_000_000
"""How far the watermark stays behind the clock by default."""
PUT_BACK_US = 60_000_000
"""A watermark that is ahead by more followed a wrong clock; by less, another machine's or one that NTP has moved."""
STANDS_US = 60_000_000
"""So long the watermark that is kept may stand while nothing happens: figures are said to be as old as it is."""
PAGE_EVENTS = 1_000
"""Events that are taken at a time: what they come to is one transaction, and others wait for it to end."""
CHUNKS_A_STEP = 1
"""Chunks of state that are written with a step at most: about 1,000 cases."""
STEP_S = 0.005
"""Between two steps, so that events come in batches."""
IDLE_S = 0.25
"""The longest wait for events from other processes, and between two looks at the journeys."""
RETRY_S = 1.0
"""The wait after the store has refused a step."""

LOG = structlog.get_logger("truenorth.runner")


def now_us() -> int:
    """The wall clock, in microseconds since 1970 UTC."""
    return wall_ns() // 1000


def scaled_clock(speed: float, since_us: int, clock: Callable[[], int] = now_us) -> Callable[[], int]:
    """A clock that showed the right time at ``since_us`` and runs ``speed`` times as fast: for demonstrations.

    >>> scaled_clock(60, 1_000, lambda: 1_010)()
    1600
    """
    return lambda: since_us + round((clock() - since_us) * speed)


class Runner:
    """Keeps the live journeys of a store up to date, until told to stop. Only one may run on a store at a time."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], int] = now_us,
        lateness_us: int = LATENESS_US,
        on_signals: Callable[[], object] = lambda: None,
    ) -> None:
        """``on_signals`` is called when there are new ones."""
        self._on_signals = on_signals
        self._store = store
        self._clock = clock
        self._lateness_us = lateness_us
        self.wake = Flag()
        """Set where events were appended in this process: the runner need not wait to see them."""
        self._trackers: dict[str, Tracker] = {}
        self._unusable: dict[str, int] = {}  # versions of journeys that cannot be judged
        self._watermark_us: int | None = None
        self._begin()

    def _begin(self) -> None:
        """Forget everything and read who is who."""
        self._n_erasures = self._store.results.n_erasures()
        self._people = Identities()
        self._recent = RecentIds(self._store.events.ids_at)
        self._trackers.clear()
        self._written: dict[str, Progress] = {}
        self._unusable.clear()
        self._read: tuple[tuple[int, int], Records] | None = None
        self._front = self._store.events.last_position()
        at = 0
        while page := self._statements(at):
            learn(self._people, page)
            at = page[-1].position

    def _statements(self, after: int) -> Sequence[Stored]:
        """The next events that state who is who, up to the front: what comes meanwhile is learnt in its step."""
        page = self._store.events.statements(after, limit=PAGE_EVENTS)
        return [found for found in page if found.position <= self._front]

    @property
    def position(self) -> int:
        """The last position of the log that was taken."""
        return self._front

    @property
    def watermark_us(self) -> int | None:
        """The instant up to which everything is taken as seen."""
        return self._watermark_us

    @property
    def n_cases(self) -> int:
        """Case keys whose state is held, over all journeys."""
        return sum(tracker.n_keys for tracker in self._trackers.values())

    @property
    def n_late(self) -> int:
        """Events that came too late for their place, over all journeys, since this runner began."""
        return sum(tracker.n_late for tracker in self._trackers.values())

    def run(self, stopped: Flag, may_go_on: Callable[[], bool] = lambda: True) -> None:
        """Step until stopped, or until this process may not go on; a store that refuses is tried again.

        Who may not go on writes nothing more: another runner has taken over.
        """
        while not stopped.is_set():
            if not may_go_on():
                return
            self.wake.clear()  # before the step: what arrives during it is taken by the next
            try:
                n_taken = self.step()
            except StoreFull as error:
                LOG.warning("the store refuses", reason=str(error))
                self._begin()
                stopped.wait(RETRY_S)
                continue
            self.wake.wait(STEP_S if n_taken else self._idle_s())
        self.finish()

    def step(self) -> int:
        """Take what has arrived and let pass what is due; how many events were taken."""
        try:
            return self._step()
        except Outdated:
            LOG.info("somebody was erased, or another runner has gone on: beginning anew")
            self._begin()
            return 0

    def finish(self) -> None:
        """Pack all state, so that the next runner begins where this one ends."""
        for name, tracker in self._trackers.items():
            while chunks := tracker.pack(CHUNKS_A_STEP):
                self._write(name, Judged(progress=tracker.progress, chunks=chunks))

    def _idle_s(self) -> float:
        due_us = min((tracker.next_due_us() for tracker in self._trackers.values()), default=int(kernel.NEVER))
        until_s = (due_us + self._lateness_us - self._clock()) / 1e6
        return max(0.0, min(IDLE_S, until_s))

    def _step(self) -> int:
        self._follow_journeys()
        clock_us = self._clock()
        page = self._store.events.read(self._front, limit=PAGE_EVENTS)
        if not page and self._store.results.n_erasures() != self._n_erasures:
            raise Outdated  # with events, writing tells
        watermark_us = None if len(page) == PAGE_EVENTS else clock_us - self._lateness_us
        joined = learn(self._people, page)
        self._recent.note(page)
        last = page[-1].position if page else self._front
        taken = records(page, self._people.person)
        for name, tracker in list(self._trackers.items()):
            with self._one_journey(name, tracker.version):
                self._put_back(name, tracker, watermark_us)
                self._take(name, tracker, taken, last, watermark_us, joined)
        self._front = last
        if watermark_us is not None:
            self._watermark_us = watermark_us
        return len(page)

    def _take(
        self,
        name: str,
        tracker: Tracker,
        page: Records,
        last: int,
        watermark_us: int | None,
        joined: Joined | None,
    ) -> None:
        sight = tracker.widens(page)
        if sight:
            self._judge_anew(name, tracker, sight)
        since_us = tracker.progress.watermark_us
        moves_us = tracker.next_due_us() if since_us is None else min(tracker.next_due_us(), since_us + STANDS_US)
        is_due = watermark_us is not None and moves_us <= watermark_us
        if not (page or joined or is_due or last > tracker.position):
            return
        judged = tracker.take(page, last, watermark_us, joined)
        self._write(name, judged, tracker)

    def _write(self, name: str, judged: Judged, tracker: Tracker | None = None) -> None:
        """Write a step, if the last one written is that of this runner."""
        chunks = tracker.pack(CHUNKS_A_STEP) if tracker else judged.chunks
        judged = msgspec.structs.replace(judged, chunks=chunks, follows=self._written.get(name))
        signals = self._store.results.write(name, judged, n_erasures=self._n_erasures)
        self._written[name] = judged.progress
        if signals:
            self._on_signals()

    def _follow_journeys(self) -> None:
        """Begin with journeys that were published, and let go of those that are live no more."""
        live = {text.name: text for text in self._store.journeys.live()}
        for name in [name for name in self._trackers if name not in live]:
            del self._trackers[name]
        waiting = [(text, self._opening(text)) for text in live.values() if self._is_new(text)]
        while waiting:
            waiting = [one for one in waiting if self._goes_on(*one)]
        self._read = None

    def _is_new(self, text: JourneyText) -> bool:
        """Whether a journey is not followed in this version, and could be."""
        tracker = self._trackers.get(text.name)
        return (tracker is None or tracker.version != text.version) and self._unusable.get(text.name) != text.version

    def _goes_on(self, text: JourneyText, opening: Iterator[int]) -> bool:
        """Let a journey take its next page; whether it is to take another."""
        with self._one_journey(text.name, text.version):
            return next(opening, None) is not None
        return False

    @contextmanager
    def _one_journey(self, name: str, version: int) -> Iterator[None]:
        """A journey that cannot be judged ends nothing but itself, until there is another version of it."""
        try:
            yield
        except InvalidJourney as error:
            LOG.error("a journey cannot be judged", journey=name, version=version, reason=str(error))  # noqa: TRY400
            self._unusable[name] = version
            self._trackers.pop(name, None)

    def _opening(self, text: JourneyText) -> Iterator[int]:
        """Begin with a journey, up to where the log has been read; its position after each page of what was told.

        Journeys that begin together take the same page one after the other: it is read and decoded once.
        """
        journey = parse_journey(text.text)
        begun, chunks, _ = self._store.results.state(text.name)
        progress = begun or Progress(told=self._front)
        if begun:
            self._written[text.name] = begun
        tracker = self._tracker(journey, text, progress)
        tail_from = tracker.restore(chunks) if progress.position == progress.told else None
        if tail_from is not None:
            self._retrace(tracker, tail_from)
        else:
            tracker.begin_anew()
            yield from self._judge_told(text.name, tracker, progress.told, progress.watermark_us)
        self._catch_up(text.name, tracker, self._front)
        self._trackers[text.name] = tracker

    def _tracker(self, journey: Journey, text: JourneyText, progress: Progress) -> Tracker:
        past = StoredPast(self._store.events, self._recent, self._store.results, text.name, self._people.person)
        return Tracker(journey, text.version, past, progress)

    def _retrace(self, tracker: Tracker, tail_from: int) -> None:
        """Take once more what the packed state does not include."""
        at = tail_from
        while page := self._page(at, tracker.position):
            at = page[-1].position
            tracker.retrace(records(page, self._people.person), at, self._everybody_in(page))
        tracker.end_retrace()

    def _everybody_in(self, page: Sequence[Stored]) -> Joined | None:
        """All ids of all people whom the statements of some events name."""
        named = [one for _, event in page if event.other_id for one in (event.customer, event.other_id) if one]
        everybody = {one for who in named for one in self._people.ids(who)}
        return joined_by([(everybody, everybody)])

    def _page(self, after: int, up_to: int) -> Sequence[Stored]:
        """The next events up to a position; fewer than a page if these are the last."""
        page = self._store.events.read(after, limit=PAGE_EVENTS)
        return [found for found in page if found.position <= up_to]

    def _put_back(self, name: str, tracker: Tracker, watermark_us: int | None) -> None:
        """Judge a journey anew whose watermark followed a clock that was ahead: what fell due was not due yet."""
        before_us = tracker.progress.watermark_us
        if watermark_us is None or before_us is None or before_us - watermark_us <= PUT_BACK_US:
            return
        seconds = (before_us - watermark_us) // 1_000_000
        LOG.warning("the clock was put back: the journey is judged anew", journey=name, seconds=seconds)
        up_to = tracker.position
        tracker.begin_anew()
        self._judge_again(name, tracker, up_to, watermark_us)

    def _judge_anew(self, name: str, tracker: Tracker, sight: Sight) -> None:
        """Judge the whole journey anew: its columns hold something else than was thought."""
        up_to, watermark_us = tracker.position, tracker.progress.watermark_us
        tracker.begin_anew(sight)
        if not up_to:
            return
        LOG.info("columns hold something else now: the journey is judged anew", journey=name, events_up_to=up_to)
        if sight.misfits():
            LOG.warning("columns hold what conditions cannot read: it is null", journey=name, columns=sight.misfits())
        self._judge_again(name, tracker, up_to, watermark_us)

    def _judge_again(self, name: str, tracker: Tracker, up_to: int, watermark_us: int | None) -> None:
        """Judge what was told in another way, and tell that this was done."""
        for _ in self._judge_told(name, tracker, up_to, watermark_us):
            pass
        signal = NewSignal(kind="judged_anew", time_us=self._clock(), body=b"{}")
        self._write(name, Judged(progress=tracker.progress, signals=[signal]))

    def _judge_told(self, name: str, tracker: Tracker, up_to: int, watermark_us: int | None) -> Iterator[int]:
        """Judge from the beginning what has been told already, or is history; without telling it. Its position by page.

        The watermark comes at the end, so that no event is late on the way.
        """
        self._write(name, Judged(progress=tracker.progress, from_scratch=True))
        while tracker.position < up_to:
            taken = self._records(tracker.position, up_to)
            sight = tracker.widens(taken)
            if sight:
                tracker.begin_anew(sight)
                self._write(name, Judged(progress=tracker.progress, from_scratch=True))
                continue
            ended = len(taken) < PAGE_EVENTS or taken[-1].position == up_to
            end_us = watermark_us if watermark_us is not None else self._clock() - self._lateness_us
            last = up_to if ended else taken[-1].position
            self._write(name, tracker.take(taken, last, end_us if ended else None, quiet=True), tracker)
            yield last

    def _records(self, after: int, up_to: int) -> Records:
        """The next events up to a position, decoded; kept until others are asked for."""
        if self._read is None or self._read[0] != (after, up_to):
            self._read = (after, up_to), records(self._page(after, up_to), self._people.person)
        return self._read[1]

    def _catch_up(self, name: str, tracker: Tracker, up_to: int) -> None:
        """Take the log up to a position. Who is who is known to its end already: what its statements changed is not."""
        while tracker.position < up_to:
            page = self._page(tracker.position, up_to)
            last = page[-1].position if len(page) == PAGE_EVENTS else up_to
            self._take(name, tracker, records(page, self._people.person), last, None, self._everybody_in(page))
