"""A company that is watched while it lives: its events piece by piece, and what others do for a case on the way."""

from __future__ import annotations

import numpy as np
import polars as pl

from truenorth.simulate import loop, model
from truenorth.simulate import records as r
from truenorth.simulate.company import MAX_DAYS
from truenorth.simulate.customers import make_customers
from truenorth.simulate.journeys import JOURNEYS
from truenorth.simulate.lived import Lived
from truenorth.simulate.policies import code_of
from truenorth.simulate.run import Run, fresh_state, with_arrivals, with_room
from truenorth.simulate.tables import compile_tables
from truenorth.simulate.world import World

DAY_US = 24 * 3_600_000_000
_LETTERS = {journey.letter: number for number, journey in enumerate(JOURNEYS)}


class Unfolding:
    """A world lived up to an instant, and from there on.

    However it is cut, the pieces are the events of `World.run`, as long as nobody acts. The days of the company do not
    bound it: it lives for 999 days, and then nothing happens any more.

    >>> from truenorth.simulate import Company, World
    >>> world = World(Company(n_customers=200, days=3), seed=7)
    >>> company = Unfolding(world)
    >>> pieces = [company.until(company.start_us + hours * 3_600_000_000) for hours in (30, 31, 72)]
    >>> pl.concat(pieces).equals(world.run().events())
    True
    """

    def __init__(self, world: World) -> None:
        self._tables = compile_tables(world.company, world.seed, world.do)
        self._state = fresh_state(make_customers(world.company.n_customers, world.seed))
        self._day = 0
        self._n_events = 0
        self.start_us = int(self._tables.start_us)
        """The first midnight."""
        self.at_us = self.start_us
        """Up to here it has lived."""

    def until(self, at_us: int) -> pl.DataFrame:
        """Live on until an instant, exclusively: what has happened since the last time, and what was done meanwhile."""
        chunks: list[np.ndarray[tuple[int], np.dtype[np.void]]] = []
        while self.at_us < at_us:
            midnight_us = self.start_us + self._day * DAY_US
            if self.at_us == midnight_us and self._day < MAX_DAYS:
                self._state = with_arrivals(self._state)
                loop.arrive(self._tables, self._state, self._day)
            next_us = midnight_us + DAY_US if self._day < MAX_DAYS else at_us
            to_us = min(at_us, next_us)
            while loop.run(self._tables, self._state, to_us) == r.FULL:
                self._state = with_room(self._state, chunks)
            self.at_us = to_us
            self._day += to_us == next_us
        return self._frame(chunks)

    def act(self, case: str, action: str) -> bool:
        """Something is done for a case now; False if there is no such case. Its event comes with the next piece.

        What it brings is settled by the causal model; nothing where the case was settled already, or had something done
        before. `ValueError` for an unknown action.
        """
        code, row = code_of(action), self._row(case)
        if row is None:
            return False
        if len(self._state.events) - self._state.n[r.N_EVENTS] < r.ROOM:
            raise ValueError("too much is done at once: ask for the next piece first")
        loop.act(self._tables, self._state, self.at_us, row, code)
        return True

    def _row(self, case: str) -> int | None:
        letter, customer, day = case[:1], *case[1:].split("#", maxsplit=1)[0].partition("-")[::2]
        if letter not in _LETTERS or not (customer.isdecimal() and day.isdecimal()):
            return None
        key = ((int(customer) - 1) * len(JOURNEYS) + _LETTERS[letter]) * 1024 + int(day)
        found = np.flatnonzero(self._state.cases["key"][: self._state.n[r.N_CASES]] == key)
        return int(found[0]) if len(found) else None

    def _frame(self, chunks: list[np.ndarray[tuple[int], np.dtype[np.void]]]) -> pl.DataFrame:
        """The events since the last time, which leave their places."""
        n = self._state.n
        chunks.append(self._state.events[: n[r.N_EVENTS]].copy())
        events, n[r.N_EVENTS] = np.concatenate(chunks), 0
        cases = self._state.cases[: n[r.N_CASES]]
        run = Run([events], cases, self._state.levels[: len(cases)], self._state.customers, n)
        nobody = np.zeros(len(cases))
        frame = Lived(run, self._tables, nobody.astype(np.bool_), nobody).frame(events, self._n_events)
        self._n_events += len(events)
        return frame


ACTIONS = frozenset(action.name for action in model.ACTIONS if action.event)
"""What can be done for a case."""
