"""Potential outcomes: the causal model asked what would come of a case, its own luck and all else kept.

They are exact, for the outcome of a case depends on nothing but the case: its levels, its moment, its luck. What one
case's outcome does to others (needs in other journeys, longer queues) is no part of its own effect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.simulate import model
from truenorth.simulate import records as r
from truenorth.simulate.causal import potentials
from truenorth.simulate.journeys import JOURNEYS
from truenorth.simulate.lived import SHOWN_OUTCOMES, Lived
from truenorth.simulate.tables import N_SLOTS, check_settings

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

VALUES: F64 = np.array([journey.value for journey in JOURNEYS])
COSTS: F64 = np.array([action.cost_eur for action in model.ACTIONS])


class Potentials(NamedTuple):
    """Chances (n, 3) and outcomes (n,) of cases, in the order of `model.OUTCOMES`."""

    chances: F64
    outcomes: I64


class Target(NamedTuple):
    """What an effect is of: an action, or a cause of a journey; -1 for none."""

    action: int = -1
    journey: int = -1
    cause: int = -1


def target(name: str) -> Target:
    """The target of a name: an action, or ``journey.cause``. `TruenorthError` for an unknown one.

    >>> target("help.answered_soon"), target("apology_letter")
    (Target(action=-1, journey=1, cause=0), Target(action=6, journey=-1, cause=-1))
    """
    actions = [action.name for action in model.ACTIONS]
    if name in actions:
        return Target(action=actions.index(name))
    check_settings({name: "on"})
    journey, _, cause = name.partition(".")
    j = [one.name for one in JOURNEYS].index(journey)
    return Target(journey=j, cause=[one.name for one in JOURNEYS[j].causes].index(cause))


def touched(cases: NDArray[np.void], of: Target) -> NDArray[np.bool_]:
    """The cases that it can touch: with a moment to decide, or where the cause is at stake."""
    if of.action >= 0:
        touches: NDArray[np.bool_] = cases["trigger"] != r.NO_TRIGGER
    else:
        touches = (cases["journey"] == of.journey) & ((cases["stakes"] >> of.cause) & 1 == 1)
    return touches


def ask_model(
    tables: r.Tables,
    cases: NDArray[np.void],
    levels: NDArray[np.int8],
    *,
    cause: int = -1,
    level: int = 0,
    action: int = -1,
    downstream: bool = True,
) -> Potentials:
    """What would come of rows of `records.CASE` with a cause at a level, or with an action; -1 leaves it as it was.

    Where ``downstream``, causes that depend on it change with it.
    """
    chances, outcomes = np.empty((len(cases), 3)), np.empty(len(cases), np.int64)
    asked = (np.int64(cause), np.int64(level), np.int64(action), downstream)
    potentials(tables, cases, levels, *asked, np.empty(N_SLOTS, np.int64), chances, outcomes)
    return Potentials(chances, outcomes)


def without_and_with(lived: Lived, rows: I64, of: Target, *, downstream: bool = True) -> tuple[Potentials, Potentials]:
    """Potential outcomes of some cases without and with it; a cause at its forced level, an action against none."""
    cases, levels = lived.run.cases[rows], lived.run.levels[rows]
    if of.action >= 0:
        return ask_model(lived.tables, cases, levels, action=0), ask_model(
            lived.tables, cases, levels, action=of.action
        )
    forced = int(lived.tables.causes[of.journey, of.cause]["forced_level"])
    never = ask_model(lived.tables, cases, levels, cause=of.cause, level=0, downstream=downstream)
    return never, ask_model(lived.tables, cases, levels, cause=of.cause, level=forced, downstream=downstream)


def effects_of(lived: Lived, name: str) -> pl.DataFrame:
    """Both potential outcomes of every settled case that ``name`` can touch: ``case`` and fields of `world.Effect`."""
    of = target(name)
    cases = lived.run.cases
    rows = np.flatnonzero(touched(cases, of) & (cases["outcome"] != r.UNSETTLED))
    value = VALUES[cases["journey"][rows]]
    columns: dict[str, pl.Series | F64] = {"case": lived.case_names.gather(rows)}
    for n, (chances, outcomes) in enumerate(without_and_with(lived, rows, of)):
        taken = of.action if of.action >= 0 and n == 1 else 0 if of.action >= 0 else cases["action"][rows]
        cost = COSTS[taken]
        columns[f"p{n}"] = chances[:, 0]
        columns[f"outcome{n}"] = pl.Series(SHOWN_OUTCOMES).gather(outcomes)
        columns[f"value{n}"] = np.take_along_axis(value, outcomes[:, None], 1)[:, 0] - cost
        columns[f"expected{n}"] = (chances * value).sum(1) - cost
    order = ["case", *(f"{field}{n}" for field in ("p", "outcome", "value", "expected") for n in range(2))]
    return pl.DataFrame(columns).select(order)


def worth(lived: Lived) -> pl.DataFrame:
    """Of every settled case with a moment: ``case``, ``expected`` and ``lived`` value, ``cost`` of its action (EUR)."""
    cases = lived.run.cases
    rows = np.flatnonzero((cases["trigger"] != r.NO_TRIGGER) & (cases["outcome"] != r.UNSETTLED))
    value, cost = VALUES[cases["journey"][rows]], COSTS[cases["action"][rows]]
    chances, outcomes = ask_model(lived.tables, cases[rows], lived.run.levels[rows])
    return pl.DataFrame(
        {
            "case": lived.case_names.gather(rows),
            "expected": (chances * value).sum(1) - cost,
            "lived": np.take_along_axis(value, outcomes[:, None], 1)[:, 0] - cost,
            "cost": cost,
        }
    )
