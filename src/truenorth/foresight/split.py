"""Held-out time: what could be learnt at an instant, what it is tried on, and how much each row weighs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.rows import NEVER, Cases, Rows, Table

Mask = NDArray[np.bool_]
F64 = NDArray[np.float64]

VALID_SHARE = 0.2
"""Of the cases before the split instant the latest share chooses (stopping, calibration, thresholds)."""
FEWEST_CHOOSING = 100
"""So many cases choose at least, if the latest share of those known are as many."""
FEWEST_OF_A_CLASS = 10
"""With fewer cases of a class to learn from, or to choose on, trees are not tried: the base rate is used."""
MOST_CENSORING_WEIGHT = 5.0
"""A case stands for at most so many that were still open when it had ended."""


class Split(NamedTuple):
    """Masks of rows, no case in two of them.

    ``fit``: cases opened before ``valid_us`` and ended before ``test_us``. ``valid``: opened from ``valid_us`` and
    ended before ``test_us``. ``test``: opened from ``test_us``. A case whose outcome was not known at ``test_us`` but
    that was opened before it is in none of these: censored, never negative. ``open``: its rows before ``test_us``.
    ``n_censored`` counts such cases.
    """

    fit: Mask
    valid: Mask
    test: Mask
    open: Mask
    valid_us: int
    test_us: int
    n_censored: int


def temporal_split(cases: Cases, rows: Rows, test_share: float = 0.25) -> Split:
    """Split by time of opening: the last ``test_share`` of the cases, in (0, 1), are held out.

    Whatever is learnt at ``test_us`` was known before it. Cases that have ended without a label count for nothing.
    Of those opened before it the latest choose, as far as they are known by then. Where these are few, the latest of
    those known do; where hardly any of them ended well, or otherwise, the latest of those that ended well and of those
    that ended otherwise, each as many as `VALID_SHARE` says, and all that were opened after them.
    """
    countable: Mask = (cases.outcome >= 0) | (cases.ended_us == NEVER)
    test_us = test_instant(cases.opened_us[countable], test_share)
    valid_us = _valid_instant(cases, known_at(cases, test_us), countable & (cases.opened_us < test_us))
    return split_at(cases, rows, valid_us, test_us)


def split_at(cases: Cases, rows: Rows, valid_us: int, test_us: int) -> Split:
    """The split at given instants, in microseconds, of some rows of the cases."""
    known, before, early = known_at(cases, test_us), cases.opened_us < test_us, cases.opened_us < valid_us
    is_open = before & ~known
    held_out = (cases.outcome >= 0) & ~before
    fit, valid, test, still = (part[rows.case] for part in (known & early, known & ~early, held_out, is_open))
    return Split(fit, valid, test, still & (rows.time_us < test_us), valid_us, test_us, int(is_open.sum()))


def known_at(cases: Cases, at_us: int) -> Mask:
    """The cases (n_cases,) opened before an instant whose outcome was known by then."""
    return (cases.outcome >= 0) & (cases.opened_us < at_us) & (cases.ended_us < at_us)


def is_enough(outcome: NDArray[np.integer]) -> bool:
    """Whether enough cases, of these outcomes, have the one hoped for, which is 0, and enough another."""
    n_hoped = int((outcome == 0).sum())
    return min(n_hoped, len(outcome) - n_hoped) >= FEWEST_OF_A_CLASS


def test_instant(opened_us: NDArray[np.int64], test_share: float) -> int:
    """The instant from which so large a share of the cases was opened, in microseconds."""
    return _instant(np.sort(opened_us), 1.0 - test_share)


def all_known(cases: Cases, rows: Rows) -> Split:
    """For a model that goes to work now: all cases that have ended teach, the latest choose, none is held out."""
    known = cases.outcome >= 0
    last_us = max(int(cases.ended_us[known].max(initial=0)), int(rows.time_us.max(initial=0)))
    return split_at(cases, rows, _valid_instant(cases, known, known), last_us + 1)


def _valid_instant(cases: Cases, known: Mask, of: Mask) -> int:
    """The instant from which cases choose: the latest share of the cases ``of``, of those known, or of each outcome."""
    valid_us = _latest_share_us(cases.opened_us[of])
    chosen_on = known & (cases.opened_us >= valid_us)
    if not is_enough(cases.outcome[known]):
        return valid_us
    if not is_enough(cases.outcome[chosen_on]):
        of_each = known & (cases.outcome == 0), known & (cases.outcome > 0)
        return min(_latest_share_us(cases.opened_us[one]) for one in of_each)
    return valid_us if chosen_on.sum() >= FEWEST_CHOOSING else min(valid_us, _latest_share_us(cases.opened_us[known]))


def _latest_share_us(opened_us: NDArray[np.int64]) -> int:
    return _instant(np.sort(opened_us), 1.0 - VALID_SHARE)


def _instant(ordered_us: NDArray[np.int64], share: float) -> int:
    if not len(ordered_us):
        return 0
    return int(ordered_us[min(len(ordered_us) - 1, int(share * len(ordered_us)))])


def thinned(kept: Mask, n_rows: int, seed: int) -> Mask:
    """About so many of the rows kept (n,) at most, by chance.

    By row, not by case: the rows of one case say nearly the same, and cases are few.
    """
    n = int(kept.sum())
    return kept if n <= n_rows else kept & (np.random.default_rng(seed).random(len(kept)) < n_rows / n)


def newest_of_each(kept: Mask, case: NDArray[np.int32]) -> NDArray[np.intp]:
    """Of the rows kept (n,) the last one of each case, whose rows are in the order of time.

    >>> import numpy as np
    >>> newest_of_each(np.array([True, True, False, True]), np.array([0, 0, 0, 1], np.int32)).tolist()
    [1, 3]
    """
    rows = np.flatnonzero(kept)
    last = np.full(int(case.max(initial=-1)) + 1, -1)
    last[case[rows]] = rows
    return last[last >= 0]


def censoring_weights(opened_us: NDArray[np.int64], ended_us: NDArray[np.int64], until_us: int) -> F64:
    """How many cases each ended case stands for: 1 / P(it would have been seen to end before ``until_us``).

    Of cases opened shortly before an instant only the short ones have ended by then; learning from these alone makes
    outcomes that take long look rare. Inverse probability of censoring weights (Robins and Finkelstein 2000,
    Biometrics 56:779) put that right; as the censoring is by the calendar, its distribution is simply that of the time
    since opening. 0 for a case not ended by then; at most `MOST_CENSORING_WEIGHT`.

    >>> import numpy as np
    >>> censoring_weights(np.array([0, 0, 8]), np.array([4, 1, 9]), 10)
    array([1.5, 1. , 1. ])
    """
    before = opened_us < until_us
    followed = np.sort(until_us - opened_us[before])
    weights = np.zeros(len(opened_us))
    ended = before & (ended_us < until_us)
    seen = len(followed) - np.searchsorted(followed, ended_us[ended] - opened_us[ended], side="left")
    weights[ended] = np.minimum(len(followed) / np.maximum(seen, 1), MOST_CENSORING_WEIGHT)
    return weights


def row_weights(table: Table, mask: Mask, until_us: int) -> F64:
    """What each row of ``mask`` weighs when a model learns from ended cases only: mean 1.

    `weights_in_case` times `censoring_weights`.
    """
    case = table.rows.case[mask]
    censoring = censoring_weights(table.cases.opened_us, table.cases.ended_us, until_us)
    weights: F64 = np.maximum(censoring[case], 1.0) * weights_in_case(case)
    return weights / max(weights.mean(), 1e-12) if len(weights) else weights


def weights_in_case(case: NDArray[np.int32]) -> F64:
    """What rows (n,) of a ``case`` each weigh, in their order, in (0, 1].

    The k-th row of a case weighs sqrt(k) - sqrt(k - 1), so that n rows weigh sqrt(n) together: a case of a hundred
    events counts as ten of one and not as a hundred. No row knows how many are still to come: a weight that did would
    make what ends soon look more likely than it is.

    >>> import numpy as np
    >>> weights_in_case(np.array([4, 4, 1, 4], np.int32)).round(2).tolist()
    [1.0, 0.41, 1.0, 0.32]
    """
    rank = rank_in_case(case)
    weights: F64 = np.sqrt(rank) - np.sqrt(rank - 1.0)
    return weights


def rank_in_case(case: NDArray[np.int32]) -> F64:
    """The number of each row (n,) among those of its case, from 1, in their order.

    >>> import numpy as np
    >>> rank_in_case(np.array([4, 4, 1, 4], np.int32)).tolist()
    [1.0, 2.0, 1.0, 3.0]
    """
    order = np.argsort(case, kind="stable")
    starts = np.flatnonzero(np.r_[True, case[order][1:] != case[order][:-1]]) if len(case) else np.zeros(0, np.intp)
    rank = np.empty(len(case))
    rank[order] = np.arange(1, len(case) + 1) - np.repeat(starts, np.diff(np.r_[starts, len(case)]))
    return rank
