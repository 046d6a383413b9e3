"""Whether as many cases are held out as were meant to be: an odd split makes every comparison with it worthless.

Who is held out is `truenorth.action.holdout`'s matter.
"""

from __future__ import annotations

import math

import msgspec

from truenorth.spec.counted import counted

TELLING = 5
"""Fewer cases expected on one side say nothing about the split (W. G. Cochran, 1954, Biometrics 10:4)."""
ALARM = 0.001
"""A split that chance alone makes so rarely is called a mismatch."""


class SplitCheck(msgspec.Struct, frozen=True):
    """Cases in and outside the holdout, the share that was meant, and how likely a split as odd as this is.

    ``is_sound``: the split looks as meant, which says something where it ``is_telling``; ``words``: what to say of it.
    """

    n_holdout: int
    n_treated: int
    share: float
    p_value: float
    is_sound: bool
    is_telling: bool
    words: str


def check_split(n_holdout: int, n_treated: int, share: float) -> SplitCheck:
    """Pearson's chi-square test of the split, one degree of freedom.

    Source: A. Fabijan et al. (2019), "Diagnosing sample ratio mismatch in online controlled experiments", KDD.
    ``share`` in (0, 1), else `ValueError`.

    >>> check_split(100, 900, 0.1).p_value, check_split(160, 840, 0.1).is_sound
    (1.0, False)
    >>> check_split(0, 6, 0.1).words
    '0 of 6 cases are held out: too few cases to tell whether 10.0% are, as meant'
    """
    if not 0 < share < 1:
        raise ValueError(f"the share held out must lie between 0 and 1, not {share}")
    n = n_holdout + n_treated
    chi_square = (n_holdout - n * share) ** 2 / (n * share * (1 - share)) if n else 0.0
    p_value = math.erfc(math.sqrt(chi_square / 2))
    is_sound = p_value >= ALARM
    is_telling = n * min(share, 1 - share) >= TELLING
    held = f"{n_holdout:,} of {counted(n, 'case is', 'cases are')} held out"
    words = f"{held}, as {share:.1%} are meant to be"
    if not is_telling:
        words = f"{held}: too few cases to tell whether {share:.1%} are, as meant"
    if not is_sound:
        words = (
            f"sample-ratio mismatch: {n_holdout:,} of {n:,} cases are held out where {share:.1%} were meant "
            f"(p = {p_value:.1g}); compare nothing with this holdout before you know why"
        )
    return SplitCheck(n_holdout, n_treated, share, p_value, is_sound, is_telling, words)
