"""The bounds of the API: every page, body, stream and rate has one."""

from __future__ import annotations

import msgspec

from truenorth.server.rate import Rate

DEFAULT_PAGE = 100
MAX_PAGE = 1_000
"""Rows of a page: as a rule, and at most."""

TEXT_CHARACTERS = 1_000
"""Longest text in an address: an id, a name."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much the API takes and gives at once.

    >>> Bounds().body_bytes
    500000
    """

    body_bytes: int = 500_000
    """Largest body of a request; a journey file has at most 256 KB."""

    case_events: int = 1_000
    """Most events shown with a case."""

    export_page: int = 5_000
    """Events of an export that are in memory at a time."""

    streams: int = 200
    """Most streams at a time."""

    stream_waiting: int = 1_000
    """Signals that wait for a slow listener; one who has more reads on from the store."""

    stream_seconds: float = 900.0
    """How long a stream lasts before its listener has to come back, and show its token again."""

    heartbeat_seconds: float = 15.0
    """Between two signs of life on a stream."""

    per_token: Rate = Rate(per_second=50, burst=200)
    """Requests with one token."""

    per_address: Rate = Rate(per_second=100, burst=400)
    """Requests from one address, whatever their tokens; unknown ones too."""

    watermark_age_seconds: float = 120.0
    """How far the watermark may be behind before the service says that it is not ready."""

    insight_events: int = 5_000_000
    """Largest log that insights are made from here; a larger one is for the command line."""

    insight_waiting: int = 20
    """Most questions about insights that wait for their answers to be made."""

    insight_kept: int = 200
    """Most answers that are kept."""

    insight_age_seconds: float = 300.0
    """How old an answer may get before it is made anew, while events go on coming."""

    insight_seconds: float = 900.0
    """How long an insight may take to be made; after that it is given up."""

    insight_wait_seconds: float = 30.0
    """How long a request may wait for an answer; after that it is told how far it is."""
