"""The simulated company at work in a store: what happens becomes events, what is proposed is done or declined.

Its people are no part of the causal model: they take a share of what is proposed to their team, some minutes later, and
what anybody has accepted is carried out and becomes an event. Which share is a hash of the decision's id, so that a
visitor finds enough left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from typing import NamedTuple

import httpx
import msgspec
import polars as pl
import structlog

from truenorth.server.acting.acting import Acting
from truenorth.server.receiving import Turned
from truenorth.simulate.messages import messages
from truenorth.simulate.unfolding import ACTIONS, Unfolding
from truenorth.store.decisions import DecisionRow
from truenorth.store.opening import Store
from truenorth.store.ports import StoreFull
from truenorth.store.staff import StaffMember

LOG = structlog.get_logger("truenorth.demo")
STEP_S = 0.5
"""Between two looks at what has happened in the company."""
TIMEOUT_S = 15.0
MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
SHARE_ACCEPTED, SHARE_DECLINED = 0.5, 0.12
"""Of what is proposed to a team; the rest is left to whoever looks at the queue, and expires."""
FASTEST_US, SLOWEST_US = 5 * MINUTE_US, 90 * MINUTE_US
"""How long colleagues take to look at a proposal."""
CARRIED_OUT_US = 2 * MINUTE_US
"""From accepting an action to doing it."""
REASONS = (
    "Spoken to this morning already",
    "Asked not to be called before Friday",
    "The technician is on the way",
    "Nobody answers; a message was left",
)


class Done(NamedTuple):
    """An action that was carried out: the company is lived again with it when it goes on from a store."""

    at_us: int
    case: str
    action: str


class Fate(NamedTuple):
    """What colleagues do about a proposal: accept or decline it some time after it was made, or leave it."""

    kind: str
    after_us: int
    luck: int


def fate_of(decision: str) -> Fate:
    """The fate of a decision, by its id (hexadecimal).

    >>> fate_of("00" * 12).kind, fate_of("ff" * 12).kind
    ('accepted', 'left')
    """
    share, wait, luck = (int(decision[at : at + 4], 16) / 65_536 for at in (0, 4, 8))
    kind = "accepted" if share < SHARE_ACCEPTED else "declined" if share < SHARE_ACCEPTED + SHARE_DECLINED else "left"
    return Fate(kind, FASTEST_US + round(wait * (SLOWEST_US - FASTEST_US)), int(luck * 65_536))


class Colleagues:
    """The people of the company: they look at their teams' queues, and carry out what was accepted by anybody."""

    def __init__(self, store: Store, acting: Acting, company: Unfolding) -> None:
        self._store, self._acting, self._company = store, acting, company

    def work(self, now_us: int) -> int:
        """Do what is to be done by now; how many reactions that were."""
        agents = [one for one in self._store.staff.members() if "agent" in one.roles]
        waiting = [row for row in self._store.decisions.live(now_us) if row.state == "proposed"]
        n_reactions = sum(self._look_at(row, agents, now_us) for row in waiting)
        recent = self._store.decisions.since(now_us - DAY_US)
        return n_reactions + sum(self._carry_out(row, now_us) for row in recent if row.state == "accepted")

    def _look_at(self, row: DecisionRow, agents: Sequence[StaffMember], now_us: int) -> bool:
        fate = fate_of(row.id)
        if fate.kind == "left" or now_us < row.at_us + fate.after_us:
            return False
        team = [one.id for one in agents if row.team in one.teams]
        if not team:
            return False
        who = team[fate.luck % len(team)]
        if fate.kind == "accepted":
            return self._react(row, who, "accepted")
        return self._react(row, who, "declined", REASONS[fate.luck % len(REASONS)])

    def _carry_out(self, row: DecisionRow, now_us: int) -> bool:
        accepted = [one for one in self._store.decisions.reactions([row.id]) if one.kind == "accepted"]
        if not accepted or now_us < accepted[-1].at_us + CARRIED_OUT_US or row.taken not in ACTIONS:
            return False
        if not self._react(row, accepted[-1].who, "done"):
            return False
        return self._company.act(row.case, row.taken)

    def _react(self, row: DecisionRow, who: str, kind: str, reason: str | None = None) -> bool:
        try:
            self._acting.react(row.id, who, kind, reason=reason)  # type: ignore[arg-type]  # one of its kinds
        except Turned:  # somebody else was faster, or it has expired
            return False
        return True


def done_in(store: Store) -> list[Done]:
    """All that was carried out, in order of time: what the company has to be lived again with."""
    rows = {row.id: row for row in store.decisions.since(0)}
    return [
        Done(one.at_us, rows[one.decision].case, rows[one.decision].chosen)
        for one in store.decisions.reactions()
        if one.kind == "done" and one.decision in rows
    ]


def live_again(company: Unfolding, done: Sequence[Done], until_us: int) -> pl.DataFrame:
    """Live up to an instant with all that was done on the way; the events of all of it."""
    pieces = []
    for one in done:
        pieces.append(company.until(one.at_us))
        company.act(one.case, one.action)
    return pl.concat([*pieces, company.until(until_us)])


class Life:
    """The company living on beside the service that its events go to, on a thread of its own."""

    def __init__(
        self, store: Store, acting: Acting, make: Callable[[], Unfolding], clock: Callable[[], int], write_key: str
    ) -> None:
        """``make`` is asked for the company, lived up to where the history of the store ends, on that thread."""
        self._store, self._acting, self._make, self._clock = store, acting, make, clock
        self._client = httpx.Client(auth=(write_key, ""), timeout=TIMEOUT_S, trust_env=False)
        self._stopped = Flag()
        self._thread: Thread | None = None
        self._unsent: list[pl.DataFrame] = []

    def start(self, address: str) -> None:
        """Begin to live; events go to a service at an address."""
        self._client.base_url = address
        self._thread = Thread(target=self._run, name="truenorth-demo", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it end what it is doing; return at once."""
        self._stopped.set()

    def stop(self) -> None:
        """Let it end what it is doing; nothing happens afterwards."""
        self.end()
        if self._thread:
            self._thread.join(TIMEOUT_S)
        self._client.close()

    def _run(self) -> None:
        company = self._make()
        colleagues = Colleagues(self._store, self._acting, company)
        while not self._stopped.wait(STEP_S):
            try:
                self._step(company, colleagues)
            except (httpx.HTTPError, StoreFull) as error:
                if not self._stopped.is_set():
                    LOG.warning("the company waits", reason=str(error))

    def _step(self, company: Unfolding, colleagues: Colleagues) -> None:
        """Live up to now: send what has happened, then let colleagues work. What could not be sent is sent again."""
        now_us = self._clock()
        self._unsent.append(company.until(now_us))
        events = pl.concat(self._unsent)
        if events.height:
            self._client.post("/v1/batch", content=segment_batch(events)).raise_for_status()
        self._unsent.clear()
        colleagues.work(now_us)


def segment_batch(events: pl.DataFrame) -> bytes:
    """Events as the body that a client of Segment sends, without ``sentAt``: their clock is the company's."""
    calls = [
        {
            "type": "track",
            "event": one.event,
            "messageId": one.message_id,
            "timestamp": one.timestamp,
            "userId": one.user_id,
            "properties": one.properties,
        }
        for one in messages(events, shift=timedelta(0))
    ]
    return msgspec.json.encode({"batch": calls})
