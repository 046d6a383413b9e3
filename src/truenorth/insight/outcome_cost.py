"""What an achieved outcome costs, with all that the others cost."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from truenorth.insight.clustered import clustered_ratio
from truenorth.insight.replayed import DECIDED, Replayed

RULE = (
    "All cost of the decided cases, whatever became of them, over those that were achieved. The interval takes "
    "a customer's cases together. What open cases have cost so far stands apart."
)


class OutcomeCost(msgspec.Struct, frozen=True, kw_only=True):
    """Cost per achieved outcome, in the journey's currency, and what it is made of.

    ``per_achieved`` with its 95 % interval ``low``, ``high`` (None without an achieved case, or for one customer);
    ``parts``: what of it goes into cases of each verdict; ``open_cost``: cost of cases that are still open, not in it.
    """

    n_achieved: int
    n_decided: int
    n_customers: int
    cost: float
    per_achieved: float | None
    low: float | None
    high: float | None
    parts: dict[str, float]
    open_cost: float

    def to_frame(self) -> pl.DataFrame:
        """One row a verdict: ``outcome``, ``per_achieved``."""
        return pl.DataFrame({"outcome": list(self.parts), "per_achieved": list(self.parts.values())})

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with the rule of counting."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {**plain, "rule": RULE}


def outcome_cost(replay: Replayed) -> OutcomeCost:
    """All cost of a journey per achieved outcome, by `RULE`."""
    cases = replay.cases.lazy().select(
        pl.coalesce("customer", "case").alias("customer"), pl.col("cost").cast(pl.Float64).fill_null(0.0), "outcome"
    )
    decided = cases.filter(pl.col("outcome").is_in(DECIDED))
    achieved = (pl.col("outcome") == "achieved").sum().cast(pl.Float64).alias("achieved")
    of_customers = decided.group_by("customer").agg(pl.col("cost").sum(), achieved)
    by_outcome = cases.group_by("outcome").agg(pl.col("cost").sum(), pl.len()).collect()
    cost = {row["outcome"]: row for row in by_outcome.iter_rows(named=True)}
    n_by_outcome = {name: cost[name]["len"] if name in cost else 0 for name in DECIDED}
    n_achieved = n_by_outcome["achieved"]
    found = clustered_ratio(of_customers, "cost", "achieved")
    per_achieved, low, high, n_customers = found or (None, None, None, 0)
    certain = n_customers > 1
    return OutcomeCost(
        n_achieved=n_achieved,
        n_decided=sum(n_by_outcome.values()),
        n_customers=n_customers,
        cost=sum(cost[name]["cost"] for name in DECIDED if name in cost),
        per_achieved=per_achieved,
        low=low if certain else None,
        high=high if certain else None,
        parts={name: cost[name]["cost"] / n_achieved if name in cost else 0.0 for name in DECIDED if n_achieved},
        open_cost=cost["open"]["cost"] if "open" in cost else 0.0,
    )
