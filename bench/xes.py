"""How fast XES files are read, against the importer of rustxes (`pip install rustxes`).

    python bench/xes.py LOG.xes.gz ...

Prints, for each file, the best of three of: rustxes to a Polars frame, `read_log` to canonical events (all columns,
times checked, duplicates out), and the careful reader that takes files which are cut or nested.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

try:
    from rustxes import import_xes
except ImportError:
    import_xes = None

from truenorth.logs import read_log
from truenorth.logs.content import load
from truenorth.logs.xes_elements import read_elements

ROUNDS = 3


def best(work: Callable[[], object]) -> float:
    """The shortest time of a few rounds, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def measure(path: Path) -> tuple[int, float | None, float, float]:
    """Events, and the seconds of rustxes, of `read_log` and of the careful reader."""
    theirs = None if import_xes is None else best(lambda: import_xes(str(path)))
    ours = best(lambda: read_log(path))
    careful = best(lambda: read_elements(path, load(path).data, None))
    return read_log(path).n_events, theirs, ours, careful


def main() -> None:
    """Print a table with a line for each file named on the command line."""
    print(f"{'file':50} {'events':>9} {'rustxes s':>10} {'read_log s':>11} {'ratio':>6} {'careful s':>10}")
    for name in sys.argv[1:]:
        n_events, theirs, ours, careful = measure(Path(name))
        shown = ("-", "-") if theirs is None else (f"{theirs:.2f}", f"{theirs / ours:.1f}")
        print(f"{Path(name).name:50} {n_events:9,} {shown[0]:>10} {ours:11.2f} {shown[1]:>6} {careful:10.2f}")


if __name__ == "__main__":
    main()
