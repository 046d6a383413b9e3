"""What becomes of what clients say: fields, customers, times, ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.events import Event
from truenorth.server.ingest.canonical import MAX_DEPTH, PROMOTED
from truenorth.server.ingest.cloudevents import parse_binary, parse_cloudevents
from truenorth.server.ingest.parsed import Arrival, Parsed
from truenorth.server.ingest.posthog import parse_posthog
from truenorth.server.ingest.segment import CALLS, parse_segment
from truenorth.server.ingest.times import EARLIEST_US, LATEST_US, LEAST_SKEW_US, corrected_us, instant_us

NOW_US = 1_767_605_400_000_000
"""2026-01-05 09:30 UTC."""
NOON = "2026-01-05T12:00:00Z"
NOON_US = NOW_US + 9_000_000_000
SHOP = Arrival(source="shop", received_us=NOW_US)

TRACK = {"type": "track", "event": "Paid", "messageId": "m1", "userId": "u1", "timestamp": NOON}
CAPTURE = {"event": "Paid", "uuid": "m1", "distinct_id": "u1", "timestamp": NOON}
CLOUD = {"specversion": "1.0", "id": "m1", "source": "/s", "type": "Paid", "subject": "u1", "time": NOON}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def segment(message: dict[str, Any], call: str = "batch", arrival: Arrival = SHOP) -> Event:
    return only(parse_segment({"batch": [message]}, call, arrival))


def posthog(event: dict[str, Any], **envelope: Any) -> Event:
    return only(parse_posthog({"batch": [event], **envelope}, {}, {}, SHOP))


def cloud(event: dict[str, Any]) -> Event:
    return only(parse_cloudevents(event, SHOP))


def only(parsed: Parsed) -> Event:
    assert parsed.refused == ()
    (event,) = parsed.events
    return event


def rest(event: Event) -> dict[str, Any]:
    return msgspec.json.decode(event.properties, type=dict)


# ---- laws


@given(properties=st.dictionaries(st.sampled_from([*PROMOTED, "order_id", "n", ""]), json_values, max_size=8))
@pytest.mark.parametrize("said_by", ["segment", "posthog", "cloudevents"])
def test_a_property_is_a_field_or_stays_as_it_came(said_by: str, properties: dict[str, Any]) -> None:
    event = {
        "segment": lambda: segment({**TRACK, "properties": properties}),
        "posthog": lambda: posthog({**CAPTURE, "properties": properties}),
        "cloudevents": lambda: cloud({**CLOUD, "data": properties}),
    }[said_by]()
    left = rest(event).get("properties", {})
    for name, value in properties.items():
        if name in left:
            assert left[name] == value
        else:
            field = getattr(event, name)
            assert field == value or str(field) == str(value) or float(field) == float(value)
    assert set(left) <= set(properties)


@given(message=st.dictionaries(st.text(max_size=10), json_values, max_size=6))
def test_nothing_that_was_said_beside_is_lost(message: dict[str, Any]) -> None:
    known = {
        "type",
        "event",
        "messageId",
        "userId",
        "anonymousId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "writeKey",
    }
    extra = {name: value for name, value in message.items() if name not in known | set(PROMOTED) | {"properties"}}
    said = {name: value for name, value in extra.items() if value is not None}
    assert rest(segment({**TRACK, **extra})) == said


@given(
    time_us=st.integers(EARLIEST_US, LATEST_US),
    received_us=st.integers(EARLIEST_US + 10**13, LATEST_US - 1),
    delay_us=st.integers(0, LEAST_SKEW_US),
    wrong_us=st.integers(-(10**14), 10**14),
    age_us=st.integers(0, 10**12),
)
def test_a_wrong_clock_changes_nothing(
    time_us: int, received_us: int, delay_us: int, wrong_us: int, age_us: int
) -> None:
    """Whatever the sender's clock says, an event has the same time, up to the way through the network."""
    happened_us = received_us - delay_us - age_us
    by_wrong_clock = corrected_us(happened_us + wrong_us, received_us - delay_us + wrong_us, received_us)
    assert abs(by_wrong_clock - happened_us) <= 2 * LEAST_SKEW_US
    assert corrected_us(time_us, None, received_us) == time_us


@given(at_us=st.integers(EARLIEST_US, LATEST_US - 1), zone=st.integers(-14 * 60, 14 * 60))
def test_instants_are_read_in_every_form(at_us: int, zone: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    assert instant_us(at.isoformat()) == at_us
    assert instant_us(at.replace(tzinfo=None).isoformat(" ")) == at_us
    assert instant_us(at.astimezone(timezone(timedelta(minutes=zone))).isoformat()) == at_us
    if at_us > 10**15:
        assert instant_us(at_us) == at_us
        assert instant_us(at_us // 1_000) == at_us // 1_000 * 1_000
        assert instant_us(at_us // 1_000_000) == at_us // 1_000_000 * 1_000_000


@given(message=st.dictionaries(st.sampled_from(["a", "b", "context"]), json_values), sent=st.text(max_size=5))
def test_an_event_without_an_id_has_the_same_one_when_it_comes_again(message: dict[str, Any], sent: str) -> None:
    first = {**message, "event": "Paid", "timestamp": NOON}
    again = {**first, "sentAt": sent}
    assert segment(first, "track").id == segment(again, "track", Arrival(source="shop", received_us=NOW_US + 1)).id


def test_an_undated_event_without_an_id_is_a_new_one_each_time() -> None:
    later = Arrival(source="shop", received_us=NOW_US + 1)
    assert segment({"event": "Login"}, "track").id != segment({"event": "Login"}, "track", later).id


# ---- Segment


@pytest.mark.parametrize("call", CALLS)
def test_each_call_of_segment(call: str) -> None:
    message = {"userId": "u1", "messageId": "m", "timestamp": NOON, "event": "Paid", "previousId": "p", "groupId": "g"}
    event = only(parse_segment(message, call, SHOP))
    assert event.type == ("Paid" if CALLS[call] == "track" else CALLS[call])
    assert (event.customer, event.time_us, event.received_us) == ("u1", NOON_US, NOW_US)


@pytest.mark.parametrize(
    ("said", "customer", "other"),
    [
        ({"userId": "u"}, "u", None),
        ({"userId": 7}, "7", None),
        ({"anonymousId": "a"}, "a", None),
        ({"userId": None, "anonymousId": "a"}, "a", None),
        ({"userId": "", "anonymousId": "a"}, "a", None),
        ({"userId": "u", "anonymousId": "a"}, "u", ("a", "anonymous")),
        ({"userId": "u", "anonymousId": "u"}, "u", None),
        ({}, None, None),
    ],
)
def test_customers_of_segment(said: dict[str, Any], customer: str | None, other: tuple[str, str] | None) -> None:
    event = segment({"type": "track", "event": "Paid", "messageId": "m", **said})
    assert event.customer == customer
    assert (event.other_id, event.other_kind) == (other or (None, None))


def test_a_customer_among_the_properties_counts_only_where_there_is_no_other() -> None:
    assert segment({"type": "track", "event": "e", "properties": {"customer": "c"}}).customer == "c"
    event = segment({**TRACK, "properties": {"customer": "c"}})
    assert (event.customer, rest(event)["properties"]) == ("u1", {"customer": "c"})


def test_an_alias_of_segment() -> None:
    event = segment({"type": "alias", "userId": "u", "previousId": "p", "anonymousId": "a", "messageId": "m"})
    assert (event.customer, event.other_id, event.other_kind) == ("u", "p", "alias")
    assert rest(event) == {"anonymousId": "a"}
    event = segment({"type": "alias", "previousId": "p", "messageId": "m"})
    assert (event.customer, event.other_id, rest(event)) == (None, None, {"previousId": "p"})


def test_a_slow_clock_is_corrected_and_what_it_said_is_kept() -> None:
    event = segment({**TRACK, "timestamp": "2026-01-05T08:29:00Z", "sentAt": "2026-01-05T08:30:00Z"})
    assert event.time_us == NOW_US - 60_000_000
    assert rest(event) == {"timestamp": "2026-01-05T08:29:00Z", "sentAt": "2026-01-05T08:30:00Z"}


def test_a_time_that_the_sender_chose_is_not_corrected_by_the_way_through_the_network() -> None:
    event = only(parse_segment({"batch": [TRACK], "sentAt": "2026-01-05T09:29:57Z"}, "batch", SHOP))
    assert (event.time_us, rest(event)) == (NOON_US, {})


def test_a_correction_never_leads_out_of_the_years_that_count() -> None:
    event = segment({**TRACK, "timestamp": "1900-01-01T00:00:00Z", "sentAt": "2199-12-31T00:00:00Z"})
    assert event.time_us == EARLIEST_US


def test_an_original_timestamp_counts_where_there_is_no_other() -> None:
    undated = {name: value for name, value in TRACK.items() if name != "timestamp"}
    event = segment({**undated, "originalTimestamp": NOON})
    assert (event.time_us, rest(event)) == (NOON_US, {"originalTimestamp": NOON})
    event = segment({**TRACK, "originalTimestamp": "2026-01-05T11:00:00Z"})
    assert (event.time_us, rest(event)) == (NOON_US, {"originalTimestamp": "2026-01-05T11:00:00Z"})


def test_what_a_batch_says_counts_for_its_messages() -> None:
    body = {"batch": [TRACK, {**TRACK, "context": {"ip": "own"}}], "context": {"ip": "::1"}, "writeKey": "WRITEKEY"}
    first, second = parse_segment(body, "batch", SHOP).events
    assert (rest(first), rest(second)) == ({"context": {"ip": "::1"}}, {"context": {"ip": "own"}})


def test_rudderstack_says_the_channel_beside_the_properties() -> None:
    assert segment({**TRACK, "channel": "web"}).channel == "web"
    assert segment({**TRACK, "channel": "web", "properties": {"channel": "phone"}}).channel == "phone"


def test_the_write_key_is_not_kept() -> None:
    assert segment({**TRACK, "writeKey": "WRITEKEY"}).properties == b"{}"
    refused = parse_segment({"type": "zap", "writeKey": "WRITEKEY"}, "track", SHOP).refused[0]
    assert b"WRITEKEY" not in refused.raw


# ---- PostHog


def test_directions_of_an_alias() -> None:
    said = {"event": "$create_alias", "uuid": "m", "distinct_id": "first", "properties": {"alias": "second"}}
    for client, customer in {"posthog-python": "second", "web": "second", "posthog-node": "first"}.items():
        event = posthog({**said, "properties": {"alias": "second", "$lib": client}})
        assert (event.customer, event.other_kind) == (customer, "alias")
        assert {event.customer, event.other_id} == {"first", "second"}


def test_an_identify_of_posthog() -> None:
    event = posthog({"event": "$identify", "distinct_id": "u1", "properties": {"$anon_distinct_id": "a"}})
    assert (event.type, event.customer, event.other_id, event.other_kind) == ("$identify", "u1", "a", "anonymous")


def test_the_browser_puts_everything_among_the_properties() -> None:
    said = {"event": "$pageview", "uuid": "m", "properties": {"token": "WRITEKEY", "distinct_id": "u1", "$os": "Linux"}}
    event = only(parse_posthog([said], {}, {"_": str(NOW_US // 1_000 - 3_600_000)}, SHOP))
    assert (event.customer, rest(event)) == ("u1", {"properties": {"$os": "Linux"}})


def test_times_of_posthog() -> None:
    assert posthog({**CAPTURE, "timestamp": "2026-01-05T08:29:00"}, sent_at="2026-01-05T08:30:00").time_us == (
        NOW_US - 60_000_000
    )
    assert posthog({"event": "e", "offset": 1_500}).time_us == NOW_US - 1_500_000
    assert posthog({"event": "e"}).time_us == NOW_US
    options = {"disable_skew_correction": True}
    assert posthog({**CAPTURE, "options": options}, sent_at="2025-01-05T08:30:00").time_us == NOON_US


# ---- CloudEvents


def test_the_customer_of_a_cloudevent() -> None:
    event = cloud({**CLOUD, "data": {"n": 1}})
    assert (event.customer, event.source, event.time_us) == ("u1", "shop:/s", NOON_US)
    assert rest(event) == {"specversion": "1.0", "properties": {"n": 1}}
    event = cloud({**CLOUD, "data": {"customer": "c"}})
    assert (event.customer, rest(event)["subject"]) == ("c", "u1")


def test_binary_mode_unquotes_its_headers_and_takes_any_data() -> None:
    headers = {"ce-id": "1", "ce-type": "caf%C3%A9", "ce-source": "/s", "ce-team": "desk", "content-type": "text/plain"}
    event = only(parse_binary(headers, b"Hello", SHOP))
    assert (event.type, event.team) == ("café", "desk")
    assert rest(event) == {"datacontenttype": "text/plain", "data": "Hello"}
    assert rest(only(parse_binary(headers, b"\xff\xfe", SHOP)))["data_base64"] == "//4="
    assert only(parse_binary(headers, b'{"revenue": 5}', SHOP)).revenue == 5.0


# ---- refused


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("text", "$.batch[1]: expected an object, found 'text'"),
        ({"type": "zap"}, "$.batch[1].type: expected track, identify, page, screen, group or alias, found 'zap'"),
        ({"type": "track"}, "$.batch[1].event: expected a text of 1 to 500 characters, found nothing"),
        ({**TRACK, "userId": {}}, "$.batch[1].userId: expected a text of 1 to 500 characters, found an object"),
        ({**TRACK, "userId": "x" * 501}, "$.batch[1].userId: expected a text of 1 to 500 characters, found one of 501"),
        ({**TRACK, "userId": "a\0b"}, "$.batch[1].userId: expected a text of 1 to 500 characters, found a NUL"),
        ({**TRACK, "timestamp": "soon"}, "$.batch[1].timestamp: expected an instant of the years 1900 to 2199"),
        ({**TRACK, "timestamp": "2200-01-01"}, "$.batch[1].timestamp: expected an instant of the years 1900 to 2199"),
        ({**TRACK, "properties": {"x": "y" * 2_000_000}}, "$.batch[1]: expected an event of at most 1,000,000 bytes"),
        ({**TRACK, "text": "y" * 2_000_000}, "$.batch[1]: expected an event of at most 1,000,000 bytes"),
    ],
)
def test_one_bad_message_is_refused_with_its_place_and_the_others_are_kept(message: Any, reason: str) -> None:
    parsed = parse_segment({"batch": [TRACK, message, {**TRACK, "messageId": "m2"}]}, "batch", SHOP)
    assert [event.id for event in parsed.events] == ["m1", "m2"]
    (refused,) = parsed.refused
    assert refused.reason.startswith(reason)
    assert refused.raw
    assert len(refused.raw) <= 16_384


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 5_000])
def test_what_is_nested_too_deeply_is_refused(depth: int) -> None:
    deep: Any = []
    for _ in range(depth):
        deep = [deep]
    for message in ({**TRACK, "x": deep}, {"type": "track", "event": "e", "x": deep}):
        assert "levels of nesting" in parse_segment(message, "track", SHOP).refused[0].reason


def test_what_is_nested_a_little_is_kept() -> None:
    wide = {"list": [[{"n": index}] for index in range(500)]}
    assert rest(segment({**TRACK, "properties": wide})) == {"properties": wide}


def test_a_version_that_is_not_known() -> None:
    reason = parse_cloudevents({**CLOUD, "specversion": "2.0"}, SHOP).refused[0].reason
    assert reason == "$.specversion: expected 1.0, found '2.0'"
