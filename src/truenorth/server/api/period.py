"""A period as queries name it: two instants, each of which may be left out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query

from truenorth.spec.instants import microseconds

Since = Annotated[
    datetime | None, Query(description="from this instant on (UTC where none is said)", examples=["2026-02-06"])
]
Until = Annotated[datetime | None, Query(description="before this instant", examples=["2026-03-06T00:00:00Z"])]


def bound_us(instant: datetime | None) -> int | None:
    """An end of a period in microseconds since 1970 UTC; None where it is left out."""
    return None if instant is None else microseconds(instant)
