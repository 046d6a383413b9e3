"""An event that was ingested reads like the same event in a JSON Lines file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from server.memory_log import NOW_US
from truenorth.logs import read_log
from truenorth.server.ingest.parsed import Arrival
from truenorth.server.ingest.segment import parse_segment

MESSAGE: dict[str, Any] = {
    "messageId": "m1",
    "event": "Order Completed",
    "userId": "u1",
    "timestamp": "2026-01-05T09:00:00Z",
    "properties": {"order_id": "o-1", "revenue": 42.5, "case": 7, "team": "Web", "n": {"deep": [1, 2]}},
    "context": {"page": {"url": "https://shop.example/"}},
}


def test_same_fields_and_same_names(tmp_path: Path) -> None:
    (event,) = parse_segment(MESSAGE, "track", Arrival(source="shop", received_us=NOW_US)).events
    named = {"id": "messageId", "type": "event", "time": "timestamp", "customer": "userId"}
    sent = tmp_path / "sent.jsonl"
    sent.write_bytes(msgspec.json.encode(MESSAGE))
    kept = tmp_path / "kept.jsonl"
    fields = {name: getattr(event, name) for name in ("id", "type", "customer", "case", "team", "revenue")}
    time = datetime.fromtimestamp(event.time_us / 1e6, UTC).isoformat()
    kept.write_bytes(msgspec.json.encode({**fields, "time": time, **msgspec.json.decode(event.properties)}))
    first, second = (read_log(path, fields=named if path == sent else None).events for path in (sent, kept))
    (row,) = first.to_dicts()
    assert row == {name: value for name, value in second.to_dicts()[0].items() if name in row}
    assert {name for name in second.columns if second[name][0] is not None} == set(first.columns)
    assert (row["order_id"], row["n.deep"], row["context.page.url"]) == ("o-1", "[1,2]", "https://shop.example/")
