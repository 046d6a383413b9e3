"""Declare verdicts beside pm4py's: `python bench/peers_declare.py [XES ...]`; ends with 1 if any case differs.

Templates that promises express exactly, and how. No outcome is declared, so no case closes; deadlines lie 5,000 weeks
ahead, so none passes. A case violates

* Response(A, B), "after every A some later B": if an instance of {after: A, expect: B, within: 5000w} is not kept at
  the end. A trigger while an instance is active is ignored, and the B that keeps it also follows every A before, so an
  instance is left over just when no B follows the last A.
* Precedence(A, B), "before every B some earlier A": if an instance of {before: B, require: A} is broken.
* Succession(A, B): if it violates Response or Precedence.
* Absence(A): if {never: A} is broken. Existence(A): if it is not.
* Exactly one A: if {at_most: 1, of: A} is broken or {never: A} is not.

Left out because one promise cannot say them: the alternate and chain templates ("and nothing in between"), and those
that look both ways (responded existence, co-existence). Compared are sets of cases, not counts; all pairs of the eight
most frequent types of each log are taken. (Over all pairs, Response and Precedence are violated equally often: of two
types that occur one comes last and one comes first.) The seconds are those of judging and of collecting the cases,
without reading.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
from peers import ask, paths, replayed
from tables import best, show

from truenorth.logs import read_log

N_TYPES = 8
TEMPLATES = ("response", "precedence", "succession", "absence", "existence", "exactly_one")

Rule = tuple[str, ...]


def is_type(name: str) -> str:
    escaped = name.replace("'", "''")
    return f"type = '{escaped}'"


def promises_for(types: list[str]) -> list[dict[str, Any]]:
    """The promises behind all rules; names tell template and places of the types."""
    found: list[dict[str, Any]] = []
    for a, name in enumerate(types):
        found.append({"name": f"absence_{a}", "never": is_type(name)})
        found.append({"name": f"once_{a}", "at_most": 1, "of": is_type(name)})
    for (a, first), (b, second) in permutations(enumerate(types), 2):
        after = {"after": is_type(first), "expect": is_type(second), "within": "5000w"}
        found.append({"name": f"response_{a}_{b}", **after})
        found.append({"name": f"precedence_{a}_{b}", "before": is_type(second), "require": is_type(first)})
    return found


def ours(events: pl.DataFrame, types: list[str]) -> dict[Rule, set[str]]:
    """For every rule the cases that violate it."""
    replay = replayed(events, promises_for(types))
    cases = set(replay.cases["case"])
    bad = replay.promises.filter(
        pl.when(pl.col("promise").str.starts_with("response"))
        .then(pl.col("verdict") != "kept")
        .otherwise(pl.col("verdict") == "broken")
    )
    broken = defaultdict(set, {name: set(group["case"]) for (name,), group in bad.group_by("promise")})
    rules: dict[Rule, set[str]] = {}
    for a, name in enumerate(types):
        with_it, twice = broken[f"absence_{a}"], broken[f"once_{a}"]
        rules |= {("absence", name): with_it, ("existence", name): cases - with_it}
        rules["exactly_one", name] = twice | (cases - with_it)
    for (a, first), (b, second) in permutations(enumerate(types), 2):
        response, precedence = broken[f"response_{a}_{b}"], broken[f"precedence_{a}_{b}"]
        rules |= {("response", first, second): response, ("precedence", first, second): precedence}
        rules["succession", first, second] = response | precedence
    return rules


def compare(path: Path) -> tuple[int, list[str]]:
    """How many cases differ, and a row of the table of seconds."""
    events = read_log(path).events
    types = sorted(events["type"].value_counts(sort=True)["type"].to_list()[:N_TYPES])
    ours_s = best(lambda: ours(events, types))
    mine = ours(events, types)
    answer = ask("declare", str(path), rules=[list(rule) for rule in mine])
    peer = {rule: set(cases) for rule, cases in zip(mine, answer["violations"], strict=True)}
    print(f"\n{path.name}: {len(types)} types, {len(mine)} rules")
    print(f"  {'template':12} {'rules':>5} {'violations, ours':>17} {'pm4py':>10} {'cases that differ':>18}")
    tally: Counter[tuple[str, str]] = Counter()
    for rule, cases in mine.items():
        differ = cases ^ peer[rule]
        tally.update({(rule[0], "rules"): 1, (rule[0], "ours"): len(cases), (rule[0], "peer"): len(peer[rule])})
        tally[rule[0], "differ"] += len(differ)
        if differ:
            print(f"    {rule}: {sorted(differ)[:5]}")
    for template in TEMPLATES:
        n_rules, n_ours, n_peer, n_differ = (tally[template, what] for what in ("rules", "ours", "peer", "differ"))
        print(f"  {template:12} {n_rules:5} {n_ours:17,} {n_peer:10,} {n_differ:18,}")
    n_differ, peer_s = sum(tally[template, "differ"] for template in TEMPLATES), answer["seconds"]
    cells = f"{events.height:,}", str(len(mine)), f"{ours_s:.2f}", f"{peer_s:.2f}", f"{peer_s / ours_s:.1f}"
    return n_differ, [path.name, *cells, str(n_differ)]


if __name__ == "__main__":
    print("pm4py", ask("versions")["pm4py"])
    compared = [compare(path) for path in paths(sys.argv[1:])]
    print()
    show(["rules", "events", "rules", "ours, s", "pm4py, s", "pm4py : ours", "differ"], [row for _, row in compared])
    sys.exit(int(any(n_differ for n_differ, _ in compared)))
