"""The events of a replay as arrays, for insights that look at every event of millions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine.compile import bind_columns
from truenorth.engine.marks import Translation
from truenorth.insight.flow import typed
from truenorth.insight.replayed import Replayed
from truenorth.spec.expressions import Condition

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Positions = NDArray[np.int32]
"""Positions of events: half the memory of other integers, for there may be one for each of millions of events."""

RIPE_SHARE = 0.95
"""Where the journey declares no time, a case is ripe once it is as old as this share of decided cases were."""

UNNAMED = 0.5
"""A log in which more of the company's events than this name nobody does not tell who acts."""

NEVER_US = np.iinfo(np.int64).max
"""An instant after all others, in microseconds: of what did not happen."""


@dataclass(frozen=True, eq=False)
class CodedEvents:
    """Events by case in their order, and the cases in the order in which their events come.

    ``first`` (n_cases + 1): where the events of each case begin; case ``i`` has the events ``first[i]:first[i + 1]``.
    ``case`` (n_events): the number of each event's case. ``cases``: the replay's table of cases, row ``i`` for case
    ``i``. Times are microseconds since 1970, UTC.
    """

    replay: Replayed
    first: Ints
    case: Ints
    cases: pl.DataFrame

    @property
    def n_events(self) -> int:
        """How many events belong to cases."""
        return len(self.case)

    @property
    def n_cases(self) -> int:
        """How many cases there are."""
        return len(self.first) - 1

    @cached_property
    def type_names(self) -> pl.Series:
        """The types of event, in alphabetical order; the series is called ``type``."""
        return pl.Series("type", list(self._types.dtype.categories), dtype=pl.String)  # type: ignore[attr-defined]

    @cached_property
    def type(self) -> Ints:
        """The position of each event's type in ``type_names``."""
        return self._types.to_physical().to_numpy().astype(np.int64, copy=False)

    @cached_property
    def _types(self) -> pl.Series:
        return typed(self.replay.events)

    @cached_property
    def time_us(self) -> Ints:
        """The instant of each event."""
        return self.replay.events["time"].to_physical().to_numpy().astype(np.int64, copy=False)

    @property
    def positions(self) -> Positions:
        """The position of each event: 0, 1, ..."""
        return np.arange(self.n_events, dtype=np.int32)

    @property
    def starts(self) -> Positions:
        """The position of the first event of each event's case."""
        return self.first.astype(np.int32)[self.case]

    @cached_property
    def moment(self) -> Bools:
        """Whether each event is a moment."""
        return self._flag("moment")

    @cached_property
    def decision(self) -> Bools:
        """Whether each event is a decision."""
        return self._flag("decision")

    @cached_property
    def handover(self) -> Bools:
        """Whether each event is a hand-over."""
        return self._flag("handover")

    @cached_property
    def internal(self) -> Bools:
        """Whether each event is internal work: neither moment nor decision."""
        return ~(self.moment | self.decision)

    @cached_property
    def cost(self) -> Floats:
        """The cost of each event, 0 where none is given."""
        return self.number("cost")

    @cached_property
    def revenue(self) -> Floats:
        """The revenue of each event, 0 where none is given."""
        return self.number("revenue")

    @cached_property
    def owner_field(self) -> str | None:
        """The field that says who acts: ``team``, else ``actor``; None where the log has neither."""
        return next((name for name in ("team", "actor") if name in self.replay.events.columns), None)

    @cached_property
    def tells_who_acts(self) -> bool:
        """Whether the log tells the customer's acts from the company's.

        It does if some moments name neither team nor actor, and at least half of all other events name one.
        """
        nobody = self._names_nobody
        if self.owner_field is None or not (nobody & self.moment).any():
            return False
        other = ~self.moment
        return not other.any() or float(nobody[other].mean()) <= UNNAMED

    @cached_property
    def by_customer(self) -> Bools:
        """Whether the customer acted: a moment that names neither team nor actor; nowhere where the log does not
        tell."""
        if not self.tells_who_acts:
            return np.zeros(self.n_events, np.bool_)
        acted: Bools = self.moment & self._names_nobody
        return acted

    @cached_property
    def _names_nobody(self) -> Bools:
        nobody = np.ones(self.n_events, np.bool_)
        for name in ("team", "actor"):
            if name in self.replay.events.columns:
                nobody &= self.replay.events[name].is_null().to_numpy()
        return nobody

    @cached_property
    def reopening(self) -> Bools:
        """Which events reopen a case that was resolved."""
        return self.holds(self.replay.journey.outcome.reopened) & self._resolved_before

    @cached_property
    def resolved(self) -> Bools:
        """Which events come while their case is resolved and does not reopen with them."""
        resolved: Bools = self._resolved_before & ~self.reopening
        return resolved

    @cached_property
    def _resolved_before(self) -> Bools:
        """Whether the latest that happened before each event in its case was to be resolved, not to be reopened."""
        outcome = self.replay.journey.outcome
        none, index, starts = np.int32(-1), self.positions, self.starts
        latest = []
        for condition in (outcome.achieved, outcome.reopened):
            last = np.maximum.accumulate(np.where(self.holds(condition), index, none))
            before = np.append(none, last)[: self.n_events]
            latest.append(np.where(before >= starts, before, none))
        resolved: Bools = latest[0] > latest[1]
        return resolved

    def _flag(self, name: str) -> Bools:
        events = self.replay.events
        if name not in events.columns:
            return np.zeros(self.n_events, np.bool_)
        return events[name].fill_null(False).to_numpy()

    def number(self, name: str, missing: float = 0.0) -> Floats:
        """A column of numbers, ``missing`` where there is none."""
        events = self.replay.events
        if name not in events.columns or not (events[name].dtype.is_numeric()):
            return np.full(self.n_events, missing)
        return events[name].cast(pl.Float64).fill_nan(None).fill_null(missing).to_numpy()

    def holds(self, condition: Condition | None) -> Bools:
        """For which events a condition of the journey holds; for none where there is no condition."""
        if condition is None or not self.n_events:
            return np.zeros(self.n_events, np.bool_)
        events = self.replay.events
        truth = Translation(events.schema, handover=None).truth(bind_columns(condition.tree, events.schema))
        if not truth.meta.root_names():
            return np.full(self.n_events, bool(pl.select(truth).item()))
        return events.select(truth.alias("holds"))["holds"].to_numpy()

    def per_case(self, values: NDArray[Any]) -> Floats:
        """The sum of a value of each event, by case."""
        return np.bincount(self.case, values, minlength=self.n_cases).astype(np.float64)

    def first_where(self, holds: Bools) -> Ints:
        """The first event of each case for which something holds; ``n_events`` where none."""
        at = np.flatnonzero(holds)
        found = np.full(self.n_cases, self.n_events)
        found[self.case[at][::-1]] = at[::-1]
        return found

    def instants(self, name: str) -> Ints:
        """A column of instants of the cases; `NEVER_US` where there is none."""
        return self.cases[name].to_physical().fill_null(NEVER_US).to_numpy().astype(np.int64)

    @cached_property
    def over_at(self) -> Ints:
        """How far each case can still go wrong: the position of the first event that no longer counts for that.

        The event that first achieves the outcome, or that fails it, and all after it are no cause of the outcome; nor
        is what comes after a deadline that was missed.
        """
        journey, end = self.replay.journey, self.first[1:]
        ends = self.holds(journey.outcome.achieved) | self.holds(journey.outcome.failed)
        outcome_us = self.instants("outcome_time")
        ends |= self.time_us > outcome_us[self.case]
        return np.minimum(self.first_where(ends), end)

    @cached_property
    def over_us(self) -> Ints:
        """The instant of that: an abandoned case is over with its last event, a case that goes on never."""
        outcome = self.cases["outcome"]
        at, end = self.over_at, self.first[1:]
        time_us = np.append(self.time_us, NEVER_US)
        by_event = np.where(at < end, time_us[np.minimum(at, self.n_events)], NEVER_US)
        last_us = np.where(end > self.first[:-1], time_us[np.maximum(end - 1, 0)], NEVER_US)
        by_silence = np.where((outcome == "abandoned").to_numpy(), last_us, NEVER_US)
        return np.minimum(np.minimum(by_event, by_silence), self.instants("outcome_time"))

    @cached_property
    def ripe(self) -> Bools:
        """Decided cases opened so long before the watermark that the slow ones of their time are decided, too.

        Young cases that are decided already are the quick ones: to compare all decided cases would compare the quick
        with the slow. A case is ripe when it is as old as the outcome may take (``within`` and ``holds_for``), or,
        where the journey does not say, as 95 % of the decided cases took. Where no case is that old, all decided ones
        count.
        """
        decided = (self.cases["outcome"] != "open").to_numpy()
        if self.replay.watermark is None or not decided.any():
            return decided
        watermark_us = int(pl.Series([self.replay.watermark], dtype=pl.Datetime("us", "UTC")).to_physical()[0])
        opened_us = self.instants("opened")
        outcome = self.replay.journey.outcome
        if outcome.within_us is not None and outcome.calendar is None:
            horizon_us = float(outcome.within_us + (outcome.holds_for_us or 0))
        else:
            taken = self.instants("outcome_time")[decided] - opened_us[decided]
            horizon_us = float(np.quantile(taken, RIPE_SHARE)) + (outcome.holds_for_us or 0)
        ripe: Bools = decided & (opened_us <= watermark_us - horizon_us)
        return ripe if ripe.any() else decided


def coded(replay: Replayed) -> CodedEvents:
    """The events of a replay as arrays."""
    events = replay.events
    names = events["case"]
    run = names.rle_id().to_numpy().astype(np.int64) if events.height else np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(run, prepend=-1)) if len(run) else np.zeros(0, np.int64)
    order = names.gather(starts).to_frame()
    cases = order.join(replay.cases, on="case", how="left", maintain_order="left")
    return CodedEvents(replay, np.append(starts, len(run)), run, cases)
