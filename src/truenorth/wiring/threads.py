"""How many threads a command uses."""

from __future__ import annotations

import os

MAX_THREADS = 8


def n_threads() -> int:
    """One a processor, at most `MAX_THREADS`."""
    return min(os.cpu_count() or 1, MAX_THREADS)
