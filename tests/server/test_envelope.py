"""What goes around every request: headers, ids, logs without secrets, failures without details, bounds."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from server.desk import HOSTILE, PATIENT, Desk
from truenorth.server.api.bounds import Bounds
from truenorth.server.app import make_app
from truenorth.server.ingest_routes import SEGMENT_PREFIXES
from truenorth.server.metrics import Probes
from truenorth.server.rate import Allowance, Rate
from truenorth.spec.problems import Problem
from truenorth.store.opening import open_store
from truenorth.store.ports import StoreFull, StoreUnavailable

SECRET = Problem(path="store", expected="an answer", found="secret words")
PAGES = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/docs",
    "/api/docs/swagger-ui.css",
    "/api/v1/journeys",
    "/api/v1/x",
    "/x",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["admin", None])
def test_headers_of_every_answer(read_desk: Desk, path: str, role: str | None) -> None:
    headers = read_desk.ask("GET", path, role).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert len(headers["x-request-id"]) == 16
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy or "script-src" not in policy


def test_the_documents_need_nothing_from_elsewhere(read_desk: Desk) -> None:
    page = read_desk.ask("GET", "/api/docs", "viewer").text
    assert "http" not in page
    for path in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert f"/api/docs/{path}" in page
        answer = read_desk.ask("GET", f"/api/docs/{path}", "viewer")
        assert (answer.status_code, len(answer.content) > 50) == (200, True)
    assert '"/api/docs/openapi.json"' in read_desk.ask("GET", "/api/docs/start.js", "viewer").text


def test_every_endpoint_is_described_with_an_example(read_desk: Desk) -> None:
    described = read_desk.get("/api/docs/openapi.json", "viewer")
    models = described["components"]["schemas"]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], path
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    assert has_example(content, models), (method, path, status)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert has_example(content, models), (method, path)


def has_example(part: dict[str, Any], models: dict[str, Any]) -> bool:
    """Whether a part of a description shows one, or all that it is made of does."""
    if "example" in part or "examples" in part:
        return True
    if "schema" in part:
        return has_example(part["schema"], models)
    if "$ref" in part:
        return has_example(models[part["$ref"].rsplit("/", 1)[1]], models)
    if "anyOf" in part:  # what may be left out
        return all(has_example(one, models) for one in part["anyOf"] if one.get("type") != "null")
    if part.get("type") == "array":
        return has_example(part["items"], models)
    needed = {name: one for name, one in part.get("properties", {}).items() if one.get("type") != "null"}
    return bool(needed) and all(has_example(one, models) for one in needed.values())


# ---- logs


def test_no_secret_and_no_person_in_the_logs(desk: Desk) -> None:
    with capture_logs() as logs:
        secrets = [
            desk.ask("POST", "/api/v1/tokens", json={"label": "new", "role": "viewer"}).json()["secret"],
            desk.ask("POST", "/api/v1/write-keys", json={"source": "new"}).json()["secret"],
            desk.ask("POST", "/api/v1/webhooks", json={"url": "https://crm.example/hidden"}).json()["secret"],
        ]
        desk.get("/api/v1/customers/C1")
        desk.get("/api/v1/cases/T002", journey="support")
        desk.ask("GET", "/api/v1/cases", params={"journey": "support", "customer": "C5", "token": "tnt_wrong"})
        desk.ask("GET", "/api/v1/journeys", None, headers={"Authorization": "Bearer tnt_unknown"})
        desk.ask("PUT", "/api/v1/journeys/other", content=HOSTILE)
        desk.ask("DELETE", "/api/v1/customers/C1")
        desk.ask("GET", "/v1/projects/tnw_inpath/settings", None)
    text = repr(logs)
    hidden = [
        *secrets,
        *desk.tokens.values(),
        "tnt_",
        "tnw_",
        "whsec_",
        "C1",
        "C5",
        "T002",
        "hidden",
        "script",
        "127.0",
    ]
    assert [word for word in hidden if word in text] == []
    answered = [one for one in logs if one["event"] == "answered"]
    assert {one["route"] for one in answered} >= {"/api/v1/customers/{id:path}", "/api/v1/cases/{case:path}"}
    assert all(
        set(one) == {"event", "log_level", "request", "method", "route", "status", "ms", "who"} for one in answered
    )


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret words"), 500, "failed"),
        (StoreFull(SECRET), 503, "store_unavailable"),
        (StoreUnavailable(SECRET), 503, "store_unavailable"),
    ],
)
def test_a_failure_tells_its_id_and_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(desk.store.pages, "signals", fail)
    with capture_logs() as logs:
        answer = desk.ask("GET", "/api/v1/signals")
    said = answer.json()
    assert (answer.status_code, said["code"], said["request"]) == (status, code, answer.headers["x-request-id"])
    assert "secret words" not in answer.text + repr(logs)
    if status == 500:
        (failed,) = (one for one in logs if one["event"] == "failed")
        assert (failed["request"], failed["error"]) == (said["request"], "RuntimeError")
        assert any("test_envelope.py" in place for place in failed["at"])
    else:
        assert answer.headers["retry-after"] == "10"


def test_a_failure_of_the_door_is_answered_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable(SECRET)

    monkeypatch.setattr(desk.store.access, "token_of", fail)
    answer = Desk(desk.store).ask("GET", "/api/v1/signals", None, headers={"Authorization": "Bearer tnt_x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")


# ---- bounds


def test_a_body_has_a_bound(read_desk: Desk) -> None:
    async def chunks() -> Any:
        for _ in range(60):
            yield b"x" * 10_000

    for content in (b"x" * 600_000, chunks()):
        answer = read_desk.ask("PUT", "/api/v1/journeys/support", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@given(
    gaps_s=st.lists(st.floats(0, 3), max_size=60),
    burst=st.integers(1, 5),
    per_second=st.floats(0.2, 10),
)
def test_never_more_than_the_rate(gaps_s: list[float], burst: int, per_second: float) -> None:
    """Of any stretch of time: at most the burst and what its length gives."""
    now_s = 0.0
    taken_s: list[float] = []
    allowance = Allowance(Rate(per_second, burst), lambda: now_s)
    for gap_s in gaps_s:
        now_s += gap_s
        wait_s = allowance.wait_s("ann")
        if wait_s == 0:
            taken_s.append(now_s)
        else:  # exactly as long as it was told to wait
            now_s += wait_s * 1.001
            assert allowance.wait_s("ann") == 0
            taken_s.append(now_s)
    for first, since_s in enumerate(taken_s):
        for last in range(first, len(taken_s)):
            assert last - first + 1 <= burst + (taken_s[last] - since_s) * per_second + 1e-6


def test_askers_are_counted_apart_and_not_for_ever() -> None:
    allowance = Allowance(Rate(0.001, 1), lambda: 0.0, remembered=2)
    assert [allowance.wait_s(one) > 0 for one in ("a", "a", "b", "c", "b", "a")] == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]


def test_rates_of_tokens_and_addresses(tmp_path: Path) -> None:
    seconds = count(0.0, 0.0)
    bounds = Bounds(per_token=Rate(1, 3), per_address=Rate(1, 5))
    with open_store(f"sqlite:///{tmp_path}/t.db") as store:
        desk = Desk(store, bounds=bounds, elapsed_s=lambda: next(seconds))
        statuses = [desk.ask("GET", "/api/v1/journeys", "viewer").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert desk.ask("GET", "/api/v1/journeys", "agent").status_code == 200
        answer = desk.ask("GET", "/api/v1/journeys", "agent")
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "too_often", "1")
        assert desk.ask("GET", "/healthz", None).status_code == 200


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\u0000"', '"' + "x" * 2_000 + '"', "1e999", "[" * 5_000, "NaN"])
def test_odd_values(read_desk: Desk, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    for path, name in (("tokens", "label"), ("write-keys", "source"), ("webhooks", "url")):
        body = f'{{"{name}": {text}, "role": "viewer"}}'
        assert read_desk.ask("POST", f"/api/v1/{path}", content=body, headers=headers).status_code in {400, 422}
    for odd in ("%ED%A0%80", "%00", "%FF", "%2F..%2F", "x" * 2_000):
        for path in ("cases/{}?journey=support", "journeys/{}", "customers/{}", "summary?journey={}"):
            assert read_desk.ask("GET", "/api/v1/" + path.format(odd)).status_code in {200, 404, 422}


# ---- open


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "127.0.0.1:8080"}, 200),
        ({"Host": "[::1]:8080", "Origin": "http://[::1]:8080", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "evil.example"}, 401),
        ({"Host": "[::1"}, 401),
        ({"Host": "evil.example:8080", "Origin": "http://evil.example:8080"}, 401),
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Authorization": "Bearer tnt_unknown"}, 401),
    ],
)
def test_an_open_service_is_open_to_this_machine_only(read_desk: Desk, headers: dict[str, str], status: int) -> None:
    open_one = Desk(read_desk.store, is_open=True)
    assert open_one.ask("GET", "/api/v1/audit", None, headers=headers).status_code == status


# ---- health


def test_ready_or_not(read_desk: Desk) -> None:
    def ready(**probes: Any) -> tuple[int, dict[str, bool]]:
        answer = Desk(read_desk.store, probes=Probes(**probes)).ask("GET", "/readyz", None)
        return answer.status_code, answer.json()["checks"]

    fine = {"store": True, "queue": True, "watermark": True}
    assert ready() == (200, fine)
    assert ready(is_full=lambda: True) == (503, {**fine, "queue": False})
    now_us = read_desk.now_us
    assert ready(watermark_us=lambda: now_us - 119_000_000) == (200, fine)
    assert ready(watermark_us=lambda: now_us - 121_000_000) == (503, {**fine, "watermark": False})
    assert ready(watermark_us=lambda: 1 / 0) == (503, {**fine, "watermark": False})


def test_not_ready_without_a_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise StoreUnavailable(SECRET)

    monkeypatch.setattr(desk.store.events, "last_position", fail)
    answer = Desk(desk.store).ask("GET", "/readyz", None)
    assert (answer.status_code, answer.json()["checks"]["store"]) == (503, False)
    assert desk.ask("GET", "/healthz", None).json() == {"status": "alive"}


def test_metrics(desk: Desk) -> None:
    probes = Probes(
        waiting_events=lambda: 3,
        runner_position=lambda: 5,
        log_position=lambda: 9,
        watermark_us=lambda: desk.now_us - 2_500_000,
        late_events=lambda: None,
        cases_in_memory=lambda: 1 / 0,
        outbox_waiting=desk.store.outbox.n_pending,
        foreseer_position=lambda: 7,
        foreseer_cases=lambda: None,
        foreseer_overdue_s=lambda: 0.25,
    )
    asked = Desk(desk.store, probes=probes)
    asked.get("/api/v1/customers/C1")
    text = asked.ask("GET", "/metrics", "viewer").text
    for line in (
        'truenorth_requests_total{method="GET",route="/api/v1/customers/{id:path}",status="200"} 1.0',
        "truenorth_waiting_events 3.0",
        "truenorth_runner_lag_positions 4.0",
        "truenorth_watermark_age_seconds 2.5",
        "truenorth_outbox_waiting 0.0",
        "truenorth_foreseer_lag_positions 2.0",
        "truenorth_foreseer_overdue_seconds 0.25",
    ):
        assert line in text.splitlines()
    assert "late_events" not in text
    assert "cases_in_memory" not in text
    assert "foreseer_cases" not in text
    assert "C1" not in text


def test_an_application_of_its_own_metrics(read_desk: Desk) -> None:
    for _ in range(2):  # nothing is registered twice in one process
        make_app(read_desk.store, now_us=lambda: 0, ids_of=lambda one: (one,), bounds=PATIENT)


@pytest.mark.parametrize("prefix", [prefix for prefix in SEGMENT_PREFIXES if prefix != "/v1"])
@pytest.mark.parametrize("call", ["track", "batch"])
@pytest.mark.parametrize("headers", [{}, {"X-Write-Key": "unknown"}, {"Authorization": "Bearer unknown"}])
@pytest.mark.parametrize("n_bytes", [10, PATIENT.body_bytes + 1])
def test_all_paths_of_a_protocol_turn_away_alike(
    read_desk: Desk, prefix: str, call: str, headers: dict[str, str], n_bytes: int
) -> None:
    asked = {"headers": headers, "json": {"event": "x" * n_bytes}}
    one, other = (read_desk.ask("POST", f"{base}/{call}", None, **asked) for base in ("/v1", prefix))
    assert (other.status_code, other.json()) == (one.status_code, one.json())
    assert one.json()["code"] == "unknown_key"


@pytest.mark.parametrize("prefix", SEGMENT_PREFIXES)
def test_a_write_key_is_all_that_a_client_needs(desk: Desk, prefix: str) -> None:
    event = json.dumps({"event": "Contact", "userId": "C77", "messageId": prefix}) + " " * PATIENT.body_bytes

    async def sent(client: httpx.AsyncClient) -> httpx.Response:
        await desk.writer.start()
        answer = await client.post(f"{prefix}/track", content=event, headers={"X-Write-Key": desk.write_key})
        await desk.writer.stop()
        return answer

    assert desk.talk(sent, None).json() == {"success": True}
    assert [one.event.id for one in desk.store.events.of_customers(["C77"])] == [prefix]
