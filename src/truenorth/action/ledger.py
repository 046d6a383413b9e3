"""The triple-crown ledger: what acting cost, what it earned and what customers got, side by side and never netted.

A line is one action in one journey and one period. Actual figures are whole cents and counts, and add up exactly.
Incremental figures compare with the holdout: cases for which the same action was intended, and not taken because they
are held out. They are differences of means, so nothing has to be modelled. Holdouts are small, so intervals are made
for that: Newcombe's for outcomes of one case a unit (R. G. Newcombe 1998, Statistics in Medicine 17, 873-890), else
Welch's (B. L. Welch 1947, Biometrika 34, 28-35) with units as clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl

from truenorth.action.off_policy import mean_of
from truenorth.insight.intervals import newcombe

KEYS = ("action", "journey", "period")
COUNTS = ("cost_cents", "revenue_cents", "achieved", "kept", "broken", "customer_us")
EXPECTED = ("expected_cost_cents", "expected_revenue_cents", "expected_achieved")
ENTRY = {
    "action": pl.String,
    "journey": pl.String,
    "period": pl.String,
    "unit": pl.String,
    "holdout": pl.Boolean,
    **dict.fromkeys(COUNTS, pl.Int64),
    "expected_cost_cents": pl.Int64,
    "expected_revenue_cents": pl.Int64,
    "expected_achieved": pl.Float64,
}
"""Columns of entries, one row a settled decision.

``action`` is the one intended, taken unless ``holdout``; ``unit`` the customer or case that the holdout goes by.
``achieved`` is 1 or 0, ``kept`` and ``broken`` count promises, ``customer_us`` is the customer's time.
``expected_*``: what was expected when deciding; ``expected_achieved`` is a chance.
"""


LEAST_UNITS = 20
"""With fewer units in an arm nothing is said of amounts: a few large ones would decide."""


FLAT = {
    **dict.fromkeys(KEYS, pl.String),
    "n_acted": pl.Int64,
    "n_holdout": pl.Int64,
    "figure": pl.String,
    "actual": pl.Int64,
    **dict.fromkeys(("expected", "change_mean", "change_low", "change_high"), pl.Float64),
    "note": pl.String,
}
"""Columns of the ledger as a table (`flat`); ``change_*``: what acting changed in a mean a case, with its bounds."""

_FIELDS = dict(zip(COUNTS, ("cost", "revenue", "achieved", "kept", "broken", "customer_us"), strict=True))
"""The crown of a line that holds each count."""


class Increment(msgspec.Struct, frozen=True):
    """What acting changed in a mean a decision, with its 95 % interval."""

    mean: float
    low: float
    high: float


class Crown(msgspec.Struct, frozen=True):
    """One figure of the acted-upon: actual, expected when deciding (None where nothing was), change by the holdout.

    ``increment`` is None where an arm is too small: without a unit for outcomes, under `LEAST_UNITS` for amounts.
    """

    actual: int
    expected: float | None
    increment: Increment | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One action in one journey and period: ``cost`` and ``revenue`` in cents; service is the other four.

    ``customer_us`` is the customers' time in microseconds. ``note``: which crown was bought with which, where one was.
    """

    action: str
    journey: str
    period: str
    n_acted: int
    n_holdout: int
    cost: Crown
    revenue: Crown
    achieved: Crown
    kept: Crown
    broken: Crown
    customer_us: Crown
    note: str


class Books(NamedTuple):
    """All lines in order of action, journey, period; and the sums of the acted-upon by name of `COUNTS`."""

    lines: tuple[Line, ...]
    totals: dict[str, int]


def keep_books(entries: pl.DataFrame) -> Books:
    """The ledger of entries with the columns of `ENTRY`.

    ``totals`` are taken from the entries, not from the lines. `ValueError` for missing columns or empty cells.
    """
    missing = sorted(set(ENTRY) - set(entries.columns))
    if missing:
        raise ValueError(f"entries need the columns {', '.join(missing)}")
    entries = entries.select(pl.col(name).cast(kind) for name, kind in ENTRY.items())
    if sum(entries.null_count().row(0)):
        raise ValueError("entries are of settled decisions: every cell is filled")
    acted = entries.filter(~pl.col("holdout"))
    totals = {name: int(acted[name].sum()) for name in COUNTS}
    groups = entries.partition_by(*KEYS, as_dict=True)
    return Books(tuple(_line(key, groups[key]) for key in sorted(groups)), totals)


def flat(lines: Sequence[Line]) -> pl.DataFrame:
    """One row for each figure of each line: for spreadsheets. Money in cents, time in microseconds."""
    return pl.DataFrame([_row(line, name) for line in lines for name in _FIELDS], schema=FLAT)


def _row(line: Line, name: str) -> dict[str, object]:
    crown: Crown = getattr(line, _FIELDS[name])
    change = msgspec.structs.asdict(crown.increment) if crown.increment else dict.fromkeys(("mean", "low", "high"))
    return {
        **{key: getattr(line, key) for key in (*KEYS, "n_acted", "n_holdout")},
        "figure": name,
        "actual": crown.actual,
        "expected": crown.expected,
        **{f"change_{name}": value for name, value in change.items()},
        "note": line.note,
    }


def _line(key: tuple[object, ...], entries: pl.DataFrame) -> Line:
    acted, held = entries.filter(~pl.col("holdout")), entries.filter("holdout")
    crowns = {name: _crown(name, acted, held) for name in COUNTS}
    action, journey, period = map(str, key)
    return Line(
        action=action,
        journey=journey,
        period=period,
        n_acted=acted.height,
        n_holdout=held.height,
        **{field: crowns[name] for name, field in _FIELDS.items()},
        note=_note(crowns),
    )


def _crown(name: str, acted: pl.DataFrame, held: pl.DataFrame) -> Crown:
    expected = f"expected_{name}"
    planned = float(acted[expected].sum()) if expected in EXPECTED else None
    return Crown(int(acted[name].sum()), planned, _increment(name, acted, held))


def _increment(name: str, acted: pl.DataFrame, held: pl.DataFrame) -> Increment | None:
    n_units = min(acted["unit"].n_unique(), held["unit"].n_unique())
    if name == "achieved" and _one_each(acted) and _one_each(held):
        return _of_shares(acted[name], held[name]) if n_units else None
    return _of_means(_arm(name, acted), _arm(name, held)) if n_units >= LEAST_UNITS else None


def _one_each(entries: pl.DataFrame) -> bool:
    """Whether every unit has one entry."""
    return entries["unit"].n_unique() == entries.height


def _of_shares(acted: pl.Series, held: pl.Series) -> Increment:
    """The difference of two shares of independent units."""
    arms = pl.DataFrame({"k1": [acted.sum()], "n1": [len(acted)], "k2": [held.sum()], "n2": [len(held)]})
    bounds = newcombe(*(pl.col(name).cast(pl.Float64) for name in arms.columns))
    low, high = arms.select(one.alias(name) for one, name in zip(bounds, ("low", "high"), strict=True)).row(0)
    return Increment(float(acted.mean()) - float(held.mean()), low, high)  # type: ignore[arg-type]  # numbers


class Arm(NamedTuple):
    """A mean, its standard error, and the number of units behind it."""

    mean: float
    se: float
    n_units: int


def _of_means(acted: Arm, held: Arm) -> Increment:
    """The difference of two means, by Welch's t."""
    from scipy.special import stdtrit  # noqa: PLC0415  # heavy

    mean, squares = acted.mean - held.mean, (acted.se**2, held.se**2)
    total = sum(squares)
    if not total:
        return Increment(mean, mean, mean)
    degrees = total**2 / sum(square**2 / (arm.n_units - 1) for square, arm in zip(squares, (acted, held), strict=True))
    half = float(stdtrit(degrees, 0.975)) * total**0.5
    return Increment(mean, mean - half, mean + half)


def _arm(name: str, arm: pl.DataFrame) -> Arm:
    unit = arm["unit"].rank("dense").to_numpy().astype(np.int64)
    found = mean_of(arm[name].to_numpy().astype(np.float64), unit)
    return Arm(found.mean_cents, found.se_cents, arm["unit"].n_unique())


def _note(crowns: dict[str, Crown]) -> str:
    """Which crown surely rose and which surely fell."""
    better = {"cost_cents": -1, "revenue_cents": 1, "achieved": 1, "kept": 1, "broken": -1, "customer_us": -1}
    won = [_WON_AND_LOST[name][0] for name, sign in better.items() if _moved(crowns[name], sign)]
    lost = [_WON_AND_LOST[name][1] for name, sign in better.items() if _moved(crowns[name], -sign)]
    if not won or not lost:
        return ""
    return f"{_listed(won)} bought with {_listed(lost)}"


_WON_AND_LOST = {
    "cost_cents": ("lower cost", "cost"),
    "revenue_cents": ("revenue", "revenue"),
    "achieved": ("outcomes", "outcomes"),
    "kept": ("kept promises", "kept promises"),
    "broken": ("fewer broken promises", "broken promises"),
    "customer_us": ("customers' time saved", "customers' time"),
}


def _moved(crown: Crown, sign: int) -> bool:
    one = crown.increment
    return one is not None and (one.low > 0 if sign > 0 else one.high < 0)


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
