"""Intervals that follow what becomes of cases: where they end among the errors, learnt from what came since.

Intervals hold as often as they say if later cases resemble earlier ones. Where they do not, the share of the errors
beyond an end is not what it was: so the ends go to where that share is right for what was said of late. This is
adaptive conformal inference (Gibbs and Candès 2021, NeurIPS; 2024, JMLR 25:162) with a window in the place of a rate:
the quantile is taken anew among the positions of what came (calibrated regression: Kuleshov, Fenner and Ermon 2018,
ICML). Answers come late, those of quick cases first. So cases still open count as longer than they have lasted (Kaplan
and Meier 1958), and none is left out. A few cases are made up besides, spread as the errors were learnt to be: they
count where little has come yet (Susarla and Van Ryzin 1976, JASA 71:897: the estimator with a prior).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.level import MOST_ROWS, begun, instants_anew
from truenorth.foresight.remaining import Ends, Remaining, ends_of, positions
from truenorth.spec.durations import DAY_US

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

MADE_UP = 20
"""So many cases are taken to have come as they were learnt to, besides those that came."""


class Waits(NamedTuple):
    """Rows (n,): the days ``said`` to be left at ``time_us`` of a ``case``; when its outcome came, ``came_us``.

    ``came_us`` is `NEVER` where it has not.
    """

    case: NDArray[np.int32]
    time_us: I64
    said: F64
    came_us: I64


def ends_at(remaining: Remaining, waits: Waits, seen_us: int) -> Ends:
    """The ends of the interval, as learnt from rows of which all is known that came before ``seen_us``.

    >>> import numpy as np
    >>> from truenorth.foresight.predictors import Constant
    >>> learnt = Remaining(Constant((1.0,)), (), (tuple(np.linspace(0.0, 9.0, 201)),), 0.9)
    >>> came_us = (np.linspace(1.0, 19.0, 2_000) * DAY_US).astype(int)
    >>> waits = Waits(np.arange(2_000), np.zeros(2_000, int), np.ones(2_000), came_us)
    >>> [round(end, 1) for end in ends_at(learnt, waits, 100 * DAY_US)]
    [0.1, 1.9]
    """
    of = np.flatnonzero(waits.time_us < seen_us)
    if not len(of):
        return remaining.ends
    n_cases = len(np.unique(waits.case[of]))
    of = of[:: 1 + len(of) // MOST_ROWS]
    came_us = waits.came_us[of]
    known = came_us < seen_us
    days = (np.minimum(came_us, seen_us) - waits.time_us[of]) / DAY_US
    n_made_up = int(np.ceil(MADE_UP * len(of) / n_cases))  # in rows, as many a case as the others have
    shares = (np.arange(n_made_up) + 0.5) / n_made_up
    made_up = remaining.spread_out(0.5 + (shares - 0.5) * (1.0 + 1.0 / n_made_up))  # alone they end where it learnt to
    position = np.append(positions(remaining, waits.said[of], days), made_up)
    more = n_cases / (n_cases + MADE_UP) ** 2  # other cases lie further apart than these, the made-up ones do not
    coverage = min(1.0, remaining.coverage * (1.0 + more))
    return ends_of(position, np.append(known, shares <= remaining.known), coverage)


def followed_ends(remaining: Remaining, waits: Waits, window_us: int, from_us: int, holds_us: int) -> tuple[F64, F64]:
    """The ends in force at each row, each (n,), learnt from what was known before; as learnt at first till ``from_us``.

    They are learnt from the cases that were first spoken of within the window. ``holds_us``: how late it is known that
    an outcome has come.
    """
    order = np.argsort(waits.time_us, kind="stable")
    ordered = _of(waits, order)
    begun_us = begun(ordered.case, ordered.time_us)[ordered.case]
    instants = instants_anew(from_us, ordered.time_us, window_us)
    found = [remaining.ends]
    for at_us in instants:
        first, last = np.searchsorted(ordered.time_us, [at_us - window_us, at_us])
        of = first + np.flatnonzero(begun_us[first:last] >= at_us - window_us)
        found.append(ends_at(remaining, _of(ordered, of), int(at_us) - holds_us))
    low, high = np.array(found)[np.searchsorted(instants, waits.time_us, side="right")].T
    return low, high


def _of(waits: Waits, rows: NDArray[np.intp]) -> Waits:
    return Waits(waits.case[rows], waits.time_us[rows], waits.said[rows], waits.came_us[rows])
