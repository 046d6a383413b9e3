"""Sums over all cases of a journey, not made more often than they can be."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from truenorth.store.results import Results
from truenorth.store.rows import Progress


class Made(NamedTuple):
    """Sums, how far the journey had come, and until when they are used again."""

    progress: Progress
    totals: dict[str, Any]
    until_s: float


class Totals:
    """The totals of each journey. What took some time to make is used again for as long, by whoever asks.

    So however many ask, sums are made one at a time, those of a journey for at most half of the time; those of a small
    journey are as good as new.
    """

    def __init__(self, results: Results, elapsed_s: Callable[[], float]) -> None:
        self._results = results
        self._elapsed_s = elapsed_s
        self._made: dict[str, Made] = {}
        self._lock = Lock()

    def of(self, journey: str) -> tuple[Progress, dict[str, Any]]:
        """How far a journey has come, and `Results.totals`."""
        with self._lock:
            made = self._made.get(journey)
            if made is None or made.until_s <= self._elapsed_s():
                made = self._made[journey] = self._make(journey)
        return made.progress, made.totals

    def _make(self, journey: str) -> Made:
        began_s = self._elapsed_s()
        progress, totals = self._results.progress(journey), self._results.totals(journey)
        ended_s = self._elapsed_s()
        return Made(progress, totals, ended_s + (ended_s - began_s))
