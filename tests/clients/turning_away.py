"""A service that is too busy to take anything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from process.service_process import ServiceProcess, within


@contextmanager
def full_queue(service: ServiceProcess, database: Path, write_key: str) -> Iterator[None]:
    """Somebody else holds the database, and a first event waits for it: everybody else is told 429."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("begin immediate")
    body = json.dumps({"event": "first", "userId": "first", "messageId": "first"}).encode()
    first = Thread(target=service.ask, args=("/v1/track", body, {"X-Write-Key": write_key}))
    first.start()
    within(10, lambda: service.gauges().get("truenorth_waiting_events"), "first event in the queue")
    try:
        yield
    finally:
        service.kill()
        first.join()
        other.close()


def n_turned_away(service: ServiceProcess) -> float:
    gauges = service.gauges()
    requests = {name: n for name, n in gauges.items() if name.startswith("truenorth_requests_total")}
    return sum(n for name, n in requests.items() if '"429"' in name or ('"503"' in name and "/e/" in name))
