"""Events for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from truenorth.events import Event
from truenorth.store.columns import METADATA
from truenorth.store.opening import Store
from truenorth.store.ports import Stored

on_one_database = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""Examples that share a database, which each of them empties."""

HOUR_US = 3_600_000_000


def event(id: str | int, customer: str | None = "ann", **fields: Any) -> Event:  # noqa: A002
    """An event with an id; received one second after it happened, one hour after the one with the number before."""
    time_us = fields.pop("time_us", int(id) * HOUR_US if str(id).isdigit() else 0)
    whole = {"source": "shop", "type": "ordered", "time_us": time_us, "received_us": time_us + 1_000_000, **fields}
    return Event(id=str(id), customer=customer, **whole)


TEXTS = st.text(max_size=4)
SHORT = st.sampled_from(["a", "b", "ann", "bob", "\0", "\ud800", "ä"])
FLOATS = st.none() | st.floats()
INSTANTS = st.integers(-(2**62), 2**62)

EVENTS = st.builds(
    Event,
    source=st.sampled_from(["shop", "app"]),
    id=st.integers(0, 30).map(str) | SHORT,
    type=TEXTS,
    time_us=INSTANTS,
    received_us=INSTANTS,
    customer=st.none() | SHORT,
    case=st.none() | TEXTS,
    cost=FLOATS,
    revenue=FLOATS,
    feeling=FLOATS,
    text=st.none() | TEXTS,
    properties=st.just(b"{}") | st.binary(max_size=3),
    other_id=st.none() | SHORT,
    other_kind=st.none() | st.sampled_from(["anonymous", "alias"]),
)
BATCHES = st.lists(st.lists(EVENTS, max_size=12), max_size=6)


def kept(one: Event) -> Event:
    """An event as every database can keep it."""
    values: dict[str, Any] = msgspec.structs.asdict(one)
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in value)
        if isinstance(value, float) and isnan(value):
            values[name] = None
    return Event(**values)


def first_arrivals(events: Iterable[Event]) -> list[Event]:
    """The distinct events in the order in which each first arrived."""
    first: dict[tuple[str, str], Event] = {}
    for one in map(kept, events):
        first.setdefault((one.source, one.id), one)
    return list(first.values())


def empty(store: Store) -> None:
    """Forget everything, to begin a new example on the same database."""
    with store.database.writing() as connection:
        for table in METADATA.sorted_tables:
            if table.name not in {"setting", "suppression", "receipt"}:  # these are remembered by open stores
                connection.execute(delete(table))


def read_all(store: Store, page: int = 10_000) -> list[Event]:
    """The whole log, page by page."""
    found: list[Stored] = []
    while part := store.events.read(found[-1].position if found else 0, limit=page):
        assert len(part) <= page
        found += part
    positions = [one.position for one in found]
    assert positions == sorted(set(positions))
    return [one.event for one in found]
