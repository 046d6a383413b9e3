"""The truth behind a world: what matters, by how much, and what only seems to."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.simulate import model
from truenorth.simulate import records as r
from truenorth.simulate.effects import COSTS, VALUES, Target, target, touched, without_and_with
from truenorth.simulate.journeys import CONSEQUENCES, JOURNEYS
from truenorth.simulate.lived import Lived

RIPE_DAYS = 14
"""Averages are over cases opened so many days before the end: by then they are settled, whatever happens in them."""

HOW = (
    "Average over the cases of this world that it can touch, opened 14 days or more before the end (all, in shorter "
    "worlds): chance or expected value by the causal model with the cause at its forced level (2 transfers, else 1) or "
    "the action, minus the same without; each case keeps its own confounders and other causes, and causes that depend "
    "on this one follow it. 'direct' holds these still."
)


class CauseTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of a journey as a cause.

    ``failed`` and ``abandoned`` are log-odds per level against *achieved*. ``p_achieved``, ``p_failed``,
    ``p_abandoned`` are average effects on chances (``p_achieved_se``: its standard error as an estimate
    for other worlds of the company), ``p_achieved_direct`` without what depends on the cause,
    ``value_eur`` on the value of a case. ``share_at_stake`` of the journey's cases, ``share_broken`` of those (level 1,
    2 for transfers). ``confounders`` drive both this and the outcome. ``causal`` is false where nothing follows from
    it.
    """

    journey: str
    name: str
    causal: bool
    failed: float
    abandoned: float
    p_achieved: float
    p_achieved_se: float
    p_achieved_direct: float
    p_failed: float
    p_abandoned: float
    value_eur: float
    share_at_stake: float
    share_broken: float
    n_cases: int
    confounders: tuple[str, ...]
    note: str


class ActionTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One action over all moments to decide.

    ``p_achieved`` and ``value_eur`` (its cost paid) are averages; ``share_helped``, ``share_hurt``: of moments at which
    it raises or lowers the chance of *achieved*; ``share_worth``: at which it is worth its cost.
    """

    name: str
    cost_eur: float
    causal: bool
    p_achieved: float
    p_achieved_se: float
    value_eur: float
    share_helped: float
    share_hurt: float
    share_worth: float
    n_cases: int


class ConsequenceTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that is broken by what happens and causes nothing: its effect is 0 by construction."""

    journey: str
    name: str
    note: str
    causal: bool = False


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; ``msgspec.json.encode`` writes it."""

    causes: tuple[CauseTruth, ...]
    actions: tuple[ActionTruth, ...]
    consequences: tuple[ConsequenceTruth, ...]
    base_rates: dict[str, dict[str, float]]
    hidden: str = "wiring: raises failed by 0.2 log-odds a standard deviation, and missed visits; no event shows it"
    how: str = HOW

    def cause(self, name: str) -> CauseTruth:
        """The cause named ``journey.cause``; KeyError for another name."""
        found = {f"{one.journey}.{one.name}": one for one in self.causes}
        return found[name]

    def action(self, name: str) -> ActionTruth:
        """The action of a name; KeyError for another name."""
        return {one.name: one for one in self.actions}[name]

    def is_causal(self, journey: str, promise: str) -> bool:
        """Whether breaking a promise of a journey file changes the outcome; KeyError for an unknown one."""
        known = {(one.journey, one.name): one.causal for one in self.causes}
        known |= {(one.journey, one.name): one.causal for one in self.consequences}
        return known[journey, promise]

    def to_frame(self) -> pl.DataFrame:
        """Causes, one row each."""
        return pl.DataFrame([msgspec.to_builtins(one) for one in self.causes])


def tell_truth(lived: Lived, days: int) -> Truth:
    """The truth of a world, its averages over the cases that were lived."""
    ripe = _ripe(lived, days)
    causes = [_cause(lived, ripe, j, c) for j, one in enumerate(JOURNEYS) for c in range(len(one.causes))]
    actions = [_action(lived, ripe, action.name) for action in model.ACTIONS]
    consequences = [ConsequenceTruth(journey=one.journey, name=one.name, note=one.note) for one in CONSEQUENCES]
    return Truth(
        causes=tuple(causes),
        actions=tuple(actions),
        consequences=tuple(consequences),
        base_rates={one.name: _base_rates(lived, ripe, j) for j, one in enumerate(JOURNEYS)},
    )


def _ripe(lived: Lived, days: int) -> NDArray[np.bool_]:
    cases = lived.run.cases
    end_us = lived.tables.start_us + (days - RIPE_DAYS) * r.DAY_US
    old = cases["opened_us"] < end_us if days > RIPE_DAYS else np.ones(len(cases), np.bool_)
    ripe: NDArray[np.bool_] = old & (cases["outcome"] != r.UNSETTLED)
    return ripe


def _cause(lived: Lived, ripe: NDArray[np.bool_], j: int, c: int) -> CauseTruth:
    journey, cause = JOURNEYS[j], JOURNEYS[j].causes[c]
    of = target(f"{journey.name}.{cause.name}")
    cases, levels = lived.run.cases, lived.run.levels
    of_journey = ripe & (cases["journey"] == j)
    at_stake = of_journey & touched(cases, of)
    rows = np.flatnonzero(at_stake)
    never, always = without_and_with(lived, rows, of)
    shift = _mean(always.chances - never.chances)
    direct = [one.chances for one in without_and_with(lived, rows, of, downstream=False)]
    broken = levels[rows, c] >= lived.tables.causes[j, c]["forced_level"]
    return CauseTruth(
        journey=journey.name,
        name=cause.name,
        causal=_is_causal(journey, cause),
        failed=cause.effect.failed,
        abandoned=cause.effect.abandoned,
        p_achieved=shift[0],
        p_achieved_se=_standard_error(always.chances[:, 0] - never.chances[:, 0], cases["day"][rows]),
        p_achieved_direct=_mean(direct[1] - direct[0])[0],
        p_failed=shift[1],
        p_abandoned=shift[2],
        value_eur=float(np.dot(shift, VALUES[j])),
        share_at_stake=len(rows) / max(1, int(of_journey.sum())),
        share_broken=float(broken.mean()) if len(rows) else math.nan,
        n_cases=len(rows),
        confounders=confounders(cause),
        note=cause.note,
    )


def confounders(cause: model.Cause) -> tuple[str, ...]:
    """What drives both a cause and outcomes.

    >>> confounders(JOURNEYS[1].causes[0])
    ('load', 'hour')
    """
    if cause.chance is None:
        return ("load", "hour")
    drivers = cause.chance._asdict()
    names = {
        "severity": "severity",
        "load": "load",
        "hurry": "segment",
        "wiring": "wiring",
        "transfers": "no_ping_pong",
    }
    return tuple(shown for name, shown in names.items() if drivers[name])


def _is_causal(journey: model.JourneyModel, cause: model.Cause) -> bool:
    downstream = [one for one in journey.causes if cause.kind == "transfers" and one.chance and one.chance.transfers]
    return any(any(one.effect) for one in (cause, *downstream))


def _action(lived: Lived, ripe: NDArray[np.bool_], name: str) -> ActionTruth:
    of: Target = target(name)
    cases = lived.run.cases
    rows = np.flatnonzero(ripe & touched(cases, of))
    never, always = without_and_with(lived, rows, of)
    shift = always.chances - never.chances
    gain = (shift * VALUES[cases["journey"][rows]]).sum(1) - COSTS[of.action]
    return ActionTruth(
        name=name,
        cost_eur=float(COSTS[of.action]),
        causal=bool(model.ACTIONS[of.action].rules),
        p_achieved=_mean(shift)[0],
        p_achieved_se=_standard_error(shift[:, 0], cases["day"][rows]),
        value_eur=float(gain.mean()) if len(rows) else math.nan,
        share_helped=_share(shift[:, 0] > 0),
        share_hurt=_share(shift[:, 0] < 0),
        share_worth=_share(gain > 0),
        n_cases=len(rows),
    )


def _mean(shift: NDArray[np.float64]) -> list[float]:
    means: list[float] = shift.mean(axis=0).tolist() if len(shift) else [math.nan] * 3
    return means


def _standard_error(values: NDArray[np.float64], days: NDArray[np.int16]) -> float:
    """Of a mean of cases, those of a day taken as one: they share queues.

    The cluster-robust variance of a mean: sum over days of squared sums of residuals, over n squared. Source: A. C.
    Cameron, D. L. Miller (2015), "A practitioner's guide to cluster-robust inference", J. Human Resources 50, eq. (11).
    """
    if len(values) < 2:
        return math.nan
    sums = np.bincount(days, values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else math.nan


def _base_rates(lived: Lived, ripe: NDArray[np.bool_], j: int) -> dict[str, float]:
    outcomes = lived.run.cases["outcome"][ripe & (lived.run.cases["journey"] == j)]
    return {name: _share(outcomes == n) for n, name in enumerate(model.OUTCOMES)}
