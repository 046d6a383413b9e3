"""Seconds that other importers take for a file: `python bench/peer_xes.py FILE IMPORTER ...` prints JSON.

Run by the Python of the scratch environment. An importer is `rustxes` or `pm4py:VARIANT`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Callable
from functools import partial

from tables import best

warnings.simplefilter("ignore")


def reader(importer: str, path: str) -> Callable[[], object]:
    if importer == "rustxes":
        import rustxes  # noqa: PLC0415 (only who is asked for is imported)

        return partial(rustxes.import_xes, path)
    import pm4py  # noqa: PLC0415

    return partial(pm4py.read_xes, path, variant=importer.removeprefix("pm4py:"))


def main(path: str, *importers: str) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        seconds = {importer: best(reader(importer, path), 2) for importer in importers}
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
