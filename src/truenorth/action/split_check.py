"""Whether as many units are held out as were meant to be: an odd split makes every comparison with it worthless.

Who is held out, by which unit, is `truenorth.action.holdout`'s matter.
"""

from __future__ import annotations

import math

import msgspec

ALARM = 0.001
"""A split that chance alone makes so rarely is called a mismatch."""


class SplitCheck(msgspec.Struct, frozen=True):
    """Units in and outside the holdout, the share that was meant, and how likely a split as odd as this is."""

    n_holdout: int
    n_treated: int
    share: float
    p_value: float

    @property
    def is_sound(self) -> bool:
        """Whether the split looks as meant."""
        return self.p_value >= ALARM

    @property
    def words(self) -> str:
        """What to say of it."""
        n = self.n_holdout + self.n_treated
        if self.is_sound:
            return f"{self.n_holdout} of {n} units are held out, as {self.share:.1%} are meant to be."
        return (
            f"Sample-ratio mismatch: {self.n_holdout} of {n} units are held out where {self.share:.1%} were meant "
            f"(p = {self.p_value:.1g}). Compare nothing with this holdout before you know why."
        )


def check_split(n_holdout: int, n_treated: int, share: float) -> SplitCheck:
    """Pearson's chi-square test of the split, one degree of freedom.

    Source: A. Fabijan et al. (2019), "Diagnosing sample ratio mismatch in online controlled experiments", KDD.
    ``share`` in (0, 1), else `ValueError`.

    >>> check_split(100, 900, 0.1).p_value, check_split(160, 840, 0.1).is_sound
    (1.0, False)
    """
    if not 0 < share < 1:
        raise ValueError(f"the share held out must lie between 0 and 1, not {share}")
    n = n_holdout + n_treated
    if n == 0:
        return SplitCheck(0, 0, share, 1.0)
    chi_square = (n_holdout - n * share) ** 2 / (n * share * (1 - share))
    return SplitCheck(n_holdout, n_treated, share, math.erfc(math.sqrt(chi_square / 2)))
