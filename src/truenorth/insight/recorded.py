"""Whether a log says anything of an amount."""

from __future__ import annotations

from truenorth.insight.replayed import Replayed


def is_recorded(replay: Replayed, amount: str) -> bool:
    """Whether any case has an amount (``cost`` or ``revenue``) other than 0.

    Where none has, the log does not hold it: nothing is told of it, which is not the same as an effect of 0.
    """
    return bool((replay.cases[amount].fill_null(0) != 0).any())
