"""Initiatives as people write them down: YAML text to frozen values, or every problem of the file at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from truenorth.insight.listed_file import read_listed, read_name
from truenorth.spec.document import Element
from truenorth.spec.expressions import Condition
from truenorth.spec.readers import (
    Reader,
    Reading,
    child_path,
    one_of,
    read_condition,
    read_date,
    read_number,
    read_row,
    read_text,
)


class Serves(msgspec.Struct, frozen=True, kw_only=True):
    """What an initiative is for: exactly one of an outcome, a promise by its name, a moment by a condition."""

    outcome: str | None = None
    promise: str | None = None
    moment: Condition | None = None


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What an initiative costs, in the journey's currency: once, and for each case that it reaches."""

    once: float = 0.0
    per_case: float = 0.0


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of it: change in the share achieved (0.03 is three points), and in money per case."""

    achieved: float | None = None
    cost: float | None = None
    revenue: float | None = None


class Initiative(msgspec.Struct, frozen=True, kw_only=True):
    """A change somebody proposes or has made.

    ``scope`` says which cases it reaches, by the event that opens them; None: all. ``start`` is None for one that has
    not begun. ``path`` and ``line`` are where it stands in its file.
    """

    name: str
    title: str = ""
    owner: str = ""
    start: date | None = None
    scope: Condition | None = None
    serves: Serves | None = None
    cost: Money = Money()
    expects: Expected = Expected()
    path: str = "$"
    line: int | None = None


def parse_initiatives(source: str | bytes) -> tuple[Initiative, ...]:
    """The initiatives of a YAML text, in its order; `TruenorthError` carries every problem.

    >>> text = "truenorth: 1\\ninitiatives:\\n- {name: desk, owner: Ada, serves: {promise: called_back}}"
    >>> parse_initiatives(text)[0].serves.promise
    'called_back'
    >>> parse_initiatives("truenorth: 1\\ninitiatives: [{name: desk, owner: Ada, begin: 2026-02-02}]")
    Traceback (most recent call last):
    ...
    truenorth.spec.problems.TruenorthError: line 2, $.initiatives[0].begin: expected a known key (name, title, owner, \
start, scope, serves, cost, expects), found 'begin'
    """
    found: tuple[Initiative, ...] = read_listed(source, "initiatives", _read_initiative)
    return found


def _read_serves(reading: Reading, element: Element, path: str) -> Serves | None:
    keys = {"outcome": one_of(("achieved",)), "promise": read_text, "moment": read_condition}
    row = read_row(reading, element, path, keys)
    if row is None:
        return None
    if len(row.given) != 1:
        hint = "name the one thing it is for; split it up if there are more"
        reading.report(path, element, "one of outcome, promise and moment", hint=hint)
        return None
    return Serves(**row.values)


def _read_money(reading: Reading, element: Element, path: str) -> Money | None:
    row = read_row(reading, element, path, {"once": read_number, "per_case": read_number})
    return Money(**row.values) if row else None


def _read_expected(reading: Reading, element: Element, path: str) -> Expected | None:
    row = read_row(reading, element, path, dict.fromkeys(("achieved", "cost", "revenue"), read_number))
    if row is None:
        return None
    if abs(row.values.get("achieved", 0.0)) > 1:
        hint = "write 0.03 for three points of a hundred"
        reading.report(child_path(path, "achieved"), row.given["achieved"], "a share from -1 to 1", hint=hint)
    return Expected(**row.values)


INITIATIVE_KEYS: Mapping[str, Reader] = {
    "name": read_name,
    "title": read_text,
    "owner": read_text,
    "start": read_date,
    "scope": read_condition,
    "serves": _read_serves,
    "cost": _read_money,
    "expects": _read_expected,
}
"""The keys of an initiative and their readers."""


def _read_initiative(reading: Reading, element: Element, path: str) -> Initiative | None:
    reading.lines[path] = element.line
    row = read_row(reading, element, path, INITIATIVE_KEYS, required=("name", "owner"))
    return Initiative(**{"name": "", **row.values}, path=path, line=element.line or None) if row else None
