"""The figures of a journey, in the shape of a replay's `summary.json`."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from truenorth.server.api.context import Served, Text, showing
from truenorth.server.auth import Viewer
from truenorth.server.published import parsed
from truenorth.store.rows import Outcome, Verdict

ROUTER = APIRouter(tags=["journeys"])


class Summary(BaseModel):
    """What a replay of the same events would say.

    ``quarantined`` and ``duplicates`` count everything that has ever arrived, whatever the journey. ``seconds`` is how
    far the watermark is behind the clock; null where nothing was judged yet.
    """

    model_config = showing(
        {
            "events": 3382,
            "quarantined": 6,
            "duplicates": 4,
            "filtered": 0,
            "no_key": 0,
            "before_need": 0,
            "after_close": 13,
            "cases": 345,
            "outcome": {"achieved": 247, "failed": 50, "abandoned": 25, "open": 23},
            "promises": {"taken_up": {"kept": 303, "broken": 42, "lapsed": 0, "open": 0}},
            "moments": 2058,
            "decisions": 581,
            "handovers": 379,
            "internal": 730,
            "cost": 10748.0,
            "revenue": 864.0,
            "value": 7980.0,
            "seconds": 5.2,
        }
    )
    events: int
    quarantined: int
    duplicates: int
    filtered: int
    no_key: int
    before_need: int
    after_close: int
    cases: int
    outcome: dict[str, int]
    promises: dict[str, dict[str, int]]
    moments: int
    decisions: int
    handovers: int
    internal: int
    cost: float | None
    revenue: float | None
    value: float | None
    seconds: float | None = Field(description="age of the watermark")


@ROUTER.get("/summary")
def summarise(served: Served, caller: Viewer, journey: Annotated[Text, Query(examples=["support"])]) -> Summary:
    """The figures of a journey as they are now. Role: viewer."""
    names = [promise.name for promise in parsed(served.journey(journey).text).promises]
    store, now_us = served.store, served.now_us()
    arrived = store.events.arrived()
    progress, totals = served.totals.of(journey)
    outcome, promises = totals["outcome"], totals["promises"]
    sums = {name: n for name, n in totals.items() if name not in {"outcome", "promises"}}
    age_us = None if progress.watermark_us is None else now_us - progress.watermark_us
    return Summary(
        events=progress.n_events,
        quarantined=arrived.n_refused,
        duplicates=arrived.n_duplicates,
        filtered=progress.n_filtered,
        no_key=progress.n_no_key,
        before_need=progress.n_before_need,
        after_close=progress.n_after_close,
        outcome={verdict: outcome.get(verdict, 0) for verdict in get_args(Outcome)},
        promises={name: {given: promises.get(name, {}).get(given, 0) for given in get_args(Verdict)} for name in names},
        seconds=None if age_us is None else round(age_us / 1e6, 3),
        **sums,
    )
