"""One journey's risks kept up to date: what the runner has judged is followed, and time passes for every open case.

Cases are judged here by the very replay that a model learns from (`truenorth.engine.replay`), of the events that are
held. So a row of features is the same live and in training; nothing about features or promises is kept beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from heapq import heappop, heappush
from typing import NamedTuple
from zlib import crc32

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine.compile import Marker, marker_of
from truenorth.engine.live import POSITION
from truenorth.engine.replay import Numbers, Replay, replay
from truenorth.engine.verdicts import OUTCOMES
from truenorth.foresight.features import Histories, Vocabulary, encode, histories_of
from truenorth.foresight.histories import End, instants_us
from truenorth.foresight.model import Foresight
from truenorth.foresight.remaining import Ends
from truenorth.foresight.rows import NEVER, Rows
from truenorth.server.columns import Records, Sight, records
from truenorth.server.foreseeing.company import Company
from truenorth.server.foreseeing.earlier import Earlier
from truenorth.server.foreseeing.frames import Attributes, Frames
from truenorth.server.foreseeing.held import Held
from truenorth.server.foreseeing.levelling import learnt_since, pause_us
from truenorth.server.foreseeing.stating import Standing, Stater, together
from truenorth.server.tracker import META_CHUNK, Meta
from truenorth.server.who_is_who import Joined, everybody, learn
from truenorth.spec.durations import DAY_US
from truenorth.spec.instants import instant_at
from truenorth.spec.load import parse_journey
from truenorth.store.foresight_rows import Foretold, RiskRow
from truenorth.store.opening import Store
from truenorth.store.ports import Stored
from truenorth.store.rows import JourneyText, Progress

PAGE_EVENTS = 1_000
"""Events of the log that are taken at a time."""
CASES_AT_ONCE = 2_000
"""Cases that are looked at again at a time, as time passes: an event that comes meanwhile waits for them."""
FIRST_KEYS = 2_000
"""Case keys whose events are read at a time at the beginning."""
LOOKS_BACK_US = 28 * DAY_US
"""Cases closed longer ago count for nothing when it is asked how busy the company is."""
LOOK_AGAIN_US = 900_000_000
"""An open case is looked at again at least so often: 15 minutes."""

I64 = NDArray[np.int64]
_META = msgspec.msgpack.Decoder(Meta)


class Known(msgspec.Struct, frozen=True):
    """What a model must know to make its rows: its vocabulary, and how attributes are read.

    ``level`` of its risks and ``ends`` of its intervals, learnt at ``level_us``; None = never so far.
    """

    version: str
    is_live: bool
    foresight: Foresight
    vocabulary: Vocabulary
    attributes: Attributes
    level: float = 0.0
    level_us: int | None = None
    ends: Ends | None = None


class _Asked(NamedTuple):
    """A model that is asked; ``before`` is what it has said of open cases, as it is in the store."""

    known: Known
    stater: Stater
    company: Company
    before: dict[str, RiskRow]


class _Judged(NamedTuple):
    """Some keys judged at an instant: open cases with their customers, others, all cases of these customers."""

    replay: Replay
    numbers: Numbers
    open: dict[str, str | None]
    ended: list[str]
    ends: list[End]
    at_us: int


class Follower:
    """The open cases of one journey, and what its models say of them. ``models`` are asked in this order."""

    def __init__(
        self,
        store: Store,
        text: JourneyText,
        models: Sequence[Known],
        clock_us: int,
        look_again_us: int = LOOK_AGAIN_US,
    ) -> None:
        self.version, self.journey, self.name = text.version, parse_journey(text.text), text.name
        self.models = tuple((one.version, one.is_live) for one in models)
        self._store, self._look_again_us = store, look_again_us
        attributes = {name: column for one in reversed(models) for name, column in one.attributes.columns.items()}
        self._frames = Frames(self.journey, Attributes(attributes))
        progress, sight = store.results.chunk(self.name, META_CHUNK)
        self.position, self.at_us = progress.position, progress.watermark_us or 0
        self._sight = sight_of(sight)
        self._people = everybody(store.events, self.position)
        self._marker: Marker | None = None
        self._held = Held("case" if "case" in self._schema else "customer")
        values = self.journey.outcome.value
        self._asked = [
            _Asked(
                one,
                Stater(one.version, one.foresight, values, is_live=one.is_live, level=one.level, ends=one.ends),
                Company(one.vocabulary, self.position),
                {},
            )
            for one in models
        ]
        self._earlier = Earlier(lambda customers: store.results.ends_of(self.name, customers))
        self._level_us = {one.version: one.level_us for one in models}
        self._due: list[tuple[int, str]] = []
        self._due_us: dict[str, int] = {}
        self._fill(clock_us)

    @property
    def n_open(self) -> int:
        """Case keys with an open case."""
        return len(self._held)

    @property
    def next_us(self) -> int:
        """The instant at which a case is to be looked at next."""
        first = next(iter(self._due), None)  # asked by another thread, too
        return first[0] if first else int(NEVER)

    @property
    def _schema(self) -> Collection[str]:
        return self._sight.schema()

    def take(self, progress: Progress, clock_us: int) -> tuple[int, Foretold] | None:
        """Take the next page of what the runner has judged: how many events, and what there is to write.

        None where what is held means something else now: begin anew.
        """
        page = self._page(progress.position)
        joined = learn(self._people, page)
        taken = records(page, self._people.person)
        sight = self._frames.look(self._sight, taken)
        if sight.schema() != self._sight.schema():
            return None
        self._sight = sight
        frame = self._frames.frame(sight, taken)
        keys = self._arrived(frame, joined)
        self.position = page[-1].position if page else progress.position
        self.at_us = max(self.at_us, _newest_us(frame, clock_us), progress.watermark_us or 0)
        return len(page), self._look(keys, explain=True) if keys else Foretold()

    def pass_time(self, at_us: int) -> tuple[int, Foretold]:
        """Look again at cases for which it is time, as many as are looked at together: how many, and what to write."""
        self.at_us = max(self.at_us, at_us)
        keys: list[str] = []
        while self._due and self._due[0][0] <= self.at_us and len(keys) < CASES_AT_ONCE:
            due_us, key = heappop(self._due)
            if self._due_us.get(key) == due_us:
                del self._due_us[key]  # noted twice at one instant it is one look
                keys.append(key)
        return len(keys), self._look(keys, explain=False) if keys else Foretold()

    def follow_levels(self) -> None:
        """Let the level of each model's risks, and its intervals, follow what has become of cases: where it is time.

        They are kept with the model; cases have them from when they are looked at next.
        """
        holds_us = self.journey.outcome.holds_for_us or 0
        for known, stater in ((one.known, one.stater) for one in self._asked):
            window_us, learnt_us = known.foresight.window_us, self._level_us[known.version]
            if not window_us or (learnt_us is not None and self.at_us < learnt_us + pause_us(window_us)):
                continue
            learnt = learnt_since(
                self._store,
                self.name,
                known.version,
                known.foresight.remaining,
                since_us=self.at_us - window_us,
                seen_us=self.at_us - holds_us,
            )
            self._store.models.put_level(self.name, known.version, *learnt, now_us=self.at_us)
            stater.follow(*learnt)
            self._level_us[known.version] = self.at_us

    def again(self) -> None:
        """Let it be time to look at every open case."""
        for key in self._held.keys:
            self._note_due(key, self.at_us)

    def standing(self, keys: Sequence[str], at_us: int) -> tuple[list[str], list[Rows]]:
        """The open cases of some keys that are held, and their rows of features, one `Rows` a model."""
        judged = self._judge(keys, at_us)
        return list(judged.open), [self._rows(one, judged)[1] for one in self._asked]

    def _page(self, up_to: int) -> list[Stored]:
        page = self._store.events.read(self.position, limit=PAGE_EVENTS)
        return [one for one in page if one.position <= up_to]

    def _fill(self, clock_us: int) -> None:
        """Take in all cases that are open, and those closed of late."""
        cases = self._store.results.cases_since(self.name, self.at_us - LOOKS_BACK_US)
        names = list(dict.fromkeys(key for case in cases for key in keys_of(case)))
        for start in range(0, len(names), FIRST_KEYS):
            some = names[start : start + FIRST_KEYS]
            frame = self._history(some)
            self._held.put(frame)
            self.at_us = max(self.at_us, _newest_us(frame, clock_us))
            judged = self._judge(some, self.at_us)
            for one in self._asked:
                known, _ = self._known(one, judged)
                one.company.settle(known, judged.numbers.cases["closed"])
            still = self._keys(judged)
            self._held.let_go(set(some) - still)
            for key in still:
                self._note_due(key, self.at_us)

    def _history(self, keys: Collection[str]) -> pl.DataFrame:
        """All events of some keys that the runner has judged, from the store."""
        positions = {one.position for one in self._store.results.history(self.name, sorted(keys))}
        some = records(self._store.events.at(sorted(positions)), self._people.person)
        frame = self._frames.frame(self._sight, some)
        return frame.filter(pl.col(self._held.key_column).is_in(list(keys)))

    def _arrived(self, frame: pl.DataFrame, joined: Joined | None) -> list[str]:
        """Add new events to those held; the keys to look at."""
        column = self._held.key_column
        if frame[column].null_count():
            frame = frame.filter(pl.col(column).is_not_null())
        touched = dict.fromkeys(frame[column].to_list())
        concerned = self._concerned(joined) if joined else set()
        self._held.let_go(concerned)
        unknown = [key for key in {*touched, *concerned} if key not in self._held]
        known = frame.filter(~pl.col(column).is_in(unknown)) if unknown else frame
        if known.height:
            self._held.put(known)
        if unknown:
            self._held.put(self._with_joined(unknown, joined))
        return list(dict.fromkeys([*touched, *concerned]))

    def _concerned(self, joined: Joined) -> set[str]:
        """The keys whose events belong to somebody else now, or name another customer."""
        if self._held.key_column == "customer":
            return set(joined.persons)
        some = records(self._store.events.of_customers(sorted(joined.ids)), self._people.person)
        return set(self._frames.frame(self._sight, some)["case"].drop_nulls())

    def _with_joined(self, keys: Collection[str], joined: Joined | None) -> pl.DataFrame:
        if joined is None or self._held.key_column != "customer":
            return self._history(keys)
        some = records(self._store.events.of_customers(sorted(joined.ids)), self._people.person)
        frame = self._frames.frame(self._sight, Records(one for one in some if one.position <= self.position))
        theirs = frame.filter(pl.col("customer").is_in(list(keys)))
        return pl.concat([theirs, self._history(set(keys) - set(theirs["customer"]))])

    def _look(self, keys: Sequence[str], *, explain: bool) -> Foretold:
        """What there is to write about the cases of some keys, as they stand now."""
        judged = self._judge(keys, self.at_us, anew=explain)
        cases, customers = list(judged.open), list(judged.open.values())
        parts = []
        for one in self._asked:
            known, rows = self._rows(one, judged, moves=True)
            at = {judged.numbers.ids[case]: n for n, case in enumerate(rows.case.tolist())}
            order = np.array([at[case] for case in cases], np.int64)
            positions = _last_positions(judged, known)[rows.case[order]].tolist()
            standing = Standing(cases, customers, rows.x[order], positions, rows.time_us[order].tolist())
            foretold = one.stater.state(standing, self._before(one, cases), explain=explain)
            one.before.update({row.case: row for row in foretold.risks})
            for case in judged.ended:
                one.before.pop(case, None)
            parts.append(foretold)
        self._settle_due(keys, judged, known)
        return together(parts, judged.ended)

    def _before(self, one: _Asked, cases: Sequence[str]) -> dict[str, RiskRow]:
        """What a model has said of some cases: nobody else writes it, so it is read once."""
        unknown = [case for case in cases if case not in one.before]
        if unknown:
            one.before.update(
                {row.case: row for row in self._store.risks.newest(self.name, one.known.version, unknown)}
            )
        return one.before

    def _judge(self, keys: Sequence[str], at_us: int, *, anew: bool = True) -> _Judged:
        """Judge all events of some keys as of an instant; ``anew``: with earlier cases as the store has them now."""
        now = instant_at(at_us)
        events = self._held.of(keys)
        self._marker = self._marker or marker_of(self.journey, events.schema)
        judged = replay(self.journey, events, now=now, n_threads=1, marker=self._marker)
        numbers = judged.numbers()
        now_known = _ends(numbers)
        still = {case: customer for case, customer, _, outcome, *_ in now_known if outcome == "open"}
        ended = [case for case in numbers.ids if case not in still]
        known = {customer for customer in numbers.customers if customer is not None}
        cases = set(numbers.ids)
        others = [end for end in self._earlier.of(known, at_us, anew=anew) if end[0] not in cases]
        self._earlier.forget(customer for _, customer, _, outcome, *_ in now_known if outcome != "open")
        return _Judged(judged, numbers, still, ended, [*others, *now_known], at_us)

    def _rows(self, one: _Asked, judged: _Judged, *, moves: bool = False) -> tuple[Histories, Rows]:
        """The histories of all cases that were judged, and the rows of features of the same."""
        known, positions = self._known(one, judged)
        if moves:
            one.company.move(known, positions, judged.numbers.cases["closed"], judged.at_us)
        return known, encode(one.known.vocabulary, known, judged.at_us, one.company.loads)

    def _known(self, one: _Asked, judged: _Judged) -> tuple[Histories, I64]:
        numbers = judged.numbers
        known = histories_of(one.known.vocabulary, judged.replay, numbers.promises, numbers.case, judged.ends)
        return known, judged.replay.events[POSITION].to_numpy()

    def _keys(self, judged: _Judged) -> set[str]:
        """The keys of the cases that are open."""
        return {key for case in judged.open for key in keys_of(case) if key in self._held}

    def _settle_due(self, keys: Sequence[str], judged: _Judged, limits: Histories) -> None:
        """Note when each open case is to be looked at next; let go of the others."""
        due = _next_due(judged, limits, self.journey.outcome.abandoned_after_us)
        still = set()
        for case in judged.open:
            for key in keys_of(case):
                if key in self._held:
                    still.add(key)
                    self._note_due(key, min(due.get(case, int(NEVER)), self._again_us(key, judged.at_us)))
        gone = set(keys) - still
        if gone:
            self._let_go(gone, judged.at_us)

    def _again_us(self, key: str, at_us: int) -> int:
        """When a case is looked at again at the latest: spread, so that not all come at once."""
        spread = crc32(key.encode("utf-8", "replace")) / 2**32
        return at_us + round(self._look_again_us * (1.0 + spread) / 2)

    def _let_go(self, keys: set[str], at_us: int) -> None:
        """Let go of keys without an open case; of one with an event in the future not before that."""
        later = self._held.of(keys).filter(pl.col("time").to_physical() > at_us)
        for key, due_us in later.select(self._held.key_column, pl.col("time").to_physical()).iter_rows():
            keys.discard(key)
            self._note_due(key, due_us)
        self._held.let_go(keys)
        for key in keys:
            self._due_us.pop(key, None)

    def _note_due(self, key: str, due_us: int) -> None:
        self._due_us[key] = due_us
        heappush(self._due, (due_us, key))


def keys_of(case: str) -> Iterator[str]:
    """The keys that a case id may belong to: of ``key#2`` that is ``key``, or one that is called so itself.

    >>> list(keys_of("T1#2")), list(keys_of("T1"))
    (['T1#2', 'T1'], ['T1'])
    """
    yield case
    key, mark, number = case.rpartition("#")
    if mark and number.isdigit():
        yield key


def sight_of(packed: bytes | None) -> Sight:
    """What a journey's columns hold, as its runner has noted it with its state."""
    return _META.decode(packed).sight if packed else Sight()


def _last_positions(judged: _Judged, known: Histories) -> I64:
    """The last place in the log of the events of each case (n_cases,)."""
    positions = judged.replay.events[POSITION].to_numpy()
    last: I64 = np.maximum.reduceat(positions, known.starts[:-1]) if known.n else np.zeros(0, np.int64)
    return last


def _ends(numbers: Numbers) -> list[End]:
    """Cases as they were judged just now, as the store has them."""
    outcomes = [OUTCOMES[number] for number in numbers.cases["outcome"].tolist()]
    ends = ([None if us == NEVER else us for us in numbers.cases[name].tolist()] for name in ("outcome_time", "closed"))
    return list(zip(numbers.ids, numbers.customers, numbers.cases["opened"].tolist(), outcomes, *ends, strict=True))


def _newest_us(frame: pl.DataFrame, clock_us: int) -> int:
    """The newest instant of some events that is not in the future."""
    times_us = instants_us(frame["time"])
    return int(times_us[times_us <= clock_us].max(initial=0))


def _next_due(judged: _Judged, limits: Histories, silence_us: int | None) -> dict[str, int]:
    """The next instant after the one they were judged at, at which something falls due for each case."""
    deadlines = [limits.limit_us]
    if silence_us is not None:
        deadlines.append(limits.time_us[limits.starts[1:] - 1] + silence_us)
    of_case: I64 = np.min([np.where(one > judged.at_us, one, NEVER) for one in deadlines], axis=0)
    due_us = judged.numbers.promises["due"]
    ahead = due_us > judged.at_us  # also what was decided before: it is looked at in vain
    np.minimum.at(of_case, judged.numbers.case[ahead], due_us[ahead])
    return dict(zip(judged.numbers.ids, of_case.tolist(), strict=True))
