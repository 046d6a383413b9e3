"""A shop that tells what happens as it happens: cases of seconds, several connections, sending again as SDKs do."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any

import numpy as np
import polars as pl

from process.service_process import within
from truenorth.server.runner import now_us

JOURNEY = json.dumps(
    {
        "truenorth": 1,
        "journey": "tea",
        "need": "type = 'asked'",
        "outcome": {
            "achieved": "type = 'served'",
            "failed": "type = 'left'",
            "within": "3s",
            "holds_for": "1s",
            "reopened": "type = 'sent back'",
            "abandoned_after": "2s",
            "value": {"achieved": 5, "failed": -2, "abandoned": -1},
        },
        "moments": "type in ('asked', 'chased', 'served')",
        "decisions": "type = 'taken'",
        "promises": [
            {"name": "taken_soon", "after": "type = 'asked'", "expect": "type = 'taken'", "within": "1s"},
            {"name": "told", "expect": "type in ('told', 'served')", "at_least_every": "2s"},
            {"name": "stays", "after": "type = 'served'", "never": "type = 'sent back'", "within": "1s"},
            {"name": "one_team", "at_most": 1, "of": "handover"},
            {"name": "cheap", "at_most": 2, "total": "cost"},
            {"name": "taken_first", "before": "type = 'served'", "require": "type = 'taken'"},
        ],
    }
)
"""All six kinds of promises, with deadlines of seconds: they fall due while the service runs, and while it is dead."""
LONGEST_US = 3_500_000
"""Nothing falls due later than this after the last event."""
TYPES = ("taken", "told", "chased", "served", "sent back", "left")
WEIGHTS = (0.3, 0.2, 0.15, 0.2, 0.1, 0.05)
N_ACTIVE = 40
"""Cases that are under way at a time."""
GOES_ON = 0.85
"""The probability that a case goes on after an event."""
MOST_OLD_US = 300_000
"""How long before it is told an event has happened."""
ATTEMPT_S = 10
PAUSE_S = 0.05


class Shop:
    """What happens, event by event; the same for the same seed but for the clock. Safe to use from any thread."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._lock = Lock()
        self._n_cases = self._n_events = 0
        self._active: list[str] = []

    def happens(self, n: int) -> list[dict[str, Any]]:
        """The next events, as messages of a Segment batch."""
        with self._lock:
            return [self._message() for _ in range(n)]

    def _message(self) -> dict[str, Any]:
        kind, case = self._move()
        self._n_events += 1
        customer = f"c{int(case[1:]) // 3}"
        age_us = int(self._rng.integers(0, MOST_OLD_US))
        properties: dict[str, Any] = {"case": case, "cost": int(self._rng.integers(0, 5)) / 4}
        if kind in ("taken", "told", "served"):
            properties["team"] = f"team {self._rng.integers(0, 2)}"
        message = {
            "type": "track",
            "event": kind,
            "messageId": f"m{self._n_events}",
            "userId": customer,
            "timestamp": instant(now_us() - age_us),
            "properties": properties,
        }
        if self._rng.random() < 0.2:  # in a browser of their own or of the household
            message["anonymousId"] = f"browser {int(customer[1:]) // 2}"
            if self._rng.random() < 0.5:  # not signed in
                del message["userId"]
        return message

    def _move(self) -> tuple[str, str]:
        if len(self._active) < N_ACTIVE:
            self._n_cases += 1
            self._active.append(f"T{self._n_cases}")
            return "asked", self._active[-1]
        at = int(self._rng.integers(0, len(self._active)))
        case = self._active[at]
        if self._rng.random() > GOES_ON:
            del self._active[at]
        return str(self._rng.choice(TYPES, p=WEIGHTS)), case


def instant(at_us: int) -> str:
    return str(pl.Series([at_us]).cast(pl.Datetime("us", "UTC")).dt.to_string("iso:strict")[0])


def primer() -> dict[str, Any]:
    """An event that shows every column, so that none of them is new later on."""
    properties = {"case": "T0", "cost": 0.25, "team": "team 0"}
    at = instant(now_us())
    return {
        "type": "track",
        "event": "told",
        "messageId": "m0",
        "userId": "c0",
        "timestamp": at,
        "properties": properties,
    }


class Clients:
    """Threads that send what happens, each over a connection of its own, to one of some addresses.

    Every batch is sent until it is acknowledged; but every tenth is given up if its first attempt fails, and every
    tenth is sent twice though it was acknowledged.
    """

    def __init__(
        self, ports: Sequence[int], write_key: str, *, n_events: int, seed: int, batch: int, pause_s: float
    ) -> None:
        self.acknowledged: set[str] = set()
        self.given_up: set[str] = set()
        self.statuses: dict[int, int] = {}
        """How many answers had each status; 0: there was none."""
        self._ports, self._key = ports, write_key
        self._left, self._batch, self._pause_s = n_events, batch, pause_s
        self._shop = Shop(seed)
        self._lock = Lock()
        self._stopped = Flag()

    @contextmanager
    def sending(self, n_connections: int) -> Iterator[Clients]:
        """Send meanwhile; what is left is sent before the block is over."""
        threads = [Thread(target=self._send_all, args=(number,), daemon=True) for number in range(n_connections)]
        for thread in threads:
            thread.start()
        try:
            yield self
            for thread in threads:
                thread.join(120)
                assert not thread.is_alive(), f"events wait to be taken; answers so far: {self.statuses}"
        finally:
            self._stopped.set()

    def wait_for(self, n_events: int) -> None:
        """Wait until so many events are acknowledged or given up."""
        within(120, lambda: len(self.acknowledged) + len(self.given_up) >= n_events, f"answers for {n_events} events")

    def _send_all(self, number: int) -> None:
        with closing(_Connection(self._ports[number % len(self._ports)], self._key)) as connection:
            self._send_over(connection)

    def _send_over(self, connection: _Connection) -> None:
        n_sent = 0
        while not self._stopped.is_set() and (messages := self._next()):
            n_sent += 1
            ids = {message["messageId"] for message in messages}
            body = json.dumps({"batch": messages}).encode()
            if n_sent % 10 == 5 and not self._taken(connection, body):
                self.given_up |= ids
                continue
            while not self._taken(connection, body):
                if self._stopped.wait(PAUSE_S):
                    return
            with self._lock:
                self.acknowledged |= ids
            if n_sent % 10 == 9:
                self._taken(connection, body)
            time.sleep(self._pause_s)

    def _next(self) -> list[dict[str, Any]]:
        with self._lock:
            n = min(self._batch, self._left)
            self._left -= n
            return self._shop.happens(n)

    def _taken(self, connection: _Connection, body: bytes) -> bool:
        status = connection.post(body)
        with self._lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
        return status == 200


class _Connection:
    """A connection that is made anew after it was lost."""

    def __init__(self, port: int, key: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=ATTEMPT_S)
        self._headers = {"X-Write-Key": key}

    def close(self) -> None:
        self._http.close()

    def post(self, body: bytes) -> int:
        """The status of the answer; 0 where there was none."""
        try:
            self._http.request("POST", "/v1/batch", body, self._headers)
            answer = self._http.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._http.close()
            return 0
        return answer.status
