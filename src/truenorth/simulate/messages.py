"""Events as messages of the Segment protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
from polars import selectors as cs

from truenorth.simulate.identities import IDENTIFY

NO_TYPE = "event"
"""The name of an event that has none: the protocol wants one."""
ROWS_AT_ONCE = 1_000

_ENVELOPE = ("id", "type", "time", "received", "sent_at", "customer", "anonymous_id")
"""Columns that the envelope says; all others are properties, ``source`` included: a receiver names sources by key."""


class Message(NamedTuple):
    """One call of a client; ``due`` is when it arrives, in the log's own time and not shifted."""

    due: datetime
    identifies: bool
    event: str
    message_id: str
    timestamp: datetime
    user_id: str | None
    anonymous_id: str | None
    properties: Mapping[str, Any]


def messages(frame: pl.DataFrame, *, shift: timedelta) -> Iterator[Message]:
    """The messages of events in their order of arrival, every instant of theirs shifted by a constant.

    ``messageId`` is the event's id, or ``source/id`` where two sources share an id. An event whose ``customer`` is its
    ``anonymous_id`` has only that; one without a customer gets its own id as anonymous id, as the protocol wants
    one. Nulls are left out, as is what JSON cannot say (infinities, not-a-number).

    >>> from datetime import UTC
    >>> at = [datetime(2026, 1, 1, tzinfo=UTC)]
    >>> frame = pl.DataFrame({"id": ["a"], "type": ["Called"], "time": at, "team": ["x"]})
    >>> [(one.message_id, one.event, one.anonymous_id, one.properties) for one in messages(frame, shift=timedelta(0))]
    [('a', 'Called', 'a', {'team': 'x'})]
    """
    plain = _plain(frame).with_columns(cs.datetime() + shift)
    arrived = due(frame)
    for start in range(0, frame.height, ROWS_AT_ONCE):
        part = plain.slice(start, ROWS_AT_ONCE)
        for at, row in zip(arrived.slice(start, ROWS_AT_ONCE), part.iter_rows(named=True), strict=True):
            yield _message(at, row)


def due(frame: pl.DataFrame) -> pl.Series:
    """When each event arrives: when it was received, else when it happened; never before the one ahead of it.

    >>> from datetime import UTC
    >>> due(pl.DataFrame({"time": [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]})).n_unique()
    1
    """
    arrived = pl.coalesce("received", "time") if "received" in frame.columns else pl.col("time")
    return frame.select(arrived.cum_max().alias("due")).to_series()


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Values that JSON can say, and ids that are unique without their source."""
    ids = pl.col("id").cast(pl.String)
    if "source" in frame.columns and frame["id"].n_unique() < frame.select(pl.struct("source", "id").n_unique()).item():
        ids = pl.concat_str(pl.col("source"), ids, separator="/", ignore_nulls=True).alias("id")
    floats = [
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name, kind in frame.schema.items() if kind.is_float()
    ]
    return frame.with_columns(ids, *floats, (cs.duration() | cs.time() | cs.date() | cs.binary()).cast(pl.String))


def _message(due: datetime, row: dict[str, Any]) -> Message:
    customer, anonymous = row.get("customer"), row.get("anonymous_id")
    if customer is None and anonymous is None:
        anonymous = row["id"]
    return Message(
        due=due,
        identifies=row.get("type") == IDENTIFY and anonymous is not None,
        event=row.get("type") or NO_TYPE,
        message_id=row["id"],
        timestamp=row["time"],
        user_id=None if customer == anonymous else customer,
        anonymous_id=anonymous,
        properties={name: value for name, value in row.items() if value is not None and name not in _ENVELOPE},
    )
