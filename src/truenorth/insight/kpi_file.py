"""KPIs as people declare them: YAML text to frozen values, or every problem of the file at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, cast

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

Aggregate = Literal["count", "share", "mean", "sum"]
Source = Literal["events", "cases", "promises"]

AGGREGATES: Mapping[str, Reader] = {
    "count": read_condition,
    "share": read_condition,
    "mean": read_text,
    "sum": read_text,
}
"""What a formula may compute: a count or a share of what fits a condition, a mean or a sum of a field."""


class Formula(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregate over events, cases or promises: ``condition`` of a count or share, ``field`` of a mean or sum.

    ``where`` says of which rows; None: of all.
    """

    aggregate: Aggregate
    condition: Condition | None = None
    field: str | None = None
    of: Source = "events"
    where: Condition | None = None

    def __str__(self) -> str:
        what = self.condition.text if self.condition else self.field
        where = f" where {self.where.text}" if self.where else ""
        return f"{self.aggregate} of {self.of}{where}: {what}"


class Reward(msgspec.Struct, frozen=True, kw_only=True):
    """How much of anyone's pay hangs on a KPI: ``weight`` in any unit, the same for all; since when, and for whom.

    ``scope``: the cases whose people are paid by it, by the event that opens a case; None: all.
    """

    weight: float
    since: date | None = None
    scope: Condition | None = None


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that somebody steers by.

    ``per``: a field, each of whose values has a value of the KPI; ``better``: the direction that is wanted.
    """

    name: str
    formula: Formula
    title: str = ""
    owner: str = ""
    per: str = "team"
    better: Literal["higher", "lower"] = "higher"
    target: float | None = None
    reward: Reward | None = None
    path: str = "$"
    line: int | None = None


def parse_kpis(source: str | bytes) -> tuple[Kpi, ...]:
    """The KPIs of a YAML text, in its order; `TruenorthError` carries every problem.

    >>> text = '''
    ... truenorth: 1
    ... kpis:
    ... - {name: calls, owner: Ada, better: higher, formula: {count: "type = 'Call'"}}'''
    >>> print(parse_kpis(text)[0].formula)
    count of events: type = 'Call'
    >>> parse_kpis("truenorth: 1\\nkpis: [{name: calls, owner: Ada, better: more, formula: {mean: talk_s}}]")
    Traceback (most recent call last):
    ...
    truenorth.spec.problems.TruenorthError: line 2, $.kpis[0].better: expected higher or lower, found 'more'
    """
    found: tuple[Kpi, ...] = read_listed(source, "kpis", _read_kpi)
    return found


def _read_formula(reading: Reading, element: Element, path: str) -> Formula | None:
    keys: dict[str, Reader] = {**AGGREGATES, "of": one_of(("events", "cases", "promises")), "where": read_condition}
    row = read_row(reading, element, path, keys)
    if row is None:
        return None
    named = [name for name in AGGREGATES if name in row.given]
    if len(named) != 1:
        reading.report(path, element, f"one of {', '.join(AGGREGATES)}", hint="a KPI is one aggregate")
        return None
    value = row.values.get(named[0])
    if value is None:
        return None
    what = {"condition": value} if named[0] in ("count", "share") else {"field": value}
    rest = {key: row.values[key] for key in ("of", "where") if key in row.values}
    return Formula(aggregate=cast("Aggregate", named[0]), **what, **rest)


def _read_reward(reading: Reading, element: Element, path: str) -> Reward | None:
    keys: dict[str, Reader] = {"weight": read_number, "since": read_date, "scope": read_condition}
    row = read_row(reading, element, path, keys, required=("weight",))
    if row is None or "weight" not in row.values:
        return None
    if row.values["weight"] < 0:
        reading.report(child_path(path, "weight"), row.given["weight"], "a number from 0")
    return Reward(**row.values)


KPI_KEYS: Mapping[str, Reader] = {
    "name": read_name,
    "title": read_text,
    "owner": read_text,
    "formula": _read_formula,
    "per": read_text,
    "better": one_of(("higher", "lower")),
    "target": read_number,
    "reward": _read_reward,
}
"""The keys of a KPI and their readers."""


def _read_kpi(reading: Reading, element: Element, path: str) -> Kpi | None:
    row = read_row(reading, element, path, KPI_KEYS, required=("name", "owner", "formula", "better"))
    if row is None or "formula" not in row.values:
        return None
    return Kpi(**{"name": "", **row.values}, path=path, line=element.line or None)
