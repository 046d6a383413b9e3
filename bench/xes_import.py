"""Reading XES logs beside others' importers: `python bench/xes_import.py [LOG.xes.gz ...] [--slow]`.

All are timed inside a process that has imported everything, the best of two. `read_log` gives canonical events: all
columns typed, times checked, duplicates out. rustxes gives a Polars frame and pm4py a pandas frame of what the
file says. `--slow` adds the importers of pm4py that are written in Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from peers import HERE, LOGS, PEERS_PYTHON
from tables import best, show

from truenorth.logs import read_log

QUICK, SLOW = ("rustxes", "pm4py:rustxes"), ("pm4py:chunk_regex", "pm4py:iterparse")


def others(path: Path, importers: tuple[str, ...]) -> dict[str, float]:
    """Seconds of each importer of the scratch environment."""
    call = [PEERS_PYTHON, str(HERE / "peer_xes.py"), str(path), *importers]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(arguments: list[str]) -> None:
    importers = (*QUICK, *(SLOW if "--slow" in arguments else ()))
    files = [Path(name) for name in arguments if name != "--slow"] or sorted(LOGS.glob("*.xes.gz"))
    rows = []
    for path in files:
        seconds = best(lambda path=path: read_log(path), 2)  # type: ignore[misc]
        times = others(path, importers)
        shown = [f"{times[name]:.2f}" if name in times else "-" for name in importers]
        ratio = f"{min(times.values()) / seconds:.2f}" if times else "-"
        rows.append([path.name, f"{read_log(path).n_events:,}", f"{seconds:.2f}", *shown, ratio])
    show(["file", "events", "read_log, s", *(f"{name}, s" for name in importers), "best of others : read_log"], rows)


if __name__ == "__main__":
    main(sys.argv[1:])
