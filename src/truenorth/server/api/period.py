"""A period as queries name it: two instants, each of which may be left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

Since = Annotated[
    datetime | None, Query(description="from this instant on (UTC where none is said)", examples=["2026-02-06"])
]
Until = Annotated[datetime | None, Query(description="before this instant", examples=["2026-03-06T00:00:00Z"])]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime | None) -> int | None:
    """Microseconds since 1970 UTC; naive instants are UTC.

    >>> microseconds(datetime(1970, 1, 2)), microseconds(None)
    (86400000000, None)
    """
    if instant is None:
        return None
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    since = aware - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
