"""How often the intervals of adjusted effects hold the true effects of the simulated company.

`python bench/insight_coverage.py --seeds 200` lets the company live once a seed, judges the four journeys, asks for
the adjusted effect of every broken promise that is a cause in the model (or is known to be none), and compares it
with `truth()`. Left out is `no_ping_pong`: the truth compares two transfers with none, the promise more than one with
at most one. Also counted: pairs of a promise without any effect and a cause whose true effect and number of cases are
at least as large as the other's plain difference makes it look: how often the former has a place above the latter, and
how often it is only read before it, by the order in use and by others; and promises without effect that are called
clear. `--json FILE` keeps every single comparison; `--first S` goes on from another run.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from math import copysign
from pathlib import Path
from typing import Any

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


def error(row: dict[str, Any]) -> float:
    """The standard error of an adjusted effect."""
    return float(max(row["adjusted_high"] - row["adjusted_low"], 1e-12) / 3.92)


ORDERS: dict[str, Callable[[dict[str, Any]], float]] = {
    "standard errors from no effect": lambda row: row["adjusted"] / error(row),
    "the E-value of the interval's end": lambda row: (
        copysign(row["e_value_limit"], row["adjusted"]) + 1e-6 * row["adjusted"] / error(row)
    ),
    "the effect, shrunk by its error": lambda row: row["adjusted"] / (1 + (error(row) / SPREAD) ** 2),
    "the lower end of the interval": lambda row: row["adjusted_low"],
    "the lower end of the cases won": lambda row: row["fewer_failed_low"],
    "the cases won": lambda row: row["fewer_failed"],
}
"""Orders in which what may be chance might be listed; the first is in use."""


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


def wrong_orders(rows: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Pairs in which what is no cause is placed above a cause as large as it looks, only read before it; all."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["seed"], row["journey"]].append(row)
    n_placed = n_listed = n_pairs = 0
    for group in groups.values():
        for none in (row for row in group if not row["causal"]):
            for cause in (row for row in group if row["causal"]):
                if cause["true"] * cause["n"] >= none["raw"] * none["n"] and cause["true"] >= none["raw"] > 0:
                    is_before = none["rank"] < cause["rank"]
                    n_pairs += 1
                    are_placed = None not in (none["place"], cause["place"])
                    is_above = are_placed and none["value_won_low"] > cause["value_won_high"]
                    n_placed += is_above
                    n_listed += is_before and not is_above
    return n_placed, n_listed, n_pairs


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
    n_placed, n_listed, n_pairs = wrong_orders(rows)
    false = [row["clear"] for row in rows if not row["causal"]]
    n_seeds = len({row["seed"] for row in rows})
    print(
        f"{n_seeds} seeds, {len(rows):,} comparisons: adjusted intervals hold the truth in {held:.1%}, raw {raw:.1%}."
    )
    print(f"Of {n_pairs:,} pairs {n_placed} are placed the wrong way round, {n_listed} more only listed so.")
    for name, order in ORDERS.items():
        ranked = sorted(rows, key=lambda row, order=order: (row["clear"], order(row)), reverse=True)  # type: ignore[misc]
        again = [{**row, "rank": rank} for rank, row in enumerate(ranked)]
        print(f"  wrong, placed or listed, by {name}: {sum(wrong_orders(again)[:2]) / max(n_pairs, 1):.1%}")
    print(f"Of {len(false):,} promises without effect {np.mean(false):.1%} are called clear.")


def holds(rows: list[dict[str, Any]], name: str) -> list[bool]:
    return [row[f"{name}_low"] <= row["true"] <= row[f"{name}_high"] for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=8_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--json", type=Path, help="Add the comparisons to this file, one a line.")
    options = parser.parse_args()
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
