"""What a model learns of the cases that it spoke of: the level of its risks, and where its intervals end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.ends import Waits, ends_at
from truenorth.foresight.level import STEPS, Said, level_of
from truenorth.foresight.remaining import Ends, Remaining
from truenorth.foresight.rows import NEVER
from truenorth.spec.durations import UNITS_US
from truenorth.store.foresight_rows import SaidRow
from truenorth.store.opening import Store
from truenorth.store.rows import Outcome

PAGE_WORDS = 10_000
LEAST_PAUSE_US = UNITS_US["h"]
"""A level is learnt anew at most once an hour."""


class Learnt(NamedTuple):
    """The level of all risks, and where intervals end; None = where the model learnt it."""

    level: float
    ends: Ends | None


def pause_us(window_us: int) -> int:
    """How long a level stays in force that looks back so far."""
    return max(window_us // STEPS, LEAST_PAUSE_US)


def learnt_since(
    store: Store, journey: str, version: str, remaining: Remaining | None, *, since_us: int, seen_us: int
) -> Learnt:
    """What is learnt of all cases that a model first spoke of since an instant, of those still open by its newest word.

    The very functions of a backtest (`truenorth.foresight.level`, `truenorth.foresight.ends`), of what the store holds
    by now. ``seen_us``: it is known up to it which cases have come to their outcome.
    """
    words, after = list[SaidRow](), ("", 0)
    while page := store.risks.said(journey, version, since_us=since_us, after=after, limit=PAGE_WORDS):
        after = (page[-1].case, page[-1].number)
        words += page
    words = [one for one in words if one.outcome != "open" or one.newest is not None]
    codes = {case: code for code, case in enumerate(dict.fromkeys(one.case for one in words))}
    case = np.array([codes[one.case] for one in words], np.int32)
    return Learnt(level_of(_said(words, case)), _ends(words, case, remaining, seen_us))


def _said(words: Sequence[SaidRow], case: NDArray[np.int32]) -> Said:
    newest = [one.risk if one.newest is None else one.newest for one in words]
    failed = np.array([_failed(one.outcome) for one in words], np.int8)
    return Said(case, np.array([one.risk for one in words]), np.array(newest), failed)


def _ends(words: Sequence[SaidRow], case: NDArray[np.int32], remaining: Remaining | None, seen_us: int) -> Ends | None:
    """From the words that speak of days to come: none that was said after the outcome had been reached."""
    of = [n for n, one in enumerate(words) if one.days is not None and one.at_us < _came_us(one)]
    if remaining is None or not of:
        return None
    said = np.array([words[n].days for n in of], np.float64)
    times_us, came_us = (np.array([us(words[n]) for n in of], np.int64) for us in (lambda one: one.at_us, _came_us))
    return ends_at(remaining, Waits(case[of], times_us, said, came_us), seen_us)


def _came_us(word: SaidRow) -> int:
    return int(NEVER) if word.outcome == "open" or word.outcome_time_us is None else word.outcome_time_us


def _failed(outcome: Outcome) -> int:
    return -1 if outcome == "open" else int(outcome != "achieved")
