"""Conditions of the language asked of a frame of events."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl

from truenorth.engine.compile import kinds_of
from truenorth.engine.marks import Translation
from truenorth.insight.replayed import Replayed
from truenorth.spec.binding import bind
from truenorth.spec.conditions import fields_of
from truenorth.spec.expressions import Compare, Condition, Field, In, Literal, Node, children
from truenorth.spec.model import Promise
from truenorth.spec.problems import Problem, TruenorthError, nearest


def matching(condition: Condition, schema: Mapping[str, pl.DataType], path: str = "$") -> pl.Expr:
    """A condition as an expression over the columns of a frame: boolean, null nowhere.

    `TruenorthError` at ``path`` for a field that the frame has not, or a literal that does not fit its column.

    >>> from truenorth.spec.conditions import parse_condition
    >>> frame = pl.DataFrame({"type": ["Call", "Mail"]})
    >>> frame.select(matching(parse_condition("type = 'Call'"), frame.schema)).to_series().to_list()
    [True, False]
    """
    unknown = [name for name in fields_of(condition.tree) if name not in schema]
    problems = [
        Problem(path=path, expected="a field of the log", found=f"'{name}'", hint=nearest(name, list(schema)))
        for name in unknown
    ]
    bound, misfits = bind(condition, kinds_of(schema))
    problems += [msgspec.structs.replace(problem, path=path) for problem in misfits]
    if problems:
        raise TruenorthError(problems)
    return Translation(schema, handover=None).truth(bound)


def fits(condition: Condition, schema: Mapping[str, pl.DataType]) -> bool:
    """Whether a condition uses only fields that a frame has."""
    return all(name in schema for name in fields_of(condition.tree))


def types_named(tree: Node) -> frozenset[str]:
    """The event types that a condition names, by ``type = '...'`` or ``type in (...)``, wherever they stand in it.

    >>> from truenorth.spec.conditions import parse_condition
    >>> sorted(types_named(parse_condition("type in ('a', 'b') and cost > 5 or type = 'c'").tree))
    ['a', 'b', 'c']
    """
    found: set[str] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        parts = children(node)
        if isinstance(node, Compare | In) and Field("type") in parts:
            found |= {part.value for part in parts if isinstance(part, Literal) and isinstance(part.value, str)}
        pending.extend(parts)
    return frozenset(found)


def keeping(promise: Promise) -> tuple[Condition, ...]:
    """The conditions that an event fits by which a promise is kept."""
    return tuple(one for one in (promise.expect, promise.require) if one)


def breaking(promise: Promise) -> tuple[Condition, ...]:
    """The conditions that an event fits by which a promise is broken, or comes nearer to it."""
    return tuple(one for one in (promise.never, promise.of, promise.where) if one)


def openings(replay: Replayed) -> pl.DataFrame:
    """The event that opens each case, with all columns of the log, in the order of ``replay.events``."""
    events = replay.events
    return events.filter((pl.col("case") != pl.col("case").shift(1)).fill_null(True))
