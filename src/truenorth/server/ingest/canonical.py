"""Canonical fields out of JSON: what fits its type becomes a field, what does not stays a property as it came."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from truenorth.events import Event
from truenorth.server.ingest.parsed import Arrival, Unfit, shown
from truenorth.server.keys import KEY_WORDS

MAX_NAME = 500
"""Longest id, type, customer, case ... in characters: databases index them."""

MAX_DEPTH = 100
"""Deepest nesting of an event's properties."""

LARGEST_FEELING = 1.0

_NAME_FORM = f"a text of 1 to {MAX_NAME} characters"
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,3})?\s*", re.ASCII)
_OF_AN_ATTEMPT = ("sentAt", "sent_at", "offset", *KEY_WORDS)

Fields = Mapping[str, Any]


def name_of(value: Any) -> str | None:
    """A text of 1 to 500 characters, or a whole number as its text; None for anything else.

    >>> name_of("u1"), name_of(7), name_of(7.0), name_of(True), name_of("")
    ('u1', '7', '7', None, None)
    """
    if isinstance(value, str):
        return value if 0 < len(value) <= MAX_NAME and "\0" not in value else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is int and abs(value) < 2**64:
        return str(value)
    return None


def words_of(value: Any) -> str | None:
    """A text of any length; None for anything else.

    >>> words_of("Thank you!"), words_of(7)
    ('Thank you!', None)
    """
    return value if isinstance(value, str) and value and "\0" not in value else None


def amount_of(value: Any) -> float | None:
    """A finite number, also one written as text; None for anything else.

    >>> amount_of(42), amount_of("42.50"), amount_of("twelve"), amount_of(True)
    (42.0, 42.5, None, None)
    """
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None


def feeling_of(value: Any) -> float | None:
    """A number in [-1, 1]; None for anything else.

    >>> feeling_of(-0.5), feeling_of(2)
    (-0.5, None)
    """
    number = amount_of(value)
    return number if number is not None and abs(number) <= LARGEST_FEELING else None


PROMOTED: Mapping[str, Callable[[Any], Any]] = {
    "customer": name_of,
    "case": name_of,
    "actor": name_of,
    "team": name_of,
    "channel": name_of,
    "cost": amount_of,
    "revenue": amount_of,
    "feeling": feeling_of,
    "text": words_of,
}
"""Properties that are fields of an event where their type fits."""

_PROMOTED_NAMES = frozenset(PROMOTED)


def identity(item: Fields, field: str) -> str | None:
    """A text that identifies something; None where there is none. Unfit if something else stands there.

    >>> identity({"userId": None}, "userId") is identity({"userId": ""}, "userId") is None
    True
    """
    value = item.get(field)
    if value is None or value == "":
        return None
    name = name_of(value)
    if name is None:
        raise Unfit(field, _NAME_FORM, _misfit(value))
    return name


def needed(item: Fields, field: str) -> str:
    """A text that must be there."""
    name = identity(item, field)
    if name is None:
        raise Unfit(field, _NAME_FORM, "nothing" if item.get(field) is None else "an empty text")
    return name


def _misfit(value: Any) -> str:
    if isinstance(value, str):
        return "a NUL character" if "\0" in value else f"one of {len(value):,} characters"
    return shown(value)


def id_of(item: Fields, field: str, arrival: Arrival, is_dated: bool) -> str:
    """The id that a client gave, else a stable hash of the event, so that sending it again is recognised."""
    return identity(item, field) or hash_id(item, arrival, is_dated)


def hash_id(item: Fields, arrival: Arrival, is_dated: bool) -> str:
    """A stable hash of an event without what changes from one attempt to the next (``sentAt``).

    An event without a time of its own is a new one each time it arrives.

    >>> arrival = Arrival(source="shop", received_us=0)
    >>> hash_id({"event": "e", "sentAt": "1"}, arrival, True) == hash_id({"event": "e"}, arrival, True)
    True
    """
    stable: dict[str, Any] = {name: value for name, value in item.items() if name not in _OF_AN_ATTEMPT}
    if not is_dated:
        stable["received"] = arrival.received_us
    try:
        text = msgspec.json.encode(stable, order="sorted")
    except RecursionError:
        raise _too_deep() from None
    return f"hash:{sha256(text).hexdigest()[:40]}"


def assemble(arrival: Arrival, kept: dict[str, Any], properties: Any, **given: Any) -> Event:
    """An event of what a protocol has found (``given``) and what is promoted out of the rest.

    ``kept``: the message without what became a field; it is changed. ``properties``: its properties, looked through
    first; then ``kept`` itself. ``customer`` is promoted only where ``given`` has none.

    >>> event = assemble(Arrival(source="shop", received_us=0), {}, {"revenue": 5, "cost": "much"},
    ...                  id="1", type="Paid", time_us=0, customer="u1")
    >>> event.revenue, event.cost, event.properties
    (5.0, None, b'{"properties":{"cost":"much"}}')
    """
    if isinstance(properties, dict):
        if not _PROMOTED_NAMES.isdisjoint(properties):
            properties = _promote(dict(properties), given)
        if properties:
            kept["properties"] = properties
    elif properties is not None:
        kept["properties"] = properties
    if not _PROMOTED_NAMES.isdisjoint(kept):
        _promote(kept, given)
    try:
        rest = msgspec.json.encode(kept)
    except RecursionError:
        raise _too_deep() from None
    _check_size(rest, given, arrival)
    given.setdefault("source", arrival.source)
    return Event(received_us=arrival.received_us, properties=rest, **given)


def _promote(place: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    for name in _PROMOTED_NAMES & place.keys():
        value = PROMOTED[name](place[name])
        if value is not None and given.get(name) is None:
            given[name] = value
            del place[name]
    return place


def _check_size(rest: bytes, given: Fields, arrival: Arrival) -> None:
    n_bytes = len(rest) + len(given.get("text") or "")
    if n_bytes > arrival.event_bytes:
        raise Unfit("", f"an event of at most {arrival.event_bytes:,} bytes", f"{n_bytes:,}")
    if rest.count(b"{") + rest.count(b"[") > MAX_DEPTH and _depth(msgspec.json.decode(rest)) > MAX_DEPTH:
        raise _too_deep()


def _too_deep() -> Unfit:
    return Unfit("", f"at most {MAX_DEPTH} levels of nesting", "more")


def _depth(value: Any) -> int:
    """Levels of lists and objects, counted level by level."""
    level, n_levels = [value], 0
    while level := [part for part in level if isinstance(part, dict | list)]:
        n_levels += 1
        level = [part for whole in level for part in (whole.values() if isinstance(whole, dict) else whole)]
    return n_levels
