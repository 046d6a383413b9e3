"""Instants: as conditions write them, and as microseconds since 1970 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

INSTANT_FORM = "an instant such as '2024-05-31' or '2024-05-31 14:50:17+02:00'"

_FORM = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE | re.ASCII,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC; a naive instant is UTC.

    >>> microseconds(datetime(1970, 1, 2))
    86400000000
    """
    since = (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_at(us: int) -> datetime:
    """The instant of microseconds since 1970 UTC; OverflowError outside of the years 1 to 9999.

    >>> instant_at(86_400_000_000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=us)


def parse_instant(text: str) -> datetime:
    """The UTC datetime of an ISO text; a text without a zone is UTC. ValueError where it is none.

    >>> parse_instant("2012-10-09 14:50:17+02:00").isoformat()
    '2012-10-09T12:50:17+00:00'
    >>> parse_instant("2012-10-09").isoformat()
    '2012-10-09T00:00:00+00:00'
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected {INSTANT_FORM}")
    clock, zone = match["clock"] or "00:00", (match["zone"] or "Z").upper()
    zone = "Z" if zone == "UTC" else zone
    try:
        return datetime.fromisoformat(f"{match['date']}T{clock.replace(',', '.')}{zone}").astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant lies in the years 1 to 9999") from None
