"""What official clients really sent, byte for byte: the right events, once each, whatever the client had to repeat."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from server.memory_log import Service, talk
from truenorth.events import Event

CAPTURES = Path(__file__).parent.parent.parent.parent / "shared" / "captures"
RECORDINGS = sorted(path.stem for path in CAPTURES.glob("*.json"))
NOW_US = 1_795_345_800_000_000
"""2026-11-22 11:10 UTC: within two minutes of every recording."""

if not RECORDINGS:
    pytest.skip("the recordings are not in ../shared/captures", allow_module_level=True)


def requests_of(name: str) -> list[dict[str, Any]]:
    return json.loads((CAPTURES / f"{name}.json").read_text())["requests"]


def items_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a recorded request, as its sender sees them."""
    said = request["json"]
    if request["method"] != "POST" or request["path"].startswith(("/flags", "/decide")):
        return []
    if request["path"].startswith("/events"):
        headers = {name.lower(): value for name, value in request["headers"]}
        if "ce-id" in headers:
            return [{"id": headers["ce-id"], "time": headers.get("ce-time"), "data": said}]
        return said if isinstance(said, list) else [said]
    return said.get("batch", [said])


def id_of(item: dict[str, Any]) -> str:
    return item.get("messageId") or item.get("uuid") or item["id"]


async def replay(service: Service, name: str) -> list[httpx.Response]:
    answers = []
    for request in requests_of(name):
        is_keyless = request["path"].startswith("/events")  # CloudEvents has no place for a key: here it is a header
        headers = [*request["headers"], *([["X-Write-Key", "WRITEKEY"]] if is_keyless else [])]
        answers.append(
            await service.client.request(
                request["method"], request["path"], headers=headers, content=b64decode(request["raw_b64"])
            )
        )
    return answers


def replayed(name: str, *, times: int = 1) -> tuple[list[Event], list[str]]:
    async def conversation(service: Service) -> tuple[list[Event], list[str]]:
        for _ in range(times):
            for answer in await replay(service, name):
                assert answer.status_code == 200, answer.text
                assert answer.headers["content-type"] == "application/json"
                answer.json()
        return service.log.events, service.log.reasons

    return talk(conversation, now_us=lambda: NOW_US)


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_event_is_kept_once_and_none_is_refused(name: str) -> None:
    sent: dict[str, dict[str, Any]] = {}
    for item in (item for request in requests_of(name) for item in items_of(request)):
        sent.setdefault(id_of(item), item)  # analytics.js learns who it is between two attempts; the first one counts
    events, reasons = replayed(name, times=2)
    assert reasons == []
    assert sorted(event.id for event in events) == sorted(sent)
    for event in events:
        msgspec.json.decode(event.properties, type=dict)
        assert event.customer == customer_of(sent[event.id])
        assert event.time_us == pytest.approx(time_us_of(sent[event.id]), abs=130_000_000)


def customer_of(item: dict[str, Any]) -> str | None:
    if item.get("event") == "$create_alias":
        return item["properties"]["alias"]
    return (
        item.get("userId")
        or item.get("anonymousId")
        or item.get("distinct_id")
        or item.get("subject")
        or ("customer/u1" if item["id"].startswith(("ce-1", "f27e")) else None)
    )


def time_us_of(item: dict[str, Any]) -> float:
    said = item.get("timestamp") or item.get("time")
    return datetime.fromisoformat(said).timestamp() * 1e6 if said else NOW_US


def by_type(name: str) -> dict[str, Event]:
    return {event.type: event for event in replayed(name)[0]}


@pytest.mark.parametrize("name", ["py-segment-normal", "py-segment-gzip"])
def test_segment(name: str) -> None:
    events = by_type(name)
    assert set(events) == {"identify", "Order Completed", "page", "screen", "group", "alias", "Page Seen"}
    order = events["Order Completed"]
    assert (order.source, order.id, order.customer) == ("shop", "my-message-id-1", "u1")
    assert (order.other_id, order.other_kind, order.revenue) == ("anon-1", "anonymous", 42.5)
    rest = json.loads(order.properties)
    assert rest["properties"] == {"order_id": "o-1", "currency": "EUR"}
    assert rest["context"]["page"]["url"] == "https://shop.example/order"
    assert json.loads(events["page"].properties)["properties"]["name"] == "Checkout"
    assert (events["alias"].customer, events["alias"].other_id, events["alias"].other_kind) == ("u1", "anon-1", "alias")
    assert events["Page Seen"].customer == "anon-2"
    assert events["Page Seen"].other_id is None


@pytest.mark.parametrize("name", ["py-posthog-normal", "py-posthog-gzip", "py-posthog-v1"])
def test_posthog(name: str) -> None:
    events = by_type(name)
    assert {"Order Completed", "$set", "$groupidentify", "$create_alias", "$pageview", "$exception"} <= set(events)
    assert events["Order Completed"].revenue == 42.5
    alias = events["$create_alias"]
    assert (alias.customer, alias.other_id, alias.other_kind) == ("u1", "anon-1", "alias")


def test_browser() -> None:
    events = by_type("browser-segment")
    page = json.loads(events["page"].properties)
    assert page["properties"]["name"] == "Checkout"
    assert "name" not in page
    assert "WRITEKEY" not in str(events)


def test_jitsu_comes_from_its_own_source() -> None:
    assert {event.source for event in replayed("node-jitsu")[0]} == {"jitsu"}


@pytest.mark.parametrize("name", ["py-cloudevents", "node-cloudevents"])
def test_cloudevents(name: str) -> None:
    events = by_type(name)
    order = events["com.example.order.completed"]
    assert order.source == "shop:/shop/1"
    assert json.loads(order.properties)["properties"]["order_id"] == "o-1"
