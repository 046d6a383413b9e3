"""From a journey to the tables of the step.

A `Program` is a journey bound to the columns of a log: its conditions in a fixed order, and which flag or mark each of
them sets. Applied to events it gives their classes, and for the classes that occur the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine import kernel
from truenorth.engine.marks import Classes, Translation
from truenorth.spec.binding import bind
from truenorth.spec.conditions import fields_of
from truenorth.spec.durations import DAY_US
from truenorth.spec.expressions import Condition, Kind, Literal, Node, Or
from truenorth.spec.flags import define_flags, expand_flags
from truenorth.spec.model import FLAGS, Calendar, Journey, Promise, PromiseKind
from truenorth.spec.openings import open_intervals
from truenorth.spec.problems import InvalidJourney, Problem

HORIZON_US = 36_525 * DAY_US
"""A deadline further away than this (100 years) never comes."""

FAMILY = {
    PromiseKind.RESPONSE: kernel.OBLIGATION,
    PromiseKind.RHYTHM: kernel.OBLIGATION,
    PromiseKind.ABSENCE: kernel.PROHIBITION,
    PromiseKind.LIMIT: kernel.PROHIBITION,
    PromiseKind.TOTAL: kernel.PROHIBITION,
    PromiseKind.PRECEDENCE: kernel.PRECEDENCE,
}

TRUE = Literal(True)
FALSE = Literal(False)


def kinds_of(schema: Mapping[str, pl.DataType]) -> dict[str, Kind]:
    """The kind of each column of a frame.

    >>> kinds_of({"n": pl.Int32(), "x": pl.Float64(), "word": pl.String()})
    {'n': 'integer', 'x': 'number', 'word': 'text'}
    """
    return {name: _kind(dtype) for name, dtype in schema.items()}


def _kind(dtype: pl.DataType) -> Kind:
    if dtype == pl.Null:
        return "null"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    return "instant" if dtype.is_temporal() else "text"


def bind_columns(tree: Node, schema: Mapping[str, pl.DataType]) -> Node:
    """A tree bound to the columns of a frame that is known to fit."""
    bound, problems = bind(tree, kinds_of(schema))
    if problems:
        raise InvalidJourney(problems)
    return bound


def _tree(condition: Condition | None, default: Node) -> Node:
    return condition.tree if condition else default


def promise_marks(promise: Promise) -> Iterator[tuple[int, str, Node]]:
    """What sets the marks of a promise: bit, key of the journey file, tree."""
    keys = {"expect": kernel.EXPECT, "unless": kernel.UNLESS, "after": kernel.AFTER, "never": kernel.HIT}
    keys |= {"of": kernel.HIT, "before": kernel.BEFORE, "require": kernel.REQUIRE}
    for key, bit in keys.items():
        condition: Condition | None = getattr(promise, key)
        if condition:
            yield bit, key, condition.tree
    if promise.kind is PromiseKind.RHYTHM and promise.expect:
        yield kernel.AFTER, "expect", promise.expect.tree
    if promise.kind is PromiseKind.TOTAL:
        yield kernel.HIT, "where", _tree(promise.where, TRUE)


def _starts(promise: Promise) -> int:
    if promise.kind is PromiseKind.RHYTHM:
        return int(kernel.AT_OPENING)
    if FAMILY[promise.kind] == kernel.PROHIBITION and promise.after is None:
        return int(kernel.BEFORE_OPENING)
    return int(kernel.BY_TRIGGER)


class Role(NamedTuple):
    """A condition of a journey and what it sets: a flag of the event, or a mark for one promise."""

    path: str
    tree: Node
    bit: int
    promise: int | None = None


def roles(journey: Journey) -> Iterator[Role]:
    """Every condition of a journey, the ones that it leaves out as constants."""
    outcome = journey.outcome
    yield Role("$.only", _tree(journey.only, TRUE), kernel.ONLY)
    yield Role("$.need", _tree(journey.need, TRUE), kernel.NEED)
    yield Role("$.outcome.achieved", _tree(outcome.achieved, FALSE), kernel.ACHIEVED_BY)
    yield Role("$.outcome.failed", _tree(outcome.failed, FALSE), kernel.FAILED_BY)
    yield Role("$.outcome.reopened", _tree(outcome.reopened, FALSE), kernel.REOPENED_BY)
    yield Role("$.moments", _tree(journey.moments, FALSE), kernel.MOMENT)
    yield Role("$.decisions", Or((*(rule.when.tree for rule in journey.decisions), FALSE)), kernel.DECISION)
    for p, promise in enumerate(journey.promises):
        for bit, key, tree in promise_marks(promise):
            yield Role(f"$.promises[{p}].{key}", tree, bit, p)


def used_fields(journey: Journey) -> frozenset[str]:
    """The fields of an event that conditions and totals name.

    >>> from truenorth.spec.load import parse_journey
    >>> sorted(used_fields(parse_journey("{truenorth: 1, journey: a, outcome: {achieved: plan = 'x' and moment}}")))
    ['plan']
    """
    used = {name for role in roles(journey) for name in fields_of(role.tree)} - set(FLAGS)
    return frozenset(used | {promise.total for promise in journey.promises if promise.total})


def needed_columns(journey: Journey) -> frozenset[str]:
    """The fields that a replay looks at: a reader may leave out the rest."""
    return used_fields(journey) | {"source", "id", "time", "case", "customer", "team", "actor", "cost", "revenue"}


@dataclass(frozen=True)
class Program:
    """A journey bound to the columns of a log.

    ``trees`` are its distinct conditions, by number; ``flags`` holds (bit, condition) and ``marks`` (promise, bit,
    condition); ``amounts`` are the numeric fields that are added up.
    """

    journey: Journey
    trees: Mapping[Node, int]
    flags: Sequence[tuple[int, int]]
    marks: Sequence[tuple[int, int, int]]
    amounts: tuple[str, ...]


def compile_journey(journey: Journey, schema: Mapping[str, Kind]) -> Program:
    """Bind a journey to the columns of a log; InvalidJourney with all literals that cannot be read.

    ``schema`` gives the kind of every column. A field that is not in it is null everywhere.
    """
    definitions = define_flags(journey.moments, journey.decisions)
    trees: dict[Node, int] = {}
    flags, marks, problems = [], [], list(_totals_that_are_no_numbers(journey, schema))
    for role in roles(journey):
        bound, found = bind(expand_flags(role.tree, definitions), schema)
        problems += [msgspec.structs.replace(problem, path=role.path) for problem in found]
        number = trees.setdefault(bound, len(trees))
        if role.promise is None:
            flags.append((role.bit, number))
        else:
            marks.append((role.promise, role.bit, number))
    if problems:
        raise InvalidJourney(problems)
    totals = [promise.total for promise in journey.promises if promise.total]
    amounts = [*(name for name in ("cost", "revenue") if name in schema), *totals]
    return Program(journey, trees, flags, marks, tuple(dict.fromkeys(amounts)))


def _totals_that_are_no_numbers(journey: Journey, schema: Mapping[str, Kind]) -> Iterator[Problem]:
    for p, promise in enumerate(journey.promises):
        kind = schema.get(promise.total or "", "null")
        if kind not in ("integer", "number", "null"):
            yield Problem(
                path=f"$.promises[{p}].total",
                expected="a field that holds numbers",
                found=f"'{promise.total}', which holds {kind}",
                hint="name a numeric field, or repair the column in the log",
            )


class Marker:
    """Finds the classes of events for a program and builds the tables of the classes seen."""

    def __init__(self, program: Program, columns: Mapping[str, pl.DataType]) -> None:
        self.program = program
        plain, after_handover = (Translation(columns, handover=flag) for flag in (False, True))
        conditions = [plain.truth(tree) for tree in program.trees]
        self._with_handover = np.arange(len(conditions))
        for tree, number in program.trees.items():
            if "handover" in fields_of(tree):
                self._with_handover[number] = len(conditions)
                conditions.append(after_handover.truth(tree))
        self._classes = Classes(conditions)

    def rows(self, events: pl.DataFrame) -> NDArray[np.int32]:
        """The row of each event in the tables, were it no hand-over: twice its class."""
        rows: NDArray[np.int32] = self._classes.classify(events)
        rows *= 2
        return rows

    @property
    def n_classes(self) -> int:
        """Classes seen so far."""
        return self._classes.n

    def _answers_by_row(self) -> NDArray[np.bool_]:
        """What each condition of the program says of each row of the tables."""
        answers = self._classes.answers()
        by_row = np.empty((2 * len(answers), len(self.program.trees)), np.bool_)
        by_row[0::2] = answers[:, : len(self.program.trees)]
        by_row[1::2] = answers[:, self._with_handover]
        return by_row

    def flags(self) -> NDArray[np.uint8]:
        """What an event of each row of the tables is for its case."""
        return self._flags(self._answers_by_row())

    def _flags(self, by_row: NDArray[np.bool_]) -> NDArray[np.uint8]:
        flags = np.zeros(len(by_row), np.uint8)
        for bit, number in self.program.flags:
            flags[by_row[:, number]] |= bit
        return flags

    def tables(self, first_us: int, last_us: int) -> kernel.Tables:
        """The tables of all classes seen so far; calendars reach from the first instant to beyond the last."""
        by_row = self._answers_by_row()
        rows = np.zeros(len(by_row), kernel.ROW)
        rows["flags"] = self._flags(by_row)
        bits = np.zeros((len(by_row), len(self.program.journey.promises)), np.uint8)
        for p, bit, number in self.program.marks:
            bits[by_row[:, number], p] |= bit
        judges = bits & np.uint8(~kernel.AFTER & 0xFF)
        row, promise = _by_row(judges, rows, "judged")
        judged = np.zeros(len(row), kernel.MARK)
        judged["promise"], judged["bits"] = promise, judges[row, promise]
        _, triggered = _by_row(bits & kernel.AFTER, rows, "triggered")
        hours, hours_from, calendars = _hours(self.program.journey, first_us, last_us)
        rules, outcome = _rules(self.program, calendars), _outcome(self.program, calendars)
        return kernel.Tables(rows, judged, triggered, rules, outcome, hours, hours_from)


def marker_of(journey: Journey, columns: Mapping[str, pl.DataType]) -> Marker:
    """The marker of a journey for events of some columns; InvalidJourney where a condition does not fit them."""
    return Marker(compile_journey(journey, kinds_of(columns)), columns)


def _by_row(bits: NDArray[np.integer], rows: NDArray[np.void], name: str) -> tuple[NDArray[np.int64], ...]:
    """Row and column of what is not zero; ``rows`` is told where each row's part of them begins and ends."""
    row, column = (np.ascontiguousarray(indices) for indices in np.nonzero(bits))
    limits = np.searchsorted(row, np.arange(len(rows) + 1))
    rows[f"{name}_from"], rows[f"{name}_end"] = limits[:-1], limits[1:]
    return row, column


def _or_nothing(number: int | None) -> int:
    return int(kernel.NOTHING) if number is None else number


def _rules(program: Program, calendars: Mapping[str, int]) -> NDArray[np.void]:
    rules = np.zeros(len(program.journey.promises), kernel.RULE)
    for rule, promise in zip(rules, program.journey.promises, strict=True):
        rule["family"] = FAMILY[promise.kind]
        rule["starts"] = _starts(promise)
        rule["at_most"] = 0 if promise.at_most is None else promise.at_most
        rule["duration_us"] = _or_nothing(promise.within_us or promise.at_least_every_us)
        rule["calendar"] = calendars.get(promise.calendar or "", kernel.NOTHING)
        rule["weight"] = program.amounts.index(promise.total) if promise.total else kernel.NOTHING
    return rules


def _outcome(program: Program, calendars: Mapping[str, int]) -> NDArray[np.void]:
    rules, amounts = np.zeros(1, kernel.OUTCOME), program.amounts
    outcome = program.journey.outcome
    rules["within_us"] = _or_nothing(outcome.within_us)
    rules["holds_for_us"] = _or_nothing(outcome.holds_for_us)
    rules["abandoned_after_us"] = _or_nothing(outcome.abandoned_after_us)
    rules["within_calendar"] = calendars.get(outcome.calendar or "", kernel.NOTHING)
    for name in ("cost", "revenue"):
        rules[name] = amounts.index(name) if name in amounts else kernel.NOTHING
    rules["many_episodes"] = program.journey.need is not None
    return rules


def _hours(
    journey: Journey, first_us: int, last_us: int
) -> tuple[NDArray[np.void], NDArray[np.int32], Mapping[str, int]]:
    """The open intervals of every calendar that a deadline counts by."""
    longest: dict[str, int] = {}
    outcome = journey.outcome
    durations = [(promise.calendar, promise.within_us or promise.at_least_every_us) for promise in journey.promises]
    for name, duration_us in (*durations, (outcome.calendar, outcome.within_us)):
        if name and duration_us:
            longest[name] = max(longest.get(name, 0), duration_us)
    parts = [_intervals(journey.calendars[name], first_us, last_us, longest[name]) for name in longest]
    hours_from = np.cumsum([0, *map(len, parts)]).astype(np.int32)
    hours = np.concatenate(parts) if parts else np.zeros(0, kernel.HOURS)
    return hours, hours_from, {name: number for number, name in enumerate(longest)}


def _intervals(calendar: Calendar, first_us: int, last_us: int, longest_us: int) -> NDArray[np.void]:
    """Open intervals from the first instant until the longest deadline of the last one, or the horizon."""
    ahead_us = max(2 * longest_us, 14 * DAY_US)
    while True:
        intervals = open_intervals(calendar, first_us, last_us + ahead_us)
        ahead = sum(end - max(start, last_us) for start, end in reversed(intervals) if end > last_us)
        if ahead >= longest_us or ahead_us >= HORIZON_US:
            break
        ahead_us = min(4 * ahead_us, HORIZON_US)
    hours = np.zeros(max(len(intervals), 1), kernel.HOURS)
    if intervals:
        hours["opens"], hours["closes"] = np.array(intervals, np.int64).T
        hours["before_us"][1:] = np.cumsum(hours["closes"] - hours["opens"])[:-1]
    return hours
