"""A period as queries name it: two instants, each of which may be left out, or the last so many days."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query

from truenorth.spec.durations import DAY_US
from truenorth.spec.instants import microseconds

Since = Annotated[
    datetime | None, Query(description="from this instant on (UTC where none is said)", examples=["2026-02-06"])
]
Until = Annotated[datetime | None, Query(description="before this instant", examples=["2026-03-06T00:00:00Z"])]


MOST_DAYS = 366
USUAL_DAYS = 28
LastDays = Annotated[
    int | None, Query(ge=1, le=MOST_DAYS, description="the last so many days, where 'since' is left out; else 28")
]


def period_us(now_us: int, since: datetime | None, until: datetime | None, days: int | None) -> tuple[int, int]:
    """The beginning of a period and its end, in microseconds since 1970 UTC; it ends now where nothing else is said.

    >>> period_us(3_000_000_000_000, None, None, 28)[0] // 1_000_000, period_us(9, None, None, None)[1]
    (580800, 10)
    """
    until_us = now_us + 1 if until is None else microseconds(until)
    since_us = until_us - (days or USUAL_DAYS) * DAY_US if since is None else microseconds(since)
    return since_us, until_us


def bound_us(instant: datetime | None) -> int | None:
    """An end of a period in microseconds since 1970 UTC; None where it is left out."""
    return None if instant is None else microseconds(instant)
