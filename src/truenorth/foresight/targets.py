"""What each row is to foretell, read from the whole history; NaN where it is not known or does not apply."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from truenorth.foresight.encoding import Instants
from truenorth.foresight.histories import BROKEN, Histories
from truenorth.foresight.rows import NEVER
from truenorth.foresight.vocabulary import Vocabulary
from truenorth.spec.durations import DAY_US

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F32 = NDArray[np.float32]

END = "(end)"
"""Stands for the next event of a case that has none."""


def remaining_days(wanted: Instants, outcome_us: I64) -> F32:
    """Days until a case's outcome, (n,); 0 once it is reached. ``outcome_us`` (n_cases,) is NEVER while it is open."""
    until_us = outcome_us[wanted.case]
    days = np.maximum(until_us - wanted.time_us, 0) / DAY_US
    return np.where(until_us == NEVER, np.nan, days).astype(np.float32)


def next_type(histories: Histories, wanted: Instants, is_over: NDArray[np.bool_], end_code: int) -> F32:
    """Code of the next event's type, (n,); ``end_code`` where a case that ``is_over`` (n_cases,) has no more."""
    after = histories.starts[wanted.case] + wanted.prefix
    has_next = after < histories.starts[wanted.case + 1]
    code = histories.type[np.minimum(after, len(histories.type) - 1)].astype(np.float32)
    code[code < 0] = np.nan
    return np.where(has_next, code, np.where(is_over[wanted.case], end_code, np.nan)).astype(np.float32)


def breaks(vocabulary: Vocabulary, histories: Histories, wanted: Instants) -> dict[str, F32]:
    """For each promise, whether the instance that is under way will break: 1 or 0 (kept or lapsed)."""
    out = np.full((len(wanted.case), len(vocabulary.terms)), np.nan, np.float32)
    _breaks(histories.instance_starts, histories.instances, *wanted, out)
    return {f"promise:{term.name}": np.ascontiguousarray(out[:, n]) for n, term in enumerate(vocabulary.terms)}


@njit(cache=True, nogil=True)
def _breaks(starts: I64, instances: Any, case: I32, prefix: I32, at_us: I64, at_event: Any, out: F32) -> None:
    for i in range(len(case)):
        for j in range(starts[case[i]], starts[case[i] + 1]):
            one = instances[j]
            if one.from_event >= prefix[i] or one.verdict == 0:
                continue
            if one.by_event >= 0:
                decided = one.by_event < prefix[i]
            else:
                decided = one.decided_us < at_us[i] or (one.decided_us == at_us[i] and not at_event[i])
            if not decided:
                out[i, one.promise] = one.verdict == BROKEN
