"""A service in a process of its own, seen from outside only: started, killed, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from truenorth.server.runner import now_us
from truenorth.store.opening import open_store

SCRIPT = Path(__file__).with_name("serve.py")
START_S = 60
"""The longest start."""
LATENESS = "1s"


class Answer(NamedTuple):
    status: int
    body: Any


class Secrets(NamedTuple):
    """A write key and an administrator's token."""

    write_key: str
    token: str


def prepared(url: str, journey: str) -> Secrets:
    """A store with a live journey, a write key and a token, before any service runs on it."""
    with open_store(url) as store:
        store.journeys.publish(json.loads(journey)["journey"], journey, now_us=now_us())
        key = store.access.add_write_key("shop", now_us=now_us())
        return Secrets(key, store.access.add_token("test", "admin", now_us=now_us()))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def within(seconds: float, holds: Callable[[], Any], what: str = "what is waited for") -> Any:
    """The first true answer; a failure after some seconds without one."""
    until_s = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until_s, f"no {what} within {seconds} s"
        time.sleep(0.05)
    return found


class ServiceProcess:
    """One process; started as often as one likes, always on the same port."""

    def __init__(self, url: str, log: Path, token: str, **settings: Any) -> None:
        self.url, self.log, self.token = url, log, token
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.settings = {"lateness": LATENESS, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ServiceProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *, wait: bool = True) -> None:
        """Start the process; return when it is alive."""
        command = [sys.executable, "-W", "error", str(SCRIPT), self.url, str(self.port), json.dumps(self.settings)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        if wait:
            within(START_S, self.is_alive, f"service; its log is {self.log}")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it, at once by default, and the runner beside it; its end is awaited."""
        if self._process is not None:
            if how == signal.SIGKILL:
                os.killpg(self._process.pid, how)
            else:
                self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """Have it end as it should."""
        self.kill(signal.SIGTERM)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def rss_mb(self) -> float:
        """Memory of the process in MB."""
        return float(psutil.Process(self.pid).memory_info().rss / 1e6)

    def is_alive(self) -> bool:
        assert self._process is None or self._process.poll() is None, f"the service has ended: see {self.log}"
        return self.ask("/healthz", timeout_s=1.0).status == 200

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str | None = None,
        timeout_s: float = 30.0,
    ) -> Answer:
        """One request of an administrator; status 0 where there is no answer."""
        given = {"Authorization": f"Bearer {self.token}"} if headers is None else dict(headers)
        request = urllib.request.Request(f"{self.address}{path}", body, given, method=method)
        try:
            with _answer(request, timeout_s) as answer:
                return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):  # also one that breaks off, as where the service is killed
            return Answer(0, b"")

    def gauges(self) -> dict[str, float]:
        """The metrics without labels; none where there is no answer."""
        answer = self.ask("/metrics", timeout_s=5.0)
        lines = answer.body.decode().splitlines() if answer.status == 200 else []
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    def leads(self) -> bool:
        """Whether this process has the runner."""
        return "truenorth_runner_position" in self.gauges()

    def is_through(self, instant_us: int) -> bool:
        """Whether everything was taken, and the watermark has passed an instant."""
        gauges = self.gauges()
        if "truenorth_watermark_age_seconds" not in gauges:
            return False
        watermark_us = now_us() - gauges["truenorth_watermark_age_seconds"] * 1e6
        return gauges["truenorth_runner_lag_positions"] == 0 and watermark_us > instant_us + 200_000


def _answer(request: urllib.request.Request, timeout_s: float) -> Any:
    """What is answered, whatever its status."""
    try:
        return urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        return error
