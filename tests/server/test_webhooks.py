"""Webhooks: payloads of documented shapes through the example mappings, signatures, mapping files with mistakes."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.memory_log import NOW_US, Service, talk
from truenorth.events import Event
from truenorth.server.ingest.mapping_file import load_mapping, parse_mapping
from truenorth.server.ingest.parsed import Arrival
from truenorth.server.ingest.signature import SignatureRules, verify
from truenorth.server.ingest.times import INSTANT_FORM
from truenorth.server.ingest.webhook import Hook, parse_hook

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "webhooks"
SECRET = b"signing secret"
HERE = Arrival(source="desk", received_us=NOW_US)

ZENDESK = {
    "type": "zen:event-type:ticket.status_changed",
    "account_id": 12514403,
    "id": "2b24ef10-19d4-4740-93cf-8f98ec4776c0",
    "time": "2026-01-05T09:29:00Z",
    "zendesk_event_version": "2022-11-06",
    "subject": "zen:ticket:35436",
    "detail": {
        "actor_id": "8447388090494",
        "assignee_id": "8447388090495",
        "created_at": "2026-01-04T17:18:10Z",
        "description": "The printer is on fire",
        "group_id": "8447320466430",
        "id": "35436",
        "priority": "HIGH",
        "requester_id": "8447388090494",
        "status": "SOLVED",
        "tags": ["printer"],
        "updated_at": "2026-01-05T09:29:00Z",
        "via": {"channel": "web_service"},
    },
    "event": {"current": "SOLVED", "previous": "OPEN", "meta": {"sequence": {"id": "s", "position": 1}}},
}
CHATWOOT = {
    "event": "message_created",
    "id": 812,
    "content": "Still broken!",
    "created_at": "2026-01-05 09:28:57 UTC",
    "message_type": "incoming",
    "content_type": "text",
    "private": False,
    "account": {"id": 1, "name": "Shop"},
    "inbox": {"id": 4, "name": "Website"},
    "sender": {"id": 31, "name": "Emily", "type": "contact"},
    "conversation": {
        "id": 77,
        "status": "open",
        "channel": "Channel::WebWidget",
        "meta": {
            "sender": {"id": 31, "identifier": None, "name": "Emily"},
            "assignee": {"id": 2, "name": "Fionn"},
            "team": {"id": 5, "name": "First line"},
        },
    },
}
ZAMMAD = {
    "ticket": {
        "id": 81,
        "number": "10081",
        "title": "Webhook-Test",
        "state": "open",
        "updated_at": "2026-01-05T09:29:35.333Z",
        "customer": {"id": 8, "login": "emily@example.com"},
        "customer_id": 8,
        "owner": {"id": 5, "login": "emma@example.com"},
        "group": {"id": 3, "name": "Service Desk"},
        "priority": {"id": 2, "name": "2 normal"},
        "organization": {"id": 3, "name": "Awesome Customer Inc."},
    },
    "article": {"id": 104, "body": "It does not work", "type": "phone", "sender": "Customer", "internal": False},
}


def example(name: str) -> Hook:
    return Hook(parse_mapping((EXAMPLES / f"{name}.yaml").read_bytes()), SECRET)


def signed(name: str, body: bytes, secret: bytes = SECRET) -> dict[str, str]:
    """The headers of each provider, as its documentation says."""
    if name == "zendesk":
        at = "2026-01-05T09:29:01Z"
        digest = hmac.digest(secret, at.encode() + body, "sha256")
        return {
            "X-Zendesk-Webhook-Signature": b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": at,
        }
    if name == "chatwoot":
        at = str(NOW_US // 1_000_000 - 60)
        digest = hmac.digest(secret, at.encode() + b"." + body, "sha256")
        return {"X-Chatwoot-Signature": f"sha256={digest.hex()}", "X-Chatwoot-Timestamp": at}
    return {"X-Hub-Signature": f"sha1={hmac.new(secret, body, hashlib.sha1).hexdigest()}"}


PAYLOADS = {"zendesk": ZENDESK, "chatwoot": CHATWOOT, "zammad": ZAMMAD}


def delivered(name: str, payload: Any) -> Event:
    """The event of a payload that is delivered twice."""
    body = json.dumps(payload).encode()

    async def conversation(service: Service) -> Event:
        for _ in range(2):
            answer = await service.client.post(f"/hooks/{name}", content=body, headers=signed(name, body))
            assert (answer.status_code, answer.json()) == (200, {"success": True})
        (event,) = service.log.events
        return event

    return talk(conversation, hooks={name: example(name)})


def test_every_example_has_a_test() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == set(PAYLOADS)


def test_zendesk() -> None:
    event = delivered("zendesk", ZENDESK)
    assert (event.source, event.id, event.type) == ("zendesk", ZENDESK["id"], "zen:event-type:ticket.status_changed")
    assert (event.customer, event.case, event.team) == ("8447388090494", "35436", "8447320466430")
    assert (event.channel, event.text) == ("web_service", "The printer is on fire")
    assert event.time_us == NOW_US - 60_000_000
    assert json.loads(event.properties)["properties"] == {
        "status": "SOLVED",
        "priority": "HIGH",
        "current": "SOLVED",
        "previous": "OPEN",
        "tags": ["printer"],
    }


def test_chatwoot() -> None:
    event = delivered("chatwoot", CHATWOOT)
    assert (event.type, event.customer, event.case) == ("message_created", "31", "77")
    assert (event.actor, event.team, event.text) == ("Fionn", "First line", "Still broken!")
    assert event.time_us == NOW_US - 63_000_000
    assert json.loads(event.properties)["properties"]["private"] is False


def test_zammad() -> None:
    event = delivered("zammad", ZAMMAD)
    assert event.id.startswith("hash:")
    assert (event.type, event.customer, event.case) == ("open", "emily@example.com", "10081")
    assert (event.actor, event.team, event.channel) == ("emma@example.com", "Service Desk", "phone")


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_forged_delivery_is_turned_away(name: str) -> None:
    body = json.dumps(PAYLOADS[name]).encode()
    good = signed(name, body)

    async def conversation(service: Service) -> None:
        forgeries: list[tuple[bytes, dict[str, str]]] = [
            (body, {}),
            (body + b" ", good),
            (body, signed(name, body, b"another secret")),
            (body, dict.fromkeys(good, "")),
            (body, {**good, "X-Write-Key": "WRITEKEY", next(iter(good)): "00"}),
        ]
        for content, headers in forgeries:
            answer = await service.client.post(f"/hooks/{name}", content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
            assert SECRET.decode() not in answer.text
        assert service.log.events == []

    talk(conversation, hooks={name: example(name)})


@pytest.mark.parametrize("name", ["zendesk", "chatwoot"])
def test_an_old_delivery_is_turned_away(name: str) -> None:
    body = json.dumps(PAYLOADS[name]).encode()

    async def conversation(service: Service) -> None:
        answer = await service.client.post(f"/hooks/{name}", content=body, headers=signed(name, body))
        assert answer.status_code == 401

    talk(conversation, hooks={name: example(name)}, now_us=lambda: NOW_US + 16 * 60_000_000)


@given(
    body=st.binary(max_size=50), other=st.binary(max_size=50), algorithm=st.sampled_from(["sha1", "sha256", "sha512"])
)
def test_a_signature_fits_one_body(body: bytes, other: bytes, algorithm: Any) -> None:
    rules = SignatureRules(header="X-Sign", algorithm=algorithm)
    headers = {"x-sign": hmac.digest(SECRET, body, algorithm).hex()}
    assert verify(rules, SECRET, headers, body, 0)
    assert verify(rules, SECRET, headers, other, 0) == (body == other)


def test_a_hook_without_a_signature_needs_a_write_key() -> None:
    hook = Hook(parse_mapping("truenorth: 1\nhook: desk\nfields: {type: Call, customer: $.who, channel: phone}"))

    async def conversation(service: Service) -> None:
        call = service.client.post
        assert (await call("/hooks/desk", json={"who": "u1"})).status_code == 401
        assert (await call("/hooks/other?token=WRITEKEY", json={"who": "u1"})).status_code == 404
        assert (await call("/hooks/desk?token=WRITEKEY", json={"who": "u1"})).status_code == 200
        (event,) = service.log.events
        assert (event.source, event.type, event.customer, event.channel) == ("desk", "Call", "u1", "phone")
        assert event.time_us == NOW_US

    talk(conversation, hooks={"desk": hook})


TICKETS = 'truenorth: 1\nhook: desk\nevents: $.log[*]\nfields: {type: Note, case: $.ticket, time: "@.at"}'


def test_a_payload_of_several_events() -> None:
    mapping = parse_mapping(
        """
truenorth: 1
hook: desk
events: $.log[*]
fields: {id: "@.id", type: ["@.kind", Note], case: $.ticket, time: "@.at", cost: "@.cost"}
properties: {all: "@", by: "@.by"}
"""
    )
    log = [{"id": 1, "kind": "Call", "at": 1767605400, "by": "x", "cost": "2.5"}, {"id": 2}, {"id": 3, "at": "soon"}, 4]
    parsed = parse_hook(mapping, {"ticket": "T1", "log": log}, HERE)
    first, second = parsed.events
    assert (first.id, first.type, first.case, first.time_us, first.cost) == ("1", "Call", "T1", NOW_US, 2.5)
    assert json.loads(first.properties) == {"properties": {"all": log[0], "by": "x"}}
    assert (second.type, second.case) == ("Note", "T1")
    assert [one.reason for one in parsed.refused] == [
        f"$['log'][*][2].time: expected {INSTANT_FORM}, found 'soon'",
        "$['log'][*][3]: expected an object, found 4",
    ]
    others = parse_hook(mapping, {"ticket": "T2", "log": log}, HERE).events
    assert first.id == others[0].id  # the id that it has counts
    one = parse_hook(parse_mapping(TICKETS), {"ticket": "T1", "log": [{"at": NOW_US}]}, HERE).events[0]
    other = parse_hook(parse_mapping(TICKETS), {"ticket": "T2", "log": [{"at": NOW_US}]}, HERE).events[0]
    assert one.id != other.id  # without one, all that is known of it
    assert "at least one event" in parse_hook(mapping, {"ticket": "T1"}, HERE).refused[0].reason


def test_a_mapping_file_is_told_all_of_its_mistakes() -> None:
    loaded = load_mapping(
        """
truenorth: 2
hook: My Desk
signature: {algorithm: md5, signed: "{timestamp}{body}", tolerance: soon}
events: log
fields: {id: "$.[", tpye: $.type, time: [$.at, "@.at)"]}
properties: [a]
extra: 1
"""
    )
    assert loaded.mapping is None
    assert {problem.path for problem in loaded.problems} == {
        "$.truenorth",
        "$.hook",
        "$.signature.header",
        "$.signature.algorithm",
        "$.signature.tolerance",
        "$.events",
        "$.fields.id",
        "$.fields.tpye",
        "$.fields.time[1]",
        "$.properties",
        "$.extra",
    }
    assert all(problem.line and problem.expected and problem.found for problem in loaded.problems)


def test_a_mapping_needs_a_type() -> None:
    (problem,) = load_mapping("truenorth: 1\nhook: desk\nfields: {id: $.id}").problems
    assert problem.path == "$.fields.type"


def test_a_hook_that_checks_signatures_needs_its_secret() -> None:
    with pytest.raises(ValueError, match="expected its secret"):
        Hook(parse_mapping((EXAMPLES / "zammad.yaml").read_bytes()))


@given(text=st.text(alphabet="$@.[]*?'\"()&|!<>=:,~^# {}-\nabtruenorhkflds0123456789", max_size=80))
def test_no_text_breaks_the_reader_of_mappings(text: str) -> None:
    loaded = load_mapping(text)
    assert (loaded.mapping is None) == bool(loaded.problems)


@given(text=st.text(alphabet="$@.[]*?'\"()&|!<>=:,~^#-ab0123456789", max_size=30))
def test_no_path_breaks_the_reader_of_mappings(text: str) -> None:
    loaded = load_mapping("truenorth: 1\nhook: desk\nfields:\n  type: t\n  id: " + json.dumps(f"${text}"))
    assert (loaded.mapping is None) == bool(loaded.problems)
    if loaded.mapping is not None:
        parsed = parse_hook(loaded.mapping, {"a": [{"b": 1}], "b": "x"}, HERE)
        assert parsed.n_items == 1
