"""True north: whether customers get their outcome, journey by journey, and what changed against the time before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from truenorth.insight.means import Estimate, mean_of, share_of
from truenorth.insight.measured_by import OUTCOME, measured_statements
from truenorth.server.api.cases import DAY_US, MOST_DAYS
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing
from truenorth.server.auth import Viewer
from truenorth.server.published import parsed
from truenorth.spec.model import Journey
from truenorth.store.opening import Store
from truenorth.store.periods import PeriodSums
from truenorth.store.rows import Outcome

ROUTER = APIRouter(tags=["journeys"])
AGE_S = 1.5
"""How old what a page shows may be: half of the time after which it asks again."""
EXAMPLE_ESTIMATE = {"value": 0.88, "low": 0.72, "high": 0.95, "n": 25}
EXAMPLE_PERIOD = {
    "from": "2025-12-29T09:30:00.000000Z",
    "to": "2026-01-05T09:30:00.000000Z",
    "opened": 12,
    "achieved": 10,
    "failed": 2,
    "abandoned": 0,
    "promises_kept": 9,
    "promises_broken": 6,
    "service": EXAMPLE_ESTIMATE,
    "cost": {"value": 4.1, "low": 3.2, "high": 5.0, "n": 12},
    "revenue": {"value": 0.0, "low": 0.0, "high": 0.0, "n": 12},
    "value": {"value": 35.0, "low": -18.0, "high": 88.0, "n": 12},
}
EXAMPLE = {
    "journey": "support",
    "title": "Getting help",
    "one_liner": "Back to work",
    "currency": "EUR",
    "at": "2026-01-05T09:30:00.000000Z",
    "achieved": 22,
    "failed": 3,
    "abandoned": 0,
    "open": 5,
    "share": EXAMPLE_ESTIMATE,
    "target": 0.9,
    "at_risk": 2,
    "watched": 5,
    "at_stake": 495.0,
    "now": EXAMPLE_PERIOD,
    "before": EXAMPLE_PERIOD,
}


class Estimated(BaseModel):
    """An estimate from ``n`` cases with its 95 % interval; null where there are too few."""

    model_config = showing(EXAMPLE_ESTIMATE)
    value: float | None
    low: float | None
    high: float | None
    n: int


class Period(BaseModel):
    """A time: cases opened, cases and promises decided in it; the three crowns, and the value of decided cases.

    ``service``: the share of decided cases that were achieved; ``cost``, ``revenue``, ``value``: means per such case.
    """

    model_config = showing(EXAMPLE_PERIOD)
    begin: Instant = Field(serialization_alias="from")
    to: Instant
    opened: int
    achieved: int
    failed: int
    abandoned: int
    promises_kept: int
    promises_broken: int
    service: Estimated
    cost: Estimated
    revenue: Estimated
    value: Estimated


class Standing(BaseModel):
    """How a journey stands. ``share``: of all decided cases those achieved; ``target``: of the journey file, or null.

    ``at_risk``: open cases at the threshold of the live model or above it, of those ``watched``; ``at_stake``: what all
    of them are expected to lose against the outcome hoped for, by the journey's values; null without a model.
    """

    model_config = showing(EXAMPLE)
    journey: str
    title: str
    one_liner: str | None
    currency: str | None
    at: Instant
    achieved: int
    failed: int
    abandoned: int
    open: int
    share: Estimated
    target: float | None
    at_risk: int | None
    watched: int | None
    at_stake: float | None
    now: Period
    before: Period


@ROUTER.get("/true-north")
def read_true_north(
    served: Served,
    caller: Viewer,
    journey: Annotated[Text | None, Query(description="only this one", examples=["support"])] = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="how long a time is compared with the one before")] = 7,
) -> list[Standing]:
    """How journeys stand, by name, with the last days and as many before them. Role: viewer."""
    return _standings(served, journey, days)


def reread_true_north(served: Served, caller: Viewer, journey: Text | None = None, days: int = 7) -> list[Standing]:
    """The same, as it was at most `AGE_S` ago; for pages that ask again and again."""
    return _standings(served, journey, days, age_s=AGE_S)


def _standings(served: Context, journey: str | None, days: int, *, age_s: float = 0.0) -> list[Standing]:
    live = [served.journey(journey)] if journey is not None else served.store.journeys.live()
    return [served.standings.of((one.name, one.version, days), age_s=age_s) for one in live]


def stand(served: Context, key: tuple[str, int, int]) -> Standing:
    """How a journey stands now; ``key``: its name, its live version, and how many days are compared."""
    name, _, days = key
    journey = parsed(served.journey(name).text)
    progress, totals = served.totals.of(name)
    at_us = served.now_us() if progress.watermark_us is None else progress.watermark_us
    n: dict[Outcome, int] = {one: totals["outcome"].get(one, 0) for one in ("achieved", "failed", "abandoned", "open")}
    n_decided = n["achieved"] + n["failed"] + n["abandoned"]
    now, before = _periods(served.store, name, at_us + 1, days)
    live = served.store.models.live(name)
    stake = served.store.periods.at_stake(name, live.version, live.threshold) if live else None
    return Standing(
        journey=name,
        title=journey.title or name,
        one_liner=journey.canvas.get("one_liner") or None,
        currency=journey.currency or None,
        at=instant(at_us),
        **n,
        share=_shown(share_of(n["achieved"], n_decided)),
        target=_target(journey),
        at_risk=stake.n_at_risk if stake else None,
        watched=stake.n_watched if stake else None,
        at_stake=stake.avoidable if stake else None,
        now=now,
        before=before,
    )


def _periods(store: Store, name: str, end_us: int, days: int) -> tuple[Period, Period]:
    """The last days of a journey before an instant, and as many days before them."""
    ends = (end_us, end_us - days * DAY_US)
    now, before = (_period(store.periods.sums(name, to_us - days * DAY_US, to_us), to_us, days) for to_us in ends)
    return now, before


def _period(sums: PeriodSums, to_us: int, days: int) -> Period:
    n_decided = sum(sums.outcome.values())
    means = {name: mean_of(one.total, one.squares, n_decided) for name, one in sums.amounts.items()}
    return Period(
        begin=instant(to_us - days * DAY_US),
        to=instant(to_us),
        opened=sums.n_opened,
        achieved=sums.outcome.get("achieved", 0),
        failed=sums.outcome.get("failed", 0),
        abandoned=sums.outcome.get("abandoned", 0),
        promises_kept=sums.n_kept,
        promises_broken=sums.n_broken,
        service=_shown(share_of(sums.outcome.get("achieved", 0), n_decided)),
        cost=_shown(means["cost"]),
        revenue=_shown(means["revenue"]),
        value=_shown(means["value"]),
    )


def _target(journey: Journey) -> float | None:
    """The target of the statement that the outcome measures; None where none does."""
    return next((one.target for one in measured_statements(journey) if one.by == OUTCOME), None)


def _shown(estimate: Estimate) -> Estimated:
    return Estimated(**estimate._asdict())
