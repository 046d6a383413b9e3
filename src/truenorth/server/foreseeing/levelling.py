"""The level of a model's risks, learnt from what has become of the cases that it spoke of."""

from __future__ import annotations

import numpy as np

from truenorth.foresight.level import STEPS, Said, level_of
from truenorth.spec.durations import UNITS_US
from truenorth.store.opening import Store
from truenorth.store.rows import Outcome

PAGE_CASES = 10_000
LEAST_PAUSE_US = UNITS_US["h"]
"""A level is learnt anew at most once an hour."""


def pause_us(window_us: int) -> int:
    """How long a level stays in force that looks back so far."""
    return max(window_us // STEPS, LEAST_PAUSE_US)


def level_since(store: Store, journey: str, version: str, since_us: int) -> float:
    """The level by all cases that a model first spoke of since an instant, of those still open by its newest word.

    The very function of a backtest (`truenorth.foresight.level.level_of`), of what the store holds by now.
    """
    after, first, newest, failed = "", list[float](), list[float](), list[int]()
    while page := store.risks.said(journey, version, since_us=since_us, after=after, limit=PAGE_CASES):
        after = page[-1].case
        for one in page:
            if one.outcome != "open" or one.newest is not None:
                first.append(one.first)
                newest.append(one.first if one.newest is None else one.newest)
                failed.append(_failed(one.outcome))
    return level_of(Said(np.array(first), np.array(newest), np.array(failed, np.int8)))


def _failed(outcome: Outcome) -> int:
    return -1 if outcome == "open" else int(outcome != "achieved")
