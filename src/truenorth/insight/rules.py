"""The register of decisions: every business rule, how often it fires, what it costs customers, whether it is
forgotten."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import msgspec
import numpy as np
import polars as pl

from truenorth.insight.adjusted import Adjusted, adjusted_effects
from truenorth.insight.causal_flow import nexts
from truenorth.insight.coded import Bools, CodedEvents, Floats, coded
from truenorth.insight.customers import customers_of
from truenorth.insight.design import design_of
from truenorth.insight.known_before import opening_facts
from truenorth.insight.promises import promise_verdicts
from truenorth.insight.replayed import Replayed
from truenorth.spec.counted import percent
from truenorth.spec.lint import REVIEW_YEARS, years_before
from truenorth.spec.model import Decision, PromiseKind

MAX_CASES = 20_000
"""So many cases are compared for each rule, drawn at random where there are more."""

BEGINS = 0.5
"""A promise begins with a rule if more than this share of the rule's events begin it."""

RULE = (
    "A rule fires at every event for which its condition holds. Its time is that from the event before it in the "
    "case to the rule, and from the rule to the next moment, each as a median: what the customer waits for it and "
    "after it. Its cost is that of its events. What it does to the outcome compares ripe cases in which it fires "
    "before they are resolved or failed with those in which it never does, adjusted (doubly robust) for what is "
    "known when a case opens; a rule that is there because a case is hard may still look bad, for not all that makes "
    "a case hard is in a log, and so does one with which a promise begins that is not kept. A rule is forgotten if "
    "nobody owns it, it has no reason, was never reviewed or not for two years, or never fires. Regulatory rules are "
    "protected: they are reviewed, not removed."
)


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of a journey as of a day; see `decision_register` for the columns of ``rules``."""

    rules: pl.DataFrame
    as_of: date

    def to_frame(self) -> pl.DataFrame:
        """One row per rule."""
        return self.rules

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with the rule of counting."""
        return {"as_of": self.as_of, "decisions": self.rules.to_dicts(), "rules": {"register": RULE}}


def decision_register(
    replay: Replayed, *, as_of: date | None = None, seed: int = 0, exclude: Collection[str] = ()
) -> Register:
    """Every decision of a journey: whose, why, how old, how often, at what cost to customers.

    ``as_of``: the day by which reviews are old; that of the watermark by default. Columns, in the order of the
    journey file: ``name`` (its condition where it has none), ``condition``, ``kind``, ``owner``, ``reason``,
    ``reviewed``, ``n`` (times fired), ``n_cases``, ``case_share``, ``per_case``, ``cost`` (of its events, in the
    journey's currency), ``wait_us`` (median time from the event before it), ``after_us`` (median time to the next
    moment), ``n_compared`` ripe cases, ``raw`` and ``adjusted`` (difference in the chance of failing, each with
    ``_low`` and ``_high``; null with too few cases on a side), ``forgotten`` (list of reasons, empty if none),
    ``protected``, ``next_step``.
    """
    events = coded(replay)
    day = as_of or (replay.watermark.date() if replay.watermark else date.min)
    failed = (events.cases["outcome"] != "achieved").to_numpy().astype(np.float64)
    facts = opening_facts(events, failed, events.ripe, exclude).facts
    rows = [
        _row(events, decision, day, failed, facts, seed + number)
        for number, decision in enumerate(replay.journey.decisions)
    ]
    return Register(rules=pl.DataFrame(rows, schema=SCHEMA), as_of=day)


SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("name", "condition", "kind", "owner", "reason"), pl.String),
    "reviewed": pl.Date,
    **dict.fromkeys(("n", "n_cases"), pl.Int64),
    **dict.fromkeys(("case_share", "per_case", "cost", "wait_us", "after_us"), pl.Float64),
    "n_compared": pl.Int64,
    **dict.fromkeys(("raw", "raw_low", "raw_high", "adjusted", "adjusted_low", "adjusted_high"), pl.Float64),
    "forgotten": pl.List(pl.String),
    "protected": pl.Boolean,
    "next_step": pl.String,
}


def _row(
    events: CodedEvents, decision: Decision, day: date, failed: Floats, facts: pl.DataFrame, seed: int
) -> dict[str, Any]:
    fires = events.holds(decision.when)
    n = int(fires.sum())
    n_cases = int(np.count_nonzero(events.per_case(fires)))
    found = _effect(events, fires, failed, facts, seed)
    shown = found.outcomes["failed"] if found else None
    effects = {
        f"{name}{suffix}": getattr(getattr(shown, of), end) if shown else None
        for name, of in (("raw", "raw"), ("adjusted", "everyone"))
        for suffix, end in (("", "estimate"), ("_low", "low"), ("_high", "high"))
    }
    forgotten = _forgotten(decision, day, n)
    harms = effects["adjusted_low"] is not None and effects["adjusted_low"] > 0
    return {
        "name": decision.name or decision.when.text,
        "condition": decision.when.text,
        "kind": decision.kind,
        "owner": decision.owner,
        "reason": decision.reason,
        "reviewed": decision.reviewed,
        "n": n,
        "n_cases": n_cases,
        "case_share": n_cases / events.n_cases if events.n_cases else None,
        "per_case": n / n_cases if n_cases else None,
        "cost": float(events.cost[fires].sum()),
        **_times(events, fires),
        "n_compared": found.n_treated + found.n_others if found else 0,
        **effects,
        "forgotten": forgotten,
        "protected": decision.kind == "regulatory",
        "next_step": _next_step(decision, forgotten, harms, _broken_after(events, fires) if harms else None),
    }


def _times(events: CodedEvents, fires: Bools) -> dict[str, float | None]:
    at = np.flatnonzero(fires)
    inner = at[at > events.first[events.case[at]]]
    following = nexts(events.moment, events)[at]
    then = following < events.n_events
    before = events.time_us[inner] - events.time_us[inner - 1]
    after = events.time_us[following[then]] - events.time_us[at[then]]
    return {
        "wait_us": float(np.median(before)) if len(before) else None,
        "after_us": float(np.median(after)) if len(after) else None,
    }


def _effect(events: CodedEvents, fires: Bools, failed: Floats, facts: pl.DataFrame, seed: int) -> Adjusted | None:
    """The effect on failing of cases in which a rule fires while they can still go wrong."""
    counts = fires & (np.arange(events.n_events) < events.over_at[events.case])
    passed = events.per_case(counts) > 0
    cases = np.flatnonzero(events.ripe)
    if len(cases) > MAX_CASES:
        cases = np.sort(np.random.default_rng(seed).choice(cases, MAX_CASES, replace=False))
    treated = passed[cases]
    if not treated.any() or treated.all():
        return None
    _, clusters = np.unique(customers_of(events)[cases], return_inverse=True)
    outcomes = {"failed": failed[cases]}
    return adjusted_effects(treated, outcomes, design_of(facts[cases]).matrix, clusters.astype(np.int64), seed=seed)


def _forgotten(decision: Decision, day: date, n: int) -> list[str]:
    """Why a rule counts as forgotten; empty if it does not."""
    reasons = []
    if decision.owner is None:
        reasons.append("no owner")
    if decision.reason is None:
        reasons.append("no reason")
    if decision.reviewed is None:
        reasons.append("never reviewed")
    elif decision.reviewed < years_before(day, REVIEW_YEARS):
        reasons.append(f"not reviewed for {REVIEW_YEARS} years")
    if not n:
        reasons.append("never fires")
    return reasons


def _broken_after(events: CodedEvents, fires: Bools) -> tuple[str, float] | None:
    """Of the promises that begin with a rule's events the one broken most, and the share broken; None if none is.

    Such a rule goes with failing because what is promised then is not kept.
    """
    begun = [
        promise.name
        for promise in events.replay.journey.promises
        if promise.after is not None
        and promise.kind is PromiseKind.RESPONSE
        and (events.holds(promise.after) & fires).sum() > BEGINS * max(int(fires.sum()), 1)
    ]
    verdicts = promise_verdicts(events.replay).filter(pl.col("group").is_in(begun) & (pl.col("broken") > 0))
    if not verdicts.height:
        return None
    worst = verdicts.sort("broken_share", descending=True).row(0, named=True)
    return worst["group"], worst["broken_share"]


def _next_step(decision: Decision, forgotten: list[str], harms: bool, broken: tuple[str, float] | None) -> str:
    """What to do about a rule: ask whether it is needed, then make it lighter; automate it last."""
    if decision.kind == "regulatory":
        return "protected: review what the regulation asks for" if forgotten or harms else "keep"
    if "never fires" in forgotten:
        return "remove it, or correct its condition"
    if "no reason" in forgotten:
        return "find the reason, or remove it"
    if harms and broken:
        return f"keep '{broken[0]}' first, which begins with it and is broken in {percent(broken[1])}; then ask again"
    if harms:
        return "ask whether cases go better without it: try on some of them"
    return "review it" if forgotten else "keep"
