"""The section on initiatives: what contributes to the outcome, before it is begun and after."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from truenorth.figures.initiatives import initiatives_figure
from truenorth.figures.wording import money, points, signed
from truenorth.insight.initiatives import Assessment, Check, assess, portfolio_frame
from truenorth.insight.line_of_sight import teams_in_sight, work_in_sight
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, count_column, name_column, percent_column, shown
from truenorth.spec.counted import counted, percent

HOW = (
    "Before: an initiative that names no outcome, promise or moment that it serves has no line of sight: do not do it. "
    "What could come of it at most is what the share achieved would gain if what it serves never went wrong (among "
    "cases alike in what was known when they opened).",
    "After: its effect per case on the share achieved, on cost and on revenue, among cases old enough for a verdict; "
    "against cases out of its scope (difference in differences, by customer and day), or, where it reaches all, "
    "against the days before it (interrupted time series). Before the change both must have moved alike: placebo "
    "and pre-trend, p below 5 % after Bonferroni, make it not credible.",
    "Work is in sight of the outcome where it is a moment, keeps a promise or achieves the outcome.",
)


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """Initiatives ranked, and the line of sight of teams."""

    assessed: tuple[Assessment, ...]
    work: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """One row per initiative."""
        return portfolio_frame(self.assessed)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        rows = [{key: _plain(value) for key, value in row.items()} for row in self.to_frame().to_dicts()]
        checks = [_checked(one, check) for one in self.assessed for check in one.checks]
        work = {"teams": teams_in_sight(self.work).to_dicts(), "work": self.work.to_dicts()}
        return {"initiatives": rows, "checks": checks, **work}


def _checked(one: Assessment, check: Check) -> dict[str, Any]:
    found = {key: _plain(value) for key, value in msgspec.structs.asdict(check.estimate).items()}
    asked = {"name": one.initiative.name, "check": check.kind, "measure": check.measure, "since": check.since}
    return {**asked, **found, "p_corrected": check.p, "doubtful": check.is_doubtful}


def initiatives_section(replay: Replayed, inputs: Inputs) -> Section:
    """The portfolio of the initiatives that were given, and the line of sight of every team."""
    assessed = assess(replay, inputs.initiatives, seed=inputs.seed, exclude=inputs.exclude)
    found = Portfolio(assessed=assessed, work=work_in_sight(replay))
    currency = replay.journey.currency
    return Section(
        finding=_finding(found),
        answer=found,
        figures={"crowns": initiatives_figure(assessed, currency)} if assessed else {},
        tables={
            "crowns": _verdicts(assessed, currency),
            "before": _before(assessed),
            "checks": _checks(assessed, currency),
            "teams": _teams(found.work, currency),
            "work": _work(found.work, currency),
        },
        how=HOW,
    )


def _finding(found: Portfolio) -> str:
    n, seen = int(found.work["n"].sum()), int(found.work["n_in_sight"].sum())
    sight = (
        f"{percent(1 - seen / n)} of the teams' work is out of sight of any outcome."
        if n
        else "The log names no teams."
    )
    if not found.assessed:
        return f"No initiatives were given. {sight}"
    counts: dict[str, int] = {}
    for one in found.assessed:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    words = ", ".join(f"{verdict} ({number})" for verdict, number in counts.items())
    return f"{counted(len(found.assessed), 'initiative')}: {words}. {sight}"


def _verdicts(assessed: Sequence[Assessment], currency: str) -> Table:
    def crown(number: int, text: Any) -> Any:
        def told(row: Mapping[str, Any]) -> str:
            found = row["one"].crowns[number]
            estimate = found.estimate
            if found.ruling == "not recorded" and row["one"].design is not None:
                return str(found.ruling)
            if math.isnan(estimate.effect):
                return ""
            return f"{text(estimate.effect)} ({text(estimate.low)} to {text(estimate.high)}), {found.ruling}"

        return told

    columns: list[Shown] = [
        ("initiative", lambda row: row["one"].initiative.title or row["one"].initiative.name, False),
        ("owner", lambda row: row["one"].initiative.owner, False),
        ("verdict", lambda row: row["one"].verdict, False),
        ("service: achieved, points", crown(0, points), True),
        (f"cost a case, {currency or 'units'}", crown(1, _signed), True),
        (f"revenue a case, {currency or 'units'}", crown(2, _signed), True),
        (f"net so far, {currency or 'units'}", lambda row: _money(row["one"].net_total), True),
        ("by", lambda row: row["one"].design or "", False),
        ("because", lambda row: row["one"].reason, False),
    ]
    return _shown([{"one": one} for one in assessed], "All three crowns side by side, ranked.", columns)


def _before(assessed: Sequence[Assessment]) -> Table:
    def possible(row: Mapping[str, Any]) -> str:
        found = row["one"].possible
        return "" if math.isnan(found.gain) else f"{points(found.gain)} ({points(found.low)} to {points(found.high)})"

    def expected(row: Mapping[str, Any]) -> str:
        found = row["one"].initiative.expects.achieved
        return "" if found is None else points(found)

    columns: list[Shown] = [
        ("initiative", lambda row: row["one"].initiative.title or row["one"].initiative.name, False),
        ("expected, points", expected, True),
        ("could be at most", possible, True),
        ("if", lambda row: row["one"].possible.how, False),
        ("which is", lambda row: row["one"].plausible, False),
        ("cases reached", lambda row: f"{row['one'].n_reached:,}", True),
        ("before", lambda row: f"{row['one'].n_before:,}", True),
    ]
    return _shown([{"one": one} for one in assessed], "What was expected against what could be.", columns)


def _checks(assessed: Sequence[Assessment], currency: str) -> Table:
    units = {"achieved": points, "cost": _signed, "revenue": _signed}

    def moved(row: Mapping[str, Any]) -> str:
        text, estimate = units[row["check"].measure], row["check"].estimate
        return f"{text(estimate.effect)} ({text(estimate.low)} to {text(estimate.high)})"

    def asked(row: Mapping[str, Any]) -> str:
        since = row["check"].since
        return f"a change on {since:%Y-%m-%d} that never was" if since else "the rise a week, against other cases"

    columns: list[Shown] = [
        ("initiative", lambda row: row["one"].initiative.title or row["one"].initiative.name, False),
        ("measure", lambda row: row["check"].measure, False),
        ("checked", asked, False),
        (f"found; points, or {currency or 'units'} a case", moved, True),
        ("p, corrected", lambda row: f"{row['check'].p:.2f}", True),
        ("so", lambda row: "moved differently" if row["check"].is_doubtful else "no doubt", False),
    ]
    rows = [{"one": one, "check": check} for one in assessed for check in one.checks]
    return _shown(rows, "Before they began: cases in scope should have moved as the others did.", columns, (0, 1))


def _shown(
    rows: Sequence[Mapping[str, Any]], caption: str, columns: list[Shown], names: tuple[int, ...] = (0,)
) -> Table:
    """A table whose columns read the assessment itself, under ``one``."""
    return Table(
        caption=caption,
        headings=tuple(heading for heading, _, _ in columns),
        numeric=tuple(numeric for _, _, numeric in columns),
        rows=tuple(tuple(text(row) for _, text, _ in columns) for row in rows),
        names=names,
    )


def _teams(work: pl.DataFrame, currency: str) -> Table:
    columns: list[Shown] = [
        name_column("team", "team"),
        count_column("events", "n"),
        percent_column("in sight of the outcome", "share"),
        (f"cost, {currency or 'units'}", lambda row: money(row["cost"]), True),
        ("keeps", lambda row: ", ".join(row["keeps"]), False),
        ("serves nothing", lambda row: ", ".join(row["out_of_sight"]), False),
    ]
    return shown(teams_in_sight(work), "Line of sight of each team.", columns)


def _work(work: pl.DataFrame, currency: str) -> Table:
    columns: list[Shown] = [
        name_column("team", "team"),
        name_column("does", "type"),
        count_column("times", "n"),
        count_column("of them moments", "n_moments"),
        ("keeps", lambda row: ", ".join(row["keeps"]), False),
        ("breaks", lambda row: ", ".join(row["breaks"]), False),
        ("achieves the outcome", lambda row: "yes" if row["achieves"] else "", False),
        (f"cost, {currency or 'units'}", lambda row: money(row["cost"]), True),
    ]
    return shown(work, "From tasks to moments, promises and the outcome.", columns, 60, (0, 1))


def _signed(amount: float) -> str:
    return signed(amount, 2)


def _money(amount: float) -> str:
    return "" if math.isnan(amount) else money(amount)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
