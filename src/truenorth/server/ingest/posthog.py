"""PostHog's wire protocol: batches of its server clients, the browser's lists, and capture v1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from truenorth.events import Event
from truenorth.server.ingest.canonical import assemble, id_of, identity, needed
from truenorth.server.ingest.parsed import Arrival, Parsed, Unfit, collect, shown
from truenorth.server.ingest.times import INSTANT_FORM, corrected_us, instant_us
from truenorth.server.keys import KEY_WORDS

ALIAS_IS_THE_CUSTOMER = ("posthog-python", "web")
"""Clients whose ``$create_alias`` names the known person in ``alias``; in others ``distinct_id`` is the known one."""

_FIELDS = frozenset({"event", "uuid", "distinct_id", "timestamp", "offset", "sent_at", "properties", *KEY_WORDS})


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about all of its events: the client's name, and when its clock says it was sent."""

    client: str = ""
    sent: Any = None


def parse_posthog(body: Any, headers: Mapping[str, str], query: Mapping[str, str], arrival: Arrival) -> Parsed:
    """Events of a body: ``{"batch": [...]}``, a list, or a single event. Names of headers are in lower case.

    An event keeps the name that the client gives it. Customer: ``distinct_id``; the other id: ``$anon_distinct_id`` of
    ``$identify``, and of ``$create_alias`` the id that is not the known one.

    >>> body = {"event": "Paid", "distinct_id": "u1", "properties": {"revenue": 5}}
    >>> parse_posthog(body, {}, {}, Arrival(source="shop", received_us=0)).events[0].revenue
    5.0
    """
    said = body if isinstance(body, dict) else {}
    sent = said.get("sent_at") or headers.get("posthog-request-timestamp") or _milliseconds(query.get("_"))
    envelope = Envelope(client=headers.get("posthog-sdk-info", "").partition("/")[0], sent=sent)
    read = partial(_read, envelope, arrival)
    if isinstance(said.get("batch"), list):
        return collect(said["batch"], "$.batch", arrival, read)
    return collect(body, "$", arrival, read)


def _milliseconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 15 else None


def _read(envelope: Envelope, arrival: Arrival, item: dict[str, Any]) -> Event:
    name = needed(item, "event")
    properties = item.get("properties")
    said = properties if isinstance(properties, dict) else {}
    distinct_id = identity(item, "distinct_id") or identity(said, "distinct_id")
    customer, other_id, other_kind = _who(name, distinct_id, said, envelope)
    time_us, said_us = _time(item, envelope, arrival)
    kept = {field: value for field, value in item.items() if field not in _FIELDS and value is not None}
    if said_us is not None and time_us != said_us:
        kept |= {"timestamp": item["timestamp"], "sent_at": item.get("sent_at") or envelope.sent}
    used = {"token", *(("distinct_id",) if said.get("distinct_id") in (None, distinct_id) else ())}
    return assemble(
        arrival,
        kept,
        {field: value for field, value in said.items() if field not in used} if said else properties,
        id=id_of(item, "uuid", arrival, said_us is not None),
        type=name,
        time_us=time_us,
        customer=customer,
        other_id=other_id,
        other_kind=other_kind,
    )


def _time(item: Mapping[str, Any], envelope: Envelope, arrival: Arrival) -> tuple[int, int | None]:
    """When it happened, and when the client's clock says so. ``offset``: milliseconds from then to the sending."""
    said = item.get("timestamp")
    if said is None:
        offset = item.get("offset")
        if isinstance(offset, int | float) and not isinstance(offset, bool) and 0 <= offset < 1e12:
            return arrival.received_us - round(offset * 1_000), None
        return arrival.received_us, None
    said_us = instant_us(said)
    if said_us is None:
        raise Unfit("timestamp", INSTANT_FORM, shown(said))
    options = item.get("options")
    if isinstance(options, dict) and options.get("disable_skew_correction") is True:
        return said_us, said_us
    sent_us = instant_us(item.get("sent_at") or envelope.sent)
    return corrected_us(said_us, sent_us, arrival.received_us), said_us


def _who(
    name: str, distinct_id: str | None, properties: Mapping[str, Any], envelope: Envelope
) -> tuple[str | None, str | None, str | None]:
    if name == "$identify":
        anonymous = identity(properties, "$anon_distinct_id")
        if anonymous is not None and distinct_id is not None and anonymous != distinct_id:
            return distinct_id, anonymous, "anonymous"
    if name == "$create_alias":
        alias = identity(properties, "alias")
        if alias is not None and distinct_id is not None and alias != distinct_id:
            client = properties.get("$lib") or envelope.client
            known, other = (alias, distinct_id) if client in ALIAS_IS_THE_CUSTOMER else (distinct_id, alias)
            return known, other, "alias"
    return distinct_id, None, None
