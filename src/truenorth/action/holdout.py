"""Who is never acted upon, so that there is always something to compare with; and whether the split is sound.

The unit is named (``case`` or ``customer``). With the customer as unit, what one case does to the customer's next stays
on one side; with the case there are more units. Which one it is belongs to the journey and is kept for good: a hash
decides, so a unit is on the same side today and in a year, on every machine.
"""

from __future__ import annotations

import hashlib
import math
from typing import Literal

import msgspec

from truenorth.action.values import Offer

Unit = Literal["case", "customer"]

ALARM = 0.001
"""A split that chance alone makes so rarely is called a mismatch."""


def held_out(key: str, share: float, salt: str) -> bool:
    """Whether a unit is in the holdout: the first 64 bits of SHA-256 of salt and key, as a number in [0, 1).

    ``share`` in [0, 1]. A larger share keeps all who were in a smaller one. ``salt`` is the journey with the unit.

    >>> [held_out(f"T{n}", 0.1, "help/case") for n in range(1000)].count(True)
    106
    """
    digest = hashlib.sha256(f"{salt}\x00{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def kept_back(offer: Offer, key: str, share: float, salt: str) -> bool:
    """Whether the holdout keeps a unit from an action; legal remedies and safety notices reach everybody.

    >>> kept_back(Offer(name="refund", exempt="legal"), "T1", 1.0, "help/case")
    False
    """
    return offer.exempt is None and held_out(key, share, salt)


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
