"""Each verdict of each kind of promise is explained in one plain sentence that is true."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from truenorth.engine.replay import Replay, replay
from truenorth.explanation import UnknownCase, explain
from truenorth.spec.load import parse_journey

HEAD = "truenorth: 1\njourney: help\ncurrency: EUR\n"
CLOSING = "outcome: {achieved: type = 'Closed', failed: type = 'Left', within: 3d, abandoned_after: 5d}\n"


def judged(
    promise: str, *events: tuple[str, str], outcome: str = CLOSING, now: str | None = None, **more: Any
) -> Replay:
    """One case of (time in May 2024 as 'day hour:minute', type) under one promise; ``more`` are columns."""
    frame = pl.DataFrame({"type": [name for _, name in events], "case": ["C1"] * len(events), **more})
    times = pl.Series("time", [instant(text) for text, _ in events], dtype=pl.Datetime("us", "UTC"))
    text = f"{HEAD}{outcome}promises:\n  - {{name: p, {promise}}}\n"
    return replay(parse_journey(text), frame.with_columns(times), now=instant(now) if now else None)


def instant(text: str) -> datetime:
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2024, 5, int(day), int(hour), int(minute), tzinfo=UTC)


def sentences(replayed: Replay) -> list[str]:
    return [instance["sentence"] for instance in explain(replayed, "C1").promises]


RESPONSE = "after: type = 'Open', expect: type = 'Answer', within: 4h"


@pytest.mark.parametrize(
    ("promise", "events", "sentence"),
    [
        (
            RESPONSE,
            [("6 10:00", "Open"), ("6 13:00", "Answer"), ("6 15:00", "Closed")],
            "Kept: p expected 'Answer' by 6 May 14:00; it came at 6 May 13:00, 1 h before it was due.",
        ),
        (
            RESPONSE,
            [("6 10:00", "Open"), ("6 17:12", "Answer"), ("6 18:00", "Closed")],
            "Broken: p expected 'Answer' by 6 May 14:00; it came 3 h 12 min later.",
        ),
        (
            RESPONSE,
            [("6 10:00", "Open"), ("6 18:00", "Closed")],
            "Broken: p expected 'Answer' by 6 May 14:00; it never came in this case.",
        ),
        (
            RESPONSE,
            [("6 10:00", "Open"), ("6 11:00", "Closed")],
            "Lapsed: p expected 'Answer' by 6 May 14:00; nothing is owed any more, since the case was closed at "
            "6 May 11:00.",
        ),
        (
            f"{RESPONSE}, unless: type = 'Never mind'",
            [("6 10:00", "Open"), ("6 11:00", "Never mind")],
            "Lapsed: p expected 'Answer' by 6 May 14:00; nothing is owed any more, since 'Never mind' at 6 May 11:00 "
            "called it off.",
        ),
        (
            RESPONSE,
            [("6 10:00", "Open"), ("6 11:00", "Wait")],
            "Open: p expects 'Answer' by 6 May 14:00; there is still time.",
        ),
        (
            "expect: type = 'News', at_least_every: 6h",
            [("6 10:00", "Open"), ("6 18:30", "News"), ("6 19:00", "Closed")],
            "Broken: p expected 'News' at least every 6 h, so after 6 May 10:00 by 6 May 16:00; it came 2 h 30 min too "
            "late.",
        ),
        (
            "never: type = 'Error'",
            [("6 10:00", "Open"), ("6 11:00", "Error")],
            "Broken: p rules out 'Error'; it happened with 'Error' at 6 May 11:00.",
        ),
        (
            "after: type = 'Open', never: type = 'Error', within: 2h",
            [("6 10:00", "Open"), ("6 13:00", "Closed")],
            "Kept: p rules out 'Error' within 2 h of 6 May 10:00; it had not happened by 6 May 12:00.",
        ),
        (
            "at_most: 1, of: type = 'Ask'",
            [("6 10:00", "Ask"), ("6 11:00", "Ask")],
            "Broken: p allows 'Ask' at most once; the 2nd came with 'Ask' at 6 May 11:00.",
        ),
        (
            "at_most: 0, of: type = 'Ask'",
            [("6 10:00", "Open"), ("6 11:00", "Closed")],
            "Kept: p allows 'Ask' not even once; that held to the end, 6 May 11:00.",
        ),
        (
            "before: type = 'Closed', require: type = 'Test'",
            [("6 10:00", "Open"), ("6 11:00", "Closed")],
            "Broken: p requires 'Test' before 'Closed'; at 6 May 11:00 it had not come before.",
        ),
        (
            "before: type = 'Closed', require: type = 'Test'",
            [("6 10:00", "Test"), ("6 11:00", "Closed")],
            "Kept: p requires 'Test' before 'Closed'; at 6 May 11:00 it came earlier.",
        ),
    ],
)
def test_why_a_promise_has_its_verdict(promise: str, events: list[tuple[str, str]], sentence: str) -> None:
    assert sentence in sentences(judged(promise, *events))


def test_a_total_names_its_currency() -> None:
    replayed = judged("at_most: 50, total: cost", ("6 10:00", "Open"), ("6 11:00", "Visit"), cost=[20.0, 40.0])
    assert sentences(replayed) == [
        "Broken: p allows cost to add up to at most EUR 50; it exceeded that with 'Visit' at 6 May 11:00."
    ]


@pytest.mark.parametrize(
    ("events", "now", "sentence"),
    [
        (
            [("6 10:00", "Open"), ("6 12:30", "Closed")],
            None,
            "Achieved: 6 May 12:30, 2 h 30 min after it began (6 May 10:00).",
        ),
        (
            [("6 10:00", "Open"), ("7 10:00", "Left")],
            None,
            "Failed: 7 May 10:00, 1 d after it began (6 May 10:00), by 'Left'.",
        ),
        (
            [("6 10:00", "Open"), ("10 10:00", "Closed")],
            None,
            "Failed: late. It had to be resolved within 3 d, that is by 9 May 10:00; it took 1 d longer.",
        ),
        (
            [("6 10:00", "Open")],
            "10 10:00",
            "Failed: late. It had to be resolved within 3 d, that is by 9 May 10:00; it was not resolved at all so "
            "far.",
        ),
        ([("6 10:00", "Open")], "7 10:00", "Open: began 6 May 10:00; not resolved yet at 7 May 10:00."),
    ],
)
def test_why_a_case_has_its_outcome(events: list[tuple[str, str]], now: str | None, sentence: str) -> None:
    assert explain(judged("never: type = 'x'", *events, now=now), "C1").outcome == sentence


def test_silence_is_told_as_such() -> None:
    outcome = "outcome: {achieved: type = 'Closed', abandoned_after: 5d}\n"
    replayed = judged("never: type = 'x'", ("6 10:00", "Open"), outcome=outcome, now="20 10:00")
    assert explain(replayed, "C1").outcome == "Abandoned: nothing happened for 5 d, until 11 May 10:00."


def test_times_are_told_in_the_zone_asked_for() -> None:
    replayed = judged(RESPONSE, ("6 10:00", "Open"), ("6 13:00", "Answer"))
    told = explain(replayed, "C1", timezone="Europe/Rome").promises[0]["sentence"]
    assert told == "Kept: p expected 'Answer' by 6 May 16:00; it came at 6 May 15:00, 1 h before it was due."


def test_the_time_line_has_the_events_of_the_case_alone() -> None:
    outcome = "need: type = 'Open'\noutcome: {achieved: type = 'Closed'}\n"
    events = [("6 09:00", "Ad"), ("6 10:00", "Open"), ("6 11:00", "Closed"), ("7 10:00", "Open"), ("7 11:00", "Closed")]
    replayed = judged("never: type = 'x'", *events, outcome=outcome)
    assert explain(replayed, "C1").timeline["id"].to_list() == ["2", "3"]
    assert explain(replayed, "C1#2").timeline["id"].to_list() == ["4", "5"]


def test_an_unknown_case_names_the_nearest() -> None:
    replayed = judged("never: type = 'x'", ("6 10:00", "Open"))
    with pytest.raises(UnknownCase, match="'C1'"):
        explain(replayed, "C2")
