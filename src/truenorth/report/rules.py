"""The section on decisions: the register of business rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from truenorth.figures.wording import count, money, points, shorten
from truenorth.insight.replayed import Replayed
from truenorth.insight.rules import RULE, Register, decision_register
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, count_column, name_column, percent_column, shown, time_column
from truenorth.spec.counted import counted


def decisions_section(replay: Replayed, inputs: Inputs) -> Section:
    """The register of decisions of a replay."""
    found = decision_register(replay, as_of=inputs.as_of, seed=inputs.seed, exclude=inputs.exclude)
    return Section(
        finding=_finding(found, replay.cases.height),
        answer=found,
        tables={"register": _register_table(found), "effects": _effects_table(found, replay.journey.currency)},
        how=(RULE,),
    )


def _finding(found: Register, n_cases: int) -> str:
    rules = found.rules
    if not rules.height:
        return "The journey file declares no decisions: nobody can say which rules the customer meets."
    if not n_cases:
        return f"No case opened: whether any of the {count(rules.height)} rules is ever applied cannot be told."
    forgotten = rules.filter(pl.col("forgotten").list.len() > 0)
    text = f"{counted(rules.height, 'rule is', 'rules are')} applied {counted(int(rules['n'].sum()), 'time')}."
    if not forgotten.height:
        each = "it" if rules.height == 1 else "each"
        return (
            f"{text} As of {found.as_of} {each} has an owner, a reason and a review of the last two years, and fires."
        )
    names = ", ".join(shorten(name, 40) for name in forgotten["name"].head(5))
    more = f" and {forgotten.height - 5} more" if forgotten.height > 5 else ""
    are = "is" if forgotten.height == 1 else "are"
    those = "It" if rules.height == 1 else f"{count(forgotten.height)} of them"
    return f"{text} {those} {are} forgotten as of {found.as_of}: {names}{more}."


def _given(heading: str, key: str) -> Shown:
    return heading, lambda row: shorten(str(row[key]), 120) if row[key] is not None else "not given", False


def _register_table(found: Register) -> Table:
    columns: list[Shown] = [
        name_column("decision", "name"),
        _given("kind", "kind"),
        _given("owner", "owner"),
        _given("reason", "reason"),
        _given("last review", "reviewed"),
        ("forgotten?", lambda row: ", ".join(row["forgotten"]), False),
        name_column("next", "next_step"),
    ]
    return shown(found.rules, f"Decisions as of {found.as_of}: whose, why, and how old.", columns)


def _effects_table(found: Register, currency: str) -> Table:
    def effect(name: str) -> Shown:
        def text(row: Mapping[str, Any]) -> str:
            if row[name] is None:
                return "too few to compare"
            return f"{points(row[name])} ({points(row[f'{name}_low'])} to {points(row[f'{name}_high'])})"

        return f"{name}: chance of failing, points", text, True

    columns: list[Shown] = [
        name_column("decision", "name"),
        count_column("fires", "n"),
        percent_column("of the cases", "case_share"),
        time_column("waited for", "wait_us"),
        time_column("until the next moment", "after_us"),
        (f"cost, {currency or 'units'}", lambda row: money(row["cost"]), True),
        effect("raw"),
        effect("adjusted"),
        ("", lambda row: "protected" if row["protected"] else "", False),
    ]
    return shown(found.rules, "What decisions cost customers: time, money, outcome (95 % intervals).", columns)
