"""What to take up first: the loss that can still be avoided, over the time that is left to avoid it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from truenorth.spec.durations import HOUR_US

LEAST_HOURS = 0.25
"""Less time than this counts as this much: what is due in a minute is no fifteen times as urgent as in a quarter."""
USUAL_HOURS = 24.0
"""The time left where nothing says it: no promise under way, no model, no failed case to go by."""

Basis = Literal["decision", "model", "belief"]
"""Who says what the best action does: a decision that is pending, the risk model, or the journey file's prior."""


class Avoidable(NamedTuple):
    """How far the risk of a case can be brought down, and what missing its outcome costs in the journey's currency.

    Both risks are None where nothing says them: no model, no case that is decided.
    """

    risk: float | None
    risk_after: float | None
    at_stake: float
    basis: Basis

    @property
    def loss(self) -> float:
        """(risk now - risk after the best action) x value at stake; never below 0, and 0 where the risk is not known.

        >>> Avoidable(0.6, 0.35, 330.0, "model").loss, Avoidable(None, None, 330.0, "belief").loss
        (82.5, 0.0)
        """
        if self.risk is None or self.risk_after is None:
            return 0.0
        return max(self.risk - self.risk_after, 0.0) * self.at_stake


def hours_left(due_us: int | None, median_days: float | None, failing_us: int | None, now_us: int) -> float:
    """Hours to the next due promise; else the median time to the case's end; else the usual time to a failure.

    ``median_days``: what a model says is left, ``failing_us``: how long failing cases of the journey still have, at the
    median, from this one's opening. At least `LEAST_HOURS`.

    >>> hours_left(5 * HOUR_US, 2.0, None, 0), hours_left(None, 2.0, None, 0), hours_left(None, None, None, 0)
    (5.0, 48.0, 24.0)
    """
    if due_us is not None:
        hours = (due_us - now_us) / HOUR_US
    elif median_days is not None:
        hours = 24.0 * median_days
    else:
        hours = USUAL_HOURS if failing_us is None else failing_us / HOUR_US
    return max(hours, LEAST_HOURS)


def priority(loss: float, hours: float) -> float:
    """Avoidable loss times urgency, which is one over the hours that are left: the loss an hour that is left.

    Ours, by the idea of the cost of delay (D. Reinertsen, "The Principles of Product Development Flow", 2009, ch. 2).

    >>> priority(82.5, 2.0)
    41.25
    """
    return loss / max(hours, LEAST_HOURS)


def median_of(values: Iterable[int]) -> int | None:
    """The lower median; None of nothing.

    >>> median_of([5, 1, 3, 9]), median_of([])
    (3, None)
    """
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] if ordered else None
