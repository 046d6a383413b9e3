"""Whatever comes in over a socket: the service stays alive, answers within a second, and keeps its memory."""

from __future__ import annotations

import json
import logging
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event as Flag
from threading import Thread
from typing import NamedTuple

import numpy as np
import pytest

from process.service_process import Secrets, ServiceProcess, prepared, within
from process.test_crash import primed
from process.traffic import JOURNEY, primer
from truenorth.server.connections import HEAD_S

LOG = logging.getLogger(__name__)
"""Figures for docs/live.md: `pytest --log-cli-level=INFO`."""
HEALTHY_S = 5.0
"""Far below a second where nothing else runs (docs/live.md); this machine may be busy with other tests."""
MORE_MB = 60
"""So much may the process grow by."""
N_CONNECTIONS = 1_000
FEW_FILES = 256
PIECE = b"x" * 65_536
ENDLESS_BYTES = 200_000_000
"""What a sender without end sends unless somebody closes."""


class Target(NamedTuple):
    service: ServiceProcess
    secrets: Secrets

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.service.port), timeout=5)

    def head(self, *more: bytes) -> bytes:
        """The beginning of a request that has a key."""
        return b"\r\n".join(
            (b"POST /v1/batch HTTP/1.1", b"Host: x", b"X-Write-Key: %b" % self.secrets.write_key.encode(), *more, b"")
        )


@contextmanager
def few_files() -> Iterator[None]:
    """The limit that processes begin with on many systems."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FEW_FILES, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("garbage")
    url = f"sqlite:///{folder}/truenorth.db"
    secrets = prepared(url, JOURNEY)
    with ExitStack() as stack:
        with few_files():
            service = stack.enter_context(ServiceProcess(url, folder / "service.log", secrets.token))
        primed(service, secrets)
        yield Target(service, secrets)
        events = (json.loads(line)["event"] for line in (folder / "service.log").read_text().splitlines())
        assert "failed" not in set(events)


@contextmanager
def stays_well(target: Target) -> Iterator[None]:
    """It answers all the time, takes an event in the end, and has not grown."""
    waits_s: list[float] = []
    stopped = Flag()

    def watch() -> None:
        while not waits_s or not stopped.wait(0.05):
            began_s = time.monotonic()
            is_alive = target.service.ask("/healthz", timeout_s=10).status == 200
            waits_s.append(time.monotonic() - began_s if is_alive else 99)

    before_mb = target.service.rss_mb()
    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
        time.sleep(0.2)
        more_mb = target.service.rss_mb() - before_mb
    finally:
        stopped.set()
        watcher.join()
    body = json.dumps({"batch": [primer()]}).encode()
    assert target.service.ask("/v1/batch", body, {"X-Write-Key": target.secrets.write_key}).status == 200
    LOG.info("slowest answer %.3f s, memory %+.1f MB", max(waits_s), more_mb)
    assert max(waits_s) < HEALTHY_S
    assert more_mb < MORE_MB


def test_random_bytes(target: Target) -> None:
    rng = np.random.default_rng(1)
    with stays_well(target):
        for n in range(300):
            beginning = (b"", b"GET / HTTP/1.1\r\n", target.head(), target.head(b"Content-Length: 100", b""))[n % 4]
            with target.connected() as one, suppress(OSError):
                one.sendall(beginning + rng.bytes(int(rng.integers(1, 20_000))))


def send_without_end(one: socket.socket, piece: bytes) -> int:
    """How many bytes were sent before the other side closed."""
    n_sent = 0
    with suppress(OSError):
        while n_sent < ENDLESS_BYTES:
            one.sendall(piece)
            n_sent += len(piece)
    return n_sent


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"GET /", PIECE),
        (b"GET / HTTP/1.1\r\nX-", PIECE),
        (b"GET / HTTP/1.1\r\nX-Long: ", PIECE),
        (b"GET / HTTP/1.1\r\n", b"X-Many: 1\r\n" * 5_000),
        (b"POST /v1/batch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", PIECE),
        (b"POST /v1/batch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: 1\r\n" * 5_000),
    ],
    ids=["path", "name", "value", "headers", "chunk extension", "trailers"],
)
def test_heads_without_end(beginning: bytes, piece: bytes, target: Target) -> None:
    with stays_well(target), target.connected() as one:
        one.sendall(beginning)
        assert send_without_end(one, piece) < ENDLESS_BYTES


def test_bodies_without_end(target: Target) -> None:
    with stays_well(target):
        for framing, piece in (
            (b"Content-Length: 999999999", PIECE),
            (b"Transfer-Encoding: chunked", b"10000\r\n%b\r\n" % PIECE),
        ):
            with target.connected() as one:
                one.sendall(target.head(framing, b""))
                send_without_end(one, piece)


def is_closed(one: socket.socket) -> bool:
    """Whether the other side has closed; what it has said before does not matter."""
    one.setblocking(False)
    try:
        return not one.recv(65_536)
    except BlockingIOError:
        return False
    except OSError:
        return True


BEGINNINGS = (b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nX-One: 1\r\n", b"GET /healthz HTTP/1.1\r\nX-Slow: ")


def test_a_thousand_connections_that_say_nothing_or_little(target: Target) -> None:
    """They end after a while; a byte now and then does not keep them."""
    with stays_well(target), ExitStack() as stack:
        many = [stack.enter_context(target.connected()) for _ in range(N_CONNECTIONS)]
        for n, one in enumerate(many):
            one.sendall(BEGINNINGS[n % 4])

        def drip() -> bool:
            for slow in many[3::4]:
                with suppress(OSError):
                    slow.send(b"x")
            return all(is_closed(one) for one in many)

        assert not drip()
        within(2 * HEAD_S, drip, "end of all connections")


def test_a_thousand_connections_that_work(target: Target) -> None:
    body = json.dumps({"batch": [primer()]}).encode()
    with stays_well(target), ExitStack() as stack:
        many = [stack.enter_context(target.connected()) for _ in range(N_CONNECTIONS)]
        for one in many:
            one.sendall(target.head(b"Content-Length: %d" % len(body), b"") + body)
        answers = [one.recv(65_536) for one in many]
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}
