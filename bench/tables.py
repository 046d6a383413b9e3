"""Small tables in Markdown, and the best of a few rounds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any


def show(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a Markdown table; all columns but the first are numbers."""
    print("| " + " | ".join(head) + " |")
    print("|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def best(work: Callable[[], object], n_rounds: int = 3) -> float:
    """The shortest of a few rounds, in seconds."""
    seconds = []
    for _ in range(n_rounds):
        gc.collect()
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def millions(n_events: int, seconds: float) -> str:
    """Events a second, in millions."""
    return f"{n_events / seconds / 1e6:,.2f}"
