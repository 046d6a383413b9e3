"""What is predicted from: cases as they stood at instants, what became of them, and what each column says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
"""The end of a case that has not ended: its label is not known (censored)."""


class Column(msgspec.Struct, frozen=True):
    """One column of the features.

    ``words`` says it in the journey's own words. Category codes are 0.. in the order of ``categories``; a category
    that is not known is NaN.
    """

    name: str
    words: str
    kind: Literal["number", "category"] = "number"
    categories: tuple[str, ...] = ()


class Rows(NamedTuple):
    """Cases as they stood at instants: n rows.

    ``x`` (n, n_columns), NaN = not known or not applicable; ``case`` (n,) positions in `Cases`; ``prefix`` events of
    the case seen so far, from 1; ``time_us`` the instant; ``at_event`` whether it is that of an event (else a silence).
    """

    x: NDArray[np.float32]
    case: NDArray[np.int32]
    prefix: NDArray[np.int32]
    time_us: NDArray[np.int64]
    at_event: NDArray[np.bool_]


class Cases(NamedTuple):
    """What became of each case: ``outcome`` (n_cases,) codes into `Table.outcomes`, -1 = not known.

    ``ended_us`` is the instant at which that was known; `NEVER` for a case still open.
    """

    id: pl.Series
    opened_us: NDArray[np.int64]
    ended_us: NDArray[np.int64]
    outcome: NDArray[np.int8]
    customer: pl.Series


class Table(NamedTuple):
    """Rows to learn from, with what became of them.

    ``outcomes``: the first is the one hoped for; the risk is the chance of all others. ``targets``: per row, NaN =
    censored or not applicable: ``promise:NAME`` (1 = the instance active now breaks), ``remaining_days``, ``next``
    (code into ``next_types``). ``watched``: rows, silences included, of as many of the cases as teach what becomes of
    cases that are open, and of those that are; None where ``rows`` are such themselves.
    """

    columns: tuple[Column, ...]
    rows: Rows
    cases: Cases
    outcomes: tuple[str, ...]
    targets: Mapping[str, NDArray[np.float32]]
    next_types: tuple[str, ...]
    watched: Rows | None = None


def unresolved(table: Table) -> NDArray[np.bool_]:
    """The rows (n,) whose case has not got what it came for yet.

    Once a case is resolved and has but to hold, hardly anything is left to foresee: such rows would make any model look
    good.
    """
    at = position_of(table, "resolved")
    return np.ones(len(table.rows.case), bool) if at is None else table.rows.x[:, at] != 1.0


def position_of(table: Table, name: str) -> int | None:
    """Where a column is; None where there is no such one."""
    return next((number for number, column in enumerate(table.columns) if column.name == name), None)
