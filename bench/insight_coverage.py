"""How often the intervals of adjusted effects hold the true effects of the simulated company.

`python bench/insight_coverage.py --seeds 200` lets the company live once a seed, judges the four journeys, asks for
the adjusted effect of every broken promise that is a cause in the model (or is known to be none), and compares it
with `truth()`. Left out is `no_ping_pong`: the truth compares two transfers with none, the promise more than one with
at most one. Also counted: pairs of a promise without any effect and a cause whose true effect and number of cases are
at least as large as the other's plain difference makes it look: how often the former is read before the latter, by the
order in use and by others; and promises without effect that are called clear. `--json FILE` keeps every single
comparison; `--first S` goes on from another run; `--of FILE` reports what was kept.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from math import copysign
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from tables import show

import truenorth as tn
from truenorth.insight.causes import causes_of_failure
from truenorth.simulate import Company, World

ROOT = Path(__file__).parent.parent
JOURNEYS = ("connect", "help", "bill", "move")
OTHER_CONTRAST = "no_ping_pong"
KEPT = (
    *("n", "n_at_stake", "raw", "raw_low", "raw_high", "adjusted", "adjusted_low", "adjusted_high", "p_value"),
    *("clear", "place", "place_to", "value_won_low", "value_won_high", "fewer_failed", "fewer_failed_low"),
    *("overlap", "imbalance", "e_value", "e_value_limit"),
)
"""What is kept of each point beside the truth."""
SPREAD = 0.1
"""Effects are about so large: what shrinking takes for granted."""


MIN_TRUE = 0.04
"""Causes of this size are held against every promise without effect, too, however large that looks."""


def error(row: dict[str, Any], effect: str = "adjusted") -> float:
    """The standard error of an effect."""
    return float(max(row[f"{effect}_high"] - row[f"{effect}_low"], 1e-12) / 3.92)


ORDERS: dict[str, Callable[[dict[str, Any]], float]] = {
    "standard errors from no effect": lambda row: row["adjusted"] / error(row),
    "the E-value of the interval's end": lambda row: (
        copysign(row["e_value_limit"], row["adjusted"]) + 1e-6 * row["adjusted"] / error(row)
    ),
    "the effect, shrunk by its error": lambda row: row["adjusted"] / (1 + (error(row) / SPREAD) ** 2),
    "the lesser of plain and adjusted, in standard errors": lambda row: min(
        row["adjusted"] / error(row), row["raw"] / error(row, "raw")
    ),
    "the lower end of the interval": lambda row: row["adjusted_low"],
    "the lower end of the cases won": lambda row: row["fewer_failed_low"],
    "the cases won": lambda row: row["fewer_failed"],
}
"""Orders in which what may be chance might be listed; the first is in use (but for what places tell apart)."""


def compared(seed: int, customers: int, days: int) -> list[dict[str, Any]]:
    """Every promise of a seed that is a cause or known to be none: its adjusted effect and the true one."""
    world = World(Company(n_customers=customers, days=days), seed=seed)
    truth = {(one.journey, one.name): one for one in world.truth().causes}
    events = world.lived.events().with_columns(pl.col(pl.Categorical).cast(pl.String))
    rows = []
    for journey in JOURNEYS:
        replayed = tn.replay(ROOT / f"examples/company/{journey}.yaml", events)
        points = causes_of_failure(replayed, seed=seed, kinds=("promise",)).points
        for rank, point in enumerate(points.iter_rows(named=True)):
            true = truth.get((journey, point["point"]))
            if true is None or true.name == OTHER_CONTRAST:
                continue
            rows.append(
                {
                    "seed": seed, "journey": journey, "promise": true.name, "causal": true.causal, "rank": rank,
                    "true": -true.p_achieved, "direct": -true.p_achieved_direct, **{key: point[key] for key in KEPT},
                }
            )  # fmt: skip
    return rows


class Orders(NamedTuple):
    """Pairs of a promise without effect and a cause as large as it looks: how many, and how often it is read first.

    ``apart``: of those whose places tell them apart; ``placed``: of those that both have a place; ``all``: of all.
    ``any``: of all that have a place, where the cause has `MIN_TRUE` or more, however large the other looks.
    """

    n_apart: int = 0
    first_apart: int = 0
    n_placed: int = 0
    first_placed: int = 0
    n_all: int = 0
    first_all: int = 0
    n_any: int = 0
    first_any: int = 0


def by_list(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows of each journey of each company, in the order of reading."""
    groups = defaultdict(list)
    for row in sorted(rows, key=lambda one: one["rank"]):
        groups[row["seed"], row["journey"]].append(row)
    return list(groups.values())


def read_first(rows: list[dict[str, Any]]) -> Orders:
    """How often what is no cause is read before a cause that is as large as it looks."""
    seen = Counter[str]()
    for group in by_list(rows):
        causes = [row for row in group if row["causal"]]
        for none in (row for row in group if not row["causal"]):
            for cause in causes:
                as_large = cause["true"] * cause["n"] >= none["raw"] * none["n"] and cause["true"] >= none["raw"] > 0
                is_first = none["rank"] < cause["rank"]
                are_placed = None not in (none["place"], cause["place"])
                is_apart = are_placed and (surely_above(none, cause) or surely_above(cause, none))
                pairs = {
                    "apart": as_large and is_apart,
                    "placed": as_large and are_placed,
                    "all": as_large,
                    "any": are_placed and cause["true"] >= MIN_TRUE,
                }
                for name, counts in pairs.items():
                    seen.update({f"n_{name}": counts, f"first_{name}": counts and is_first})
    return Orders(**seen)


def surely_above(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["value_won_low"] > other["value_won_high"])


def report(rows: list[dict[str, Any]]) -> None:
    groups = defaultdict(list)
    for row in rows:
        groups[row["journey"], row["promise"]].append(row)
    shown = []
    for (journey, promise), group in groups.items():
        held, raw = holds(group, "adjusted"), holds(group, "raw")
        off = np.mean([row["adjusted"] - row["true"] for row in group])
        off_raw = np.mean([row["raw"] - row["true"] for row in group])
        shown.append(
            [f"{journey} {promise}", "yes" if group[0]["causal"] else "no", len(group),
             f"{100 * np.mean([row['true'] for row in group]):.1f}", f"{100 * off_raw:+.1f}", f"{100 * off:+.1f}",
             f"{np.mean(raw):.1%}", f"{np.mean(held):.1%}", f"{np.mean([row['clear'] for row in group]):.0%}"]
        )  # fmt: skip
    show(
        ["promise", "cause", "seeds", "true, points", "raw off by", "adjusted off by", "raw covers", "adjusted covers",
         "called clear"], shown,
    )  # fmt: skip
    held, raw = np.mean(holds(rows, "adjusted")), np.mean(holds(rows, "raw"))
    false = [row["clear"] for row in rows if not row["causal"]]
    n_seeds = len({row["seed"] for row in rows})
    print(
        f"{n_seeds} seeds, {len(rows):,} comparisons: adjusted intervals hold the truth in {held:.1%}, raw {raw:.1%}."
    )
    print(f"Of {len(false):,} promises without effect {np.mean(false):.1%} are called clear.")
    found, lists = read_first(rows), by_list(rows)
    print(f"What is no cause is read before a cause as large as it looks in {found.first_apart} of {found.n_apart:,}")
    print(f"pairs told apart, {found.first_placed} of {found.n_placed:,} that both have a place,")
    print(f"{found.first_all} of {found.n_all:,} in all; it comes first of all in", end=" ")
    print(f"{sum(not one[0]['causal'] for one in lists)} of {len(lists)} lists, in", end=" ")
    clear = [one[0] for one in lists if one[0]["clear"]]
    print(f"{sum(not row['causal'] for row in clear)} of the {len(clear)} of which the first is clear.")
    for name, order in ORDERS.items():
        ranked = sorted(rows, key=lambda row, order=order: (row["clear"], order(row)), reverse=True)  # type: ignore[misc]
        again = read_first([{**row, "rank": rank} for rank, row in enumerate(ranked)])
        print(f"  by {name}: {again.first_placed} of {again.n_placed:,} with a place,", end=" ")
        print(f"{again.first_all} of {again.n_all:,} in all; however large it looks", end=" ")
        print(f"{again.first_any} of {again.n_any:,}")


def holds(rows: list[dict[str, Any]], name: str) -> list[bool]:
    return [row[f"{name}_low"] <= row["true"] <= row[f"{name}_high"] for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=8_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--json", type=Path, help="Add the comparisons to this file, one a line.")
    parser.add_argument("--of", type=Path, help="Report the comparisons of this file; none are made.")
    options = parser.parse_args()
    if options.of:
        report([json.loads(line) for line in options.of.read_text().splitlines()])
        return
    rows = []
    for seed in range(options.first, options.first + options.seeds):
        found = compared(seed, options.customers, options.days)
        rows += found
        if options.json:
            with options.json.open("a") as file:
                file.writelines(json.dumps(row) + "\n" for row in found)
    report(rows)


if __name__ == "__main__":
    main()
