"""The loop that keeps risks up to date: it follows the runners' progress, journey by journey, and lets time pass.

Everything here can be made again from the log, the models and the risks that are kept; after a crash every open case is
simply looked at once more.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from threading import Event as Flag

import msgspec
import structlog

from truenorth.foresight.features import Vocabulary
from truenorth.foresight.model import Foresight
from truenorth.foresight.remaining import Ends
from truenorth.server.foreseeing.follower import LOOK_AGAIN_US, Follower, Known
from truenorth.server.foreseeing.frames import Attributes
from truenorth.server.runner_process import Status
from truenorth.server.tracker import META_CHUNK
from truenorth.spec.problems import InvalidJourney
from truenorth.store.foresight_rows import Foretold, ModelRow
from truenorth.store.opening import Store
from truenorth.store.ports import StoreFull
from truenorth.store.results import Outdated
from truenorth.store.rows import JourneyText

IDLE_S = 0.05
"""Between two looks at how far runners have come, where nobody says that there is something new."""
STEP_S = 0.005
GATHER_US = 1_000_000
"""So long a case may wait, as time passes, for others to be looked at with it: ten take hardly longer than one."""
RETRY_S = 1.0
"""The wait after the store has refused a step."""
RISKS_AT_ONCE = 1_000
"""Risks that are written with one transaction: a runner waits no longer than for these."""

Following = tuple[str, int, tuple[tuple[str, bool], ...]]
"""A journey by name and version, and the models that are asked about it: the version of each, whether it is live."""

LOG = structlog.get_logger("truenorth.foreseer")
_VOCABULARIES = msgspec.msgpack.Decoder(Vocabulary)
_ATTRIBUTES = msgspec.json.Decoder(Attributes)


class Foreseer:
    """Keeps the risks of all journeys that have a model up to date, until told to stop. One at a time on a store."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], int],
        lateness_us: int,
        look_again_us: int = LOOK_AGAIN_US,
        gather_us: int = 0,
        on_signals: Callable[[], object] = lambda: None,
    ) -> None:
        self._store, self._clock, self._on_signals = store, clock, on_signals
        self._lateness_us, self._look_again_us, self._gather_us = lateness_us, look_again_us, gather_us
        self.wake = Flag()
        """Set where there is something new: it need not wait to see it."""
        self._followers: dict[str, Follower] = {}
        self._unusable: set[Following] = set()
        self._n_erasures = store.results.n_erasures()

    @property
    def n_cases(self) -> int:
        """Case keys that are held, over all journeys."""
        return sum(follower.n_open for follower in list(self._followers.values()))  # asked by another thread

    @property
    def position(self) -> int | None:
        """The position of the log up to which all journeys with a model were followed; None without any."""
        return min((follower.position for follower in list(self._followers.values())), default=None)

    @property
    def overdue_us(self) -> int | None:
        """How long the case has waited that is looked at next, as time passes; None without a journey with a model."""
        due_us = min((follower.next_us for follower in list(self._followers.values())), default=None)
        return None if due_us is None else max(0, self._clock() - self._lateness_us - due_us)

    def run(self, stopped: Flag, may_go_on: Callable[[], bool] = lambda: True) -> None:
        """Step until stopped, or until this process may not go on; a store that refuses is tried again."""
        while not stopped.is_set() and may_go_on():
            self.wake.clear()
            try:
                n_done = self.step()
            except StoreFull as error:
                LOG.warning("the store refuses", reason=str(error))
                self._followers.clear()
                stopped.wait(RETRY_S)
                continue
            self.wake.wait(STEP_S if n_done else IDLE_S)

    def step(self) -> int:
        """Follow what was judged and look at cases for which it is time; how many events and cases that were."""
        try:
            return self._step()
        except Outdated:
            LOG.info("somebody was erased: beginning anew")
            self._followers.clear()
            return 0

    def _step(self) -> int:
        n_erasures, standing = self._store.models.standing()
        if n_erasures != self._n_erasures:
            self._followers.clear()
            self._n_erasures = n_erasures
        followed = {(name, one.version, one.models) for name, one in self._followers.items()}
        if followed != set(_to_follow(standing)) - self._unusable:
            self._follow_models()
        return sum(self._follow(name) for name in list(self._followers))

    def _follow_models(self) -> None:
        """Begin with journeys that have a model, and let go of those that have none any more."""
        asked: dict[str, list[ModelRow]] = {}
        for row in self._store.models.asked():
            asked.setdefault(row.journey, []).append(row)
        live = {text.name: text for text in self._store.journeys.live() if text.name in asked} if asked else {}
        for name in [name for name in self._followers if name not in live]:
            del self._followers[name]
        for name, text in live.items():
            models = tuple((row.version, row.state == "live") for row in asked[name])
            follower = self._followers.get(name)
            if follower and (follower.version, follower.models) == (text.version, models):
                continue
            self._followers.pop(name, None)
            if (name, text.version, models) not in self._unusable:
                self._begin(text, asked[name], models)

    def _begin(self, text: JourneyText, rows: Sequence[ModelRow], models: tuple[tuple[str, bool], ...]) -> None:
        _, packed = self._store.results.chunk(text.name, META_CHUNK)
        if packed is None:  # no runner has come far enough yet
            return
        try:
            known = [known_of(self._store, row) for row in rows]
            self._followers[text.name] = Follower(self._store, text, known, self._clock(), self._look_again_us)
        except (InvalidJourney, ValueError) as error:
            LOG.error("a journey cannot be foreseen", journey=text.name, reason=str(error))  # noqa: TRY400
            self._unusable.add((text.name, text.version, models))
        _set_aside_what_is_held()

    def _follow(self, name: str) -> int:
        follower, now_us = self._followers[name], self._clock()
        progress = self._store.results.progress(name)
        if progress.position < follower.position:  # judged anew from the beginning
            del self._followers[name]
            return 0
        taken = follower.take(progress, now_us)
        if taken is None:
            LOG.info("columns hold something else now: beginning anew", journey=name)
            del self._followers[name]
            return 0
        n_events, foretold = taken
        self._write(name, foretold)
        follower.follow_levels()
        if n_events or progress.position != self._store.events.last_position():
            return n_events
        at_us = max(follower.at_us, now_us - self._lateness_us)
        if follower.next_us > at_us - self._gather_us:
            return 0
        n_looked, foretold = follower.pass_time(at_us)
        self._write(name, foretold)
        return n_looked

    def _write(self, name: str, foretold: Foretold) -> None:
        """Write in parts that hold nobody up for long. A signal goes with the risk that it tells of."""
        risks, points, signals = foretold.risks, foretold.points, foretold.signals
        cases = list(dict.fromkeys([*(row.case for row in risks), *foretold.ended]))
        given: Sequence[int] = ()
        for start in range(0, len(cases), RISKS_AT_ONCE):
            some = set(cases[start : start + RISKS_AT_ONCE])
            part = Foretold(
                risks=[row for row in risks if row.case in some],
                points=[row for row in points if row.case in some],
                ended=[case for case in foretold.ended if case in some],
                signals=[one for one in signals if one.case in some],
            )
            given = [*given, *self._store.risks.write(name, part, n_erasures=self._n_erasures)]
        if given:
            self._on_signals()


def _to_follow(standing: Sequence[tuple[str, str, str, int]]) -> Iterator[Following]:
    """What is to be followed, by what stands: journey, model, its state, version of the journey; in this order."""
    for name, of_journey in groupby(standing, key=itemgetter(0)):
        rows = list(of_journey)
        yield name, rows[0][3], tuple((model, state == "live") for _, model, state, _ in rows)


def _set_aside_what_is_held() -> None:
    """Looking for garbage among all that is held of open cases would make an event wait 0.2 s with 10,000 of them."""
    gc.collect()
    gc.freeze()


def foreseer_status(foreseer: Foreseer) -> Status:
    """How a foreseer is."""
    return Status(position=foreseer.position, n_cases=foreseer.n_cases, overdue_us=foreseer.overdue_us)


def known_of(store: Store, row: ModelRow) -> Known:
    """A model of the store, ready to be asked; ValueError where its bytes are of another program."""
    blob = store.models.blob(row.journey, row.version)
    if blob is None:
        raise ValueError(f"the model {row.version} is gone")
    foresight = Foresight.from_bytes(blob)
    try:
        vocabulary = _VOCABULARIES.decode(foresight.vocabulary)
        attributes = _ATTRIBUTES.decode(row.sight)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the model {row.version} does not say how its rows are made: {error}") from None
    level = row.level or 0.0
    ends = None if row.ends_low is None or row.ends_high is None else Ends(row.ends_low, row.ends_high)
    return Known(row.version, row.state == "live", foresight, vocabulary, attributes, level, row.level_us, ends)
