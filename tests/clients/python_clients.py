"""`python python_clients.py CLIENT ADDRESS WRITE_KEY N` sends N events and ends well when all are delivered.

Half of them are sent when a line is read from the standard input. Clients run with their defaults. The one of
CloudEvents makes messages and leaves sending them again to its user.
"""

from __future__ import annotations

import http.client
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from posthog import Posthog
from segment.analytics.client import Client

TYPE = "Order Completed"
EVENTS_AT_A_TIME = 10
PAUSE_S = 0.1
RETRY_S = 0.2


def send_all(n_events: int, send: Callable[[int], object]) -> None:
    for number in range(n_events):
        if number == n_events // 2:
            sys.stdin.readline()
        send(number)
        if number % EVENTS_AT_A_TIME == EVENTS_AT_A_TIME - 1:
            time.sleep(PAUSE_S)


def data_of(number: int) -> dict[str, Any]:
    return {"case": f"o{number}", "revenue": number}


def segment(address: str, write_key: str, n_events: int) -> None:
    errors: list[Any] = []
    client = Client(write_key, host=address, on_error=lambda *error: errors.append(error))
    send_all(n_events, lambda number: client.track(f"u{number}", TYPE, data_of(number)))
    client.flush()
    client.join()
    sys.exit(str(errors) if errors else 0)


def posthog(address: str, write_key: str, n_events: int) -> None:
    errors: list[Any] = []
    client = Posthog(write_key, host=address, on_error=lambda *error: errors.append(error))
    send_all(n_events, lambda number: client.capture(TYPE, distinct_id=f"u{number}", properties=data_of(number)))
    client.shutdown()
    sys.exit(str(errors) if errors else 0)


def cloudevents(address: str, write_key: str, n_events: int) -> None:
    def send(number: int) -> None:
        event = CloudEvent({"type": TYPE, "source": "/shop", "subject": f"u{number}"}, data_of(number))
        message = to_binary_event(event) if number % 2 else to_structured_event(event)
        headers = {**message.headers, "Authorization": f"Bearer {write_key}"}
        while not is_taken(f"{address}/events", message.body, headers):
            time.sleep(RETRY_S)

    send_all(n_events, send)


def is_taken(url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, dict(headers))) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


if __name__ == "__main__":
    {"segment": segment, "posthog": posthog, "cloudevents": cloudevents}[sys.argv[1]](
        sys.argv[2], sys.argv[3], int(sys.argv[4])
    )
