"""Why a case is at risk, in the words of its columns, and what would lower the risk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.level import raised
from truenorth.foresight.rows import Column
from truenorth.spec.counted import counted
from truenorth.spec.wording import name_in_words

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class Reason(NamedTuple):
    """One contribution: ``column`` by name, ``words`` with the value, ``added`` to the log-odds of the risk."""

    column: str
    words: str
    added: float


class Change(NamedTuple):
    """A column that somebody can do something about (``column``, a position) and what it could be instead.

    ``words`` say what to do, such as "no second transfer". It is feasible for a row where ``value`` is below (or above)
    what the row has: ``down`` tells which.
    """

    column: int
    value: float
    words: str
    down: bool = True


CONTROLLABLE = {
    "hours_silent": "break the silence",
    "n_handovers": "without its hand-overs",
    "n_owner_changes": "without a change of hands",
    "n_reopened": "without being reopened",
    "n_same_type": "without the same step again",
    "n_broken": "without a broken promise",
}
"""Columns that somebody can do something about, by name, and what it would be to have zero there."""


YES_OR_NO = ("resolved", "earlier_last_bad")
"""Columns that say whether something is so; so do those of promises under way."""


class Remedy(NamedTuple):
    """What a change would do: the risk as it is and as the model sees it after the change."""

    words: str
    risk: float
    risk_after: float


class Lever(msgspec.Struct, frozen=True):
    """A change over many rows: of ``n_rows`` of them it would lower the risk, on average from ``risk`` to the other."""

    words: str
    n_rows: int
    risk: float
    risk_after: float


def changes_of(columns: Sequence[Column]) -> tuple[Change, ...]:
    """The changes that the columns allow, by their names: `CONTROLLABLE`, and each promise not broken.

    >>> changes_of([Column("hours_silent", "hours since the last event"), Column("amount", "amount")])
    (Change(column=0, value=0.0, words='break the silence', down=True),)
    """
    found = []
    for i, column in enumerate(columns):
        block, _, promise = column.name.partition(":promise=")
        if column.name in CONTROLLABLE:
            found.append(Change(i, 0.0, CONTROLLABLE[column.name]))
        elif promise and block == "n_broken":
            found.append(Change(i, 0.0, f"with promise '{name_in_words(promise)}' unbroken"))
    return tuple(found)


def levers(
    x: F32, changes: Sequence[Change], risk_of: Callable[[F32], F64], level: F64 | float = 0.0
) -> tuple[Lever, ...]:
    """`remedies` of rows (n, n_columns) summed up by change: the most risk taken away in total first."""
    found: dict[str, list[Remedy]] = {}
    for of_row in remedies(x, changes, risk_of, len(changes), level):
        for remedy in of_row:
            found.setdefault(remedy.words, []).append(remedy)
    summed = [
        Lever(words, len(some), fmean(one.risk for one in some), fmean(one.risk_after for one in some))
        for words, some in found.items()
    ]
    return tuple(sorted(summed, key=lambda one: one.n_rows * (one.risk_after - one.risk)))


def risk_contributions(added: F64, p: F64) -> F64:
    """From what columns add to the score of each class (n, k, c) to what they add to the log-odds of the risk (n, c).

    The risk is that of all classes but the first: its log-odds are ln sum exp(s_k, k > 0) - s_0, which a change of the
    scores moves by the mean of theirs, each class weighing its share ``p`` (n, k) of the risk, less that of the first.
    For two classes that is exact.

    >>> import numpy as np
    >>> risk_contributions(np.array([[[0.0], [2.0]]]), np.array([[0.5, 0.5]]))
    array([[2.]])
    """
    shares = p[:, 1:] / np.maximum(p[:, 1:].sum(1, keepdims=True), 1e-12)
    moved: F64 = np.einsum("nk,nkc->nc", shares, added[:, 1:]) - added[:, 0]
    return moved


def largest(added: F64, x: F32, columns: Sequence[Column], top: int) -> list[tuple[Reason, ...]]:
    """The ``top`` contributions of each row by size, with the value the row has there; zeros are none."""
    order = np.argsort(-np.abs(added), axis=1, kind="stable")[:, :top]
    return [
        tuple(
            Reason(columns[c].name, in_words(columns[c], float(x[i, c])), float(added[i, c]))
            for c in chosen
            if added[i, c] != 0.0
        )
        for i, chosen in enumerate(order)
    ]


def in_words(column: Column, value: float) -> str:
    """A column with its value; lengths of time as people say them.

    >>> in_words(Column("hours_silent", "hours since the last event"), 26.04)
    '26 hours since the last event'
    >>> in_words(Column("hours_to_due:promise=called_back", "hours left for promise 'called back'"), 473.0)
    "20 days left for promise 'called back'"
    >>> in_words(Column("n:type=Chased", "times 'Chased' happened"), 4.0)
    "'Chased' happened 4 times"
    >>> in_words(Column("stage_wait", "mean hours that cases waited"), 0.5)
    '30 minutes on average that cases waited'
    >>> in_words(Column("last", "last event", "category", ("Call", "Wait")), 1.0)
    'last event: Wait'
    >>> in_words(Column("resolved", "resolved for now"), 1.0)
    'resolved for now: yes'
    """
    if np.isnan(value):
        return f"{column.words}: not known"
    if column.kind == "category":
        code = int(value)
        known = 0 <= code < len(column.categories)
        return f"{column.words}: {column.categories[code] if known else 'another'}"
    if column.name in YES_OR_NO or column.name.startswith("active:promise="):
        return f"{column.words}: {'yes' if value else 'no'}"
    if column.words.startswith("times ") or column.name.startswith("n_broken:promise="):
        return f"{column.words.removeprefix('times ')} {counted(round(value), 'time')}"
    return _time_in_words(column.words, value) or f"{column.words}: {value:.3g}"


def _time_in_words(words: str, value: float) -> str | None:
    """The words of a column of hours or days, with its value in place of the unit; None for any other column.

    >>> _time_in_words("open hours left for the outcome", 7.25), _time_in_words("amount", 2.0)
    ('7.25 open hours left for the outcome', None)
    >>> _time_in_words("longest silence between events in hours", 50.0), _time_in_words("hours at 'Asked'", 0.0)
    ('longest silence between events: 2 days', "no time at 'Asked'")
    """
    if words.startswith("open hours "):
        return f"{value:.3g} {words}"
    if words.endswith(" in hours"):
        return f"{words.removesuffix(' in hours')}: {_span(value)}"
    for unit, hours, said in (("hours ", 1, ""), ("mean hours ", 1, "on average "), ("days since ", 24, "since ")):
        if words.startswith(unit):
            return f"{_span(hours * value)} {said}{words.removeprefix(unit)}"
    return None


def _span(hours: float) -> str:
    """A length of time in its largest unit of which it has one and a half.

    >>> _span(36), _span(35), _span(0.01), _span(0)
    ('2 days', '35 hours', 'a minute', 'no time')
    """
    for unit, size in (("day", 24.0), ("hour", 1.0), ("minute", 1 / 60)):
        if abs(hours) >= 1.5 * size:
            return counted(round(hours / size), unit)
    return "a minute" if hours else "no time"


def remedies(
    x: F32, changes: Sequence[Change], risk_of: Callable[[F32], F64], top: int = 3, level: F64 | float = 0.0
) -> list[list[Remedy]]:
    """For each row (n, n_columns) the feasible changes that would lower its risk, the best first.

    Each is recomputed through the model with all else as it is; a ``level`` (n,) or one is added to the log-odds of all
    risks. The model has seen what went together, not what was done: a remedy is a candidate to be tried and measured,
    not a promise.
    """
    level = np.broadcast_to(level, len(x))
    values = (x[:, change.column] for change in changes)
    feasible = [
        np.flatnonzero(value > change.value if change.down else value < change.value)
        for change, value in zip(changes, values, strict=True)
    ]
    of = np.concatenate([np.arange(len(x)), *feasible])  # all in one question: each costs a call of every model
    asked, at = x[of], len(x)
    for change, some in zip(changes, feasible, strict=True):
        asked[at : at + len(some), change.column] = change.value
        at += len(some)
    risks = raised(risk_of(asked), level[of])
    words = [change.words for change, some in zip(changes, feasible, strict=True) for _ in some]
    found: list[list[Remedy]] = [[] for _ in x]
    for i, what, after in zip(of[len(x) :].tolist(), words, risks[len(x) :].tolist(), strict=True):
        if after < risks[i]:
            found[i].append(Remedy(what, float(risks[i]), after))
    return [sorted(remedy, key=lambda one: one.risk_after)[:top] for remedy in found]
