"""What many ask for and takes a while, such as sums over all cases: not made more often than it can be."""

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
TIMES = 3.0
"""A value is used again for so many times as long as it took to make."""
LONGEST_S = 5.0
"""But no longer than this."""


class Made(NamedTuple, Generic[Value]):
    """A value, when it was made, and until when it is used again."""

    value: Value
    made_s: float
    until_s: float


class Reused(Generic[Key, Value]):
    """What took some time to make is used again for `TIMES` as long, by whoever asks.

    So however many ask, values are made one at a time, that of a key for at most a quarter of the time; what is made
    quickly is as good as new. While one is made anew, others get the one before, if it is not older than `LONGEST_S`.
    """

    def __init__(self, make: Callable[[Key], Value], elapsed_s: Callable[[], float]) -> None:
        self._make = make
        self._elapsed_s = elapsed_s
        self._made: dict[Key, Made[Value]] = {}
        self._lock = Lock()

    def of(self, key: Key, *, age_s: float = 0.0) -> Value:
        """The value of a key; one that is not older than ``age_s`` is new enough for whoever asks again soon."""
        made, now_s = self._made.get(key), self._elapsed_s()
        if made is not None and now_s < max(made.until_s, made.made_s + age_s):
            return made.value
        is_late = made is None or now_s >= made.until_s + LONGEST_S
        if not self._lock.acquire(blocking=is_late):
            assert made is not None
            return made.value
        try:
            made = self._made.get(key)
            if made is None or made.until_s <= self._elapsed_s():
                if len(self._made) >= MOST_KEPT:
                    self._made.clear()
                made = self._made[key] = self._newly(key)
        finally:
            self._lock.release()
        return made.value

    def _newly(self, key: Key) -> Made[Value]:
        began_s = self._elapsed_s()
        value = self._make(key)
        ended_s = self._elapsed_s()
        return Made(value, ended_s, ended_s + min(TIMES * (ended_s - began_s), LONGEST_S))


class Remembered(Generic[Key, Value]):
    """What never changes once it is made: a key has all that it depends on. The last `MOST_KEPT` are kept in mind.

    Values are made one at a time, each once, however many ask for it together. To make one must not ask for another.
    """

    def __init__(self, make: Callable[[Key], Value]) -> None:
        self._make = make
        self._made: dict[Key, Value] = {}
        self._lock = Lock()

    def of(self, key: Key) -> Value:
        """The value of a key."""
        made = self._made  # which is never emptied, only replaced: what is in it stays in it
        if key not in made:
            with self._lock:
                made = self._made
                if key not in made:
                    value = self._make(key)
                    if len(made) >= MOST_KEPT:
                        made = self._made = {}
                    made[key] = value
        return made[key]


class Totals(Reused[str, tuple[Progress, dict[str, Any]]]):
    """How far each journey has come, and `Results.totals`."""

    def __init__(self, results: Results, elapsed_s: Callable[[], float]) -> None:
        super().__init__(lambda journey: (results.progress(journey), results.totals(journey)), elapsed_s)
