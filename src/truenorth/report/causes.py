"""The section on points of failure, adjusted for what else differs between cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl

from truenorth.figures.causes import POINT_WORDS, causes_figure
from truenorth.figures.wording import cases, count, money, points, shorten
from truenorth.insight.causes import REMOVED, RULE, Causes, causes_of_failure
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Shown, Table, count_column, name_column, shown
from truenorth.spec.counted import percent

_FOUND: WeakKeyDictionary[Replayed, tuple[Inputs, Causes]] = WeakKeyDictionary()
"""What was found for the replay of a report: more than one section asks, and it takes seconds."""


def causes_for(replay: Replayed, inputs: Inputs) -> Causes:
    """The points of failure of a replay; asked a second time for the same one, what was found before."""
    held = _FOUND.get(replay)
    if held is None or held[0] != inputs:
        held = (inputs, causes_of_failure(replay, seed=inputs.seed, exclude=inputs.exclude))
        _FOUND[replay] = held
    return held[1]


def causes_section(replay: Replayed, inputs: Inputs) -> Section:
    """Points of failure with raw and adjusted effects, and what removing them would bring."""
    found = causes_for(replay, inputs)
    worth, currency = bool(replay.journey.outcome.value), replay.journey.currency
    left_out = f" Left out, for they tell the outcome almost by themselves: {', '.join(found.suspected)}."
    return Section(
        finding=_finding(found, currency, worth),
        answer=found,
        figures={"failure": causes_figure(found)},
        tables={
            "failure": _points_table(found, currency, worth),
            "order": _order_table(found),
            "trust": _trust_table(found),
        },
        how=(
            RULE,
            "A point stands above another only where the whole interval of what it would bring does; '2 to 5' are the "
            "places that it may have, and points of which neither is surely above the other are a tie. Ties are read "
            "by what clear points would bring, then by how far the others are from no effect. What is not alike, or "
            "is the outcome by another name, has no place.",
            f"Adjusted for: {', '.join(found.adjusted_for) or 'nothing: the log says nothing of a case then'}."
            + (left_out if found.suspected else "")
            + " What decides who passes a point and is not in the log stays hidden; the E-value says how strong it "
            "would have to be. --exclude leaves out a column that is written later than the opening.",
            "A promise counts in the first instance that is judged, if it was made and broken before the case was "
            "resolved or failed. Hand-overs, repeats, missing steps and waits are asked for by the instant at which "
            "one case in ten is over, in the cases that still go on, so that long cases do not look bad for being "
            "long; where those that are over passed much more or much less often, the others are not alike.",
            "Promises about a feeling, a total or any silence, and those that mostly begin with failure demand (a "
            "chaser, a complaint), are signs: they tell how a case fares, and stand last.",
        ),
    )


def _finding(found: Causes, currency: str, worth: bool) -> str:
    if not found.points.height:
        return f"No point has enough ripe cases on either side to be compared ({cases(found.n_ripe)})."
    clear = found.points.filter(pl.col("clear") & ~pl.col("sign"))
    sample = f"Of {cases(found.n_ripe)} old enough to compare, {count(found.n_failed)} failed."
    if not clear.height:
        return f"{sample} No point can be told apart from chance once what else differs is adjusted for."
    first = clear.row(0, named=True)
    low, high = first["fewer_failed_low"], first["fewer_failed_high"]
    won = f", {money(first['value_won'], currency)} of value" if worth and first["value_won"] > 0 else ""
    name, rivals = shorten(first["point"], 60), first["place_to"] - 1
    rank = f"comes first ({count(rivals)} more may cost as much)" if rivals else "costs most"
    return (
        f"{sample} {POINT_WORDS[first['kind']]} {name} {rank}: without it about {count(first['fewer_failed'])} "
        f"fewer would have failed (95 % interval {count(low)} to {count(high)}){won}."
    )


def _effect(name: str) -> Shown:
    def text(row: Mapping[str, Any]) -> str:
        return f"{points(row[name])} ({points(row[f'{name}_low'])} to {points(row[f'{name}_high'])})"

    return f"{name}, points (95 % interval)", text, True


def _recorded(found: Causes) -> tuple[str, ...]:
    """Of cost and revenue those that the log holds."""
    points = found.points
    return tuple(name for name, column in REMOVED.items() if points.height and points[column].is_not_null().any())


def _sum(heading: str, name: str, currency: str | None) -> Shown:
    def text(row: Mapping[str, Any]) -> str:
        shows = count if currency is None else money
        return f"{shows(row[name])} ({shows(row[f'{name}_low'])} to {shows(row[f'{name}_high'])})"

    return heading, text, True


def _place(row: Mapping[str, Any]) -> str:
    if row["place"] is None:
        return ""
    return count(row["place"]) + (f" to {count(row['place_to'])}" if row["place_to"] > row["place"] else "")


def _kind(row: Mapping[str, Any]) -> str:
    return "sign: " + POINT_WORDS[row["kind"]].lower() if row["sign"] else POINT_WORDS[row["kind"]]


def _points_table(found: Causes, currency: str, worth: bool) -> Table:
    unit, recorded = currency or "units", _recorded(found)
    columns: list[Shown] = [
        ("place", _place, True),
        ("point", _kind, False),
        name_column("which", "point"),
        count_column("cases at stake", "n_at_stake"),
        count_column("passed", "n"),
        _effect("raw"),
        _effect("adjusted"),
        name_column("chance?", "certainty"),
        _sum("fewer failed without it", "fewer_failed", None),
        *([_sum(f"value won, {unit}", "value_won", currency)] if worth else []),
        *(_sum(f"{REMOVED[name].replace('_', ' ')}, {unit}", REMOVED[name], currency) for name in recorded),
    ]
    missing = " and ".join(name for name in REMOVED if name not in recorded)
    caption = "Points of failure: raw differences beside adjusted ones, and what if it were gone." + (
        f" The log records no {missing}." if missing and found.points.height else ""
    )
    return shown(found.points, caption, columns, names=(1, 2))


def _order_table(found: Causes) -> Table:
    columns: list[Shown] = [("point", _kind, False), name_column("which", "point")]
    columns += [name_column(f"{n}. {do}", do) for n, do in enumerate(ORDER, 1)]
    clear = found.points.filter(pl.col("clear")) if found.points.height else found.points
    return shown(clear, "What to do, in this order.", columns)


def _strength(e_value: float) -> str:
    """A risk ratio; what is beyond anything that could hide is not told exactly."""
    return f"{e_value:.2f}" if e_value <= MOST_TOLD else f"> {MOST_TOLD}"


MOST_TOLD = 100
LEAST_CHANCE = 0.001
ORDER = ("eradicate", "improve", "automate")


def _chance(row: Mapping[str, Any]) -> str:
    """A q-value; never 0, which no chance is."""
    return f"{row['q_value']:.3f}" if row["q_value"] >= LEAST_CHANCE else f"< {LEAST_CHANCE}"


def _trust_table(found: Causes) -> Table:
    columns: list[Shown] = [
        ("point", _kind, False),
        name_column("which", "point"),
        ("passing cases with others like them", lambda row: percent(row["overlap"]), True),
        ("over too early, points apart", lambda row: points(row["left_early"]).removeprefix("+"), True),
        ("largest difference before", lambda row: f"{row['imbalance_raw']:.2f}", True),
        ("and after adjusting", lambda row: f"{row['imbalance']:.2f}", True),
        ("q-value", _chance, True),
        ("unseen, to explain it all (E-value)", lambda row: _strength(row["e_value"]), True),
        ("unseen, to leave it open (E-value of the interval)", lambda row: _strength(row["e_value_limit"]), True),
    ]
    return shown(
        found.points,
        "How far to trust each: overlap, balance (in standard deviations), chance, and how strongly something unseen "
        "would have to go with both the point and failing (risk ratio) to explain it.",
        columns,
    )
