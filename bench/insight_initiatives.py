"""How often the interval of an initiative's effect holds the true effect.

`python bench/insight_initiatives.py --seeds 200`: worlds of 8,000 customers in which something changes on day 28. In
two of four regions (difference in differences): nobody waits for a call back in vain, and answers are right the first
time. Everywhere (interrupted time series): a worse process for call-backs and less patience, as drifts. The truth is
the difference between two worlds of one seed over the very cases that the change reached: chances for the outcome, what
was lived for the cost. Initiatives go by `truenorth.insight.initiatives.assess`.

A second table is about the checks of the time before. An alarm is false where the initiative begins when the change
does. It is due where the initiative claims to begin two weeks later: then what it takes for its own was there before.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date, timedelta
from time import perf_counter

import msgspec
import polars as pl
from insight_worlds import ALL, SINCE, SOME, Rolled, rolled
from tables import show

from truenorth.insight.before_after import Design
from truenorth.insight.initiative_file import Initiative, Serves
from truenorth.insight.initiatives import Assessment, assess
from truenorth.insight.ripe import ripe_cases
from truenorth.simulate import Company, Drift
from truenorth.spec.conditions import parse_condition

MEASURES = ("achieved", "cost")
CHECKS: dict[Design, tuple[str, ...]] = {
    "difference in differences": ("placebo", "pre-trend", "either"),
    "interrupted time series": ("placebo",),
}
LATE = timedelta(weeks=2)
"""So much later than the change an initiative claims to begin that takes the change for its own."""


def world(design: Design, seed: int) -> Rolled:
    """A log with a change on day 28."""
    company = Company(n_customers=8_000, days=77, spillover=False, surveys=False)
    if design == "difference in differences":
        done = {"help.called_back": "off", "help.right_first_time": "off"}
        return rolled(company, company, seed, SOME, do_after=done)  # type: ignore[arg-type]
    company = msgspec.structs.replace(company, days=98)
    drifts = (Drift("process", 28, 0.5), Drift("patience", 28, 0.5))
    return rolled(company, msgspec.structs.replace(company, drifts=drifts), seed, ALL)


def assessed(made: Rolled, design: Design, start: date) -> Assessment:
    """What is found about it."""
    scope = parse_condition("region in ('north', 'east')") if design == "difference in differences" else None
    one = Initiative(name="change", owner="nobody", start=start, scope=scope, serves=Serves(outcome="achieved"))
    return assess(made.replay, [one])[0]


def alarms(found: Assessment) -> Counter[str]:
    """Which checks raise an alarm, and whether any does."""
    doubtful = {check.kind for check in found.checks if check.is_doubtful}
    return Counter([*doubtful, *(["either"] if doubtful else [])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    n_seeds = parser.parse_args().seeds
    rows, alarmed = [], []
    for design, checks in CHECKS.items():
        started_s = perf_counter()
        held, clear, errors = dict.fromkeys(MEASURES, 0), dict.fromkeys(MEASURES, 0), []
        false, due = Counter[str](), Counter[str]()
        for seed in range(n_seeds):
            made = world(design, seed)
            found = assessed(made, design, SINCE.date())
            ripe = ripe_cases(made.replay).select("case")
            truth = made.truth.join(ripe, on="case").select(pl.col(MEASURES).mean()).row(0, named=True)
            false += alarms(found)
            due += alarms(assessed(made, design, SINCE.date() + LATE))
            for crown in found.crowns:
                if crown.measure in MEASURES:
                    estimate = crown.estimate
                    held[crown.measure] += estimate.low <= truth[crown.measure] <= estimate.high
                    clear[crown.measure] += crown.ruling != "not clear"
            errors.append(found.crowns[0].estimate.effect - truth["achieved"])
        bias = f"{100 * sum(errors) / n_seeds:+.2f}"
        shares = [f"{100 * held[name] / n_seeds:.1f} %" for name in MEASURES]
        clears = [f"{100 * clear[name] / n_seeds:.0f} %" for name in MEASURES]
        rows.append(
            [
                design,
                n_seeds,
                *shares,
                *clears,
                bias,
                f"{100 * false['either'] / n_seeds:.1f} %",
                f"{perf_counter() - started_s:.0f}",
            ]
        )
        for name in checks:
            shown = [f"{100 * count[name] / n_seeds:.1f} %" for count in (false, due)]
            alarmed.append([design, name, n_seeds, *shown])
    head = ["design", "worlds", "holds achieved", "holds cost", "achieved clear", "cost clear", "mean error, points"]
    show([*head, "not credible", "seconds"], rows)
    print()
    show(["design", "check", "worlds", "false alarms", "alarms where due"], alarmed)


if __name__ == "__main__":
    main()
