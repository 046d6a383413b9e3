"""What can be changed by the API, and that it takes effect."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from server.desk import JOURNEY, NOW_US, Desk
from truenorth.store.rows import Judged, NewSignal, Progress, Settled

ERASED = "(erased)"


def audit(desk: Desk) -> list[tuple[str, str, str | None]]:
    return [(line["who"], line["what"], line["about"]) for line in desk.get("/api/v1/audit", limit=1000)["items"]]


# ---- journeys


def test_a_journey_is_published_and_judges(desk: Desk) -> None:
    longer = JOURNEY.replace("within: 4h", "within: 400h")
    answer = desk.ask("PUT", "/api/v1/journeys/support", "analyst", content=longer)
    assert (answer.status_code, answer.json()["version"], answer.json()["state"]) == (200, 2, "live")
    again = desk.ask("PUT", "/api/v1/journeys/support", "analyst", content=longer)
    assert again.json() == answer.json()
    assert ("analyst's", "published version 2 of a journey", "support") in audit(desk)
    before = desk.get("/api/v1/summary", journey="support")
    desk.judge()
    after = desk.get("/api/v1/summary", journey="support")
    assert before["promises"]["taken_up"]["broken"] > after["promises"]["taken_up"]["broken"]
    assert [one["state"] for one in desk.get("/api/v1/journeys/support")["versions"]] == ["live", "retired"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (JOURNEY.replace("4h", "4hh").replace("needs", "x").replace("at_most: 1", "at_most: lots"), 2),
        (JOURNEY.replace("journey: support", "journey: other"), 1),
        ("", 1),
        ("{", 1),
        ("a: &a [*a]", 1),
        ("x" * 300_000, 1),
    ],
)
def test_all_problems_of_a_journey_at_once(desk: Desk, text: str, paths: int) -> None:
    answer = desk.ask("PUT", "/api/v1/journeys/support", "analyst", content=text)
    problems = answer.json()["problems"]
    assert (answer.status_code, len(problems) >= paths) == (422, True)
    assert all(one["path"] and one["expected"] for one in problems)
    assert desk.get("/api/v1/journeys/support")["version"] == 1


def test_warnings_do_not_hinder(desk: Desk) -> None:
    vague = JOURNEY + "canvas:\n  outcome: [A fast answer]\n"
    warnings = desk.ask("PUT", "/api/v1/journeys/support", content=vague).json()["warnings"]
    assert [(one["severity"], "canvas.outcome" in one["path"]) for one in warnings][:1] == [("warning", True)]


# ---- webhooks


def test_webhooks(desk: Desk) -> None:
    made = desk.ask("POST", "/api/v1/webhooks", json={"url": "https://crm.example/x", "kinds": ["broken"]})
    hook = made.json()
    secret = hook.pop("secret")
    assert (made.status_code, secret.startswith("whsec_"), len(secret)) == (201, True, 50)
    assert desk.get("/api/v1/webhooks") == [hook]
    assert secret not in desk.ask("GET", "/api/v1/webhooks").text
    paused = desk.ask("PATCH", f"/api/v1/webhooks/{hook['number']}", json={"state": "paused"})
    assert paused.json() == {**hook, "state": "paused"}
    desk.ask("PATCH", f"/api/v1/webhooks/{hook['number']}", json={"state": "active"})
    signal = NewSignal(kind="broken", time_us=NOW_US, body=b"{}")
    desk.store.results.write("support", Judged(progress=Progress(), signals=[signal]), n_erasures=0)
    assert desk.store.outbox.n_pending() == 1
    assert desk.ask("DELETE", f"/api/v1/webhooks/{hook['number']}").status_code == 204
    assert (desk.get("/api/v1/webhooks"), desk.store.outbox.n_pending()) == ([], 0)
    for method in ("DELETE", "PATCH"):
        gone = desk.ask(method, f"/api/v1/webhooks/{hook['number']}", json={"state": "active"})
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown_webhook")
    assert [what for _, what, about in audit(desk) if about == "webhook 1"] == [
        "added a webhook",
        "set a webhook to paused",
        "set a webhook to active",
        "removed a webhook",
    ]


def test_dead_letters_are_paged_and_tried_again(desk: Desk) -> None:
    made = desk.ask("POST", "/api/v1/webhooks", json={"url": "https://crm.example/x"}).json()
    signals = [NewSignal(kind="broken", time_us=NOW_US, body=b"{}") for _ in range(3)]
    numbers = desk.store.results.write("support", Judged(progress=Progress(), signals=signals), n_erasures=0)
    desk.store.outbox.settle(
        [
            Settled(signal=number, webhook=made["number"], state="dead", attempts=11, last_error="answered 500")
            for number in numbers
        ]
    )
    path = f"/api/v1/webhooks/{made['number']}/dead-letters"
    letters = desk.all_pages(path, 2)
    assert [letter["signal"] for letter in letters] == list(numbers)
    assert {(letter["attempts"], letter["last_error"]) for letter in letters} == {(11, "answered 500")}
    assert desk.ask("POST", f"{path}/retry", params={"signal": numbers[0]}).json() == {"retried": 1}
    assert desk.ask("POST", f"{path}/retry").json() == {"retried": 2}
    assert (desk.get(path)["items"], desk.store.outbox.n_pending()) == ([], 3)
    assert desk.ask("GET", "/api/v1/webhooks/99/dead-letters").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://crm.example/"},
        {"url": "//crm.example/"},
        {"url": "https://ann:hidden@crm.example/"},
        {"url": "http://crm.example/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://10.0.0.1:8080/"},
        {"url": "https://"},
        {"url": "https://crm.example/", "kinds": ["lost"]},
        {"url": "https://crm.example/", "secret": "mine"},
    ],
)
def test_webhooks_that_cannot_be(read_desk: Desk, body: dict[str, Any]) -> None:
    answer = read_desk.ask("POST", "/api/v1/webhooks", json=body)
    assert (answer.status_code, len(answer.json()["problems"]) > 0, "hidden" in answer.text) == (422, True, False)


# ---- links


def test_a_link_leads_where_it_was_set_to(desk: Desk) -> None:
    def followed() -> httpx.Response:
        return desk.ask("GET", "/r/spring", None, headers={"User-Agent": "curl/8"})

    assert followed().status_code == 404
    shown = desk.ask("PUT", "/api/v1/links/spring", "analyst", json={"url": "https://shop.example/spring"}).json()
    assert (shown["name"], shown["url"], shown["campaign"]) == ("spring", "https://shop.example/spring", None)
    assert followed().headers["location"] == "https://shop.example/spring"
    assert desk.get("/api/v1/links", "analyst") == [shown]
    assert desk.ask("DELETE", "/api/v1/links/spring", "analyst").status_code == 204
    assert followed().status_code == 404
    assert desk.ask("DELETE", "/api/v1/links/spring", "analyst").json()["code"] == "unknown_link"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/relative", "https://", "http://a b/", ""])
def test_links_that_lead_nowhere_good(read_desk: Desk, url: str) -> None:
    assert read_desk.ask("PUT", "/api/v1/links/spring", json={"url": url}).status_code == 422


# ---- keys and tokens


def test_write_keys(desk: Desk) -> None:
    made = desk.ask("POST", "/api/v1/write-keys", json={"source": "app"})
    secret = made.json()["secret"]
    assert (made.status_code, desk.store.access.source_of(secret)) == (201, "app")
    assert desk.ask("DELETE", "/api/v1/write-keys/app?but_newest=true").json()["code"] == "unknown_key"
    listed = desk.ask("GET", "/api/v1/write-keys")
    assert [(key["source"], key["revoked"]) for key in listed.json()] == [("app", None), ("shop", None)]
    assert secret not in listed.text
    assert desk.ask("DELETE", "/api/v1/write-keys/app").json() == {"revoked": 1}
    assert desk.store.access.source_of(secret) is None
    assert desk.ask("DELETE", "/api/v1/write-keys/app").json()["code"] == "unknown_key"


def test_tokens(desk: Desk) -> None:
    made = desk.ask("POST", "/api/v1/tokens", json={"label": "dashboard", "role": "viewer"}).json()
    asked = {"Authorization": f"Bearer {made['secret']}"}
    assert desk.ask("GET", "/api/v1/summary?journey=support", None, headers=asked).status_code == 200
    assert desk.ask("GET", "/api/v1/cases?journey=support", None, headers=asked).status_code == 403
    listed = desk.ask("GET", "/api/v1/tokens")
    assert "dashboard" in {token["label"] for token in listed.json()}
    assert made["secret"] not in listed.text
    assert desk.ask("DELETE", "/api/v1/tokens/dashboard").json() == {"revoked": 1}
    assert desk.ask("GET", "/api/v1/summary?journey=support", None, headers=asked).status_code == 401
    assert ("admin's", "made a token of the role viewer", "token dashboard") in audit(desk)


def test_tokens_of_unknown_roles(read_desk: Desk) -> None:
    for body in ({"label": "x", "role": "root"}, {"label": "", "role": "viewer"}, {"label": "a b", "role": "viewer"}):
        assert read_desk.ask("POST", "/api/v1/tokens", json=body).status_code == 422


# ---- people


def test_the_rights_of_a_person(desk: Desk) -> None:
    held = desk.get("/api/v1/customers/browser-1")
    assert held["ids"] == ["C1", "browser-1"]
    assert {event["customer"] for event in held["held"]["event"]} == {"C1"}
    assert {case["case"] for case in held["held"]["case_row"]} == {"T001", "T013", "T025"}
    assert len(held["held"]["signal"]) > 0
    n_before = len(desk.get("/api/v1/cases", journey="support")["items"])

    receipt = desk.ask("DELETE", "/api/v1/customers/browser-1").json()
    assert (receipt["asked_by"], receipt["n_ids"], receipt["counts"]["case_row"]) == ("admin's", 2, 3)
    assert receipt["scrubbed"] is not None
    assert desk.get("/api/v1/erasures")["items"] == [receipt]
    everywhere = [
        desk.ask("GET", path).text
        for path in (
            "/api/v1/cases?journey=support&limit=1000",
            "/api/v1/promises?journey=support&limit=1000",
            "/api/v1/signals?limit=1000",
            "/api/v1/export",
            "/api/v1/quarantine",
            "/api/v1/audit?limit=1000",
        )
    ]
    assert not [text for text in everywhere if '"C1"' in text or "browser-1" in text or "T001" in text]
    assert ("admin's", "erased a customer", ERASED) in audit(desk)

    sent = {"type": "track", "event": "Contact", "messageId": "x", "userId": "C1", "properties": {"case": "T001"}}
    assert ingested(desk, [sent]).status_code == 200
    desk.judge()
    assert len(desk.get("/api/v1/cases", journey="support")["items"]) == n_before - 3
    assert 'truenorth_events_total{became="suppressed"} 1.0' in desk.ask("GET", "/metrics").text
    assert not any(desk.get("/api/v1/customers/C1")["held"].values())
    assert desk.get("/api/v1/cases", journey="support", customer="C1")["items"] == []
    assert {about for _, _, about in audit(desk)} == {ERASED, None}


def ingested(desk: Desk, batch: list[dict[str, Any]]) -> httpx.Response:
    async def sent(client: httpx.AsyncClient) -> httpx.Response:
        await desk.writer.start()
        answer = await client.post("/v1/batch", json={"batch": batch, "writeKey": desk.write_key})
        await asyncio.wait_for(desk.writer.stop(), 10)
        return answer

    answer: httpx.Response = desk.talk(sent, None)
    return answer


def test_who_read_of_whom(desk: Desk) -> None:
    desk.get("/api/v1/customers/C2")
    desk.get("/api/v1/cases/T003", "agent", journey="support")
    desk.get("/api/v1/cases", "agent", journey="support", customer="C4")
    desk.get("/api/v1/quarantine", "analyst")
    desk.ask("GET", "/api/v1/export", "analyst")
    assert audit(desk) == [
        ("admin's", "read everything about a customer", "C2"),
        ("agent's", "read a case of support", "C3"),
        ("agent's", "read the cases of a customer in support", "C4"),
        ("analyst's", "read the quarantine", None),
        ("analyst's", "exported events", None),
    ]


def test_too_many_ids(desk: Desk) -> None:
    crowd = Desk(desk.store, ids_of=lambda one: tuple(f"{one}-{n}" for n in range(10_001)))
    for method in ("GET", "DELETE"):
        answer = crowd.ask(method, "/api/v1/customers/C1")
        assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "ids")
