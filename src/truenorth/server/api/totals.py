"""Sums over all cases of a journey, not made more often than they can be."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from truenorth.store.results import Results
from truenorth.store.rows import Progress

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
MOST_KEPT = 1_000
"""Values that are kept in mind."""


class Made(NamedTuple, Generic[Value]):
    """A value, and until when it is used again."""

    value: Value
    until_s: float


class Reused(Generic[Key, Value]):
    """What took some time to make is used again for as long, by whoever asks.

    So however many ask, values are made one at a time, that of a key for at most half of the time; what is made quickly
    is as good as new.
    """

    def __init__(self, make: Callable[[Key], Value], elapsed_s: Callable[[], float]) -> None:
        self._make = make
        self._elapsed_s = elapsed_s
        self._made: dict[Key, Made[Value]] = {}
        self._lock = Lock()

    def of(self, key: Key) -> Value:
        """The value of a key."""
        with self._lock:
            made = self._made.get(key)
            if made is None or made.until_s <= self._elapsed_s():
                if len(self._made) >= MOST_KEPT:
                    self._made.clear()
                made = self._made[key] = self._newly(key)
        return made.value

    def _newly(self, key: Key) -> Made[Value]:
        began_s = self._elapsed_s()
        value = self._make(key)
        ended_s = self._elapsed_s()
        return Made(value, ended_s + (ended_s - began_s))


class Totals(Reused[str, tuple[Progress, dict[str, Any]]]):
    """How far each journey has come, and `Results.totals`."""

    def __init__(self, results: Results, elapsed_s: Callable[[], float]) -> None:
        super().__init__(lambda journey: (results.progress(journey), results.totals(journey)), elapsed_s)
