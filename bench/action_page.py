"""The page of what the learnt policy brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

HEAD = """# What learning to act brings, in the simulated company

Made by `python bench/action_learning.py --seeds 20 --keep FILE`; this page is of {n} seeds. Each seed lives two worlds: one of 30,000
customers in which a coin decides (the log), and another of 10,000 customers and 40 days in which policies are compared. Gains are true
expected values over doing nothing, EUR a case with a moment, capacity of days included, of cases that exist in both worlds.
The oracle knows the causal model and what is hidden, not the luck. What is meant is in [action-learning.md](action-learning.md).

## Gain by policy
"""


INTERVALS = """## Do 95 % intervals hold the truth?

Made by `python bench/action_intervals.py --seeds 60`. Effects on net value of always taking an action against never, from slices of
the logs of 60 worlds of 30,000 customers, doubly robust; the truth is the true gain of the very cases of a slice. Statements of one slice
share an arm and go together; ± is 1.96 standard errors with slices as clusters.

"""
MARK = "<!-- figures: intervals -->\n"
"""The part after it is written by `action_intervals.py`."""
TRYING_MARK = "<!-- figures: trying -->\n"
"""The part after it is written by `action_trying.py`."""


def replace_part(path: Path, mark: str, part: str) -> None:
    """Write a part of the page anew: from its mark to the next heading."""
    before, mark, after = path.read_text().partition(mark)
    heading = after.find("\n## ")
    path.write_text(before + mark + part + (after[heading:] if heading >= 0 else ""))


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    gains = {name: np.array([row["gains"][name] for row in rows]) for name in rows[0]["gains"]}
    nothing = np.array([row["nothing"] for row in rows])
    constants = np.max([gain for name, gain in gains.items() if name.startswith("always ")], axis=0)
    constants = np.maximum(constants, 0.0)
    lines = [
        HEAD.format(n=len(rows)),
        "| policy | mean | worst seed | best seed | share of the oracle's gain |",
        "|---|---|---|---|---|",
    ]
    for name, gain in (*gains.items(), ("best constant, never included", constants)):
        share = gain.mean() / gains["oracle"].mean()
        lines.append(
            f"| {TITLES.get(name, name)} | {gain.mean():.2f} | {gain.min():.2f} | {gain.max():.2f} | {share:.1%} |"
        )
    shares = gains["learnt"] / gains["oracle"]
    small = gains["learnt_small"] - constants
    lines += ["", *_claims(rows, shares, small, nothing + constants, gains, constants), "", *_off_policy(rows), ""]
    kept = path.read_text().partition(MARK)[2] if path.exists() else ""
    path.write_text("\n".join(lines) + "\n" + INTERVALS + MARK + kept)


def _claims(
    rows: list[dict[str, Any]],
    shares: np.ndarray,
    small: np.ndarray,
    worth: np.ndarray,
    gains: dict[str, np.ndarray],
    constants: np.ndarray,
) -> list[str]:
    above = [int((gains["learnt"] > other).sum()) for other in (constants, gains["threshold"], gains["uplift"])]
    placebo = np.array([row["placebo"] for row in rows])
    n = len(rows)
    return [
        "## What was to be shown",
        "",
        f"* After 20,000 decisions: {shares.mean():.1%} of the oracle's gain on average, {shares.min():.1%} in the worst seed; "
        f"80 % or more in {(shares >= 0.8).sum()} of {n} seeds.",
        f"* Above the best constant in {above[0]} of {n} seeds, the tuned threshold in {above[1]}, uplift without exploration in {above[2]}.",
        f"* After 1,000 decisions: below the best constant by more than 2 % of its value in {(small < -0.02 * np.abs(worth)).sum()} of {n} "
        f"seeds; the worst difference is {small.min():+.2f} EUR.",
        f"* Where no action does anything (actions of the log drawn anew): it acts on {placebo.mean():.2%} of cases on average, "
        f"{placebo.max():.2%} in the worst seed.",
    ]


def _off_policy(rows: list[dict[str, Any]]) -> list[str]:
    gain = np.array([row["off_policy"]["gain"] for row in rows])
    se = np.mean([row["off_policy"]["se"] for row in rows], axis=0)
    ess = np.mean([row["off_policy"]["ess"][0] for row in rows])
    inside = ((gain[:, 1] <= gain[:, 3]) & (gain[:, 3] <= gain[:, 2])).sum()
    return [
        "## Off-policy estimates",
        "",
        f"A policy learnt from the first 10,000 decisions, judged on the other 10,000: its true gain there lies in the interval of DR in "
        f"{inside} of {len(rows)} seeds (estimated {gain[:, 0].mean():.2f}, true {gain[:, 3].mean():.2f} EUR on average). Standard errors: "
        f"IPW {se[0]:.2f}, SNIPW {se[1]:.2f}, DR {se[2]:.2f} EUR; effective sample size {ess:,.0f}.",
    ]


TITLES = {
    "oracle": "oracle",
    "learnt": "learnt from 20,000 decisions",
    "learnt_small": "learnt from 1,000 decisions",
    "threshold": "risk threshold, tuned on the log",
    "uplift": "uplift without exploration, 20,000 decisions of a fixed rule",
}
