"""What pm4py makes of a log, as JSON: run by the Python of the scratch environment, never beside Truenorth.

`python bench/peer_pm4py.py dfg LOG`, `... declare LOG` (the rules as JSON on standard input), `... versions`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from importlib.metadata import version
from time import perf_counter
from typing import Any

warnings.simplefilter("ignore")
with contextlib.redirect_stdout(sys.stderr):
    import pm4py

CASE, TYPE, TIME = "case:concept:name", "concept:name", "time:timestamp"


def read(path: str) -> Any:
    """The log by pm4py's own importer (pure Python), ordered by (time, place in the file) within each case."""
    with contextlib.redirect_stdout(sys.stderr):
        frame = pm4py.read_xes(path, variant="iterparse")
    frame["place"] = range(len(frame))
    first = frame.groupby(CASE, sort=False)["place"].transform("min")
    frame = frame.assign(first=first).sort_values(["first", TIME, "place"], kind="stable")
    return frame[[CASE, TYPE, TIME]].reset_index(drop=True)


def dfg(path: str) -> Any:
    """Pairs, starts and ends with their counts, and the seconds it took, without reading."""
    frame = read(path)
    began_s = perf_counter()
    pairs, starts, ends = pm4py.discover_dfg(frame)
    seconds = perf_counter() - began_s
    return {"pairs": [[*pair, n] for pair, n in pairs.items()], "starts": starts, "ends": ends, "seconds": seconds}


def declare(path: str, rules: list[list[Any]]) -> Any:
    """For every rule the cases that violate it, and the seconds it took, without reading."""
    frame = read(path)
    names = list(dict.fromkeys(frame[CASE]))
    numbers = {name: f"{number:09d}" for number, name in enumerate(names)}
    frame[CASE] = frame[CASE].map(numbers)  # whatever the order of groups, it is that of the names
    model: dict[str, dict[Any, Any]] = {}
    for template, *types in rules:
        key = types[0] if len(types) == 1 else tuple(types)
        model.setdefault(template, {})[key] = {"support": 1, "confidence": 1}
    violations: dict[str, list[str]] = {json.dumps(rule): [] for rule in rules}
    began_s = perf_counter()
    conformance = pm4py.conformance_declare(frame, model)
    seconds = perf_counter() - began_s
    for name, found in zip(names, conformance, strict=True):
        for template, types in found["deviations"]:
            rule = [template, *([types] if isinstance(types, str) else types)]
            violations[json.dumps(rule)].append(name)
    return {"violations": list(violations.values()), "seconds": seconds}


def main(command: str, *paths: str) -> None:
    if command == "dfg":
        answer = dfg(*paths)
    elif command == "declare":
        answer = declare(*paths, json.load(sys.stdin))
    else:
        answer = {name: version(name) for name in ("pm4py", "pandas")}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
