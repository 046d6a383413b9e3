"""What was refused, read once more: as it came, or as somebody has put it right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truenorth.server.ingest.cloudevents import parse_cloudevents
from truenorth.server.ingest.json_text import NotJson, read_json
from truenorth.server.ingest.parsed import Arrival, Parsed, Unfit, refusal
from truenorth.server.ingest.posthog import parse_posthog
from truenorth.server.ingest.segment import parse_segment


def parse_again(raw: bytes, arrival: Arrival) -> Parsed:
    """The one event of an item in any of the protocols, told by its fields; or why it is none.

    CloudEvents have a ``specversion``, PostHog's events a ``distinct_id``, all others are read as Segment's: as a
    ``track`` where they give no ``type``, since that may have stood in the address only.

    >>> from truenorth.server.ingest.parsed import Arrival
    >>> arrival = Arrival(source="shop", received_us=0)
    >>> parse_again(b'{"type":"track","event":"Paid","userId":"ann","messageId":"1"}', arrival).events[0].type
    'Paid'
    >>> parse_again(b'{"type":"tra', arrival).refused[0].reason[:18]
    '$: expected JSON, '
    """
    try:
        item = read_json(raw)
    except NotJson as error:
        unfit = Unfit("", "JSON", f"text that is none ({error})")
        return Parsed(refused=(refusal(raw.decode("utf-8", "replace"), "$", unfit, arrival),))
    if not isinstance(item, dict):
        return Parsed(refused=(refusal(item, "$", Unfit("", "an object", "something else"), arrival),))
    if "specversion" in item:
        return parse_cloudevents(item, arrival)
    if "distinct_id" in item or "distinct_id" in _properties(item):
        return parse_posthog({"batch": [item]}, {}, {}, arrival)
    return (
        parse_segment({"batch": [item]}, "batch", arrival) if "type" in item else parse_segment(item, "track", arrival)
    )


def _properties(item: Mapping[str, Any]) -> Mapping[str, Any]:
    found = item.get("properties")
    return found if isinstance(found, dict) else {}
