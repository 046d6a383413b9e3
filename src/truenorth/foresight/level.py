"""A level that follows what becomes of cases: one number, added to the log-odds of every risk, learnt as they end.

A model learns the base rate of its past. Where that moves, all risks are too high or too low. What is known about it at
an instant are the cases that have ended since; but those that end soon are no fair sample of all. What is said of a
case is, if it can be taken at its word, a martingale: on the average the newest word is the first one (Doob 1953,
Stochastic Processes, chapter VII), and so it is of whatever was said in between. So of *all* cases first spoken of in a
window, each risk that was said is compared with what is known best by now: what became of the case or, where it is
still open, its newest risk. No case is left out, hence none is preferred. That only the level moves, by as much for all
log-odds, is the assumption of a shift of the prior (Saerens, Latinne and Decaestecker 2002, Neural Comput. 14:21).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.rows import NEVER, Cases
from truenorth.foresight.split import known_at

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

SPREAD = 1.0
"""How far a level is expected to go, in log-odds: the standard deviation of what is believed before any case."""
SURE = 2.0
"""A level moves where the newest words differ from those before by more than so many standard errors."""
MOST = 4.0
"""A level is at most so far from none, in log-odds."""
STEPS = 50
"""A level is learnt anew so many times in a window."""
MOST_STEPS = 500
"""In a backtest at most so often."""
LONG = 0.95
"""A window is twice as long as this share of the cases takes at most."""
MANY = 400
"""A window is at least as long as it takes for so many cases to be opened."""
MOST_ROWS = 20_000
"""What was said is thinned to about so many rows at most: of a level in a backtest, of the ends of intervals always."""


class Said(NamedTuple):
    """What was said of cases, without any level: (n,) risks of a ``case``, with what is known best by now.

    ``said`` and the ``newest`` risk of the case in [0, 1]; whether it ``failed``: 1 or 0, -1 = not known yet.
    """

    case: NDArray[np.integer]
    said: F64
    newest: F64
    failed: NDArray[np.int8]


class Lives(NamedTuple):
    """Rows (n,) of cases: the risk said, without any level, at ``time_us``; by ``case`` (n_cases,) how they ended.

    ``ended_us``: when it was known; ``failed``: 1 or 0, -1 = it never was.
    """

    case: NDArray[np.int32]
    time_us: I64
    risk: F64
    ended_us: I64
    failed: NDArray[np.int8]


def raised(risk: F64, level: float | F64) -> F64:
    """Risks (n,) in [0, 1] with a level added to their log-odds; 0 and 1 stay what they are.

    >>> import numpy as np
    >>> raised(np.array([0.0, 0.5, 1.0]), np.log(3.0))
    array([0.  , 0.75, 1.  ])
    """
    odds = risk * np.exp(level)
    moved: F64 = np.where(np.equal(level, 0.0), risk, odds / (odds + (1.0 - risk)))
    return moved


def with_level(p: F64, level: float) -> F64:
    """Chances (n, n_outcomes) with a level on the risk, the chance of any but the first; the others share it as before.

    >>> import numpy as np
    >>> with_level(np.array([[0.5, 0.25, 0.25]]), np.log(3.0))
    array([[0.25 , 0.375, 0.375]])
    """
    if level == 0.0:
        return p
    risk = 1.0 - p[:, 0]
    now = raised(risk, level)
    times = np.divide(now, risk, out=np.ones_like(risk), where=risk > 0.0)
    return np.column_stack([1.0 - now, p[:, 1:] * times[:, None]])


def level_of(said: Said) -> float:
    """The level, in log-odds, at which the newest word on cases agrees with those before; 0 where that is not clear.

    The root of sum(newest - said) = level / `SPREAD`², the sum in rows as a case has on the average: what is said of
    open cases moves with the level too. The right side is the gradient of a normal prior, so that few cases do not move
    it far. It is shrunk to 1 - (`SURE` / z)² of it, and to none below (the non-negative garrote: Breiman 1995,
    Technometrics 37:373), z being the sum of the differences in its standard errors over cases. Give it cases that the
    model was not learnt from: then this is a test on held-out time, made anew at each instant.

    >>> import numpy as np
    >>> failed = np.repeat([1, 0, -1], [45, 15, 20]).astype(np.int8)
    >>> round(level_of(Said(np.arange(80), np.full(80, 0.5), np.full(80, 0.5), failed)), 2)
    0.74
    """
    from scipy.optimize import brentq

    known, failed = said.failed >= 0, said.failed == 1
    if not known.any():
        return 0.0
    differs = np.where(known, failed, said.newest) - said.said
    cases, position = np.unique(said.case, return_inverse=True)
    squared = float((np.bincount(position, differs) ** 2).sum())
    clear = 1.0 - SURE**2 * squared / float(differs.sum()) ** 2 if differs.sum() != 0.0 else 0.0
    if clear <= 0.0:
        return 0.0
    pull = len(differs) / len(cases) / SPREAD**2

    def too_low(level: float) -> float:
        newest = np.where(known, failed, raised(said.newest, level))
        return float((newest - raised(said.said, level)).sum()) - level * pull

    if too_low(-MOST) <= 0.0:
        return -MOST * clear
    if too_low(MOST) >= 0.0:
        return MOST * clear
    return float(brentq(too_low, -MOST, MOST, xtol=1e-4)) * clear


def lasts_of(opened_us: I64, ended_us: I64) -> float:
    """How long nearly all cases (n,) take at most, in microseconds; n > 0."""
    return float(np.quantile(ended_us - opened_us, LONG))


def window_of(opened_us: I64, ended_us: I64) -> int:
    """How far back a level looks, in microseconds: so that most cases (n,) of the window have ended before its end."""
    if not len(opened_us):
        return 0
    newest = np.sort(opened_us)[-MANY:]
    return int(max(2.0 * lasts_of(opened_us, ended_us), newest[-1] - newest[0], STEPS))


def window_before(cases: Cases, at_us: int) -> int:
    """The same by all cases whose outcome was known before an instant."""
    known = known_at(cases, at_us)
    return window_of(cases.opened_us[known], cases.ended_us[known])


def followed(lives: Lives, window_us: int, from_us: int) -> F64:
    """The level in force at each row (n,), each learnt from what was known before; 0 before ``from_us``."""
    order = np.argsort(lives.time_us, kind="stable")
    times, case, risk = lives.time_us[order], lives.case[order], lives.risk[order]
    instants = instants_anew(from_us, times, window_us)
    begun_us = begun(case, times)[case]
    newest, levels, done = np.zeros(len(lives.ended_us)), np.zeros(len(instants) + 1), 0
    for number, at_us in enumerate(instants, start=1):
        since, until = np.searchsorted(times, [at_us - window_us, at_us])
        newest[case[done:until]] = risk[done:until]
        done = until
        ended = lives.ended_us < at_us
        told = ~(ended & (lives.failed < 0))[case[since:until]]
        of = since + np.flatnonzero(told & (begun_us[since:until] >= at_us - window_us))
        of = of[:: 1 + len(of) // MOST_ROWS]
        failed = np.where(ended, lives.failed, np.int8(-1))[case[of]]
        levels[number] = level_of(Said(case[of], risk[of], newest[case[of]], failed))
    in_force: F64 = levels[np.searchsorted(instants, lives.time_us, side="right")]
    return in_force


def begun(case: NDArray[np.int32], times_us: I64) -> I64:
    """When each case was first spoken of, by code; rows (n,) in the order of time. `NEVER` for a code without any."""
    first_us = np.full(int(case.max(initial=-1)) + 1, NEVER)
    first_us[case[::-1]] = times_us[::-1]  # of rows of one case the earliest stays
    return first_us


def instants_anew(from_us: int, times_us: I64, window_us: int) -> I64:
    """When it is learnt anew, from an instant to the last one of rows (n,) in order."""
    to_us = int(times_us[-1]) if len(times_us) else from_us
    step_us = max(window_us // STEPS, (to_us - from_us) // MOST_STEPS, 1)
    return np.arange(from_us, max(to_us + 1, from_us), step_us, dtype=np.int64)
