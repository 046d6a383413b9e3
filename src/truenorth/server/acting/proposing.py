"""Proposals without being asked: what happens to a case is looked at as it is told, and put into a team's queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from truenorth.action.values import DO_NOTHING
from truenorth.server.acting.acting import Acting, Asker
from truenorth.server.receiving import Turned
from truenorth.store.opening import Store
from truenorth.store.ports import StoreFull
from truenorth.store.rows import Signal
from truenorth.store.staff import StaffTeam

TRIGGERS = ("opened", "broken", "reopened", "at_risk")
"""The kinds of signals at which a case is looked at."""
PAGE_SIGNALS = 20
"""Signals that are read at a time; after as many it rests for as long as they took, so that pages are served meanwhile:
an import may leave thousands."""
IDLE_S = 0.5
RETRY_S = 2.0

LOG = structlog.get_logger("truenorth.proposals")


class Proposer:
    """Follows the signals from where they are when it starts, and proposes for the teams of each journey."""

    def __init__(self, store: Store, acting: Acting, on_proposed: Callable[[], object] = lambda: None) -> None:
        self._store = store
        self._acting = acting
        self._on_proposed = on_proposed
        self._after = store.signals.last_number()

    async def run(self, stopped: asyncio.Event) -> None:
        """Propose until stopped; a store that refuses is tried again."""
        loop = asyncio.get_running_loop()
        while not stopped.is_set():
            wait_s, begun = IDLE_S, loop.time()
            try:
                n_read = await asyncio.to_thread(self.step)
                wait_s = loop.time() - begun if n_read == PAGE_SIGNALS else IDLE_S
            except StoreFull as error:
                LOG.warning("the store refuses", reason=str(error))
                wait_s = RETRY_S
            try:
                await asyncio.wait_for(stopped.wait(), wait_s)
            except TimeoutError:
                continue

    def step(self) -> int:
        """Take the next signals; how many there were. A case of which there are several is looked at once."""
        signals = self._store.signals.read(self._after, limit=PAGE_SIGNALS)
        teams = self._store.staff.teams() if signals else ()
        proposed = 0
        looked_at = set()
        for signal in signals:
            place = (signal.journey, signal.case)
            if signal.kind in TRIGGERS and signal.case is not None and place not in looked_at:
                looked_at.add(place)
                proposed += self._propose(signal, signal.case, teams)
            self._after = signal.number
        if proposed:
            self._on_proposed()
        return len(signals)

    def _propose(self, signal: Signal, case: str, teams: Sequence[StaffTeam]) -> int:
        """Propose to the first team of the journey, if there is one and something to propose."""
        team = next((one for one in teams if signal.journey in one.journeys), None)
        if team is None:
            return 0
        asker = Asker(f"team:{team.name}", team.roles, (), team.name)
        try:
            made = self._acting.decide(signal.journey, case, asker, "proposed")
        except Turned as turned:  # the case or the journey is gone
            LOG.info("nothing proposed", journey=signal.journey, reason=turned.message)
            return 0
        return int(made.decision.chosen != DO_NOTHING)
