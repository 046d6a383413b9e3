"""One event as it reaches the live service: the canonical fields of the reference and everything else as it came."""

from __future__ import annotations

from typing import Literal

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened to a customer.

    Instants are microseconds since 1970 UTC. ``source`` and ``id`` together are unique. ``properties`` is a JSON
    object: what the sender said beside the canonical fields. ``other_id`` is another id of the same person that this
    event states: one met before they were known (``anonymous``), or one declared to be theirs (``alias``).
    """

    source: str
    id: str
    type: str
    time_us: int
    received_us: int
    customer: str | None = None
    case: str | None = None
    actor: str | None = None
    team: str | None = None
    channel: str | None = None
    cost: float | None = None
    revenue: float | None = None
    feeling: float | None = None
    text: str | None = None
    properties: bytes = b"{}"
    other_id: str | None = None
    other_kind: Literal["anonymous", "alias"] | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent and cannot be an event: kept with the reason, never lost."""

    source: str
    received_us: int
    reason: str
    raw: bytes
