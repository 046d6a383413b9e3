"""Journeys and logs made up to be hard: few names, ties, deadlines to the microsecond, late arrivals, nulls.

One maker, two ways to choose. `journeys()`, `logs()`, `journeys_with_logs()` and `conditions()` are Hypothesis
strategies and shrink; `random_pack(seed, n)` makes thousands a minute from a seed. Sums are exact in any order.
"""

from __future__ import annotations

import random  # noqa: TID251 (always seeded)
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Journey = dict[str, Any]
Log = tuple[list[dict[str, Any]], set[str]]  # events in order of arrival, and the columns that the log has
Sample = tuple[Journey, list[dict[str, Any]], set[str], int | None]  # journey, events, columns, now

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MAX_EVENTS = 30
MAX_PROMISES = 5

# What the columns of a log hold. The first value is the plainest: examples shrink towards it.
VALUES: dict[str, tuple[Any, ...]] = {
    "type": ("ask", "done", "work", "ask", "done", "fail", "back", "back", "work", "note", None),
    "case": ("a", "a", "b", "c", "a", "a", "b", None),
    "customer": ("ann", "ann", "bob", "ann", "cat", None),
    "team": ("desk", "lab", None, "desk", "shop"),
    "actor": ("eve", None, "max"),
    "channel": ("web", "phone", None),
    "cost": (None, 1.0, 0.25, 0.0, 2.5, -0.5, 10.0),
    "revenue": (None, 3.0, -0.75),
    "feeling": (None, -1.0, -0.5, 0.0, 0.25, 1.0),
    "text": (None, "Help", "100% sure", "help_me", "it's", "two\nlines, help_me"),
    "n": (None, 0, 1, 2, -1),
    "x": (None, 0.5, 0.0, 2.0, -1.25),
    "flag": (None, True, False),
    "tag": (None, "a", "ab", "B", "a_b"),
    "odd name": (None, "yes", "it's"),
}
PROPERTY_TYPES: dict[str, type] = {"n": int, "x": float, "flag": bool, "tag": str, "odd name": str}
ALWAYS = ("id", "time", "type")
SOMETIMES_MISSING = {"case": 4, "team": 3, "actor": 6}  # one log in so many lacks the column
DETAILS = tuple(name for name in VALUES if name not in {"type", "case", "customer", "team", "actor"})

# Logs begin at one of these: clocks change in Rome on 31 March and 27 October, in New York on 10 March and 3 November.
BEGINNINGS = tuple(
    datetime.fromisoformat(text).replace(tzinfo=UTC)
    for text in (
        "2024-05-15 00:00",
        "2024-03-30 18:00",
        "2024-03-31 00:00",
        "2024-03-10 00:00",
        "2024-10-27 00:00",
        "2024-10-26 18:30",
        "2024-11-03 00:00",
        "2024-11-01 12:00",
        "2024-02-28 09:00",
    )
)
STEPS = (6, 16, 40)  # how many places the grid of times has
SHIFTS_US = (0, 0, 0, 0, 0, 0, 1, -1)
DURATIONS = {
    HOUR_US: ("1h", "2h", "3h", "60m", "90m", "1h30m", "7200s", "6h", "12h", "1d"),
    6 * HOUR_US: ("6h", "12h", "18h", "1d", "1d6h", "2d", "360m", "3d", "1w"),
    DAY_US: ("1d", "2d", "3d", "24h", "36h", "1w", "1w3d", "1d12h", "2w"),
}
ZONES = ("Europe/Rome", "America/New_York", "Asia/Kolkata", "UTC", None)
HOURS: tuple[dict[str, str | list[str]], ...] = (
    {"mon-fri": "09:00-18:00"},
    {"mon-sun": "00:00-24:00"},
    {"mon-sun": "22:00-06:00"},
    {"mon-sun": "02:00-03:00"},
    {"mon-sun": "01:30-02:30, 12:00-24:00"},
    {"mon,wed,fri": "08:30-12:30,13:30-17:00", "sat": ["10:00-12:00", "13:00-14:00"]},
    {"sat": "20:00-02:30", "sun": "01:00-04:00", "mon-wed": "09:00-17:00"},
    {"fri-mon": "23:00-03:00"},
)
HOLIDAYS: tuple[date | str, ...] = (
    date(2024, 3, 31),
    "2024-05-15",
    date(2024, 10, 28),
    "2024-11-04",
    date(2024, 3, 11),
)
CANVAS = {
    "customer": "Whoever asks",
    "expects": "To wait",
    "believes": "Getting an answer",
    "affects": {"helps": ["A desk"], "harms": ["A queue"]},
    "outcome": ["Answered within 2 days of asking"],
    "one_liner": "Answered",
}


class Choices(ABC):
    """Where choices come from: a seed, or Hypothesis. 0 is the plainest choice."""

    @abstractmethod
    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""

    @abstractmethod
    def rows(self, bounds: Sequence[int], longest: int) -> list[tuple[int, ...]]:
        """At most `longest` rows, each with one number below each of the bounds."""

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def once_in(self, n: int) -> bool:
        """True once in `n` times; False is plainer."""
        return self.below(n) == n - 1

    def some(self, options: Sequence[T], longest: int) -> list[T]:
        """From 1 to `longest` of the options, without repetition."""
        found = [self.pick(options) for _ in range(1 + self.below(longest))]
        return [option for at, option in enumerate(found) if option not in found[:at]]


class Seeded(Choices):
    """Choices that follow from a seed: fast."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        return int(self.random() * n)

    def rows(self, bounds: Sequence[int], longest: int) -> list[tuple[int, ...]]:
        return [tuple(self.below(bound) for bound in bounds) for _ in range(self.below(longest + 1))]


class Drawn(Choices):
    """Choices that Hypothesis makes: they shrink."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def below(self, n: int) -> int:
        return self.draw(st.integers(0, n - 1)) if n > 1 else 0

    def rows(self, bounds: Sequence[int], longest: int) -> list[tuple[int, ...]]:
        row = st.tuples(*(st.integers(0, bound - 1) for bound in bounds))
        return self.draw(st.lists(row, max_size=longest))


# --- conditions -----------------------------------------------------------------------------------------------------

PLAIN_TESTS = (
    "type = 'work'",
    "type <> 'note'",
    "type != 'ask'",
    "type in ('ask', 'work')",
    "type not in ('done', 'note')",
    "type is not null",
    "type IS NULL",
    "type like '%o%'",
    "type not like '_ork'",
    "type between 'b' and 'f'",
    "'done' = type",
    "channel = 'web'",
    "channel <> 'web'",
    "not channel = 'web'",
    "team = 'desk'",
    "team is null",
    "actor IN ('eve')",
    "customer = 'ann'",
    "case = 'a'",
    "cost > 1",
    "cost >= 0.25",
    "cost between 0 and 2.5",
    "cost not between 0 and 1",
    "cost + revenue > 0",
    "cost * 2 - 1 >= n",
    "cost = '2.5'",
    "1 < cost",
    "feeling < -0.5",
    "feeling < 0 or feeling is null",
    "revenue is not null",
    "text like '%100%%' or text like 'Help'",
    "text like '%_me'",
    "text = 'it''s'",
    "id in ('e1', 'e2', 'e3')",
    "n = 1",
    "n = '1'",
    "n <> 0",
    "n in (1, 2)",
    "n not in (0, '2')",
    "n / 2 = 0.5",
    "1 / n > 0",
    "-n > 0",
    "n * (n + 1) > 1",
    "x > n",
    "x >= -1.25",
    "x / n < 1",
    "flag",
    "not flag",
    "flag = true",
    "flag <> false",
    "flag is null",
    "tag like 'a%'",
    "tag like '%b'",
    "tag not like 'A%' and tag <= 'a_b'",
    "tag > 'a'",
    "tag = 'B' or tag = 'a_b'",
    "\"odd name\" = 'it''s'",
    '"odd name" is not null',
    "true",
    "false",
    "nothing = 1",
    "nothing is null",
    "time >= '2024-05-15 06:00:00'",
    "time < timestamp '2024-03-31T01:00:00Z'",
    "time between '2024-10-27 00:00:00' and '2024-10-27 12:00:00'",
    "time > '2024-10-27 02:00:00+02:00' and time <= '2024-11-03'",
    "handover",
    "not handover",
)
FLAG_TESTS = ("moment", "decision", "internal", "not moment", "internal and not handover", "moment = true")
SHAPES = ("({0})", "not ({0})", "not {0}", "{0} and {1}", "{0} or {1}", "({0} or {1}) and {2}", "{0} or {1} and {2}")


def make_condition(choices: Choices, likely: Sequence[str] = ("work",), *, flags: bool = True) -> str:
    """A condition; more than half are met by the `likely` types only. Without `flags`, one that can define them."""
    sort = choices.below(10)
    if sort < 5:
        return f"type = '{choices.pick(likely)}'"
    if sort == 5:
        return "type in ({})".format(", ".join(f"'{name}'" for name in choices.some([*likely, "note"], 3)))
    return make_test(choices, flags) if sort < 8 else make_tree(choices, flags, depth=2)


def make_test(choices: Choices, flags: bool) -> str:
    return choices.pick(FLAG_TESTS) if flags and choices.once_in(6) else choices.pick(PLAIN_TESTS)


def make_tree(choices: Choices, flags: bool, depth: int) -> str:
    """Tests joined by `and`, `or`, `not` and parentheses, or without them where the language's precedence decides."""
    shape = choices.pick(SHAPES)
    parts = [
        make_tree(choices, flags, depth - 1) if depth > 0 and choices.once_in(3) else make_test(choices, flags)
        for _ in range(shape.count("{"))
    ]
    return shape.format(*parts)


# --- journeys -------------------------------------------------------------------------------------------------------


def make_journey(choices: Choices, unit_us: int = HOUR_US) -> Journey:
    """A valid journey whose durations suit a log with this grid of times."""
    calendars = make_calendars(choices)
    journey: Journey = {"truenorth": 1, "journey": "made_up", "title": "Made up", "currency": "EUR", "canvas": CANVAS}
    if choices.once_in(4):
        journey["only"] = choices.pick(("type is not null", make_condition(choices, ("ask", "done", "work"))))
    if not choices.once_in(4):
        journey["need"] = choices.pick(
            ("type = 'ask'", "type in ('ask', 'work')", "type is not null", make_condition(choices, ("ask",)))
        )
    if not choices.once_in(10):
        journey["outcome"] = make_outcome(choices, unit_us, calendars)
    if not choices.once_in(3):
        journey["moments"] = make_condition(choices, ("ask", "work"), flags=False)
    if not choices.once_in(3):
        journey["decisions"] = make_condition(choices, ("note", "work"), flags=False)
    if calendars:
        journey["calendars"] = calendars
    makers = [choices.pick(PROMISES) for _ in range(choices.below(MAX_PROMISES + 1))]
    journey["promises"] = [
        {"name": f"promise_{'abcde'[at]}", **maker(choices, unit_us, calendars)} for at, maker in enumerate(makers)
    ]
    return journey


def make_calendars(choices: Choices) -> dict[str, Any]:
    names = ("office", "night")[: choices.below(3)]
    return {name: make_calendar(choices) for name in names}


def make_calendar(choices: Choices) -> dict[str, Any]:
    zone = choices.pick(ZONES)
    spec: dict[str, Any] = {"timezone": zone} if zone else {}
    spec["hours"] = choices.pick(HOURS)
    if choices.once_in(3):
        spec["holidays"] = choices.some(HOLIDAYS, 3)
    return spec


def make_span(choices: Choices, key: str, unit_us: int, calendars: dict[str, Any]) -> dict[str, str]:
    """A duration under `key`, on a calendar now and then."""
    span = {key: choices.pick(DURATIONS[unit_us])}
    if calendars and choices.once_in(2):
        span["calendar"] = choices.pick(sorted(calendars))
    return span


def make_outcome(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    outcome: dict[str, Any] = {"achieved": make_condition(choices, ("done",))}
    if choices.once_in(2):
        outcome["failed"] = make_condition(choices, ("fail",))
    if choices.once_in(2):
        outcome |= make_span(choices, "within", unit_us, calendars)
    if not choices.once_in(3):
        outcome["holds_for"] = choices.pick(DURATIONS[unit_us][1:])
        if not choices.once_in(5):
            outcome["reopened"] = choices.pick(("type = 'back'", make_condition(choices, ("back", "work"))))
    if choices.once_in(2):
        outcome["abandoned_after"] = choices.pick(DURATIONS[unit_us])
    if choices.once_in(2):
        verdicts = choices.some(("achieved", "failed", "abandoned"), 3)
        outcome["value"] = {verdict: choices.pick((100, -40, 0.5)) for verdict in verdicts}
    return outcome


def make_response(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    promise = {
        "after": make_condition(choices, ("ask", "work", "back")),
        "expect": make_condition(choices, ("work", "done")),
        **make_span(choices, "within", unit_us, calendars),
    }
    if choices.once_in(3):
        promise["unless"] = make_condition(choices, ("note", "fail", "work", "done"))
    return promise


def make_rhythm(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    span = make_span(choices, "at_least_every", unit_us, calendars)
    return {"expect": make_condition(choices, ("work", "note")), **span}


def make_absence(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    promise = {"never": make_condition(choices, ("back", "fail", "note")), **make_after(choices)}
    return promise | (make_span(choices, "within", unit_us, calendars) if choices.once_in(2) else {})


def make_limit(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    of = "handover" if choices.once_in(4) else make_condition(choices, ("work", "ask", "back"))
    return {"at_most": choices.below(4), "of": of, **make_after(choices)}


def make_total(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    promise = {"at_most": choices.pick((1, 0, 2.5, 10)), "total": choices.pick(("cost", "cost", "revenue", "n", "x"))}
    if choices.once_in(3):
        promise["where"] = make_condition(choices, ("work", "ask"))
    return promise | make_after(choices)


def make_precedence(choices: Choices, unit_us: int, calendars: dict[str, Any]) -> dict[str, Any]:
    require = make_condition(choices, ("work", "note"))
    return {"before": make_condition(choices, ("done", "work")), "require": require}


def make_after(choices: Choices) -> dict[str, str]:
    return {"after": make_condition(choices, ("done", "work", "ask"))} if choices.once_in(2) else {}


PROMISES = (make_response, make_rhythm, make_absence, make_limit, make_total, make_precedence)


# --- logs -----------------------------------------------------------------------------------------------------------


def make_log(choices: Choices, unit_us: int = HOUR_US) -> Log:
    """Events on a grid of times, some a microsecond beside it; in half of the logs they arrive out of order."""
    names = make_columns(choices)
    begin_us, n_steps = instant_us(choices.pick(BEGINNINGS)), choices.pick(STEPS)
    bounds = [n_steps, len(SHIFTS_US), *(len(VALUES[name]) for name in names)]
    rows = choices.rows(bounds, MAX_EVENTS)
    if not choices.once_in(2):
        rows.sort(key=lambda row: (row[0], SHIFTS_US[row[1]]))
    events = []
    for at, (step, shift, *values) in enumerate(rows, 1):
        event = {"id": f"e{at}", "time": begin_us + step * unit_us + SHIFTS_US[shift]}
        event.update((name, VALUES[name][value]) for name, value in zip(names, values, strict=True))
        events.append(event)
    return events, {"id", "time", *names}


def make_columns(choices: Choices) -> list[str]:
    """The columns of a log besides `id` and `time`. There is always a key: case or customer."""
    names = ["type", *(name for name, n in SOMETIMES_MISSING.items() if not choices.once_in(n))]
    if "case" not in names or not choices.once_in(6):
        names.append("customer")
    details = DETAILS if not choices.once_in(5) else choices.some(DETAILS, 6)
    return [*names, *details]


def make_now(choices: Choices, events: list[dict[str, Any]], unit_us: int) -> int | None:
    """Now: not given, or at, beside, after or before an event."""
    if not events or not choices.once_in(2):
        return None
    near: int = choices.pick(events)["time"]
    return near + choices.pick((0, 1, -1, unit_us, 3 * unit_us, -unit_us, 14 * DAY_US, 400 * DAY_US))


def make_sample(choices: Choices) -> Sample:
    unit_us = choices.pick(tuple(DURATIONS))
    journey = make_journey(choices, unit_us)
    events, columns = make_log(choices, unit_us)
    return journey, events, columns, make_now(choices, events, unit_us)


def instant_us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


# --- what tests use -------------------------------------------------------------------------------------------------


@st.composite
def conditions(draw: st.DrawFn, *, flags: bool = True) -> str:
    """A condition as text."""
    choices = Drawn(draw)
    return make_tree(choices, flags, depth=3) if choices.once_in(2) else make_test(choices, flags)


@st.composite
def journeys(draw: st.DrawFn, unit_us: int = HOUR_US) -> Journey:
    """A valid journey."""
    return make_journey(Drawn(draw), unit_us)


@st.composite
def logs(draw: st.DrawFn, unit_us: int = HOUR_US) -> Log:
    """Events in order of arrival, without duplicates, and the columns of the log."""
    return make_log(Drawn(draw), unit_us)


@st.composite
def journeys_with_logs(draw: st.DrawFn) -> Sample:
    """A journey, the events and the columns of a log that suits it, and now."""
    return make_sample(Drawn(draw))


def random_pack(seed: int, n: int) -> list[Sample]:
    """`n` samples that follow from `seed`; sample `i` depends on `seed` and `i` only."""
    return [make_sample(Seeded(f"{seed}/{at}")) for at in range(n)]
