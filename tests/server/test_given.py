"""Promises given in one line: how the line is read, how they are judged, and that what is judged is in the log."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.desk import HOUR_US, JOURNEY, NOW_US, Desk
from truenorth.server.given import word as events_of
from truenorth.server.given.clerk import Clerk
from truenorth.server.given.line import DAYS, LONGEST_US, parse_line
from truenorth.spec.durations import UNITS_US, write_duration
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import Store

ZONES = st.sampled_from(["UTC", "Europe/Rome", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
NOWS = st.integers(NOW_US, NOW_US + 366 * 24 * HOUR_US)


@given(now_us=NOWS, minutes=st.integers(1, 59 * 24 * 60))
def test_a_duration_ends_so_long_after_now(now_us: int, minutes: int) -> None:
    span_us = minutes * UNITS_US["m"]
    assert parse_line(f"call back within {write_duration(span_us)}", now_us=now_us) == ("call back", now_us + span_us)


@given(now_us=NOWS, ahead=st.integers(1, 59), minute=st.integers(0, 1439), timezone=ZONES)
def test_a_day_and_a_time_are_those_of_the_zone(now_us: int, ahead: int, minute: int, timezone: str) -> None:
    zone = ZoneInfo(timezone)
    day = datetime.fromtimestamp(now_us / 1e6 + ahead * 86400, UTC).astimezone(zone)
    due = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    assert due.timestamp() > now_us / 1e6 + 1 or ahead == 1
    if now_us < due.timestamp() * 1e6 < now_us + LONGEST_US:
        line = parse_line(f"send it by {due:%Y-%m-%d %H:%M}", now_us=now_us, timezone=timezone)
        assert line == ("send it", round(due.timestamp() * 1e6))


@given(now_us=NOWS, day=st.sampled_from(DAYS), timezone=ZONES)
def test_a_weekday_is_the_next_one_to_its_end(now_us: int, day: str, timezone: str) -> None:
    due_us = parse_line(f"refund by {day[:3]}", now_us=now_us, timezone=timezone).due_us
    last = datetime.fromtimestamp(due_us / 1e6 - 1, ZoneInfo(timezone))
    assert DAYS[last.weekday()] == day
    assert (last.hour, last.minute) == (23, 59)
    assert now_us < due_us <= now_us + 8 * 24 * HOUR_US + HOUR_US


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("call back", "what is promised and until when"),
        ("by 16:00", "what is promised and until when"),
        ("call back by 9:00", "still to come"),
        ("call back by 25:00", "a day and a time that there are"),
        ("call back by noon", "a day and a time that there are"),
        ("call back by 2026-02-30", "a day and a time that there are"),
        ("call back within soon", "a duration"),
        ("call back within 99d", "within 60 days"),
        ("x" * 300 + " by 16:00", "what is promised"),
    ],
)
def test_what_cannot_be_read_is_said(line: str, said: str) -> None:
    with pytest.raises(TruenorthError, match=said):
        parse_line(line, now_us=NOW_US)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    found = None
    with suppress(TruenorthError):  # nothing else is raised
        found = parse_line(text, now_us=NOW_US)
    assert found is None or found.due_us > NOW_US


# ---- judged


@pytest.fixture
def desk(store: Store) -> Desk:
    """On both databases."""
    store.journeys.publish("support", JOURNEY, now_us=NOW_US)
    return Desk(store)


def give(desk: Desk, text: str = "call back by 16:00", **more: Any) -> dict[str, Any]:
    answer = desk.ask("POST", "/api/v1/customers/C1/promises", "agent", json={"text": text, **more})
    assert answer.status_code == 201, answer.text
    word: dict[str, Any] = answer.json()
    return word


def look(desk: Desk, after_h: float) -> dict[str, Any]:
    """The promise as it stands some hours later, when the clerk has looked and the log was judged."""
    desk.now_us = NOW_US + round(after_h * HOUR_US)
    Clerk(desk.store, lambda: desk.now_us, lambda one: (one,)).step()
    desk.judge()
    (word,) = desk.get("/api/v1/customers/C1/promises", "agent")
    shown: dict[str, Any] = word
    return shown


def test_it_is_broken_at_its_instant_and_kept_when_it_was_answered_before(desk: Desk) -> None:
    word = give(desk)
    assert (word["what"], word["due"], word["state"], word["verdict"]) == (
        "call back", "2026-01-05T16:00:00.000000Z", "waiting", "open",
    )  # fmt: skip
    assert look(desk, 6)["verdict"] == "open"
    assert look(desk, 7)["verdict"] == "broken"
    (row,) = desk.store.results.case(events_of.JOURNEY, word["id"])[1]  # type: ignore[index]
    assert row.decided_us == NOW_US + round(6.5 * HOUR_US)
    ledger = desk.get("/api/v1/promises", "agent", journey=events_of.JOURNEY)["items"]
    assert [(one["promise"], one["verdict"]) for one in ledger] == [("word_kept", "broken")]


def test_answered_in_time_it_is_kept_at_once_and_stays_so(desk: Desk) -> None:
    word = give(desk)
    desk.now_us += HOUR_US
    assert desk.ask("POST", f"/api/v1/customers/C1/promises/{word['id']}/answered", "agent").status_code == 200
    assert look(desk, 1)["verdict"] == "kept"
    assert look(desk, 9)["verdict"] == "kept"


def test_answered_too_late_it_stays_broken(desk: Desk) -> None:
    word = give(desk)
    assert look(desk, 7)["verdict"] == "broken"
    desk.ask("POST", f"/api/v1/customers/C1/promises/{word['id']}/answered", "agent")
    assert look(desk, 8)["verdict"] == "broken"


def test_withdrawn_it_is_neither_kept_nor_broken(desk: Desk) -> None:
    word = give(desk)
    path = f"/api/v1/customers/C1/promises/{word['id']}"
    assert desk.ask("DELETE", path, "agent").json()["state"] == "withdrawn"
    assert look(desk, 9)["verdict"] == "open"
    assert desk.get("/api/v1/promises", "agent", journey=events_of.JOURNEY)["items"] == []
    assert desk.ask("DELETE", path, "agent").status_code == 409


def test_an_event_that_was_named_answers_it(desk: Desk) -> None:
    give(desk, expect="Fixed")
    fixed = events_of.Event(
        source="shop", id="f", type="Fixed", time_us=NOW_US + 2 * HOUR_US, received_us=NOW_US, customer="C1", case="T"
    )
    desk.store.events.append([fixed])
    assert look(desk, 3)["verdict"] == "kept"


def test_a_clerk_that_comes_late_or_twice_changes_nothing(desk: Desk) -> None:
    give(desk)
    desk.now_us = NOW_US + 100 * HOUR_US
    clerks = [Clerk(desk.store, lambda: desk.now_us, lambda one: (one,)) for _ in range(2)]
    assert [len(one.waiting()) for one in clerks] == [1, 1]
    clerks[0].step()
    clerks[1].step()
    assert look(desk, 100)["verdict"] == "broken"
    assert desk.store.events.arrived().n_duplicates == 0


def test_what_is_not_understood_is_told_with_its_place(desk: Desk) -> None:
    answer = desk.ask("POST", "/api/v1/customers/C1/promises", "agent", json={"text": "call back soon"})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == "text"


@given(
    st.lists(
        st.builds(
            events_of.Event,
            source=st.sampled_from([events_of.SOURCE, "shop"]),
            id=st.text(max_size=5),
            type=st.sampled_from([events_of.GIVEN, events_of.ANSWERED, events_of.SETTLED, "x"]),
            time_us=st.integers(0, 10),
            received_us=st.just(0),
            customer=st.none() | st.just("c"),
            properties=st.sampled_from(
                [b"{}", b"[]", b"null", b'{"properties":{}}', msgspec.json.encode({"properties": {"promise": "p"}})]
            ),
        )
    )
)
def test_events_that_only_look_like_promises_do_no_harm(events: list[events_of.Event]) -> None:
    assert len(events_of.words_of(events)) <= 1
