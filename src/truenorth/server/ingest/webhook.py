"""Webhooks of any provider, read by a mapping: JSONPath (RFC 9535) from the payload to the fields of an event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from jsonpath import JSONPath, JSONPathError

from truenorth.events import Event
from truenorth.server.ingest.canonical import PROMOTED, assemble, hash_id, identity, needed
from truenorth.server.ingest.parsed import Arrival, Parsed, Unfit, collect, refusal, shown
from truenorth.server.ingest.signature import SignatureRules
from truenorth.server.ingest.times import INSTANT_FORM, instant_us


class Whole(msgspec.Struct, frozen=True):
    """A path into the whole payload (``$...``)."""

    path: JSONPath


class Item(msgspec.Struct, frozen=True):
    """A path into the event's own part of the payload (``@...``)."""

    path: JSONPath


Choice = tuple[Whole | Item | str, ...]
"""Where a value comes from: the first path that finds one; a text stands for itself."""


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """What a mapping file says. ``events``: where the list of events stands; without it, the payload is one event."""

    name: str
    title: str = ""
    signature: SignatureRules | None = None
    events: JSONPath | None = None
    fields: Mapping[str, Choice] = {}
    properties: Mapping[str, Choice] = {}


class Hook(msgspec.Struct, frozen=True):
    """A mapping and the secret of its signature. ValueError if it asks for a signature and there is no secret."""

    mapping: Mapped
    secret: bytes = b""

    def __post_init__(self) -> None:
        if self.mapping.signature is not None and not self.secret:
            raise ValueError(f"the hook '{self.mapping.name}' checks signatures: expected its secret, found none")


def parse_hook(mapping: Mapped, payload: Any, arrival: Arrival) -> Parsed:
    """Events of a payload. A field that its path does not find is null; ``type`` must be found.

    Without an ``id`` the event's part of the payload is hashed, without a ``time`` it is the arrival's.
    """
    read = partial(_read, mapping, payload, arrival)
    if mapping.events is None:
        return collect(payload, "$", arrival, read)
    items = _found(mapping.events, payload)
    if not items:
        nothing = Unfit("", "at least one event at this path of the mapping", "none")
        return Parsed((), (refusal(payload, str(mapping.events), nothing, arrival),))
    return collect(items, str(mapping.events), arrival, read)


def _found(path: JSONPath, place: Any) -> list[Any]:
    try:
        return list(path.findall(place))
    except (JSONPathError, RecursionError):
        return []


def _read(mapping: Mapped, payload: Any, arrival: Arrival, item: dict[str, Any]) -> Event:
    said = {name: _value(choice, payload, item) for name, choice in mapping.fields.items()}
    time = said.get("time")
    time_us = arrival.received_us if time is None else instant_us(time)
    if time_us is None:
        raise Unfit("time", INSTANT_FORM, shown(time))
    properties = {
        name: value
        for name, choice in mapping.properties.items()
        if (value := _value(choice, payload, item)) is not None
    }
    fields = {name: value for name in PROMOTED if (value := said.get(name)) is not None}
    return assemble(
        arrival,
        {},
        {**properties, **fields},
        id=identity(said, "id") or hash_id({"item": item, "fields": said}, arrival, time is not None),
        type=needed(said, "type"),
        time_us=time_us,
    )


def _value(choice: Choice, payload: Any, item: Any) -> Any:
    """The first value that is there."""
    for way in choice:
        if isinstance(way, str):
            return way
        for value in _found(way.path, payload if isinstance(way, Whole) else item):
            if value is not None and value != "":
                return value
    return None
