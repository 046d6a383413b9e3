"""The bounds of ingest: every body, queue and wait has one."""

from __future__ import annotations

import msgspec

MB = 1_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much the service takes at once; beyond it a sender is told so and nothing is acknowledged.

    >>> Limits().body_bytes
    10000000
    """

    body_bytes: int = 10 * MB
    """Largest body as it is sent."""

    unpacked_bytes: int = 20 * MB
    """Largest body after decompression."""

    body_items: int = 20_000
    """Most events of a body."""

    event_bytes: int = 1 * MB
    """Largest single event; a larger one is refused, the rest of its batch is kept."""

    held_bytes: int = 128 * MB
    """All bodies of requests that have no answer yet, as sent and unpacked."""

    waiting_events: int = 20_000
    """Events that wait to be written, those of the running commit included."""

    commit_events: int = 5_000
    """Events of one transaction; a single larger request is one transaction of its own."""

    body_seconds: float = 30.0
    """How long a sender may take over a body."""

    retry_after_seconds: int = 1
    """What a sender is told to wait when the queue is full."""
