"""What a request comes to: events, and what cannot be one, with the reason. Every item is one or the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from truenorth.events import Event, Refused
from truenorth.server.keys import KEY_WORDS

RAW_KEPT_BYTES = 16_384
"""How much is kept of what is refused."""

SHOWN_CHARACTERS = 60

_WORDS = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}


class Parsed(msgspec.Struct, frozen=True):
    """Events and refused items of one request."""

    events: tuple[Event, ...] = ()
    refused: tuple[Refused, ...] = ()

    @property
    def n_items(self) -> int:
        """How many items the request had.

        >>> Parsed().n_items
        0
        """
        return len(self.events) + len(self.refused)


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """How a request came: the source that its key names, when (microseconds since 1970 UTC), and the event's bound."""

    source: str
    received_us: int
    event_bytes: int = 1_000_000


class Unfit(Exception):
    """An item cannot be an event: which field, what was expected, what was found."""

    def __init__(self, field: str, expected: str, found: str) -> None:
        super().__init__(f"{field}: expected {expected}, found {found}")
        self.field, self.expected, self.found = field, expected, found


def shown(value: Any) -> str:
    """A JSON value in a message.

    >>> shown(None), shown("soon"), shown([1])
    ('nothing', "'soon'", 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, str):
        text = value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}..."
        return repr(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if isinstance(value, float) or abs(value) < 2**64 else "a huge number"
    return _WORDS.get(type(value), "something else")


def collect(body: Any, place: str, arrival: Arrival, read: Callable[[dict[str, Any]], Event]) -> Parsed:
    """Read each item of a list, or the only one; what is unfit is refused. ``place``: the path of it in the body.

    >>> collect([7], "$.batch", Arrival(source="shop", received_us=0), lambda item: None).refused[0].reason
    '$.batch[0]: expected an object, found 7'
    """
    events: list[Event] = []
    refused: list[Refused] = []
    is_list = isinstance(body, list)
    for index, item in enumerate(body if is_list else [body]):
        try:
            if not isinstance(item, dict):
                raise Unfit("", "an object", shown(item))  # noqa: TRY301 - one way out for all that is unfit
            events.append(read(item))
        except Unfit as unfit:
            refused.append(refusal(item, f"{place}[{index}]" if is_list else place, unfit, arrival))
    return Parsed(tuple(events), tuple(refused))


def refusal(item: Any, place: str, unfit: Unfit, arrival: Arrival) -> Refused:
    """An item that cannot be an event: the reason and its first bytes, without the key."""
    field = f".{unfit.field}" if unfit.field else ""
    return Refused(
        source=arrival.source,
        received_us=arrival.received_us,
        reason=f"{place}{field}: expected {unfit.expected}, found {unfit.found}",
        raw=raw_of(item)[:RAW_KEPT_BYTES],
    )


def raw_of(item: Any) -> bytes:
    """An item as JSON, without a write key.

    >>> raw_of({"event": "e", "writeKey": "WRITEKEY"})
    b'{"event":"e"}'
    """
    try:
        return msgspec.json.encode(without_key(item))
    except RecursionError:
        return b'"nested too deeply"'


def without_key(item: Any) -> Any:
    """An item without its write key; itself if it has none."""
    if not isinstance(item, dict):
        return item
    kept = {name: value for name, value in item.items() if name not in KEY_WORDS}
    properties = kept.get("properties")
    if isinstance(properties, dict) and "token" in properties:
        kept["properties"] = {name: value for name, value in properties.items() if name != "token"}
    return kept
