"""The section on concentration: how much comes from how few."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from truenorth.figures.concentration import MEASURE_WORDS, concentration_figure, words
from truenorth.figures.wording import count, points
from truenorth.insight.concentration import BROKEN_PROMISE, Concentration, Measure, concentration
from truenorth.insight.replayed import Replayed
from truenorth.insight.trend import chosen_period
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, name_column, percent_column, shown
from truenorth.spec.counted import percent

BY_DEFAULT: tuple[tuple[str, Measure], ...] = (
    (BROKEN_PROMISE, "failed"),
    ("campaign", "cases"),
    ("link", "customers"),
    ("article", "customers"),
    ("channel", "cases"),
    ("customer", "cost"),
    ("type", "cost"),
)
"""What a report looks at where nothing is asked for: of these, what the log has."""


class Concentrations(msgspec.Struct, frozen=True):
    """Several concentrations of one replay."""

    found: tuple[Concentration, ...]

    def to_frame(self) -> pl.DataFrame:
        """One row each: ``of, measure, n_items, k, share, low, high, gini, change``."""
        return pl.DataFrame([_row(one) for one in self.found], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {f"{one.measure} by {one.of}": one.to_dict() for one in self.found}


def concentration_section(replay: Replayed, inputs: Inputs) -> Section:
    """What is asked for, or whatever of `BY_DEFAULT` the log has: the most unequal first."""
    asked = inputs.of or _there(replay)
    every = chosen_period(replay.cases["opened"].drop_nulls())
    every = "1mo" if every in {"1h", "1d", "1w"} else every
    found = [concentration(replay, of, measure, inputs.k, every) for of, measure in asked]
    kept = Concentrations(tuple(one for one in found if (one.top.share is not None and one.n_items > 1) or inputs.of))
    return Section(
        finding=". ".join(words(one)[0] for one in kept.found[:2]) + "." if kept.found else "Nothing to share.",
        answer=kept,
        figures={f"concentration_{n}": concentration_figure(one) for n, one in enumerate(kept.found[:2])},
        tables={"concentrations": _overview(kept)}
        | {f"items_{n}": _items(one) for n, one in enumerate(kept.found[:2])},
        how=(
            "Of each item the measure is added up; a case or customer counts once an item, so one that met "
            "several items is in each of them, and one that met none is in none. The Gini coefficient is 0 "
            "where all items have the same, near 1 where one has all. The interval is of the share of the items named, "
            "customers being the sample; that they were chosen because they are large is not in it. The change "
            f"compares the last whole period ({every}) with the one before, each with its own largest items.",
        ),
    )


def _there(replay: Replayed) -> list[tuple[str, Measure]]:
    """What of the default can be asked of a log."""
    columns = set(replay.events.columns)

    def has(of: str, measure: Measure) -> bool:
        paid = measure != "cost" or ("cost" in columns and float(replay.events["cost"].cast(pl.Float64).sum()) > 0)
        return paid and (of in columns or (of == BROKEN_PROMISE and bool(replay.journey.promises)))

    return [(of, measure) for of, measure in BY_DEFAULT if has(of, measure)]


def _row(one: Concentration) -> dict[str, Any]:
    return {
        "of": one.of, "measure": one.measure, "n_items": one.n_items, "k": len(one.top.items), "share": one.top.share,
        "low": one.top.low, "high": one.top.high, "gini": one.gini, "change": one.change[0] if one.change else None,
    }  # fmt: skip


def _overview(found: Concentrations) -> Table:
    columns: list[Shown] = [
        ("what", lambda row: f"{MEASURE_WORDS[row['measure']]} by {row['of']}", False),
        ("items", lambda row: count(row["n_items"]), True),
        ("share of the top", lambda row: f"top {row['k']}: {percent(row['share'])}", True),
        (
            "95 % interval",
            lambda row: "" if row["low"] is None else f"{percent(row['low'])} to {percent(row['high'])}",
            True,
        ),
        ("Gini", lambda row: "n/a" if row["gini"] is None else f"{row['gini']:.2f}", True),
        ("change, points", lambda row: "" if row["change"] is None else points(row["change"]), True),
    ]
    return shown(found.to_frame(), "How much the largest items have together.", columns)


def _items(one: Concentration) -> Table:
    columns: list[Shown] = [
        name_column(one.of, "item"),
        (MEASURE_WORDS[one.measure], lambda row: count(row["amount"]), True),
        percent_column("share", "share"),
        percent_column("together with those above", "cumulated"),
    ]
    return shown(one.table, f"{MEASURE_WORDS[one.measure].capitalize()} by {one.of}, the largest first.", columns, 10)
