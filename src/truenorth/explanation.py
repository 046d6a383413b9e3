"""One case in plain words: what happened, what was promised, and why each verdict is what it is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from truenorth.engine.compile import bind_columns
from truenorth.engine.marks import Translation
from truenorth.engine.replay import Replay
from truenorth.spec.counted import priced
from truenorth.spec.durations import format_duration
from truenorth.spec.expressions import Condition
from truenorth.spec.model import Promise, PromiseKind
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.spec.wording import in_words

Row = dict[str, Any]

VERDICT_ORDER = ("broken", "open", "lapsed", "kept")
"""What a reader wants to see first."""


class UnknownCase(TruenorthError):
    """A replay has no case of that id."""


@dataclass(frozen=True)
class Explanation:
    """A case explained.

    ``case`` is its row of the table of cases; ``timeline`` its events in order, with flags; ``outcome`` a sentence;
    ``promises`` one row an instance with its verdict and, under ``sentence``, why.
    """

    case: Row
    timeline: pl.DataFrame
    outcome: str
    promises: list[Row]


def explain(replay: Replay, case: str, *, timezone: str = "UTC") -> Explanation:
    """Explain one case of a replay; UnknownCase with the nearest ids where there is none.

    ``timezone`` is that of the times in sentences.
    """
    row = _case_row(replay, case)
    events = replay.events_of(case)
    teller = _Teller(replay, row, events, ZoneInfo(timezone))
    promises = replay.promises.filter(pl.col("case") == case).to_dicts()
    for instance in promises:
        instance["sentence"] = teller.sentence(instance)
    promises.sort(key=lambda instance: VERDICT_ORDER.index(instance["verdict"]))
    return Explanation(row, events, teller.outcome(), promises)


def _case_row(replay: Replay, case: str) -> Row:
    found = replay.cases.filter(pl.col("case") == case).to_dicts()
    if found:
        return found[0]
    ids = replay.cases["case"].to_list()
    near = get_close_matches(case, ids[:100_000], n=3) or ids[:3]
    hint = f"cases are called {', '.join(repr(name) for name in near)}" if near else "this log has no cases"
    raise UnknownCase([Problem(path="--case", expected="the id of a case", found=repr(case), hint=hint)])


class _Teller:
    """Writes the sentences of one case."""

    def __init__(self, replay: Replay, row: Row, events: pl.DataFrame, zone: ZoneInfo) -> None:
        self.journey = replay.journey
        self.watermark = replay.watermark
        self.row = row
        self.events = events
        self.zone = zone
        self.years = {time.astimezone(zone).year for time in events["time"]}
        self.types = dict(zip(events["id"], events["type"] if "type" in events.columns else events["id"], strict=True))
        self.holding: dict[Condition, list[datetime]] = {}  # the times at which a condition holds, once asked for
        self.by_name = {promise.name: promise for promise in replay.journey.promises}

    def at(self, instant: datetime) -> str:
        """An instant as a person writes it: the year only where there is more than one, seconds only where needed."""
        local = instant.astimezone(self.zone)
        text = f"{local.day} {local:%b}" + (f" {local.year}" if len(self.years | {local.year}) > 1 else "")
        return f"{text} {local:%H:%M:%S}" if local.second else f"{text} {local:%H:%M}"

    def span(self, duration: timedelta) -> str:
        """A duration as a person says it."""
        return format_duration(duration // timedelta(microseconds=1))

    def first(self, condition: Condition | None, after: datetime) -> datetime | None:
        """When a condition first holds after an instant, in this case."""
        if condition is None:
            return None
        if condition not in self.holding:
            tree = bind_columns(condition.tree, self.events.schema)
            truth = Translation(self.events.schema, handover=None).truth(tree)
            self.holding[condition] = self.events.filter(truth)["time"].to_list()
        times = self.holding[condition]
        place = bisect_right(times, after)
        return times[place] if place < len(times) else None

    def outcome(self) -> str:
        """Why the outcome is what it is."""
        row, rules = self.row, self.journey.outcome
        opened, when = self.at(row["opened"]), row["outcome_time"]
        if row["outcome"] == "open":
            waits = "resolved, and not yet final" if row["resolved"] else "not resolved yet"
            return f"Open: began {opened}; {waits} at {self.at(self.watermark or row['opened'])}."
        after = f"{self.span(when - row['opened'])} after it began ({opened})"
        if row["outcome"] == "achieved":
            back = f", after being reopened {_times(row['reopened'])}" if row["reopened"] else ""
            return f"Achieved: {self.at(when)}, {after}{back}."
        if row["reason"] == "silence":
            silence = format_duration(rules.abandoned_after_us or 0)
            return f"Abandoned: nothing happened for {silence}, until {self.at(when)}."
        if row["reason"] == "late":
            return f"Failed: late. It had to be resolved within {self.limit(rules.within_us, rules.calendar)}, " + (
                f"that is by {self.at(when)}; {self._resolved_later(when)}"
            )
        return f"Failed: {self.at(when)}, {after}, by {in_words(rules.failed) if rules.failed else 'an event'}."

    def _resolved_later(self, due: datetime) -> str:
        later = self.first(self.journey.outcome.achieved, due)
        if self.row["reopened"] and self.row["resolved"] is None and later is None:
            return "it was reopened after that."
        return f"it took {self.span(later - due)} longer." if later else "it was not resolved at all so far."

    def limit(self, duration_us: int | None, calendar: str | None) -> str:
        """A duration of the journey file, and by whose hours it counts."""
        open_time = f" of open time ({calendar})" if calendar else ""
        return f"{format_duration(duration_us or 0)}{open_time}"

    def sentence(self, instance: Row) -> str:
        """Why one instance of a promise has its verdict."""
        promise = self.by_name[instance["promise"]]
        number = f" ({_ordinal(instance['instance'])} time)" if instance["instance"] > 1 else ""
        said = _SENTENCES[promise.kind](self, promise, instance)
        return f"{instance['verdict'].capitalize()}: {promise.name}{number} {said}."

    def cause(self, instance: Row) -> str:
        """The event that decided, with its time; or that nothing but time did."""
        by = instance["decided_by"]
        when = self.at(instance["decided"])
        return f"'{self.types[by]}' at {when}" if by in self.types and self.types[by] is not None else when

    def ending(self, instance: Row) -> str:
        """How a case went on when an instance ended with it."""
        closed = self.row["closed"] == instance["decided"]
        return f"the case was {'closed' if closed else 'resolved'} at {self.at(instance['decided'])}"


def _response(teller: _Teller, promise: Promise, instance: Row) -> str:
    wanted = in_words(promise.expect) if promise.expect else ""
    due = instance["due"]
    by = f"by {teller.at(due)}" if due else "at some time (its calendar never opens)"
    match instance["verdict"]:
        case "kept":
            early = f", {teller.span(due - instance['decided'])} before it was due" if due else ""
            return f"expected {wanted} {by}; it came at {teller.at(instance['decided'])}{early}"
        case "broken":
            later = teller.first(promise.expect, due)
            came = f"it came {teller.span(later - due)} later" if later else "it never came in this case"
            return f"expected {wanted} {by}; {came}"
        case "lapsed":
            return f"expected {wanted} {by}; nothing is owed any more, since {_lapse(teller, promise, instance)}"
        case _:
            return f"expects {wanted} {by}; there is still time"


def _lapse(teller: _Teller, promise: Promise, instance: Row) -> str:
    ends = {teller.row["closed"], teller.row["resolved"]}
    if promise.unless and instance["decided"] not in ends and instance["decided_by"]:
        return f"{teller.cause(instance)} called it off"
    return teller.ending(instance)


def _rhythm(teller: _Teller, promise: Promise, instance: Row) -> str:
    wanted = in_words(promise.expect) if promise.expect else ""
    every = teller.limit(promise.at_least_every_us, promise.calendar)
    since = teller.at(instance["started"])
    match instance["verdict"]:
        case "kept":
            gap = teller.span(instance["decided"] - instance["started"])
            return f"expected {wanted} at least every {every}; after {since} it took {gap}"
        case "broken":
            later = teller.first(promise.expect, instance["due"])
            came = f"it came {teller.span(later - instance['due'])} too late" if later else "none came in this case"
            return f"expected {wanted} at least every {every}, so after {since} by {teller.at(instance['due'])}; {came}"
        case "lapsed":
            return (
                f"expected {wanted} at least every {every}; nothing is owed any more, since {teller.ending(instance)}"
            )
        case _:
            return f"expects {wanted} at least every {every}, next by {teller.at(instance['due'])}"


def _absence(teller: _Teller, promise: Promise, instance: Row) -> str:
    unwanted = in_words(promise.never) if promise.never else ""
    within = f" within {teller.limit(promise.within_us, promise.calendar)}" if promise.within_us else ""
    since = f" of {teller.at(instance['started'])}" if within else f" after {teller.at(instance['started'])}"
    rule = f"rules out {unwanted}{within}{since if promise.after or within else ''}"
    return f"{rule}; " + _prohibited(
        teller, instance, "it happened with", "it had not happened by", "so far it has not happened"
    )


def _limit(teller: _Teller, promise: Promise, instance: Row) -> str:
    n = int(promise.at_most or 0)
    counted = in_words(promise.of) if promise.of else ""
    rule = f"allows {counted} at most {_times(n)}" if n else f"allows {counted} not even once"
    return f"{rule}; " + _prohibited(teller, instance, f"the {_ordinal(n + 1)} came with")


def _total(teller: _Teller, promise: Promise, instance: Row) -> str:
    currency = teller.journey.currency if promise.total in ("cost", "revenue") else ""
    rule = f"allows {promise.total} to add up to at most {priced(f'{promise.at_most:g}', currency)}"
    return f"{rule}; " + _prohibited(teller, instance, "it exceeded that with")


def _prohibited(
    teller: _Teller,
    instance: Row,
    broken: str,
    kept: str = "that held to the end,",
    so_far: str = "that holds so far",
) -> str:
    """How it went with a prohibition, by its verdict."""
    match instance["verdict"]:
        case "broken":
            return f"{broken} {teller.cause(instance)}"
        case "kept":
            return f"{kept} {teller.at(instance['decided'])}"
        case _:
            return so_far


def _precedence(teller: _Teller, promise: Promise, instance: Row) -> str:
    before = in_words(promise.before) if promise.before else ""
    required = in_words(promise.require) if promise.require else ""
    there = "came earlier" if instance["verdict"] == "kept" else "had not come before"
    return f"requires {required} before {before}; at {teller.at(instance['decided'])} it {there}"


_SENTENCES: Mapping[PromiseKind, Callable[[_Teller, Promise, Row], str]] = {
    PromiseKind.RESPONSE: _response,
    PromiseKind.RHYTHM: _rhythm,
    PromiseKind.ABSENCE: _absence,
    PromiseKind.LIMIT: _limit,
    PromiseKind.TOTAL: _total,
    PromiseKind.PRECEDENCE: _precedence,
}


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")
