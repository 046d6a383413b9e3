"""From the bytes of a request to events, in microseconds an event: `python bench/ingest_parse.py`.

Inside the clock: unpacking, JSON, mapping, and the JSON of what is kept; outside: HTTP and the store. A batch is 100
messages of about 550 bytes, like those of the official clients. Beside it what only reading the JSON costs:
`json.loads` of the standard library and msgspec. The best of fifteen rounds of twenty batches each.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import msgspec
from tables import best, show

from truenorth.server.ingest.cloudevents import parse_cloudevents
from truenorth.server.ingest.json_text import read_json
from truenorth.server.ingest.parsed import Arrival
from truenorth.server.ingest.payload import unpack
from truenorth.server.ingest.posthog import parse_posthog
from truenorth.server.ingest.segment import parse_segment

N_MESSAGES = 100
N_BATCHES = 20
N_ROUNDS = 15
MOST_BYTES = 20_000_000
HERE = Arrival(source="shop", received_us=1_767_605_400_000_000)
CONTEXT = {
    "ip": "203.0.113.7",
    "locale": "en-GB",
    "campaign": {"name": "spring", "source": "mail", "medium": "email"},
    "page": {"path": "/order", "url": "https://shop.example/order"},
    "library": {"name": "analytics-python", "version": "2.4.0"},
}
PROPERTIES = {"order_id": "o-1", "revenue": 42.5, "currency": "EUR", "case": "o-1", "team": "Web"}
TIME = "2026-01-05T09:29:58.000+00:00"


def segment(number: int) -> dict[str, Any]:
    who = {"userId": f"u{number}", "anonymousId": f"a{number}", "messageId": f"m{number}"}
    what = {"type": "track", "event": "Order Completed", "properties": PROPERTIES, "timestamp": TIME}
    return {**who, **what, "context": CONTEXT, "integrations": {"All": True}}


def posthog(number: int) -> dict[str, Any]:
    properties = {**PROPERTIES, "$lib": "posthog-python", "$os": "Linux", "$groups": {"company": "acme"}, **CONTEXT}
    who = {"distinct_id": f"u{number}", "uuid": f"m{number}"}
    return {**who, "event": "Order Completed", "properties": properties, "timestamp": TIME}


def cloudevent(number: int) -> dict[str, Any]:
    head = {"specversion": "1.0", "id": f"m{number}", "source": "/shop", "type": "order.completed", "time": TIME}
    return {**head, "subject": f"u{number}", "data": {**PROPERTIES, "context": CONTEXT}}


def us_an_event(work: Callable[[], object]) -> float:
    def batches() -> None:
        for _ in range(N_BATCHES):
            work()

    return best(batches, N_ROUNDS) / N_BATCHES / N_MESSAGES * 1e6


def row(title: str, body: bytes, parse: Callable[[bytes], object], text: bytes) -> list[str]:
    ours, plain, fast = (
        us_an_event(work) for work in (lambda: parse(body), lambda: json.loads(text), lambda: msgspec.json.decode(text))
    )
    n_bytes = len(body) / N_MESSAGES
    return [title, f"{n_bytes:.0f}", f"{ours:.1f}", f"{plain:.1f}", f"{fast:.1f}", f"{ours / plain:.1f}"]


def main() -> None:
    sent = {"sentAt": TIME, "writeKey": "W"}
    texts = {
        "Segment": json.dumps({"batch": [segment(number) for number in range(N_MESSAGES)], **sent}).encode(),
        "PostHog": json.dumps({"batch": [posthog(number) for number in range(N_MESSAGES)], "sent_at": TIME}).encode(),
        "CloudEvents": json.dumps([cloudevent(number) for number in range(N_MESSAGES)]).encode(),
    }
    parsers: dict[str, Callable[[bytes], object]] = {
        "Segment": lambda body: parse_segment(read_json(unpack(body, MOST_BYTES)), "batch", HERE),
        "PostHog": lambda body: parse_posthog(read_json(unpack(body, MOST_BYTES)), {}, {}, HERE),
        "CloudEvents": lambda body: parse_cloudevents(read_json(unpack(body, MOST_BYTES)), HERE),
    }
    rows = [row(name, text, parsers[name], text) for name, text in texts.items()]
    packed = gzip.compress(texts["Segment"])
    rows.append(row("Segment, gzip", packed, parsers["Segment"], texts["Segment"]))
    show(["batch of 100", "bytes", "to events, µs", "json.loads, µs", "msgspec, µs", "times json.loads"], rows)


if __name__ == "__main__":
    main()
