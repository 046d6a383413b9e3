"""A backtest: learn at an instant of the past, judge on what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight import alarms, evaluate
from truenorth.foresight.ends import Waits, followed_ends
from truenorth.foresight.evaluate import Ahead, Bucket, Days, Hits, Lead, Level, PerDay, Reliable, Scored, SeenOut
from truenorth.foresight.learnt import Learnt, foresight_of, learn, named, risks_of
from truenorth.foresight.level import Lives, followed, lasts_of, raised, window_before
from truenorth.foresight.model import Foresight, Verdict
from truenorth.foresight.predictors import Head, Linear, runner
from truenorth.foresight.remaining import Remaining, interval
from truenorth.foresight.rows import NEVER, Table, position_of, unresolved
from truenorth.foresight.split import Split, censoring_weights, known_at, temporal_split
from truenorth.foresight.train import Effort, Tell, longest_hold_us, outcome_of_rows
from truenorth.foresight.why import Lever, changes_of, in_words, levers
from truenorth.spec.durations import DAY_US, format_duration

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


MOST_CHANGED = 2_000
"""So many rows are changed at most to see what would lower the risk."""


class Asked(msgspec.Struct, frozen=True):
    """What a backtest is asked for: share of cases held out, precision of alarms, cases a team looks at a day."""

    test_share: float = 0.25
    precision: float = 0.5
    per_day: int = 10
    ratios: tuple[float, ...] = alarms.RATIOS


class Promise(msgspec.Struct, frozen=True):
    """How well breaks of one promise are foreseen, beside its base rate."""

    name: str
    n_rows: int
    base_rate: float
    verdict: Verdict
    scored: Scored
    brier_base_rate: float


class Backtest(msgspec.Struct, frozen=True):
    """All that a backtest finds, on held-out time.

    ``judged`` is the model that buckets, alarms and costs are of: that of the verdict, where none went to work the one
    that was tried first. ``baseline`` says what the logistic regression looks at, ``calibration`` how each outcome of
    the trees was calibrated, ``levers`` what would lower the risk of the tenth of the rows most at risk.
    """

    outcomes: tuple[str, ...]
    n_cases: int
    n_fit: int
    n_valid: int
    n_test: int
    n_censored: int
    test_us: int
    base_rate: float
    verdict: Verdict
    judged: str
    models: tuple[Scored, ...]
    buckets: tuple[Bucket, ...]
    reliability: Reliable
    level: Level
    lead: Lead
    per_day: PerDay
    costs: tuple[alarms.Cost, ...]
    remaining: Days | None
    next: Hits | None
    promises: tuple[Promise, ...]
    baseline: tuple[str, ...]
    calibration: tuple[str, ...]
    seen_out: SeenOut | None = None
    survey: Ahead | None = None
    levers: tuple[Lever, ...] = ()

    @property
    def scored(self) -> Scored:
        """How good the judged model is."""
        return next(model for model in self.models if model.model == self.judged)


def backtest(
    table: Table,
    *,
    seed: int = 0,
    asked: Asked | None = None,
    effort: Effort | None = None,
    answered_us: I64 | None = None,
    tell: Tell = lambda _stage, _share: None,
) -> tuple[Backtest, Foresight]:
    """Learn from cases whose outcome was known at the split instant, and judge on cases opened from it on.

    ``answered_us`` (n_cases,): when a survey answer came, -1 for none. Returns the findings and what was learnt, as it
    would have been at that instant; `learnt.refit` learns again from all cases.
    """
    asked, effort = asked or Asked(), effort or Effort()
    learnt = learn(table, temporal_split(table.cases, table.rows, asked.test_share), seed, effort, tell)
    tell("judging", 0.8)
    return judge(learnt, seed=seed, asked=asked, answered_us=answered_us)


def judge(learnt: Learnt, *, seed: int, asked: Asked, answered_us: I64 | None = None) -> tuple[Backtest, Foresight]:
    """What has been learnt, on the held-out rows of its split; see `backtest`."""
    table, split = learnt.table, learnt.split
    risks = {name: risks_of(head, table.rows.x) for name, head in named(learnt.outcome).items()}
    held = _Held(learnt, risks, answered_us, seed)
    threshold = alarms.threshold_for(held.crossed(held.valid), asked.precision)
    promises = _promises(learnt, seed)
    live = {promise.name: promise.verdict.used for promise in promises if promise.verdict.live}
    findings = Backtest(
        outcomes=table.outcomes,
        n_cases=len(table.cases.opened_us),
        n_censored=split.n_censored,
        test_us=split.test_us,
        remaining=days_found(learnt.remaining, table, split, seed),
        next=_next(learnt, seed),
        promises=promises,
        baseline=terms_in_words(learnt.outcome.logistic, table),
        calibration=tuple(curve.way for curve in (learnt.outcome.trees or learnt.outcome.logistic).curves),
        **held.findings(threshold, asked),
    )
    return findings, foresight_of(learnt, held.verdict, threshold.risk, live)


class _Held:
    """Held-out rows and the risks that each model gives them."""

    def __init__(self, learnt: Learnt, risks: dict[str, F64], answered_us: I64 | None, seed: int) -> None:
        self.learnt, self.answered_us, self.seed = learnt, answered_us, seed
        self.rows, self.cases = learnt.table.rows, learnt.table.cases
        self.failed = outcome_of_rows(learnt.table) > 0
        self.undecided = unresolved(learnt.table)
        self.valid, self.test = learnt.split.valid & self.undecided, learnt.split.test & self.undecided
        test = self.test
        self.case = self.rows.case[test]
        self.y = self.failed[test]
        self.as_learnt, none = risks, np.zeros(len(self.failed))
        self.levels = {name: none if name == "base rate" else levels(learnt, risk) for name, risk in risks.items()}
        risks = {name: raised(risk, self.levels[name]) for name, risk in risks.items()}
        self.risks = {name: risk[test] for name, risk in risks.items()}
        self.verdict = evaluate.verdict(self.y, self.risks, self.case, seed, still_open=self._still_open())
        self.judged = self.verdict.used if self.verdict.live else next(iter(risks))
        self.every_risk, self.risk = risks[self.judged], self.risks[self.judged]

    def _still_open(self) -> str:
        """What held-out cases that have not ended may still be, in words; nothing where all have.

        Where those that have ended all ended the same way, this is why.
        """
        cases, test_us = self.cases, self.learnt.split.test_us
        n_open = int(((cases.opened_us >= test_us) & (cases.outcome < 0)).sum())
        known = known_at(cases, test_us)
        other = known & ((cases.outcome > 0) != self.y[:1].any())
        if not n_open or not other.any():
            return ""
        took = format_duration(int(np.median((cases.ended_us - cases.opened_us)[other])))
        goes_on = format_duration(self._data_end_us() - test_us)
        return (
            f"{n_open:,} more are still open. Those that ended the other way before took {took} (median), and the data "
            f"go on for {goes_on} from the first held-out case: hold out a larger share, or wait"
        )

    def _data_end_us(self) -> int:
        ended = self.cases.ended_us[self.cases.ended_us < NEVER]
        return max(int(self.rows.time_us.max(initial=0)), int(ended.max(initial=0)))

    def crossed(self, rows: NDArray[np.bool_], risk: F64 | None = None) -> alarms.Crossings:
        """By ``risk``, that of the judged model if none is given.

        Cases that were learnt from or chosen on stand for those like them, opened in the same time, that had not ended.
        """
        every_risk = self.every_risk if risk is None else risk
        case, (opened_us, ended_us) = self.rows.case[rows], (self.cases.opened_us, self.cases.ended_us)
        same = opened_us >= opened_us[case].min(initial=NEVER)
        stands_for = np.zeros(len(opened_us))
        stands_for[same] = censoring_weights(opened_us[same], ended_us[same], self.learnt.split.test_us)
        return alarms.crossings(case, every_risk[rows], self.failed[rows], stands_for)

    def findings(self, threshold: alarms.Threshold, asked: Asked) -> dict[str, Any]:
        """All about outcomes and alarms, by field of `Backtest`."""
        split, case, y, risk, seed = self.learnt.split, self.case, self.y, self.risk, self.seed
        times = self.rows.time_us[self.test]
        valid, test, taught = (self.crossed(rows) for rows in (self.valid, self.test, self.learnt.taught))
        as_learnt = self.as_learnt[self.judged]
        came = float(test.failed.mean()) if len(test.case) else float("nan")
        known = float(np.average(taught.failed, weights=taught.weight)) if len(taught.case) else float("nan")
        alarmed = (threshold, asked.precision, case, times, risk, y, self.cases.ended_us, seed)
        return {
            "n_fit": len(np.unique(self.rows.case[split.fit])),
            "n_valid": len(valid.case),
            "n_test": len(test.case),
            "base_rate": came,
            "verdict": self.verdict,
            "judged": self.judged,
            "models": tuple(evaluate.scored(name, y, p, case, seed) for name, p in self.risks.items()),
            "buckets": evaluate.buckets(y, risk, case, self.rows.prefix[self.test], seed),
            "reliability": evaluate.reliable(y, risk),
            "level": evaluate.level(known, came, y, risk, as_learnt[self.test]),
            "seen_out": self._seen_out(),
            "lead": evaluate.lead(*alarmed),
            "per_day": evaluate.per_day(case, times, risk, y, asked.per_day, seed),
            "costs": self._costs(as_learnt, asked.ratios),
            "survey": self._survey(threshold.risk, times, test),
            "levers": self._levers(),
        }

    def _seen_out(self) -> SeenOut | None:
        """The held-out cases opened so long before the data end that nearly all like them have ended."""
        cases, split = self.cases, self.learnt.split
        known = known_at(cases, split.test_us)
        if not known.any():
            return None
        lasts_us = lasts_of(cases.opened_us[known], cases.ended_us[known])
        of = cases.opened_us[self.case] <= self._data_end_us() - lasts_us
        prefix = self.rows.prefix[self.test]
        return evaluate.seen_out(lasts_us / DAY_US, self.y[of], self.risk[of], self.case[of], prefix[of], self.seed)

    def _costs(self, risk: F64, ratios: Sequence[float]) -> tuple[alarms.Cost, ...]:
        """Of alarms by a risk as it was learnt, which is what their thresholds were chosen on."""
        cases, test_us = self.cases, self.learnt.split.test_us
        lately = ((cases.outcome >= 0) & (cases.ended_us >= test_us))[self.rows.case]
        parts = (self.crossed(rows & self.undecided, risk) for rows in (self.learnt.taught, lately, self.test))
        past, since, test = (
            alarms.Ended(found, cases.opened_us[found.case], cases.ended_us[found.case]) for found in parts
        )
        return evaluate.costs(self.crossed(self.valid, risk), past, since, test, ratios)

    def _survey(self, threshold: float, time_us: I64, test: alarms.Crossings) -> Ahead | None:
        if self.answered_us is None or not (self.answered_us >= 0).any():
            return None
        n_cases = len(self.cases.opened_us)
        crossed = alarms.first_crossing_us(self.case, time_us, self.risk, threshold, n_cases)
        return evaluate.ahead(crossed[test.case], self.answered_us[test.case], test.failed, self.seed)

    def _levers(self) -> tuple[Lever, ...]:
        """What would lower the risk of the tenth of the held-out rows that is most at risk (some of them)."""
        rows = np.flatnonzero(self.test)
        rows = rows[np.argsort(-self.risk, kind="stable")[: len(rows) // 10]]
        rows = rows[:: 1 + len(rows) // MOST_CHANGED]
        x, level = self.rows.x[rows], self.levels[self.judged][rows]
        head = named(self.learnt.outcome)[self.judged]
        return levers(x, changes_of(self.learnt.table.columns), lambda some: risks_of(head, some), level)


def levels(learnt: Learnt, risk: F64) -> F64:
    """The level in force at each row (n,) with its risk: from the split instant on, it follows what becomes of cases.

    It is learnt from the cases opened since `Split.valid_us`, of each what was known by then. Those opened before the
    split instant chose settings and curves but taught no model. 0 where cases are looked at at their events only: what
    was said of a case at its last event is not what is known of it by now.
    """
    rows, cases, split = learnt.table.rows, learnt.table.cases, learnt.split
    level = np.zeros(len(risk))
    if rows.at_event.all():
        return level
    of = cases.opened_us[rows.case] >= split.valid_us
    failed = np.minimum(cases.outcome, 1)
    lives = Lives(rows.case[of], rows.time_us[of], risk[of], cases.ended_us, failed)
    level[of] = followed(lives, learnt.window_us, split.test_us)
    return level


def _promises(learnt: Learnt, seed: int) -> tuple[Promise, ...]:
    table, found = learnt.table, []
    for name, heads in learnt.promises.items():
        target = table.targets[name]
        of = learnt.split.test & np.isfinite(target)
        if not of.any():
            continue
        broken, case = target[of] > 0, table.rows.case[of]
        risks = {key: risks_of(head, table.rows.x[of]) for key, head in named(heads).items()}
        verdict = evaluate.verdict(broken, risks, case, seed)
        used = verdict.used if verdict.live else "base rate"
        base = float(((risks["base rate"] - broken) ** 2).mean())
        figures = evaluate.scored(used, broken, risks[used], case, seed)
        promise = name.removeprefix("promise:")
        found.append(Promise(promise, int(of.sum()), float(broken.mean()), verdict, figures, base))
    return tuple(found)


def _next(learnt: Learnt, seed: int) -> Hits | None:
    if learnt.next is None:
        return None
    table, target = learnt.table, learnt.table.targets["next"]
    rows, asked = table.rows, table.rows.at_event & np.isfinite(target)
    of, known = learnt.split.test & asked, learnt.split.fit & asked
    if not of.any() or not known.any():
        return None
    came = np.where(asked, target, -1.0).astype(np.int64)
    said = runner(learnt.next.predictor, rows.x.shape[1]).predict(rows.x[of]).argmax(1)
    at = position_of(table, "last_type")
    last = np.zeros(len(came), np.int64) if at is None else np.nan_to_num(rows.x[:, at], nan=-1.0).astype(np.int64)
    usual = evaluate.usual_next(last[known], came[known], last[of])
    most = int(np.bincount(came[known]).argmax())
    return evaluate.hits(came[of], said, most, usual, rows.case[of], seed)


def days_found(remaining: Remaining | None, table: Table, split: Split, seed: int) -> Days | None:
    """How far off the days to the outcome are on the held-out rows; None where they are not foretold or not known.

    Rows whose case is resolved are left out: nothing is left of these days but that it holds.
    """
    if remaining is None:
        return None
    target, open_ = table.targets["remaining_days"], unresolved(table)
    of, known = (mask & open_ & np.isfinite(target) for mask in (split.test, split.fit))
    if not of.any():
        return None
    said = runner(remaining.predictor, table.rows.x.shape[1]).predict(table.rows.x)[:, 0]
    said = np.maximum(said, 0.0)
    came, case = target[of].astype(np.float64), table.rows.case[of]
    as_learnt = np.column_stack(interval(remaining, said[of], *remaining.ends))
    low, high = (end[of] for end in ends_over_time(remaining, said, table, split))
    between = np.column_stack(interval(remaining, said[of], low, high))
    return evaluate.days(came, between, as_learnt, float(np.median(target[known])), remaining.coverage, case, seed)


def ends_over_time(remaining: Remaining, said: F64, table: Table, split: Split) -> tuple[F64, F64]:
    """Where intervals of all rows end, each (n,): from the split instant on, that follows what becomes of cases.

    As with `levels`, it is learnt from the cases opened since `Split.valid_us`.
    """
    rows, cases = table.rows, table.cases
    low, high = (np.full(len(said), end) for end in remaining.ends)
    of = (cases.opened_us[rows.case] >= split.valid_us) & unresolved(table)
    days = table.targets["remaining_days"][of].astype(np.float64)
    came_us = np.full(len(days), NEVER)
    known = np.isfinite(days)
    came_us[known] = rows.time_us[of][known] + np.round(days[known] * DAY_US).astype(np.int64)
    waits = Waits(rows.case[of], rows.time_us[of], said[of], came_us)
    holds_us = longest_hold_us(table, split.test_us)
    low[of], high[of] = followed_ends(remaining, waits, window_before(cases, split.test_us), split.test_us, holds_us)
    return low, high


def terms_in_words(head: Head, table: Table) -> tuple[str, ...]:
    """What the logistic baseline looks at, with what one standard deviation more adds to the log-odds of the risk."""
    linear = head.predictor
    if not isinstance(linear, Linear):
        return ()
    weights = np.array(linear.weights).reshape(len(linear.intercepts), -1)
    shown = []
    for term, added in zip(linear.terms, weights[1:].mean(0) - weights[0], strict=True):
        column = table.columns[term.column]
        words = column.words if term.category is None else in_words(column, term.category)
        shown.append(f"{words} ({added:+.2f})")
    return tuple(shown)
