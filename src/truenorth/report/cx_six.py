"""The section on how a journey feels, and what an achieved outcome costs."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from truenorth.figures.wording import count, duration, money, ratio
from truenorth.insight.cx_six import CxFigure, CxSix, cx_six
from truenorth.insight.outcome_cost import RULE, OutcomeCost, outcome_cost
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Table
from truenorth.spec.counted import counted, percent

BETTER = {"high": "higher", "low": "lower"}


class Feel(msgspec.Struct, frozen=True):
    """The six figures and the cost per achieved outcome."""

    six: CxSix
    cost: OutcomeCost

    def to_frame(self) -> pl.DataFrame:
        """The six figures, one row each."""
        return self.six.to_frame()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"cx_six": self.six.to_dict(), "outcome_cost": self.cost.to_dict()}


def feel_section(replay: Replayed, _inputs: Inputs) -> Section:
    """The CX six of a replay, and its cost per achieved outcome."""
    found = Feel(cx_six(replay), outcome_cost(replay))
    return Section(
        finding=_finding(found, replay.journey.currency),
        answer=found,
        tables={"six": _six(found.six)} | _cost(found.cost, replay.journey.currency),
        how=(
            "The six words are the field's, the formulas are our own. No one number stands for the six, and the six do "
            "not stand for the outcome. Intervals are of 95 % and take the cases of a customer together.",
            RULE,
        ),
    )


def _finding(found: Feel, currency: str) -> str:
    known = [one for one in found.six.figures if one.value is not None and one.unit == "share"]
    told = _cost_told(found.cost, currency)
    if len(known) < 2:
        return told
    least = min(known, key=lambda one: one.value or 0.0)
    return f"{told} Of the shares among the six, {least.name} is the lowest: {percent(least.value)}."


def _cost_told(cost: OutcomeCost, currency: str) -> str:
    if not cost.n_decided:
        return "No case is decided yet: what an outcome costs cannot be told."
    if not cost.cost:
        return "The decided cases have no cost: what an outcome costs cannot be told."
    if cost.per_achieved is None:
        return f"No case was achieved; the decided ones cost {money(cost.cost, currency)}."
    return f"An achieved outcome costs {money(cost.per_achieved, currency)}, with all that the others cost."


def amount(figure: CxFigure, value: float | None) -> str:
    """A value of a figure in its unit."""
    if value is None:
        return "n/a"
    return {"share": percent, "moments": ratio, "us": duration}[figure.unit](value)


def _six(six: CxSix) -> Table:
    rows = []
    for one in six.figures:
        interval = "" if one.low is None else f"{amount(one, one.low)} to {amount(one, one.high)}"
        value = "not told" if one.missing else amount(one, one.value)
        rule = f"{one.formula} Not told: {one.missing}." if one.missing else one.formula
        rows.append((one.name, value, interval, BETTER[one.better], count(one.n), rule))
    return Table(
        caption="Six figures of how it feels to be a customer; n are customers (cases, for fast).",
        headings=("figure", "value", "95 % interval", "better", "n", "what is counted"),
        numeric=(False, True, True, False, True, False),
        rows=tuple(rows),
    )


def _cost(cost: OutcomeCost, currency: str) -> dict[str, Table]:
    """The table of what an outcome costs; none where no cost is recorded."""
    if not cost.cost and not cost.open_cost:
        return {}
    interval = "" if cost.low is None else f"{money(cost.low)} to {money(cost.high)}"
    rows = [("cost per achieved outcome", money(cost.per_achieved), interval)]
    rows += [(f"of it in cases that are {name}", money(part), "") for name, part in cost.parts.items()]
    rows.append(("open cases so far, not in it", money(cost.open_cost), ""))
    table = Table(
        caption=f"{count(cost.n_achieved)} achieved of {counted(cost.n_decided, 'decided case')}, "
        f"{counted(cost.n_customers, 'customer')}.",
        headings=("outcome-based cost", currency or "units", "95 % interval"),
        numeric=(False, True, True),
        rows=tuple(rows),
    )
    return {"outcome_cost": table}
