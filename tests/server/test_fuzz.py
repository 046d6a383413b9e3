"""Any bytes, any JSON, any headers: never a 5xx, never a traceback, and every item is an event or refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.memory_log import NOW_US, Service, serving
from truenorth.server.ingest.canonical import MAX_NAME
from truenorth.server.ingest.mapping_file import parse_mapping
from truenorth.server.ingest.times import EARLIEST_US, LATEST_US
from truenorth.server.ingest.webhook import Hook

HOOK = Hook(parse_mapping("truenorth: 1\nhook: any\nfields: {type: $.type, id: $.id, time: $.time, text: '$..text'}"))
PATHS = ("/v1/batch", "/v1/track", "/v1/a", "/batch/", "/e/", "/i/v1/analytics/events", "/events", "/hooks/any")
WORDS = (
    "batch",
    "type",
    "event",
    "messageId",
    "userId",
    "anonymousId",
    "previousId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "properties",
    "context",
    "traits",
    "uuid",
    "distinct_id",
    "$anon_distinct_id",
    "alias",
    "sent_at",
    "offset",
    "options",
    "$lib",
    "specversion",
    "id",
    "source",
    "subject",
    "time",
    "data",
    "data_base64",
    "case",
    "actor",
    "team",
    "channel",
    "cost",
    "revenue",
    "feeling",
    "text",
    "customer",
    "writeKey",
    "token",
    "name",
    "category",
    "received",
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [*WORDS, "track", "page", "$identify", "$create_alias", "1.0", "2026-01-05", "9999-12-31T23:59:59-14"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner),
    max_leaves=15,
)
items = st.dictionaries(st.sampled_from(WORDS), values, max_size=8) | values
bodies = values | st.lists(items, max_size=5) | st.fixed_dictionaries({"batch": st.lists(items, max_size=5)})


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def service(loop: asyncio.AbstractEventLoop) -> Iterator[Service]:
    stack = AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(serving(hooks={"any": HOOK})))
    loop.run_until_complete(stack.aclose())


def send(
    loop: asyncio.AbstractEventLoop, service: Service, path: str, content: bytes, headers: dict[str, str]
) -> tuple[int, int]:
    """Status, and how many events and refused items came to the log."""
    n_before = service.log.n_arrived
    request = service.client.post(path, content=content, headers={"X-Write-Key": "WRITEKEY", **headers})
    answer = loop.run_until_complete(request)
    json.loads(answer.content)
    return answer.status_code, service.log.n_arrived - n_before


FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize("path", PATHS)
@given(body=bodies)
@FUZZ
def test_any_json(path: str, body: Any, loop: asyncio.AbstractEventLoop, service: Service) -> None:
    status, n_items = send(loop, service, path, json.dumps(body).encode(), {})
    assert (status, n_items) == (200, n_expected(path, body))
    check_events(service)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@given(body=bodies)
@settings(FUZZ, max_examples=1_000)
def test_any_json_for_long(path: str, body: Any, loop: asyncio.AbstractEventLoop, service: Service) -> None:
    status, n_items = send(loop, service, path, json.dumps(body).encode(), {})
    assert (status, n_items) == (200, n_expected(path, body))
    check_events(service)


def n_expected(path: str, body: Any) -> int:
    takes_batches = path not in ("/events", "/hooks/any")
    if takes_batches and isinstance(body, dict) and isinstance(body.get("batch"), list):
        return len(body["batch"])
    return len(body) if isinstance(body, list) else 1


def check_events(service: Service) -> None:
    """What any store may rely on."""
    for event in service.log.events[-5:]:
        rest = msgspec.json.decode(event.properties)
        assert isinstance(rest, dict)
        msgspec.json.encode(rest)
        assert EARLIEST_US <= event.time_us < LATEST_US or event.time_us == NOW_US
        assert event.type
        assert event.id
        for name in (event.id, event.type, event.customer, event.case, event.actor, event.team, event.channel):
            assert name is None or (0 < len(name) <= MAX_NAME and "\0" not in name)
            assert name is None or name.encode()
        for number in (event.cost, event.revenue, event.feeling):
            assert number is None or abs(number) < 1e300
        assert (event.other_id is None) == (event.other_kind is None)
        assert event.other_id is None or event.customer not in (None, event.other_id)


@pytest.mark.parametrize("path", PATHS)
@given(
    content=st.binary(max_size=60)
    | st.sampled_from([b"\x1f\x8b", b"\x78\x9c", b"\x28\xb5\x2f\xfd", b"data=", b"[", b"{"]).flatmap(
        lambda start: st.binary(max_size=40).map(lambda rest: start + rest)
    ),
    headers=st.dictionaries(
        st.sampled_from(
            ["ce-id", "ce-type", "ce-specversion", "ce-time", "ce-subject", "content-encoding", "authorization",
             "posthog-sdk-info", "posthog-request-timestamp"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
        max_size=4,
    ),
)  # fmt: skip
@FUZZ
def test_any_bytes(
    path: str, content: bytes, headers: dict[str, str], loop: asyncio.AbstractEventLoop, service: Service
) -> None:
    status, n_items = send(loop, service, path, content, headers)
    assert status in (200, 400)
    assert n_items > 0 or status == 400 or content.strip() in (b"[]", b'{"batch":[]}')
    check_events(service)


@given(
    headers=st.dictionaries(
        st.sampled_from(["authorization", "x-write-key", "origin", "content-type"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    ),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=20),
)
@FUZZ
def test_no_key_is_found_by_chance(
    headers: dict[str, str], query: str, loop: asyncio.AbstractEventLoop, service: Service
) -> None:
    raw = [(name, value.encode("latin-1")) for name, value in headers.items()]
    request = service.client.post(f"/v1/track?{query}", content=b"{}", headers=raw)
    assert loop.run_until_complete(request).status_code == 401
