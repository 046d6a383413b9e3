"""How data arrive: from where, how often, how late, and how far judging is behind."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from fastapi import APIRouter
from pydantic import BaseModel

from truenorth.server.api.context import Context, Instant, Served, instant, showing
from truenorth.server.auth import Analyst
from truenorth.spec.durations import HOUR_US
from truenorth.store.ports import Stored

ROUTER = APIRouter(tags=["events"])
LOOKED_AT = 2_000
"""The newest events that rates and delays are worked out from."""
SOURCE = {
    "source": "shop",
    "n": 1810,
    "n_last_hour": 1810,
    "per_minute": 31.5,
    "delay_seconds": 0.4,
    "last_received": "2026-01-05T09:29:58.000000Z",
}
JOURNEY = {
    "journey": "support",
    "lag_positions": 0,
    "watermark": "2026-01-05T09:29:53.000000Z",
    "watermark_age_seconds": 7.0,
}


class SourceShown(BaseModel):
    """A source among the newest events: how many, how often, and how long after they happened they came (median).

    ``n_last_hour``: how many of the newest events came within the last hour.
    """

    model_config = showing(SOURCE)
    source: str
    n: int
    n_last_hour: int
    per_minute: float | None
    delay_seconds: float
    last_received: Instant


class JourneyJudged(BaseModel):
    """How far judging a journey is behind the log."""

    model_config = showing(JOURNEY)
    journey: str
    lag_positions: int
    watermark: Instant | None
    watermark_age_seconds: float | None


class Arrivals(BaseModel):
    """How data arrive. ``duplicates``, ``suppressed`` and ``refused`` count all that ever came.

    ``looked_at``: the newest events that ``sources`` are worked out from; ``since``: when the first of them came.
    """

    model_config = showing(
        {
            "last_position": 81_204,
            "duplicates": 12,
            "suppressed": 0,
            "refused": 5,
            "looked_at": 2000,
            "since": "2026-01-05T08:30:00.000000Z",
            "sources": [SOURCE],
            "journeys": [JOURNEY],
        }
    )
    last_position: int
    duplicates: int
    suppressed: int
    refused: int
    looked_at: int
    since: Instant | None
    sources: list[SourceShown]
    journeys: list[JourneyJudged]


@ROUTER.get("/arrivals")
def read_arrivals(served: Served, caller: Analyst) -> Arrivals:
    """How data arrive. Role: analyst."""
    store, now_us = served.store, served.now_us()
    arrived, last = store.events.arrived(), store.events.last_position()
    newest = store.events.read(max(0, last - LOOKED_AT), limit=LOOKED_AT)
    since_us = min((one.event.received_us for one in newest), default=None)
    return Arrivals(
        last_position=last,
        duplicates=arrived.n_duplicates,
        suppressed=arrived.n_suppressed,
        refused=arrived.n_refused,
        looked_at=len(newest),
        since=None if since_us is None else instant(since_us),
        sources=_sources(newest, now_us),
        journeys=[_judged(served, one.name, last, now_us) for one in store.journeys.live()],
    )


def _sources(newest: Sequence[Stored], now_us: int) -> list[SourceShown]:
    events = [one.event for one in newest]
    minutes = (now_us - min((event.received_us for event in events), default=now_us)) / 60e6
    found = []
    for source in sorted({event.source for event in events}):
        own = [event for event in events if event.source == source]
        shown = SourceShown(
            source=source,
            n=len(own),
            n_last_hour=sum(event.received_us > now_us - HOUR_US for event in own),
            per_minute=round(len(own) / minutes, 3) if minutes > 0 else None,
            delay_seconds=median((event.received_us - event.time_us) / 1e6 for event in own),
            last_received=instant(max(event.received_us for event in own)),
        )
        found.append(shown)
    return found


def _judged(served: Context, journey: str, last: int, now_us: int) -> JourneyJudged:
    progress = served.store.results.progress(journey)
    watermark_us = progress.watermark_us
    return JourneyJudged(
        journey=journey,
        lag_positions=max(0, last - progress.position),
        watermark=None if watermark_us is None else instant(watermark_us),
        watermark_age_seconds=None if watermark_us is None else round((now_us - watermark_us) / 1e6, 3),
    )
