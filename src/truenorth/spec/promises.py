"""Promises as a journey file writes them: the kind of each follows from its keys."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from truenorth.spec.document import Element
from truenorth.spec.model import Promise, PromiseKind
from truenorth.spec.readers import (
    Reader,
    Reading,
    Row,
    child_path,
    named,
    read_condition,
    read_duration,
    read_number,
    read_row,
    read_text,
)

NAME_FORM = "a name of letters, digits and _, not beginning with a digit"


class Shape(msgspec.Struct, frozen=True):
    """The keys that a kind of promise needs, and those that it may have besides ``name``."""

    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.needs) + (f"; optional: {', '.join(self.takes)}" if self.takes else "")


SHAPES: Mapping[PromiseKind, Shape] = {
    PromiseKind.RESPONSE: Shape(("after", "expect", "within"), ("unless", "calendar")),
    PromiseKind.RHYTHM: Shape(("expect", "at_least_every"), ("calendar",)),
    PromiseKind.ABSENCE: Shape(("never",), ("after", "within", "calendar")),
    PromiseKind.LIMIT: Shape(("at_most", "of"), ("after",)),
    PromiseKind.TOTAL: Shape(("at_most", "total"), ("where", "after")),
    PromiseKind.PRECEDENCE: Shape(("before", "require")),
}
"""What each kind of promise takes."""

PROMISE_KEYS: Mapping[str, Reader] = {
    "name": named(r"[A-Za-z_][A-Za-z0-9_]{0,99}", NAME_FORM),
    "after": read_condition,
    "expect": read_condition,
    "within": read_duration,
    "unless": read_condition,
    "at_least_every": read_duration,
    "never": read_condition,
    "at_most": read_number,
    "of": read_condition,
    "total": read_text,
    "where": read_condition,
    "before": read_condition,
    "require": read_condition,
    "calendar": read_text,
}
"""The keys of a promise and their readers."""

_SHARED = frozenset({"name", "calendar", "after", "within"})
_MODEL_NAMES = {"within": "within_us", "at_least_every": "at_least_every_us"}


def kind_of_keys(keys: frozenset[str]) -> PromiseKind | None:
    """The kind whose keys these are, or are nearest to being; None where nothing points to one.

    >>> kind_of_keys(frozenset({"name", "expect", "at_least_every"}))
    <PromiseKind.RHYTHM: 'rhythm'>
    >>> kind_of_keys(frozenset({"name", "after"})) is None
    True
    """
    telling = keys - _SHARED
    candidates = [kind for kind, shape in SHAPES.items() if telling & {*shape.needs, *shape.takes}]
    return min(candidates, key=lambda kind: sum(map(len, _misfit(kind, keys))), default=None)


def _misfit(kind: PromiseKind, keys: frozenset[str]) -> tuple[list[str], list[str]]:
    """The keys that a kind misses, and those that it does not take."""
    shape = SHAPES[kind]
    missing = [key for key in shape.needs if key not in keys]
    return missing, sorted(keys - {"name", *shape.needs, *shape.takes})


def read_promise(reading: Reading, element: Element, path: str) -> Promise | None:
    """The promise of an element; None where it has errors."""
    n_before = len(reading.problems)
    row = read_row(reading, element, path, PROMISE_KEYS, required=("name",))
    if row is None:
        return None
    kind = kind_of_keys(frozenset(row.given))
    if kind is None:
        table = "; ".join(f"{kind} ({shape})" for kind, shape in SHAPES.items())
        found = f"only {', '.join(row.given)}" if row.given else "no keys"
        reading.report(path, element, f"the keys of one kind of promise: {table}", found=found)
        return None
    _report_misfit(reading, row, path, kind)
    _check_values(reading, row, path, kind)
    if len(reading.problems) > n_before:
        return None
    return Promise(kind=kind, **{_MODEL_NAMES.get(key, key): value for key, value in row.values.items()})


def _report_misfit(reading: Reading, row: Row, path: str, kind: PromiseKind) -> None:
    missing, extra = _misfit(kind, frozenset(row.given))
    takes = f"the keys of a {kind} promise ({SHAPES[kind]})"
    if missing:
        names = " and ".join(missing)
        reading.report(path, row.element, takes, found=f"no {' and no '.join(missing)}", hint=f"add {names}")
    for key in extra:
        hint = f"remove {key}, or make it a promise of its own"
        if key == "calendar":
            hint = "remove calendar: there is no duration for it to count"
        reading.report(child_path(path, key), row.given[key], takes, found=f"'{key}' too", hint=hint)


def _check_values(reading: Reading, row: Row, path: str, kind: PromiseKind) -> None:
    at_most = row.values.get("at_most")
    if kind is PromiseKind.LIMIT and at_most is not None and (at_most < 0 or at_most != int(at_most)):
        reading.report(child_path(path, "at_most"), row.given["at_most"], "a whole number, 0 or more")
    if kind is PromiseKind.ABSENCE and "calendar" in row.given and "within" not in row.given:
        hint = "remove calendar, or add within: there is no duration for it to count"
        reading.report(child_path(path, "calendar"), row.given["calendar"], "within beside calendar", hint=hint)
