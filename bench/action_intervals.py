"""Whether intervals of 95 % hold the truth, in the simulated company; writes its part of docs/action-benchmarks.md.

`python bench/action_intervals.py --seeds 60`. Each seed lives a world of 30,000 customers in which a coin decides;
slices of its log say what always taking an action would bring over never, and the true gain of the very cases is known.
No slice holds a decision of another of its size.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from action_page import MARK, replace_part
from action_world import ACTIONS, Coin, logged
from numpy.typing import NDArray

from truenorth.action.off_policy import Judge, always
from truenorth.action.values import Logged
from truenorth.simulate import Company

F64 = NDArray[np.float64]
COMPANY = Company(n_customers=30_000, days=66)
SIZES, N_SLICES = (200, 500, 2_000), 10
PAGE = Path(__file__).parents[1] / "docs" / "action-benchmarks.md"


def stated(log: Logged, gain: F64) -> F64:
    """(n_actions - 1, 4): for each action the estimate, its bounds, and the true gain of the very cases, EUR."""
    judge, nothing = Judge(log), always(log, "do_nothing")
    rows = []
    for code, name in enumerate(ACTIONS[1:], 1):
        one = judge.evaluate(always(log, name), nothing).gain
        true = float((gain[:, code] * log.eligible[:, code]).mean())
        rows.append([one.mean_cents / 100, one.low_cents / 100, one.high_cents / 100, true])
    return np.array(rows)


def of_slices(log: Logged, gain: F64, size: int) -> F64:
    """(N_SLICES, n_actions - 1, 4)."""
    parts = [slice(start, start + size) for start in range(0, N_SLICES * size, size)]
    return np.array(
        [stated(Logged(log.names, log.actions, *(column[part] for column in log[2:])), gain[part]) for part in parts]
    )


def section(found: dict[int, F64]) -> str:
    """``found``: by size of a slice, (n, n_actions - 1, 4)."""
    lines = [
        "| decisions a slice | action | statements | hold the truth | mean error, EUR | spread of error / se |",
        "|---|---|---|---|---|---|",
    ]
    for size, rows in found.items():
        for place, name in enumerate((*ACTIONS[1:], "all")):
            own = rows if name == "all" else rows[:, [place]]
            mean, low, high, true = np.moveaxis(own, -1, 0)
            said = high > low  # an action that was never possible in a slice changes nothing for certain
            held, error = (low <= true) & (true <= high), mean - true
            spread = (error[said] / ((high - low)[said] / 3.92)).std()
            share = f"{held[said].mean():.1%}"
            if name == "all":
                share += f" ± {1.96 * held.mean(1).std(ddof=1) / len(held) ** 0.5:.1%}"
            off = f"{error.mean():+.2f} ± {1.96 * error.mean(1).std(ddof=1) / len(error) ** 0.5:.2f}"
            lines.append(f"| {size:,} | {name} | {said.sum():,} | {share} | {off} | {spread:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    options = parser.parse_args()
    of_seeds: dict[int, list[F64]] = {size: [] for size in SIZES}
    for seed in range(options.seeds):
        log, gain = logged(COMPANY, seed, Coin())
        for size, rows in of_seeds.items():
            rows.append(of_slices(log, gain, size))
    found = {size: np.concatenate(rows) for size, rows in of_seeds.items()}
    replace_part(PAGE, MARK, section(found))
    print(section(found))


if __name__ == "__main__":
    main()
