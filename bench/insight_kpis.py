"""Whether the KPI audit finds the measure that does harm, and leaves the harmless ones alone.

`python bench/insight_kpis.py --seeds 20`: worlds of 24,000 customers and 84 days. Since day 28 teams are paid by a
measure in two of four regions, by the incentive of the simulated company; and worlds in which they are told so, but
behave as before. The KPIs are those of `examples/company/steering/kpis.yaml`, with the reward moved to the one that is
paid for.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Literal

import msgspec
from insight_worlds import SINCE, rolled
from tables import show

from truenorth.insight.kpi_audit import audit_kpis
from truenorth.insight.kpi_file import Kpi, Reward, parse_kpis
from truenorth.simulate import Company
from truenorth.spec.conditions import parse_condition

NEUTRAL = ("tested_before_visit", "tests_made", "phone_share", "called_back_in_time", "back_online")
"""KPIs of the example that no incentive turns against the customer."""
FIGHTS = "fights the customer"


def kpis_paid_by(name: str) -> list[Kpi]:
    """The KPIs of the example with the reward on one of them."""
    reward = Reward(weight=40, since=SINCE.date(), scope=parse_condition("region in ('north', 'east')"))
    found = parse_kpis(Path("examples/company/steering/kpis.yaml").read_bytes())
    return [msgspec.structs.replace(one, reward=reward if one.name == name else None) for one in found]


def flagged(paid_by: str, behaves: Sequence[Literal["handle_time", "answer_rate"]], seed: int) -> set[str]:
    """The names of the KPIs that are found to fight the customer."""
    before = Company(n_customers=24_000, days=84, spillover=False, surveys=False)
    world = rolled(before, msgspec.structs.replace(before, incentives=tuple(behaves)), seed)
    audit = audit_kpis(world.replay, kpis_paid_by(paid_by), seed=seed)
    return {one.kpi.name for one in audit.kpis if one.verdict == FIGHTS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    n_seeds = parser.parse_args().seeds
    rows = []
    for is_lived in (True, False):
        for name in ("handle_time", "answer_rate"):
            started_s = perf_counter()
            found = [flagged(name, (name,) if is_lived else (), seed) for seed in range(n_seeds)]  # type: ignore[arg-type]
            title = f"paid by {name}, " + ("and they behave accordingly" if is_lived else "but they behave as before")
            hits = sum(name in one for one in found)
            false = sum(bool(one & set(NEUTRAL)) for one in found)
            rows.append([title, str(n_seeds), str(hits), str(false), f"{perf_counter() - started_s:.0f}"])
            print(" | ".join(rows[-1]), flush=True)
    show(["worlds", "n", "the paid one flagged", "a neutral one flagged", "seconds"], rows)


if __name__ == "__main__":
    main()
