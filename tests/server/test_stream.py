"""The stream of signals as a client sees it, over a socket."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

import httpx
import pytest
import uvicorn

from server.desk import HOUR_US, NOW_US, Desk
from truenorth.events import Event
from truenorth.server.api.bounds import Bounds
from truenorth.server.api.signals import _told
from truenorth.server.broadcast import Broadcast
from truenorth.store.rows import Signal


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    config = uvicorn.Config(desk.app, host="127.0.0.1", port=0, log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        desk.app.state.context.broadcast.close()
        server.should_exit = True
        thread.join()


def heard(address: str, token: str, n: int, **asked: str) -> list[tuple[str, str, str]]:
    """The first events of a stream, as (id, name, data); then the connection is cut."""
    headers = {"Authorization": f"Bearer {token}"}
    if "last_event_id" in asked:
        headers["Last-Event-ID"] = asked.pop("last_event_id")
    events: list[tuple[str, str, str]] = []
    with httpx.stream("GET", f"{address}/api/v1/stream", params=asked, headers=headers, timeout=20) as answer:
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                if "data" in fields:
                    events.append((fields["id"], fields["event"], fields["data"]))
                fields = {}
            if len(events) == n:
                return events
    return events


def test_cut_and_resumed(desk: Desk) -> None:
    signals = desk.store.signals.read(limit=1000)
    with served(desk) as address:
        first = heard(address, desk.tokens["agent"], 5, after="0")
        rest = heard(address, desk.tokens["agent"], len(signals) - 5, last_event_id=first[-1][0])
        while desk.app.state.context.broadcast.n_streams:  # whoever has gone away is noticed
            time.sleep(0.01)
    assert [int(number) for number, _, _ in first + rest] == [one.number for one in signals]
    assert [kind for _, kind, _ in first + rest] == [one.kind for one in signals]
    listed = desk.get("/api/v1/signals", limit=1000)["items"]
    assert [json.loads(data) for _, _, data in first + rest] == listed


def test_what_is_given_while_somebody_listens(desk: Desk) -> None:
    later = Event(
        source="shop", id="new", type="Contact", time_us=NOW_US, received_us=NOW_US, customer="C9", case="T900"
    )
    last = desk.store.signals.last_number()
    with served(desk) as address:
        told: list[tuple[str, str, str]] = []
        listener = threading.Thread(target=lambda: told.extend(heard(address, desk.tokens["agent"], 1, kind="broken")))
        listener.start()
        while not desk.app.state.context.broadcast.n_streams:
            listener.join(0.01)
        desk.judge(later)
        desk.now_us += 5 * HOUR_US
        desk.judge()
        listener.join(20)
    ((number, kind, data),) = told
    assert (int(number) > last, kind, '"case":"T900"' in data) == (True, "broken", True)


@pytest.mark.parametrize(("heartbeat_s", "before", "after"), [(0.0, 11, 2), (1000.0, 1, 0)])
def test_numbers_of_unwanted_signals_are_told_from_time_to_time(heartbeat_s: float, before: int, after: int) -> None:
    kinds = ["kept"] * 10 + ["broken"] + ["kept"] * 2

    def read(begin: int, limit: int) -> list[Signal]:
        return [
            Signal(number=n, journey="j", kind=kind, time_us=0, body=b"{}")
            for n, kind in enumerate(kinds, 1)
            if n > begin
        ]

    async def conversation() -> list[bytes]:
        broadcast = Broadcast(read, lambda: len(kinds), heartbeat_s=1000, waiting=5)
        bounds = Bounds(heartbeat_seconds=heartbeat_s)
        async with aclosing(_told(broadcast, 0, None, "broken", bounds)) as stream, asyncio.timeout(20):
            return [await anext(stream) for _ in range(before + 1 + after)]

    told = asyncio.run(conversation())
    assert told[before].startswith(b"event: broken\n")
    numbers = [int(one.removeprefix(b": nothing new\nid: ")) for one in told[:before] + told[before + 1 :]]
    assert numbers == ([0, *range(1, 11), 12, 13] if after else [0])


def test_a_stream_is_bounded_in_time_and_number(desk: Desk) -> None:
    answer = desk.ask("GET", "/api/v1/stream", headers={"Last-Event-ID": "-1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_last_event_id")
    desk.app.state.context.broadcast.n_streams = 200
    answer = desk.ask("GET", "/api/v1/stream")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "too_many_streams", "10")
