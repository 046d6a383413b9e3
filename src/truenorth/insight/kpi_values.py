"""The values of a KPI: case by case, and by unit and week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from truenorth.insight.kpi_file import Formula, Kpi
from truenorth.insight.matching import matching
from truenorth.insight.replayed import Replayed
from truenorth.spec.problems import Problem, TruenorthError, nearest

WEEK = "1w"


def source_of(replay: Replayed, formula: Formula) -> pl.DataFrame:
    """The rows that a formula is computed over."""
    return {"events": replay.events, "cases": replay.cases, "promises": replay.promises}[formula.of]


def check_kpis(replay: Replayed, kpis: tuple[Kpi, ...]) -> None:
    """`TruenorthError` with every place where a KPI names what the log has not, or a field that is no number."""
    problems: list[Problem] = []
    for kpi in kpis:
        problems += [msgspec.structs.replace(one, line=kpi.line) for one in _problems(replay, kpi)]
    if problems:
        raise TruenorthError(problems)


def _problems(replay: Replayed, kpi: Kpi) -> list[Problem]:
    formula, schema = kpi.formula, source_of(replay, kpi.formula).schema
    asked = [(f"formula.{formula.aggregate}", formula.condition, schema), ("formula.where", formula.where, schema)]
    if kpi.reward:
        asked.append(("reward.scope", kpi.reward.scope, replay.events.schema))
    problems: list[Problem] = []
    for key, condition, columns in asked:
        if condition:
            try:
                matching(condition, columns, f"{kpi.path}.{key}")
            except TruenorthError as error:
                problems += error.problems
    if formula.field is not None and not _is_number(schema, formula.field):
        numbers = [name for name in schema if _is_number(schema, name)]
        path = f"{kpi.path}.formula.{formula.aggregate}"
        hint = nearest(formula.field, numbers)
        expected = f"a number among the fields of {formula.of}"
        problems.append(Problem(path=path, expected=expected, found=f"'{formula.field}'", hint=hint))
    if kpi.per not in replay.events.columns:
        hint = nearest(kpi.per, replay.events.columns)
        found = f"'{kpi.per}'"
        problems.append(Problem(path=f"{kpi.path}.per", expected="a field of the log", found=found, hint=hint))
    return problems


def _is_number(schema: Mapping[str, Any], name: str) -> bool:
    return name in schema and (schema[name].is_numeric() or schema[name] == pl.Boolean)


def parts(replay: Replayed, kpi: Kpi, cases: pl.DataFrame) -> pl.DataFrame:
    """What each case adds to a KPI: ``top`` and ``bottom``, one row per case of ``cases`` in their order.

    The KPI of any group of cases is the sum of ``top``, over the sum of ``bottom`` for a share or a mean (null: the
    case adds nothing). *Counting rule*: only what comes before the verdict on a case counts, so that what a verdict
    brings with it does not explain it.
    """
    formula = kpi.formula
    source = source_of(replay, formula)
    rows = _before_verdict(source.lazy(), formula, cases)
    if formula.where:
        rows = rows.filter(matching(formula.where, source.schema))
    value = matching(formula.condition, source.schema) if formula.condition else pl.col(formula.field or "")
    valued = rows.select("case", value.cast(pl.Float64).alias("top")).filter(pl.col("top").is_not_null())
    summed = valued.group_by("case").agg(pl.col("top").sum(), pl.len().cast(pl.Float64).alias("bottom"))
    found = cases.lazy().select("case").join(summed, on="case", how="left", maintain_order="left")
    if formula.aggregate in ("count", "sum"):
        return found.select(pl.col("top").fill_null(0.0), pl.lit(1.0).alias("bottom")).collect()
    return found.select("top", "bottom").collect()


def _before_verdict(rows: pl.LazyFrame, formula: Formula, cases: pl.DataFrame) -> pl.LazyFrame:
    if formula.of == "cases":
        return rows
    when = {"events": "time", "promises": "decided"}[formula.of]
    until = cases.lazy().select("case", pl.col("outcome_time").alias("verdict at"))
    return rows.join(until, on="case").filter(pl.col(when).is_null() | (pl.col(when) < pl.col("verdict at")))


def units(replay: Replayed, per: str, cases: pl.DataFrame, opened: pl.DataFrame) -> pl.Series:
    """The unit of each case: its first value of a field, such as the first team that worked on it.

    ``opened``: the event that opens each case (`truenorth.insight.matching.openings`).
    """
    column = pl.col(per).cast(pl.String).alias("unit")
    if per in opened.columns and opened[per].null_count() == 0:
        firsts = opened.lazy().select("case", column)
    else:
        events = replay.events.lazy().select("case", column)
        firsts = events.filter(pl.col("unit").is_not_null()).group_by("case").agg(pl.col("unit").first())
    joined = cases.lazy().select("case").join(firsts, on="case", how="left", maintain_order="left")
    return joined.collect()["unit"]


def by_week(cases: pl.DataFrame) -> pl.DataFrame:
    """A KPI by unit and week: ``unit``, ``week``, ``n`` cases, ``value``, ``achieved``, ``expected`` (means).

    ``cases`` has ``unit``, ``opened``, ``top``, ``bottom``, ``achieved`` and ``expected``.
    """
    week = pl.col("opened").dt.truncate(WEEK)
    return (
        cases.filter(pl.col("unit").is_not_null())
        .group_by("unit", week.alias("week"))
        .agg(
            pl.len().alias("n"),
            (pl.col("top").sum() / pl.col("bottom").sum()).alias("value"),
            pl.col("achieved").mean(),
            pl.col("expected").mean(),
        )
        .filter(pl.col("value").is_finite())
        .sort("unit", "week")
    )
