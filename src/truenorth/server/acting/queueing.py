"""The queue of an agent or a team: open cases with their pending decision or risk, what is worth most first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from truenorth.action.holdout import is_held_out
from truenorth.action.priority import Avoidable, hours_left, median_of, priority
from truenorth.server.acting.situations import at_stake_cents, base_risk_of
from truenorth.server.api.totals import TIMES
from truenorth.server.given.word import JOURNEY, GivenWord
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.spec.durations import DAY_US
from truenorth.spec.model import Journey
from truenorth.store.decisions import DecisionRow
from truenorth.store.foresight_rows import RiskRow
from truenorth.store.opening import Store
from truenorth.store.rows import JourneyText

MOST_NEW = 500
"""Cases that opened last: of them, those that the model has not looked at yet are ranked too."""
SETTLED_US = DAY_US
"""How long a case that is settled leaves its place to others; what happens to it meanwhile is looked at anew."""
STALE_S = 10.0
"""How old a queue may be that is answered with while the next one is made."""
MOST_CASES = 2_000
"""Cases of a journey that are ranked: those with the largest expected loss. Pending decisions come on top."""


class Standing(NamedTuple):
    """An open case: its customer, the risk of it if a model says so, and the days that the model says are left."""

    customer: str | None
    risk: float | None
    risk_after: float | None
    median_days: float | None


class Waiting(NamedTuple):
    """A place in the queue. ``decision``: the live one, without its record; ``due``: instant and promise.

    ``is_settled``: within `SETTLED_US` it was decided that nothing is to be done, or all that was to be done is.
    """

    journey: str
    case: str
    customer: str | None
    currency: str | None
    priority: float
    avoidable: Avoidable
    hours: float
    due: tuple[int, str] | None
    decision: DecisionRow | None
    is_settled: bool

    @property
    def is_under_way(self) -> bool:
        """Whether somebody has accepted to do something about it already."""
        return self.decision is not None and self.decision.state == "accepted"

    @property
    def turn(self) -> int:
        """What is proposed has the first turn, then what nobody decided about, what is settled, what is under way."""
        if self.decision is not None:
            return 3 if self.is_under_way else 0
        return 2 if self.is_settled else 1


class Whose(NamedTuple):
    """Whose queue: the journeys that are theirs, and the team whose proposals are meant; None: everybody's."""

    journeys: tuple[str, ...]
    team: str | None = None


class Queue(NamedTuple):
    """The places, the first first; ``signal``: the newest signal that is in it; used again until ``until_s``."""

    places: tuple[Waiting, ...]
    signal: int
    until_s: float


class Queues:
    """Queues as they are now, or were some seconds ago: whoever asks gets what there is at once, and it is made anew.

    A queue that is not older than `STALE_S` is answered with, while a thread makes the next one.
    """

    def __init__(
        self,
        store: Store,
        *,
        now_us: Callable[[], int],
        elapsed_s: Callable[[], float],
        outcomes_of: Callable[[str], Mapping[str, int]],
        words: Callable[[], Sequence[GivenWord]],
    ) -> None:
        """``outcomes_of``: the cases of a journey by outcome; ``words``: promises in one line that wait."""
        self._store = store
        self._now_us = now_us
        self._elapsed_s = elapsed_s
        self._outcomes_of = outcomes_of
        self._words = words
        self._made: dict[Whose, Queue] = {}
        self._making: dict[Whose, Future[Queue]] = {}
        self._worker = ThreadPoolExecutor(1, "truenorth-queue")
        self._lock = Lock()
        self._is_closed = False

    def whose(self, person: str, team: str | None = None) -> Whose:
        """The queue of a team, or of a person: their first team's; of somebody in no team, everything."""
        teams = {one.name: one for one in self._store.staff.teams()}
        if team is None:
            member = self._store.staff.member(person)
            team = next((name for name in member.teams if name in teams), None) if member else None
        live = [one.name for one in self._store.journeys.live() if one.name != JOURNEY]
        if team is None:
            return Whose(tuple(live))
        return Whose(tuple(name for name in live if team in teams and name in teams[team].journeys), team)

    def of(self, whose: Whose, *, since: int = 0) -> Queue:
        """The whole queue; ``signal`` tells how new it is. It waits for one that has the signal ``since`` in it."""
        with self._lock:
            made, now_s = self._made.get(whose), self._elapsed_s()
            is_new = made is not None and made.signal >= since
            if made is not None and is_new and now_s < made.until_s:
                return made
            if self._is_closed:
                raise Turned(503, "stopping", "the service is stopping; try again")
            if whose not in self._making:
                self._making[whose] = self._worker.submit(self._keep, whose)
            making = self._making[whose]
        return made if made is not None and is_new and now_s < made.until_s + STALE_S else making.result()

    def forget(self) -> None:
        """Make queues anew: somebody has just decided something, and wants to see it."""
        with self._lock:
            self._made.clear()
            self._making.clear()  # what is being made may not know it yet

    def close(self) -> None:
        """Make nothing more; returns when nothing is being made."""
        with self._lock:
            self._is_closed = True
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _keep(self, whose: Whose) -> Queue:
        """In the thread: make a queue, and keep it unless it was forgotten meanwhile."""
        with self._lock:
            mine = self._making.get(whose)
        try:
            made = self._make(whose)
            with self._lock:
                if mine is not None and self._making.get(whose) is mine:
                    self._made[whose] = made
            return made
        finally:
            with self._lock:
                if self._making.get(whose) is mine:
                    self._making.pop(whose, None)

    def _make(self, whose: Whose) -> Queue:
        began_s, number, now_us = self._elapsed_s(), self._store.signals.last_number(), self._now_us()
        pending: dict[tuple[str, str], DecisionRow] = {}
        for row in self._store.decisions.live(now_us):
            if whose.team is None or row.team in {None, whose.team}:
                pending.setdefault((row.journey, row.case), row)
        settled = self._store.decisions.settled(now_us - SETTLED_US)
        found: list[Waiting] = []
        for name in whose.journeys:
            text = self._store.journeys.newest_live(name)
            if text is not None:
                decisions = {case: row for (journey, case), row in pending.items() if journey == name}
                own = {case for journey, case in settled if journey == name}
                found += self._of_journey(text, decisions, own, now_us)
        found.sort(key=lambda one: (one.turn, -one.priority, one.hours, one.journey, one.case))
        ended_s = self._elapsed_s()
        return Queue(tuple(found), number, ended_s + TIMES * (ended_s - began_s))

    def _of_journey(
        self, text: JourneyText, decisions: Mapping[str, DecisionRow], settled: Set[str], now_us: int
    ) -> Iterator[Waiting]:
        journey = parsed(text.text)
        standings = self._standings(text.name, decisions)
        dues = self._dues(text.name, list(standings))
        failing_us = median_of(self._store.results.failing_times(text.name))
        is_foreseen = all(one.risk is not None for one in standings.values())
        base = None if is_foreseen else base_risk_of(self._outcomes_of(text.name))
        for case, standing in standings.items():
            decision = decisions.get(case)
            if decision is None and journey.holdout and is_held_out(text.name, case, journey.holdout):
                continue
            avoidable = _avoidable(journey, standing, decision, base)
            due = dues.get(case)
            hours = hours_left(due[0] if due else None, standing.median_days, failing_us, now_us)
            yield Waiting(
                journey=text.name,
                case=case,
                customer=standing.customer,
                currency=journey.currency,
                priority=priority(avoidable.loss, hours),
                avoidable=avoidable,
                hours=hours,
                due=due,
                decision=decision,
                is_settled=decision is None and case in settled,
            )

    def _dues(self, journey: str, cases: Sequence[str]) -> dict[str, tuple[int, str]]:
        """What is due first in some cases: a promise of the journey, or one that somebody gave in one line."""
        found = self._store.results.next_dues(journey, cases)
        for word in self._words():
            if word.journey == journey and word.case is not None:
                due = (word.due_us, word.what)
                found[word.case] = min(found.get(word.case, due), due)
        return found

    def _standings(self, journey: str, decisions: Mapping[str, DecisionRow]) -> dict[str, Standing]:
        """The open cases that are ranked, by case: those that a model looks at, else the first ones by id.

        A case that has just opened waits for nobody: until the model has looked at it, it has the base risk.
        """
        live = self._store.models.live(journey)
        if live is not None:
            rows = self._store.risks.page(journey, live.version, limit=MOST_CASES).rows
            found = {row.case: _standing(row) for row in rows}
            beyond = [case for case in decisions if case not in found]
            found |= {row.case: _standing(row) for row in self._store.risks.newest(journey, live.version, beyond)}
            new = self._store.risks.unforeseen(journey, live.version, limit=MOST_NEW)
            found |= {case: Standing(customer, None, None, None) for case, customer in new}
        else:
            shown = self._store.pages.cases(journey, limit=MOST_CASES, outcome="open").rows
            found = {row.case: Standing(row.customer, None, None, None) for row in shown}
        for case, row in decisions.items():
            found.setdefault(case, Standing(row.customer, None, None, None))
        return found


def _standing(row: RiskRow) -> Standing:
    remedies: Sequence[dict[str, Any]] = msgspec.json.decode(row.lowers)
    after = min((float(one["risk_after"]) for one in remedies), default=None)
    days = msgspec.json.decode(row.remaining_days)
    return Standing(row.customer, row.p_failed, after, days[1] if days else None)


def _avoidable(journey: Journey, standing: Standing, decision: DecisionRow | None, base: float | None) -> Avoidable:
    """What can be avoided, by the pending decision, else by the model, else by the journey file's beliefs.

    ``base``: the risk of a case that the model has not looked at; None where nothing says it.
    """
    stake = at_stake_cents(journey) / 100 or 1.0  # without values each failure counts one
    risk = base if standing.risk is None else standing.risk
    if risk is None:
        return Avoidable(None, None, stake, "belief" if decision is None else "decision")
    if decision is not None:
        revenue = next((one.revenue_cents for one in journey.actions if one.name == decision.chosen), 0)
        gain = (decision.value_cents + decision.cost_cents - revenue) / 100 / stake
        return Avoidable(risk, max(risk - gain, 0.0), stake, "decision")
    if standing.risk_after is not None:
        return Avoidable(risk, standing.risk_after, stake, "model")
    best = max((action.prior.recovers for action in journey.actions), default=0.0)
    return Avoidable(risk, risk * (1.0 - best), stake, "belief")
