"""The key numbers of a journey."""

from __future__ import annotations

import msgspec
import polars as pl

from truenorth.insight.intervals import wilson
from truenorth.insight.replayed import OUTCOMES, Replayed


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What a journey came to, in a dozen numbers.

    ``n_decided`` = cases with a verdict; ``achieved_share`` is achieved / decided with its 95 % Wilson
    interval, None where no case is decided. Money is in the journey's currency; ``cost_per_achieved`` = cost of
    all cases / achieved cases, and ``revenue_per_achieved`` likewise, None where none is achieved.
    """

    n_cases: int
    n_by_outcome: dict[str, int]
    n_decided: int
    achieved_share: float | None
    achieved_low: float | None
    achieved_high: float | None
    value: float
    cost: float
    revenue: float
    cost_per_achieved: float | None
    revenue_per_achieved: float | None


def overview(replay: Replayed) -> Overview:
    """The key numbers of a replay, from its cases."""
    cases = replay.cases
    counts = dict(cases.group_by("outcome").len().iter_rows())
    by_outcome = {name: int(counts.get(name, 0)) for name in OUTCOMES}
    achieved, decided = by_outcome["achieved"], cases.height - by_outcome["open"]
    low, high = wilson(pl.lit(achieved), pl.lit(decided))
    bounds = pl.select(low.alias("low"), high.alias("high")).row(0)
    money = {name: float(cases[name].cast(pl.Float64).sum()) for name in ("value", "cost", "revenue")}
    return Overview(
        n_cases=cases.height,
        n_by_outcome=by_outcome,
        n_decided=decided,
        achieved_share=achieved / decided if decided else None,
        achieved_low=bounds[0],
        achieved_high=bounds[1],
        **money,
        cost_per_achieved=money["cost"] / achieved if achieved else None,
        revenue_per_achieved=money["revenue"] / achieved if achieved else None,
    )
