"""Durations, shares and names as a draft writes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from truenorth.spec.durations import MAX_DURATION_US, UNITS_US

_STEPS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("s", (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45)),
    ("m", (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50)),
    ("h", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20)),
    ("d", (1, 2, 3, 4, 5, 6)),
    ("w", (1,)),
    ("d", (8, 9, 10, 12)),
    ("w", (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 20, 26, 32, 39, 45, 52, 65, 78, 104, 130, 156, 208, 260, 364, 520)),
    ("w", (1040, 2600, 5200)),
)
HUMAN_US: tuple[int, ...] = tuple(UNITS_US[unit] * number for unit, numbers in _STEPS for number in numbers)
"""Durations that people would name, shortest first."""

MAX_SHOWN = 60
"""Longest name in a sentence, in characters."""


def shown(name: str) -> str:
    """A name from a log for a sentence: on one line, in quotes, not too long.

    >>> shown("a\\nb")
    "'a b'"
    """
    line = "".join(c if c.isprintable() else " " for c in name[: MAX_SHOWN + 1])
    return f"'{line}'" if len(line) <= MAX_SHOWN else f"'{line[: MAX_SHOWN - 3]}...'"


def human_us(duration_us: float) -> int:
    """The shortest duration that people would name and that is not shorter.

    >>> human_us(13_200_000_000) // UNITS_US["h"], human_us(0)
    (4, 1000000)
    """
    return next((step for step in HUMAN_US if step >= min(duration_us, MAX_DURATION_US)), HUMAN_US[-1])


def quantile_us(durations_us: NDArray[np.int64], q: float) -> int:
    """The smallest value that at least a share ``q`` of some durations do not exceed.

    >>> quantile_us(np.array([1, 2, 3, 4, 5]), 0.8)
    4
    """
    rank = max(1, int(np.ceil(q * len(durations_us) - 1e-9)))
    return int(np.partition(durations_us, rank - 1)[rank - 1])


def percent(part: float, whole: float = 1.0) -> str:
    """A share for people; what is not all or nothing is never shown as 100 % or 0 %.

    >>> percent(1, 3), percent(9_999, 10_000), percent(0.002), percent(0, 0)
    ('33 %', '99.9 %', '0.2 %', '0 %')
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 1 or 99 < share < 100:
        return f"{min(max(share, 0.1), 99.9):.1f} %"
    return f"{share:.0f} %"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Some names for a sentence.

    >>> listed(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    few = ", ".join(shown(name) for name in names[:most])
    return f"{few} and {len(names) - most} more" if len(names) > most else few
