"""Points at which cases may start to fail: who is at stake, who passed, and what was known before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from truenorth.insight.adjusted import MIN_ARM
from truenorth.insight.coded import NEVER_US, Bools, CodedEvents, Ints
from truenorth.insight.failure_demand import failure_demand
from truenorth.insight.known_before import Track, by_case, is_sign, tracks
from truenorth.spec.durations import format_duration
from truenorth.spec.model import Promise, PromiseKind

POINT_KINDS = ("promise", "handovers", "repeat", "missing", "wait")
"""A broken promise; more than so many hand-overs, an event that comes again, one that most have and these lack, a long
wait: each of the latter four by an early instant of the case."""

EARLY_SHARE = 0.1
"""What is asked for by an early instant is asked when this share of cases is over: of the others, by then."""

MAX_HANDOVERS = 3
"""Hand-overs are asked about as more than 0, 1, 2 and 3."""

MAX_TYPES = 12
"""At most so many types of event are asked about as repeats, and as many as missing: the most frequent ones."""

USUAL, LONG = 0.5, 0.75
"""An event is missing if at least this share of cases has it by then; a wait is long above this quantile."""

IN_ORDER = 0.95
"""A cause is earlier than a point without an instant of its own if it came first in this share of cases with both."""

MIN_BOTH = 20
"""In fewer cases with both, their order is not known."""


class Candidate(NamedTuple):
    """A point, as a comparison of the cases that passed it with those that might have.

    ``at_stake`` and ``passed``: by case. ``at_us``: the instant by which all that may be adjusted for was known;
    ``counts``: whether every case arrives there by itself; ``earlier``: promises that may have gone wrong before;
    ``follows_failure``: whether it is a promise that mostly begins with failure demand. ``left_early``, in [0, 1]: by
    how much the share of cases that are over before they can be asked differs between those that pass and the others.
    """

    kind: str
    point: str
    at_stake: Bools
    passed: Bools
    at_us: Ints
    counts: bool
    earlier: tuple[Track, ...]
    promise: Promise | None = None
    follows_failure: bool = False
    left_early: float = 0.0

    @property
    def is_sign(self) -> bool:
        """Whether it tells how a case fares, not what makes it fail: see `is_sign`; and what follows upon failure."""
        return self.follows_failure or (self.promise is not None and is_sign(self.promise))


PointMaker = Callable[[str, str, Bools], Candidate]
"""Makes an early candidate of its kind, its name and the cases that passed."""


def candidates(events: CodedEvents, kinds: Collection[str] = POINT_KINDS) -> Iterator[Candidate]:
    """All points with at least 30 ripe cases on either side: promises in the order of the file, then early ones."""
    if "promise" in kinds:
        tracked, follow_failure = tracks(events), _following_failure(events)
        made_of = (_promise(events, promise, tracked, follow_failure) for promise in events.replay.journey.promises)
        yield from filter(_is_enough, made_of)
    if set(kinds) - {"promise"}:
        yield from (made for made in _early(events) if made.kind in kinds and _is_enough(made))


def _is_enough(candidate: Candidate) -> bool:
    passed = int((candidate.passed & candidate.at_stake).sum())
    return min(passed, int(candidate.at_stake.sum()) - passed) >= MIN_ARM


# --- promises --------------------------------------------------------------------------------------------------------


def _promise(events: CodedEvents, promise: Promise, tracked: list[Track], follow_failure: Collection[str]) -> Candidate:
    """The first instance of a promise that is judged in each case: broken, while the case could still go wrong."""
    first = (
        events.replay.promises.lazy()
        .filter((pl.col("promise") == promise.name) & pl.col("verdict").is_in(["kept", "broken"]))
        .sort("instance")
        .group_by("case")
        .agg(
            pl.col("started", "decided").first().to_physical(),
            (pl.col("verdict").first() == "broken").cast(pl.Int64).alias("broken"),
        )
    )
    started, decided, broken = (by_case(events, first, name) for name in ("started", "decided", "broken"))
    ends = _ends_us(events, promise)
    at_stake = events.ripe & (started < ends)
    passed = at_stake & (broken == 1) & (decided < ends)
    others = tuple(track for track in tracked if track.name != promise.name)
    if _starts_by_itself(promise):
        counts, late = promise.kind is not PromiseKind.PRECEDENCE, promise.name in follow_failure
        return Candidate("promise", promise.name, at_stake, passed, started, counts, others, promise, late)
    at_us = np.where(passed, decided, ends)
    earlier = tuple(track for track in others if _comes_first(track, passed, decided))
    return Candidate("promise", promise.name, at_stake, passed, at_us, False, earlier, promise)


def _starts_by_itself(promise: Promise) -> bool:
    """Whether an event starts the promise, not the opening of the case."""
    return promise.after is not None or promise.before is not None


MOSTLY = 0.5
"""A promise follows upon failure if more than this share of the events that begin it is failure demand."""


def _following_failure(events: CodedEvents) -> frozenset[str]:
    """The promises that mostly begin with failure demand: who has to chase is in trouble already.

    What is late then goes with failing as the trouble does, and no event tells the two apart.
    """
    demand = failure_demand(events) >= 0
    begun = {one.name: events.holds(one.after) for one in events.replay.journey.promises if one.after is not None}
    return frozenset(name for name, begins in begun.items() if (begins & demand).sum() > MOSTLY * begins.sum())


def _ends_us(events: CodedEvents, promise: Promise) -> Ints:
    """Until when a break counts; an answer that never comes may be why a case is given up, silence is giving up."""
    if promise.kind is not PromiseKind.RESPONSE:
        return events.over_us
    ending = np.where(events.over_at < events.first[1:], events.over_at, events.n_events)
    ends: Ints = np.minimum(np.append(events.time_us, NEVER_US)[ending], events.instants("outcome_time"))
    return ends


def _comes_first(track: Track, passed: Bools, decided: Ints) -> bool:
    both = passed & (track.first_us < NEVER_US)
    return int(both.sum()) >= MIN_BOTH and float((track.first_us < decided)[both].mean()) >= IN_ORDER


# --- early points ----------------------------------------------------------------------------------------------------


def _early(events: CodedEvents) -> Iterator[Candidate]:
    """What has happened by an early instant, in the cases that are not over by then.

    Where one step more makes a case longer, those without it that still go on are the ones in trouble. So what had
    happened is counted in those that are over, too (see `Candidate.left_early`).
    """
    ripe = events.ripe
    if not ripe.any():
        return
    opened = events.instants("opened")
    taken = np.minimum(events.over_us, events.instants("outcome_time"))[ripe] - opened[ripe]
    early_us = int(np.quantile(taken, EARLY_SHARE))
    if early_us <= 0:
        return
    by_us = np.minimum(opened + early_us, events.over_us)
    at_stake = ripe & (events.over_us > by_us)
    counted = ripe[events.case] & (events.time_us <= by_us[events.case])

    def point(kind: str, name: str, passed: Bools) -> Candidate:
        left_early = _left_early(ripe & ~at_stake, ripe & passed, ripe & ~passed)
        return Candidate(kind, name, at_stake, at_stake & passed, opened, False, (), left_early=left_early)

    if events.owner_field:
        handovers = events.per_case(events.handover & counted)
        for n in range(MAX_HANDOVERS + 1):
            name = f"more than {n} hand-over{'s' * (n > 1)}" if n else "any hand-over"
            yield point("handovers", name, handovers > n)
    yield from _by_type(events, at_stake, counted, point)
    longest = _longest_wait(events, counted, by_us)
    if at_stake.any():
        long_us = float(np.quantile(longest[at_stake], LONG))
        yield point("wait", f"a wait of more than {format_duration(round(long_us))}", longest > long_us)


def _left_early(over: Bools, passed: Bools, others: Bools) -> float:
    """By how much the share that is over early differs between the cases that passed and the others."""
    shares = [float(over[side].mean()) if side.any() else 0.0 for side in (passed, others)]
    return abs(shares[0] - shares[1])


def _by_type(events: CodedEvents, at_stake: Bools, counted: Bools, point: PointMaker) -> Iterator[Candidate]:
    names, n_cases = events.type_names, max(events.n_cases, 1)
    pair, times = np.unique(events.type[counted] * n_cases + events.case[counted], return_counts=True)
    kind, case = pair // n_cases, pair % n_cases
    n_stake = max(int(at_stake.sum()), 1)
    is_at_stake = at_stake[case]
    has = np.bincount(kind[is_at_stake], minlength=len(names))
    again = np.bincount(kind[is_at_stake & (times > 1)], minlength=len(names))
    for code in np.argsort(-again, kind="stable")[:MAX_TYPES]:
        yield point("repeat", names[int(code)], _flags(case[(kind == code) & (times > 1)], events.n_cases))
    usual = [code for code in np.argsort(-has, kind="stable") if has[code] / n_stake >= USUAL]
    for code in usual[:MAX_TYPES]:
        yield point("missing", names[int(code)], ~_flags(case[kind == code], events.n_cases))


def _flags(cases: Ints, n: int) -> Bools:
    flags = np.zeros(n, np.bool_)
    flags[cases] = True
    return flags


def _longest_wait(events: CodedEvents, counted: Bools, by_us: Ints) -> Ints:
    """The longest time between two events of each case, or from its last one so far to the instant."""
    at = np.flatnonzero(counted)
    case, time_us = events.case[at], events.time_us[at]
    last = np.append(case[1:] != case[:-1], True) if len(case) else np.zeros(0, np.bool_)
    until = np.where(last, by_us[case], np.append(time_us[1:], 0)) if len(case) else time_us
    longest = np.zeros(events.n_cases, np.int64)
    np.maximum.at(longest, case, until - time_us)
    return longest
