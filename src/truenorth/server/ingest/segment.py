"""Segment's wire protocol, which RudderStack and Jitsu speak too: track, identify, page, screen, group, alias."""

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

CALLS: Mapping[str, str] = {
    "track": "track",
    "identify": "identify",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "alias": "alias",
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
}
"""Words of the path, and the kind of message that each announces."""

BATCHES = ("batch", "import", "b")
"""Words of the path that announce a batch; each of its messages says its own type."""

_KINDS = frozenset(CALLS.values())
_FIELDS = frozenset({"type", "messageId", "timestamp", "sentAt", "properties", *KEY_WORDS})
_NAMED = ("name", "category")
_SHARED = ("context", "integrations")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch says about all of its messages: when its sender's clock says it was sent, and common parts."""

    sent: Any = None
    sent_us: int | None = None
    shared: Mapping[str, Any] = {}


def parse_segment(body: Any, call: str, arrival: Arrival) -> Parsed:
    """Events of a body. ``call``: the word of the path, one of `CALLS` or `BATCHES`.

    A track becomes an event of its own name; the others are called by their kind. Customer: ``userId``, else
    ``anonymousId``; where both stand, the latter is the other id.

    >>> parsed = parse_segment({"event": "Paid", "userId": "u1", "timestamp": "2026-01-05"}, "track",
    ...                        Arrival(source="shop", received_us=0))
    >>> parsed.events[0].type, parsed.events[0].customer
    ('Paid', 'u1')
    """
    if isinstance(body, dict) and isinstance(body.get("batch"), list):
        shared = {name: body[name] for name in _SHARED if body.get(name) is not None}
        sent = body.get("sentAt")
        envelope = Envelope(sent=sent, sent_us=instant_us(sent), shared=shared)
        return collect(body["batch"], "$.batch", arrival, partial(_read, call, envelope, arrival))
    if call in BATCHES and isinstance(body, dict) and "type" not in body:
        return collect(body, "$", arrival, _no_batch)
    return collect(body, "$", arrival, partial(_read, call, Envelope(), arrival))


def _no_batch(body: dict[str, Any]) -> Event:
    raise Unfit("batch", "a list of messages", shown(body.get("batch")))


def _read(call: str, envelope: Envelope, arrival: Arrival, message: dict[str, Any]) -> Event:
    kind = _kind(call, message)
    time_us, is_dated, clock = _time(message, envelope, arrival)
    customer, other_id, other_kind, used = _who(kind, message)
    kept = {
        name: value for name, value in message.items() if name not in _FIELDS and name not in used and value is not None
    }
    kept |= clock
    for name, value in envelope.shared.items():
        kept.setdefault(name, value)
    is_track = kind == "track"
    if is_track:
        kept.pop("event", None)
    return assemble(
        arrival,
        kept,
        message.get("properties") if is_track else _with_name(kind, kept, message.get("properties")),
        id=id_of(message, "messageId", arrival, is_dated),
        type=needed(message, "event") if is_track else kind,
        time_us=time_us,
        customer=customer,
        other_id=other_id,
        other_kind=other_kind,
    )


def _kind(call: str, message: Mapping[str, Any]) -> str:
    kind = message.get("type") or CALLS.get(call)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Unfit("type", "track, identify, page, screen, group or alias", shown(kind))
    return kind


def _time(message: Mapping[str, Any], envelope: Envelope, arrival: Arrival) -> tuple[int, bool, dict[str, Any]]:
    """When it happened, whether the message says so, and what its clock said, if that is wrong."""
    field = "timestamp" if message.get("timestamp") is not None else "originalTimestamp"
    said = message.get(field)
    if said is None:
        return arrival.received_us, False, {}
    said_us = instant_us(said)
    if said_us is None:
        raise Unfit(field, INSTANT_FORM, shown(said))
    sent, sent_us = envelope.sent, envelope.sent_us
    if message.get("sentAt") is not None:
        sent, sent_us = message["sentAt"], instant_us(message["sentAt"])
    time_us = corrected_us(said_us, sent_us, arrival.received_us)
    return time_us, True, {} if time_us == said_us else {field: said, "sentAt": sent}


def _who(kind: str, message: Mapping[str, Any]) -> tuple[str | None, str | None, str | None, tuple[str, ...]]:
    """Customer, another id of theirs, of what kind that is, and which keys of the message say so."""
    user, anonymous = identity(message, "userId"), identity(message, "anonymousId")
    previous = identity(message, "previousId") if kind == "alias" else None
    customer = user or anonymous
    if previous is not None and customer is not None and previous != customer:
        return customer, previous, "alias", ("userId" if user else "anonymousId", "previousId")
    if user is None or anonymous is None or user == anonymous:
        return customer, None, None, ("userId", "anonymousId")
    return customer, anonymous, "anonymous", ("userId", "anonymousId")


def _with_name(kind: str, kept: dict[str, Any], properties: Any) -> Any:
    """The properties of a page or screen with its name and category, which some clients put beside them."""
    if kind not in ("page", "screen") or not isinstance(properties, dict | None):
        return properties
    merged = dict(properties or {})
    for name in _NAMED:
        if name in kept and merged.setdefault(name, kept[name]) == kept[name]:
            del kept[name]
    return merged
