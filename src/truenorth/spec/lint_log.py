"""What does not fit between a journey and a log: fields, literals, values and mapped columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec

from truenorth.spec.binding import bind, kind_of_field
from truenorth.spec.conditions import fields_of
from truenorth.spec.expressions import Compare, Condition, Field, In, Kind, Literal, Node, children
from truenorth.spec.load import Draft
from truenorth.spec.model import CANONICAL_TYPES, FLAGS, Journey
from truenorth.spec.problems import Problem, did_you_mean, nearest
from truenorth.spec.tokens import short

GIVEN_FIELDS = frozenset({"source", "id", "time", "received", *FLAGS})
"""Fields that every log has, if need be by default."""

NOWHERE = "which is null everywhere"
CONDITION_KEYS = ("after", "expect", "unless", "never", "of", "where", "before", "require")

_MAX_SUGGESTED = 2_000
"""Columns with more values than this get no suggestions."""


def log_problems(
    draft: Draft,
    columns: Mapping[str, Kind],
    values: Mapping[str, Collection[str]],
    file_columns: Collection[str] | None = None,
    nowhere: str = NOWHERE,
) -> list[Problem]:
    """Errors and warnings about a journey together with a log; see `truenorth.spec.lint.check_journey`.

    >>> from truenorth.spec.load import read_draft
    >>> draft = read_draft("truenorth: 1\\njourney: a\\nneed: type = 'Opend'")
    >>> print(log_problems(draft, {"type": "text"}, {"type": {"Open", "Opened"}})[0])
    $.need: expected a value of type that occurs in the log, found 'Opend'. Hint: did you mean 'Opened'?
    """
    if draft.journey is None:
        return []
    problems = list(_missing_columns(draft.journey, file_columns))
    for path, condition in placed_conditions(draft):
        _, found = bind(condition, columns)
        problems += [msgspec.structs.replace(problem, path=path) for problem in found]
        problems += _unknown_fields(path, condition, columns, values, nowhere)
        problems += _unknown_values(path, condition.tree, columns, values)
    problems += _totals(draft, columns, nowhere)
    return problems


def placed_conditions(draft: Draft) -> Iterator[tuple[str, Condition]]:
    """Every condition of a journey with its path.

    >>> from truenorth.spec.load import read_draft
    >>> [path for path, _ in placed_conditions(read_draft("truenorth: 1\\njourney: a\\ndecisions: moment"))]
    ['$.decisions']
    """
    journey = draft.journey
    if journey is None:
        return
    places = [
        ("$.only", journey.only),
        ("$.need", journey.need),
        ("$.outcome.achieved", journey.outcome.achieved),
        ("$.outcome.failed", journey.outcome.failed),
        ("$.outcome.reopened", journey.outcome.reopened),
        ("$.moments", journey.moments),
    ]
    for path, decision in zip(draft.decision_paths, journey.decisions, strict=True):
        places.append((path if path == "$.decisions" else f"{path}.when", decision.when))
    for path, promise in zip(draft.promise_paths, journey.promises, strict=True):
        places += [(f"{path}.{key}", getattr(promise, key)) for key in CONDITION_KEYS]
    yield from ((path, condition) for path, condition in places if condition is not None)


def _warning(path: str, expected: str, found: str, hint: str = "") -> Problem:
    return Problem(path=path, expected=expected, found=found, hint=hint, severity="warning")


def _missing_columns(journey: Journey, file_columns: Collection[str] | None) -> Iterator[Problem]:
    if file_columns is None:
        return
    known = list(file_columns)
    for field, column in journey.fields.items():
        if column not in file_columns:
            hint = did_you_mean(column, known) or (nearest(column, known) if len(known) <= 40 else "")
            yield Problem(
                path=f"$.fields.{field}", expected="a column of the log", found=f"'{short(column)}'", hint=hint
            )


def _unknown_fields(
    path: str, condition: Condition, columns: Mapping[str, Kind], values: Mapping[str, Collection[str]], nowhere: str
) -> Iterator[Problem]:
    for name in fields_of(condition.tree):
        if name == "handover" and not {"team", "actor"} & columns.keys():
            hint = "map one of them under 'fields'"
            yield _warning(path, "a log with team or actor", "'handover', which is false everywhere", hint)
        if name not in columns and name not in GIVEN_FIELDS:
            hint = _field_hint(name, columns, values)
            yield _warning(path, "a field of the log", f"'{short(name)}', {nowhere}", hint)


def _field_hint(name: str, columns: Mapping[str, Kind], values: Mapping[str, Collection[str]]) -> str:
    if any(name in known for known in values.values()):
        return f"texts stand in single quotes: '{short(name)}'"
    if name in CANONICAL_TYPES:
        return f"map it in fields, if the log has it under another name: {name}: COLUMN"
    return (
        did_you_mean(name, [*columns, *FLAGS, *CANONICAL_TYPES]) or f"a text stands in single quotes: '{short(name)}'"
    )


def _unknown_values(
    path: str, tree: Node, columns: Mapping[str, Kind], values: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    for name, text in dict.fromkeys(_compared_texts(tree)):
        if name in values and kind_of_field(name, columns) == "text" and text not in values[name]:
            hint = nearest_value(text, values[name])
            yield _warning(path, f"a value of {short(name)} that occurs in the log", f"'{short(text)}'", hint)


def _compared_texts(tree: Node) -> Iterator[tuple[str, str]]:
    """Field and text of every equality in a tree."""
    pending = [tree]
    while pending:
        node = pending.pop()
        pending.extend(reversed(children(node)))
        match node:
            case Compare(op="=" | "<>", left=Field(name=name), right=Literal(value=str() as text)):
                yield name, text
            case Compare(op="=" | "<>", left=Literal(value=str() as text), right=Field(name=name)):
                yield name, text
            case In(operand=Field(name=name), options=options):
                for option in options:
                    if isinstance(option, Literal) and isinstance(option.value, str):
                        yield name, option.value


def nearest_value(text: str, known: Collection[str]) -> str:
    """A hint that names the nearest of some values: the same but for case and spaces, else a similar one.

    >>> nearest_value("closed", {"Closed", "Open"}), nearest_value("xyz", {"Closed"})
    ("did you mean 'Closed'?", '')
    """
    if len(known) > _MAX_SUGGESTED:
        return ""
    folded = {value.strip().casefold(): value for value in sorted(known)}
    same = folded.get(text.strip().casefold())
    if same is not None:
        return f"did you mean '{short(same)}'?"
    return did_you_mean(text, sorted(known))


def _totals(draft: Draft, columns: Mapping[str, Kind], nowhere: str) -> Iterator[Problem]:
    if draft.journey is None:
        return
    for path, promise in zip(draft.promise_paths, draft.journey.promises, strict=True):
        name = promise.total
        if name is None:
            continue
        kind = columns.get(name)
        if kind is None:
            numbers = [
                column for column, held in {**CANONICAL_TYPES, **columns}.items() if held in ("integer", "number")
            ]
            hint = did_you_mean(name, numbers)
            yield _warning(f"{path}.total", "a field of the log", f"'{short(name)}', {nowhere}", hint)
        elif kind not in ("integer", "number", "null"):
            yield Problem(
                path=f"{path}.total",
                expected="a field that holds numbers",
                found=f"'{short(name)}', which holds {kind}",
            )
