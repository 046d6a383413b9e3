"""Events for the tests of the store."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from truenorth.events import Event

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
