"""The rules of HTTP that clients depend on: keys, wrappings, answers, bounds."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import zstandard
from starlette.applications import Starlette

from server.memory_log import MemoryLog, Service, talk
from truenorth.events import Event
from truenorth.server.ingest.payload import TooLarge, unpack
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.keys import KEY_WORDS, MOST_REMEMBERED, RememberedKeys
from truenorth.server.limits import Limits
from truenorth.server.writer import LogWriter

TRACK = {"type": "track", "event": "Paid", "messageId": "m1", "userId": "u1", "timestamp": "2026-01-05T09:00:00Z"}
BATCH = {"batch": [TRACK], "writeKey": "WRITEKEY"}
CAPTURE = {"event": "Paid", "uuid": "m1", "distinct_id": "u1", "timestamp": "2026-01-05T09:00:00Z"}
POSTHOG = {"batch": [CAPTURE], "api_key": "WRITEKEY"}


def post(
    path: str, content: Any, *, limits: Limits | None = None, **options: Any
) -> tuple[httpx.Response, list[Event]]:
    content = json.dumps(content) if isinstance(content, dict | list) else content

    async def conversation(service: Service) -> tuple[httpx.Response, list[Event]]:
        return await service.client.post(path, content=content, **options), service.log.events

    return talk(conversation, limits=limits)


# ---- keys


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": "Basic " + b64encode(b"WRITEKEY:").decode()}, ""),
        ({"Authorization": "basic " + b64encode(b"WRITEKEY:password").decode()}, ""),
        ({"Authorization": "Bearer WRITEKEY"}, ""),
        ({"X-Write-Key": "WRITEKEY"}, ""),
        ({"X-Write-Key": "WRITEKEY", "Authorization": "Basic !"}, ""),
        ({}, "?writeKey=WRITEKEY"),
        ({}, "?api_key=WRITEKEY"),
    ],
)
def test_a_key_may_stand_outside_the_body(headers: dict[str, str], query: str) -> None:
    answer, events = post(f"/v1/track{query}", TRACK, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [(event.source, event.id) for event in events] == [("shop", "m1")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", {**TRACK, "writeKey": "WRITEKEY"}),
        ("/v1/batch", BATCH),
        ("/v1/batch", {"batch": [{**TRACK, "writeKey": "WRITEKEY"}]}),
        ("/batch/", POSTHOG),
        ("/e/", {**CAPTURE, "token": "WRITEKEY"}),
        ("/e/", [{**CAPTURE, "properties": {"distinct_id": "u1", "token": "WRITEKEY"}}]),
        *((path, {**TRACK, "id": "m1", word: "WRITEKEY"}) for word in KEY_WORDS for path in ("/v1/track", "/events")),
        *(("/capture/", {**CAPTURE, word: "WRITEKEY"}) for word in KEY_WORDS),
    ],
)
def test_a_key_may_stand_in_the_body(path: str, body: Any) -> None:
    answer, events = post(path, body)
    assert answer.status_code == 200
    assert len(events) == 1
    assert "WRITEKEY" not in str(events)


@pytest.mark.parametrize("key", ["", "writekey", "WRITEKEY ", "ключ", "\x00"])
@pytest.mark.parametrize("path", ["/v1/batch", "/batch/", "/events", "/flags/"])
def test_an_unknown_key_gets_nowhere(path: str, key: str) -> None:
    answer, events = post(path, {"batch": [TRACK], "writeKey": key})
    assert (answer.status_code, events) == (401, [])
    assert answer.json()["code"] == "unknown_key"
    assert not key.strip() or key not in answer.text


def test_an_unknown_key_in_a_header_is_not_saved_by_the_body() -> None:
    answer, events = post("/v1/batch", BATCH, headers={"X-Write-Key": "other"})
    assert (answer.status_code, events) == (401, [])


def test_a_revoked_key_is_refused_within_five_seconds() -> None:
    class Revocable:
        source: str | None = "shop"
        n_asked = 0

        def source_of(self, secret: str) -> str | None:
            self.n_asked += 1
            return self.source

    inner, now = Revocable(), [0]
    keys = RememberedKeys(inner, lambda: now[0])
    assert [keys.source_of("a") for _ in range(9)] == ["shop"] * 9
    inner.source = None
    now[0] += 4_999_999
    assert (keys.source_of("a"), inner.n_asked) == ("shop", 1)
    now[0] += 1
    assert (keys.source_of("a"), keys.source_of("a"), inner.n_asked) == (None, None, 2)
    for number in range(2 * MOST_REMEMBERED):
        keys.source_of(str(number))
    assert len(keys._known) <= MOST_REMEMBERED


def test_keys_that_cannot_be_looked_up_are_a_reason_to_try_again(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def source_of(self, secret: str) -> str | None:
            raise OSError(f"no connection to look up {secret}")

    async def conversation() -> None:
        writer = LogWriter(MemoryLog(), Limits())
        app = Starlette(routes=ingest_routes(writer, Broken(), lambda: 0, Limits()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            for headers in ({"X-Write-Key": "WRITEKEY"}, {}):
                answer = await client.post("/v1/batch", json=BATCH, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (503, "no_keys")
                assert "retry-after" in answer.headers

    asyncio.run(conversation())
    assert "OSError" in caplog.text
    assert "WRITEKEY" not in caplog.text


# ---- wrappings


def wrapped(kind: str) -> tuple[bytes, dict[str, str]]:
    text = json.dumps(POSTHOG).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    base64 = b64encode(text).decode()
    return {
        "plain": (text, {"Content-Type": "text/plain"}),
        "no type": (text, {}),
        "byte order mark": (b"\xef\xbb\xbf" + text, {}),
        "gzip": (gzip.compress(text), {"Content-Encoding": "gzip"}),
        "silent gzip": (gzip.compress(text), {"Content-Type": "text/plain"}),
        "gzip that says form": (gzip.compress(text), form),
        "two gzip streams": (gzip.compress(text[:20]) + gzip.compress(text[20:]), {}),
        "gzip twice": (gzip.compress(gzip.compress(text)), {}),
        "zlib": (zlib.compress(text), {"Content-Encoding": "deflate"}),
        "zstd": (zstandard.compress(text), {"Content-Encoding": "zstd"}),
        "form": (b"data=" + quote(text).encode(), form),
        "form of base64": (urlencode({"data": base64, "ver": "1"}).encode(), form),
        "form of careless base64": (f"data={base64}".encode(), form),
        "form of base64 of gzip": (b"data=" + quote(b64encode(gzip.compress(text))).encode(), form),
        "encoding that is not true": (text, {"Content-Encoding": "gzip"}),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "plain", "no type", "byte order mark", "gzip", "silent gzip", "gzip that says form", "two gzip streams",
        "gzip twice", "zlib", "zstd", "form", "form of base64", "form of careless base64", "form of base64 of gzip",
        "encoding that is not true",
    ],
)  # fmt: skip
def test_a_body_is_what_its_bytes_say(kind: str) -> None:
    content, headers = wrapped(kind)
    answer, events = post("/batch/", content, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"status": 1})
    assert [event.id for event in events] == ["m1"]


@pytest.mark.parametrize("said", [b'"\\ud83d"', b'"\xff"', b"NaN", b"-Infinity", b"1e999", b"9" * 5_000])
def test_json_as_clients_write_it(said: bytes) -> None:
    text = json.dumps(BATCH).encode().replace(b'"u1"', b'"u1", "context": {"said": ' + said + b"}")
    answer, events = post("/v1/batch", text)
    assert answer.status_code == 200
    rest = json.loads(events[0].properties)
    assert rest["context"]["said"] in (None, "\ufffd")


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/batch/", "/e/", "/events", "/flags/"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"hello",
        b"{",
        b'{"a": 1}x',
        b"\x1f\x8b\x00",
        gzip.compress(b"{}", mtime=0)[:-6],
        b"data=%7B",
        b"[" * 50_000,
    ],
)
def test_no_json_is_a_400_that_says_so(path: str, content: bytes) -> None:
    answer, events = post(path, content, headers={"X-Write-Key": "WRITEKEY"})
    assert (answer.status_code, events) == (400, [])
    assert answer.json()["message"].startswith("expected a body of JSON")


def test_chunks_are_put_together() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in json.dumps(BATCH).encode():
            yield bytes([byte])

    answer, events = post("/v1/batch", chunks())
    assert (answer.status_code, len(events)) == (200, 1)


# ---- answers


def test_a_refused_event_is_told_and_does_not_spoil_the_rest() -> None:
    answer, events = post("/v1/batch", {"batch": [{"type": "track"}, TRACK, 7], "writeKey": "WRITEKEY"})
    assert answer.status_code == 200
    assert len(events) == 1
    assert answer.json() == {
        "success": True,
        "n_refused": 2,
        "refused": [
            "$.batch[0].event: expected a text of 1 to 500 characters, found nothing",
            "$.batch[2]: expected an object, found 7",
        ],
    }


def test_capture_v1_gets_a_result_for_each_event() -> None:
    body = {"batch": [CAPTURE, {"uuid": "m2", "event": ""}]}
    answer, events = post("/i/v1/analytics/events", body, headers={"Authorization": "Bearer WRITEKEY"})
    assert len(events) == 1
    results = answer.json()["results"]
    assert {uuid: result["result"] for uuid, result in results.items()} == {"m1": "ok", "m2": "drop"}


@pytest.mark.parametrize("body", [{"batch": True}, [CAPTURE], 7, {"batch": [7, {"uuid": [], "event": "e"}]}])
def test_capture_v1_has_an_answer_to_any_shape(body: Any) -> None:
    answer, _ = post("/i/v1/analytics/events", json.dumps(body), headers={"Authorization": "Bearer WRITEKEY"})
    assert (answer.status_code, set(answer.json()) >= {"results"}) == (200, True)


@pytest.mark.parametrize("path", ["/flags/?v=4", "/decide/?v=3"])
def test_flags_are_answered_so_that_clients_go_on(path: str) -> None:
    answer, events = post(path, {"api_key": "WRITEKEY", "distinct_id": "u1"})
    assert (answer.status_code, answer.json()["featureFlags"], events) == (200, {}, [])


def test_settings_name_this_service_as_the_only_destination() -> None:
    async def conversation(service: Service) -> None:
        answer = await service.client.get("/v1/projects/WRITEKEY/settings")
        assert answer.json()["integrations"]["Segment.io"]["apiHost"] == "service/v1"
        assert (await service.client.get("/v1/projects/other/settings")).status_code == 401
        assert (await service.client.get("/array/WRITEKEY/config")).json()["sessionRecording"] is False
        assert (await service.client.get("/array/other/config")).status_code == 401
        answer = await service.client.get("/sourceConfig/?writeKey=WRITEKEY")
        assert (answer.json()["source"]["enabled"], answer.json()["source"]["destinations"]) == (True, [])
        assert (await service.client.get("/sourceConfig/?writeKey=other")).status_code == 401

    talk(conversation)


def test_browsers_may_send_from_anywhere() -> None:
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    beacon = {"Origin": "https://shop.example", "Content-Type": "text/plain"}

    async def conversation(service: Service) -> None:
        for path in ("/v1/t", "/batch/", "/e/", "/events", "/flags/", "/api/s/track", "/beacon/v1/batch"):
            asked = await service.client.options(
                path, headers={**asks, "Access-Control-Request-Headers": "x-write-key"}
            )
            assert asked.status_code == 200
            assert asked.headers["access-control-allow-origin"] == "https://shop.example"
            assert asked.headers["access-control-allow-headers"] == "x-write-key"
        answer = await service.client.post("/v1/t?writeKey=WRITEKEY", content=json.dumps(TRACK), headers=beacon)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-allow-credentials"] == "true"

    talk(conversation)


# ---- bounds


def test_a_bomb_is_turned_away_before_it_is_unpacked() -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    assert len(bomb) < 50_000
    for content in (bomb, gzip.compress(bomb), zlib.compress(b"0" * 30_000_000), zstandard.compress(b"0" * 30_000_000)):
        answer, events = post("/v1/batch", content)
        assert (answer.status_code, events) == (413, [])


def test_unpacking_never_holds_much_more_than_the_limit() -> None:
    bombs = [pack(b"0" * 100_000_000) for pack in (gzip.compress, zlib.compress, zstandard.compress)]
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(TooLarge):
            unpack(bomb, 1_000_000)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 5_000_000


def test_many_small_gzip_streams_are_no_way_to_keep_the_service_busy() -> None:
    answer, _ = post("/v1/batch", gzip.compress(b"") * 10_000)
    assert answer.status_code == 400


def test_an_announced_size_is_enough_to_be_turned_away() -> None:
    n_read = 0

    async def never_read() -> AsyncIterator[bytes]:
        nonlocal n_read
        n_read += 1
        yield b"{}"

    answer, _ = post("/v1/batch", never_read(), headers={"Content-Length": "10000001"})
    assert (answer.status_code, n_read) == (413, 0)


def test_an_endless_body_is_not_read_to_its_end() -> None:
    n_read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal n_read
        while True:
            n_read += 1
            yield b" " * 1_000

    answer, _ = post("/v1/batch", endless(), limits=Limits(body_bytes=5_000))
    assert answer.status_code == 413
    assert n_read <= 7


def test_a_slow_body_is_given_up() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)

    answer, _ = post("/v1/batch", slow(), limits=Limits(body_seconds=0.05))
    assert (answer.status_code, answer.json()["code"]) == (408, "too_slow")


def test_bodies_that_wait_for_their_answer_have_a_bound() -> None:
    log = MemoryLog()
    log.gate.clear()
    pad = " " * 600

    async def conversation(service: Service) -> None:
        first = asyncio.create_task(service.client.post("/v1/batch", content=json.dumps(BATCH) + pad))
        while not service.writer.n_waiting:
            await asyncio.sleep(0)
        second = await service.client.post("/v1/batch", content=json.dumps(BATCH) + pad)
        assert (second.status_code, second.headers["retry-after"]) == (429, "1")
        browser = await service.client.post("/e/", content=json.dumps(BATCH) + pad)
        assert (browser.status_code, browser.headers["retry-after"]) == (503, "1")  # PostHog's drops what is 429
        log.gate.set()
        assert (await first).status_code == 200
        assert (await service.client.post("/v1/batch", content=json.dumps(BATCH) + pad)).status_code == 200

    talk(conversation, log=log, limits=Limits(held_bytes=1_000))


@pytest.mark.parametrize(("path", "body"), [("/v1/batch", {"batch": [{}] * 11}), ("/events", [{}] * 11)])
def test_a_body_has_a_bound_of_events(path: str, body: Any) -> None:
    answer, _ = post(path, body, headers={"X-Write-Key": "WRITEKEY"}, limits=Limits(body_items=10))
    assert (answer.status_code, "10 events" in answer.text) == (413, True)


def test_a_large_body_is_read_like_a_small_one() -> None:
    batch = [{**TRACK, "messageId": str(index), "properties": {"pad": "x" * 200}} for index in range(1_000)]
    answer, events = post("/v1/batch", {"batch": batch, "writeKey": "WRITEKEY"})
    assert answer.json() == {"success": True}
    assert len(events) == 1_000


def test_other_methods_and_paths() -> None:
    async def conversation(service: Service) -> None:
        assert (await service.client.get("/v1/track")).status_code == 405
        assert (await service.client.post("/v1/zap")).status_code == 404

    talk(conversation)
