"""Official Python clients, unmodified, against a real server that fails first: everything arrives, once."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvicorn
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from posthog import Posthog
from segment.analytics.client import Client
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.memory_log import KEYS, NOW_US, MemoryLog
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.limits import Limits
from truenorth.server.writer import LogWriter

LOST = 0
"""The request is handled, but its answer is lost: the client sees a 502."""


class Faulty:
    """Answers the first POSTs with faults: 429 and 500 before anything is read, or after everything was kept."""

    def __init__(self, app: ASGIApp, faults: list[int]) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_delivery = scope["type"] == "http" and scope["method"] == "POST" and not scope["path"].startswith("/flags")
        if not is_delivery or not self.faults:
            await self.app(scope, receive, send)
            return
        status = self.faults.pop(0)
        if status == LOST:
            await self.app(scope, receive, _nowhere)
        else:
            while (await receive()).get("more_body"):
                pass
        await send({"type": "http.response.start", "status": status or 502, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def _nowhere(message: Message) -> None:
    del message


@contextmanager
def served(faults: list[int]) -> Iterator[tuple[str, MemoryLog]]:
    """A server on a free port of this machine: its address and its log."""
    log = MemoryLog()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await writer.start()
        yield
        await writer.stop()

    writer = LogWriter(log, Limits())
    app = Starlette(routes=ingest_routes(writer, KEYS, lambda: NOW_US, Limits()), lifespan=lifespan)
    config = uvicorn.Config(Faulty(app, faults), host="127.0.0.1", port=0, log_config=None, ws="none", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", log
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("faults", [[500, 429], [LOST]], ids=["fails first", "answer lost"])
def test_segment(faults: list[int], gzip: bool) -> None:
    errors: list[Any] = []
    with served(list(faults)) as (address, log):
        client = Client("WRITEKEY", host=address, gzip=gzip, on_error=lambda *error: errors.append(error))
        for number in range(30):
            client.track(f"u{number}", "Order Completed", {"revenue": number, "case": f"o{number}"})
        client.identify("u1", {"plan": "gold"})
        client.alias("anonymous", "u1")
        client.flush()
        client.join()
    assert errors == []
    orders = [event for event in log.events if event.type == "Order Completed"]
    assert [(event.customer, event.case, event.revenue) for event in orders] == [
        (f"u{number}", f"o{number}", float(number)) for number in range(30)
    ]
    assert len(log.events) == 32
    assert log.reasons == []


@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize("faults", [[500], [LOST]], ids=["fails first", "answer lost"])
def test_posthog(faults: list[int], mode: str) -> None:
    errors: list[Any] = []
    with served(list(faults)) as (address, log):
        client = Posthog("WRITEKEY", host=address, on_error=lambda *error: errors.append(error), capture_mode=mode)
        for number in range(30):
            client.capture("Order Completed", distinct_id=f"u{number}", properties={"revenue": number})
        client.alias("anonymous", "u1")
        assert client.evaluate_flags("u1").get_flag("any") is None
        client.shutdown()
    assert errors == []
    orders = [event for event in log.events if event.type == "Order Completed"]
    assert [(event.customer, event.revenue) for event in orders] == [(f"u{n}", float(n)) for n in range(30)]
    (alias,) = (event for event in log.events if event.type == "$create_alias")
    assert (alias.customer, alias.other_id) == ("u1", "anonymous")
    assert log.reasons == []


@pytest.mark.parametrize("write", [to_binary_event, to_structured_event])
def test_cloudevents(write: Any) -> None:
    attributes = {"id": "1", "type": "Paid", "source": "/shop", "subject": "u1", "specversion": "1.0"}
    message = write(CloudEvent(attributes, {"revenue": 5, "order_id": "o1"}))
    with served([]) as (address, log):
        for _ in range(2):
            headers = {**message.headers, "Authorization": "Bearer WRITEKEY"}
            request = urllib.request.Request(f"{address}/events", message.body, headers)
            with urllib.request.urlopen(request) as answer:
                assert (answer.status, json.load(answer)) == (200, {"success": True})
    (event,) = log.events
    assert (event.source, event.type, event.customer, event.revenue) == ("shop:/shop", "Paid", "u1", 5.0)


def test_a_body_too_large_is_told_so_over_a_real_connection() -> None:
    """The answer comes although nobody reads the body, and the connection goes on."""
    with served([]) as (address, _):
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        for content in (b" " * 10_000_001, b'{"writeKey": "WRITEKEY", "batch": []}'):
            connection.request("POST", "/v1/batch", content)
            answer = connection.getresponse()
            assert answer.status == (413 if len(content) > 1_000 else 200)
            answer.read()
        connection.close()
