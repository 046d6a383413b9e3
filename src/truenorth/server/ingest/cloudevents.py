"""CloudEvents 1.0 over HTTP: binary, structured, batch (github.com/cloudevents/spec, HTTP protocol binding 1.0)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from truenorth.events import Event
from truenorth.server.ingest.canonical import assemble, id_of, identity, name_of, needed
from truenorth.server.ingest.json_text import NotJson, read_json
from truenorth.server.ingest.parsed import Arrival, Parsed, Unfit, collect, shown
from truenorth.server.ingest.times import INSTANT_FORM, instant_us
from truenorth.server.keys import KEY_WORDS

VERSION = "1.0"
PREFIX = "ce-"

_FIELDS = frozenset({"id", "type", "time", "data", *KEY_WORDS})


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the attributes of an event stand in the headers (names in lower case).

    >>> is_binary({"ce-type": "Paid"}), is_binary({"content-type": "application/json"})
    (True, False)
    """
    return any(f"{PREFIX}{name}" in headers for name in ("specversion", "id", "type"))


def parse_cloudevents(body: Any, arrival: Arrival) -> Parsed:
    """Events of a structured body, or of a list of them.

    Source: that of the key and the event's own, joined by a colon. Customer: ``customer`` of the data, else
    ``subject``. An object as ``data`` is read as the event's properties.

    >>> body = {"id": "1", "source": "/shop", "type": "Paid", "subject": "u1", "data": {"cost": 5}}
    >>> event = parse_cloudevents(body, Arrival(source="shop", received_us=0)).events[0]
    >>> event.source, event.customer, event.cost
    ('shop:/shop', 'u1', 5.0)
    """
    return collect(body, "$", arrival, partial(_read, arrival))


def parse_binary(headers: Mapping[str, str], data: bytes, arrival: Arrival) -> Parsed:
    """The event whose attributes are headers and whose data is the body: JSON, else text, else base64."""
    item: dict[str, Any] = {
        name.removeprefix(PREFIX): _unquoted(value) for name, value in headers.items() if name.startswith(PREFIX)
    }
    if headers.get("content-type"):
        item["datacontenttype"] = headers["content-type"]
    if data:
        try:
            item["data"] = read_json(data)
        except NotJson:
            item |= _opaque(data)
    return collect(item, "$", arrival, partial(_read, arrival))


def _unquoted(value: str) -> str:
    """A header's value: percent-encoded UTF-8, in quotes or not."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote(value, errors="replace")


def _opaque(data: bytes) -> dict[str, str]:
    try:
        return {"data": data.decode()}
    except UnicodeDecodeError:
        return {"data_base64": b64encode(data).decode()}


def _read(arrival: Arrival, item: dict[str, Any]) -> Event:
    version = item.get("specversion", VERSION)
    if version != VERSION:
        raise Unfit("specversion", VERSION, shown(version))
    said = item.get("time")
    time_us = arrival.received_us if said is None else instant_us(said)
    if time_us is None:
        raise Unfit("time", INSTANT_FORM, shown(said))
    source, data, subject = identity(item, "source"), item.get("data"), identity(item, "subject")
    own_customer = name_of(data.get("customer")) if isinstance(data, dict) else None
    used = ("source", *(() if own_customer else ("subject",)))
    kept = {name: value for name, value in item.items() if name not in _FIELDS and name not in used}
    is_object = isinstance(data, dict)
    if data is not None and not is_object:
        kept["data"] = data
    given: dict[str, Any] = {} if own_customer else {"customer": subject}
    return assemble(
        arrival,
        kept,
        data if is_object else None,
        source=f"{arrival.source}:{source}" if source else arrival.source,
        id=id_of(item, "id", arrival, said is not None),
        type=needed(item, "type"),
        time_us=time_us,
        **given,
    )
