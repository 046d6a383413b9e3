"""How busy the company is, for one model: the moves of all cases, in loads that add up.

Moves that came last make a small load of their own, so that an event costs no sorting of all that went before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.features import Histories, Load, Vocabulary, load_of, moves_of
from truenorth.foresight.load import LOOKS_BACK_US, MOVE
from truenorth.foresight.rows import NEVER

I64 = NDArray[np.int64]
RECENT_MOVES = 300
"""So many moves are the newest load."""
MIDDLE_MOVES = 50_000
"""So many are the one before it; all others are the last."""


class Company:
    """The load that cases make. What is told of a case once more takes the place of what is not settled yet."""

    def __init__(self, vocabulary: Vocabulary, settled_to: int) -> None:
        """``settled_to``: events of the log up to there are told by `settle`, later ones by `move`."""
        self._sizes = len(vocabulary.types) + 1, len(vocabulary.owners) + 1
        self._old = self._middle = _Moves.none()
        self._closed: set[str] = set()
        self._settled_to = self._newest = settled_to
        self._fresh: dict[str, NDArray[np.void]] = {}
        self._loads: list[Load | None] = [None, None, None]

    @property
    def loads(self) -> Sequence[Load]:
        """All loads; they add up."""
        for number, load in enumerate(self._loads):
            if load is None:
                self._loads[number] = load_of(self._moves(number), *self._sizes)
        return [load for load in self._loads if load is not None]

    def _moves(self, number: int) -> NDArray[np.void]:
        if number == 2:
            return np.frombuffer(b"".join(moves.tobytes() for moves in self._fresh.values()), MOVE)
        return (self._old, self._middle)[number].moves

    def settle(self, known: Histories, closed_us: I64) -> None:
        """Take in the whole of some cases that nothing is known of yet."""
        moves = moves_of(known, closed_us)
        closed = np.flatnonzero(closed_us != NEVER)
        self._old = self._old.with_(moves, np.concatenate([_case_of(known), closed]), known.id)
        self._closed.update(known.id.gather(closed))
        self._loads[0] = None

    def move(self, known: Histories, positions: I64, closed_us: I64, at_us: int) -> None:
        """Take in how some cases stand now: of their events, at ``positions`` (n_events,), those not settled yet.

        All cases that a page of the log touches come at once.
        """
        self._newest = max(self._newest, int(positions.max(initial=0)))
        moves = moves_of(known, closed_us)
        n_events = len(known.time_us)
        of_close = dict(zip(np.flatnonzero(closed_us != NEVER).tolist(), range(n_events, len(moves)), strict=True))
        new = positions > self._settled_to
        names = known.id.to_list()
        concerned = np.flatnonzero(np.logical_or.reduceat(new, known.starts[:-1])).tolist() if known.n else []
        again = (number for number, case in enumerate(names) if case in self._fresh)
        for number in sorted({*concerned, *of_close, *again}):
            case, first, end = names[number], int(known.starts[number]), int(known.starts[number + 1])
            rows = [first + int(row) for row in np.flatnonzero(new[first:end])]
            if number in of_close and case not in self._closed:
                rows.append(of_close[number])
            if rows:
                self._fresh[case] = moves[rows]
            else:
                self._fresh.pop(case, None)
        self._loads[2] = None
        if sum(map(len, self._fresh.values())) > RECENT_MOVES:
            self._settle_fresh(at_us)

    def _settle_fresh(self, at_us: int) -> None:
        for case, moves in self._fresh.items():
            if moves["closes"].any():
                self._closed.add(case)
        names = list(self._fresh)
        numbers = np.repeat(np.arange(len(names)), [len(moves) for moves in self._fresh.values()])
        self._middle = self._middle.with_(self._moves(2), numbers, names)
        self._fresh, self._settled_to = {}, self._newest
        self._loads[1] = None
        if len(self._middle.moves) > MIDDLE_MOVES:
            self._old = self._old.and_(self._middle).without_long_closed(at_us - LOOKS_BACK_US)
            self._middle = _Moves.none()
            self._closed &= self._old.names_closed()
            self._loads[0] = None


class _Moves:
    """Moves with the number of the case of each."""

    def __init__(self, moves: NDArray[np.void], case: I64, numbers: dict[str, int]) -> None:
        self.moves, self.case, self.numbers = moves, case, numbers

    @classmethod
    def none(cls) -> _Moves:
        return cls(np.zeros(0, MOVE), np.zeros(0, np.int64), {})

    def with_(self, moves: NDArray[np.void], case: I64, names: Iterable[str]) -> _Moves:
        """These, and moves of cases that are numbered by their place in ``names``."""
        numbers = dict(self.numbers)
        own = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        return _Moves(np.concatenate([self.moves, moves]), np.concatenate([self.case, own[case]]), numbers)

    def and_(self, other: _Moves) -> _Moves:
        return self.with_(other.moves, other.case, other.numbers)

    def without_long_closed(self, before_us: int) -> _Moves:
        """Those that may still change a count."""
        closed = self.case[self.moves["closes"] & (self.moves["time_us"] < before_us)]
        kept = ~np.isin(self.case, closed)
        gone = set(closed.tolist())
        names = [name for name, number in self.numbers.items() if number not in gone]
        renumbered = np.full(len(self.numbers) + 1, -1, np.int64)
        for new, name in enumerate(names):
            renumbered[self.numbers[name]] = new
        return _Moves(self.moves[kept], renumbered[self.case[kept]], {name: n for n, name in enumerate(names)})

    def names_closed(self) -> set[str]:
        closed = set(self.case[self.moves["closes"]].tolist())
        return {name for name, number in self.numbers.items() if number in closed}


def _case_of(known: Histories) -> I64:
    return np.repeat(np.arange(known.n), np.diff(known.starts))
