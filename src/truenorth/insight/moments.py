"""Moments, hand-overs and decisions, counted apart, and the work that each moment causes."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl

from truenorth.insight import alignment, causal_flow
from truenorth.insight import failure_demand as demands
from truenorth.insight.clustered import clustered_means
from truenorth.insight.coded import Bools, CodedEvents, Floats, Ints, Positions, coded
from truenorth.insight.customers import customers_of
from truenorth.insight.failure_demand import Reasons
from truenorth.insight.flow import event_types
from truenorth.insight.intervals import newcombe, wilson
from truenorth.insight.replayed import Replayed

BEFORE_FIRST = "(before the first moment)"
"""Stands for the cause of work that comes before the first moment of its case."""

CHANCE = 0.05
"""Trends are told apart from chance at this rate of false discoveries (Benjamini and Hochberg)."""


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """What kinds of work there are, and what causes them.

    ``types``: one row per type of event, see `moments`. ``flow``: one row per moment type, kind of work (``handover``,
    ``decision``, ``internal``) and type of what it caused, with ``n`` events and their ``cost``. ``demand``: one row
    per reason of failure demand with ``n`` contacts, ``n_events`` (with what goes with them), ``cost``. ``work``: the
    company's events by what they are for (``serves``, ``failure demand``, ``harms``, ``not linked``), with ``n``,
    ``share``, ``cost``, ``cost_share``. ``totals``: ``events, moments, handovers, decisions, internal, cost`` and what
    comes before the first moment of its case (``before_n``, ``before_cost``).
    """

    types: pl.DataFrame
    flow: pl.DataFrame
    demand: pl.DataFrame
    work: pl.DataFrame
    totals: dict[str, float]

    def to_frame(self) -> pl.DataFrame:
        """The types of event, one row each."""
        return self.types

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with the rules of counting."""
        tables = {name: getattr(self, name).to_dicts() for name in ("types", "flow", "demand", "work")}
        rules = {
            "cause": causal_flow.RULE, "alignment": alignment.RULE, "failure_demand": demands.RULE,
        }  # fmt: skip
        return {"totals": self.totals, **tables, "rules": rules}


def moments(replay: Replayed) -> Moments:
    """Moments, hand-overs, decisions and internal work by type of event, and the causal flow between them.

    Columns of ``types``, the costliest first: ``type``, ``kind`` (what most of its events are), ``n`` (events),
    ``share`` of all events, ``n_cases``, ``case_share``, ``owner`` (the team, else the actor, that most of its events
    name; null: the customer), ``owner_share``, ``alignment`` (``serves``, ``harms``, ``not linked``),
    ``per_case_before`` and ``per_case_after`` (events a ripe case, of those opened in the first and in the second
    half of them; see `CodedEvents.ripe`), ``trend`` (``more``, ``fewer``, ``steady``: Welch's test of the two, false
    discoveries held to 5 %).

    Of moments: ``handovers``, ``decisions``, ``internals`` (what they caused), ``handover_ratio`` and
    ``decision_ratio`` (of these to moments), ``caused_cost``. Of all: ``own_cost``, ``cost`` (own and caused),
    ``median_next_us`` (median time to the next moment of the case, null where there never is one); ``achieved_share``
    of the decided cases that pass it before their verdict, less that of the other decided cases: ``difference`` with
    its 95 % Newcombe interval; ``feeling_change`` (the first feeling recorded in
    the case at the event or after it, less the last one before it: its mean, less that of all moments; ``feeling_low``,
    ``feeling_high``: 95 % interval, the events of a customer taken as one); ``mood``: *misery* if either interval lies
    below zero, *magic* if one lies above zero, none below and it does not harm, else null.

    What goes together is no cause: cases that pass a moment may differ in other ways.
    """
    events = coded(replay)
    cause, bearer = causal_flow.causes(events), causal_flow.bearers(events)
    demand = demands.failure_demand(events)
    reason = _with_what_goes_with_it(events, bearer, demand)
    return Moments(
        types=_types(events, cause, bearer),
        flow=_flow(events, cause),
        demand=_demand(events, demand, reason),
        work=_work(events, bearer, reason),
        totals=_totals(events, cause, bearer),
    )


def _totals(events: CodedEvents, cause: Positions, bearer: Positions) -> dict[str, float]:
    before = bearer < 0
    counted = {"moments": events.moment, "handovers": events.handover, "decisions": events.decision}
    counts = {name: int(flag.sum()) for name, flag in counted.items()}
    return {
        "events": events.n_events,
        **counts,
        "internal": int(events.internal.sum()),
        "uncaused_handovers": int((events.handover & (cause < 0)).sum()),
        "uncaused_decisions": int((events.decision & (cause < 0)).sum()),
        "cost": float(events.cost.sum()),
        "before_n": int(before.sum()),
        "before_cost": float(events.cost[before].sum()),
    }


# --- by type of event ------------------------------------------------------------------------------------------------


def _types(events: CodedEvents, cause: Positions, bearer: Positions) -> pl.DataFrame:
    n_types = len(events.type_names)

    def by_type(of: Ints, weights: Any = None) -> Floats:
        return np.bincount(of, weights, minlength=n_types).astype(np.float64)

    n = by_type(events.type)
    n_moments = by_type(events.type[events.moment])
    caused = {
        f"{name}s": by_type(events.type[cause[flag & (cause >= 0)]])
        for name, flag in (("handover", events.handover), ("decision", events.decision), ("internal", events.internal))
    }
    borne = (bearer >= 0) & ~events.moment
    table = pl.DataFrame(
        {
            "type": events.type_names,
            "n": n.astype(np.int64),
            "own_cost": by_type(events.type, events.cost),
            "caused_cost": by_type(events.type[bearer[borne]], events.cost[borne]),
            "n_moments": n_moments,
            **caused,
        }
    ).with_columns(
        (pl.col("own_cost") + pl.col("caused_cost")).alias("cost"),
        (pl.col("n") / max(events.n_events, 1)).alias("share"),
        *(
            pl.when(pl.col("n_moments") > 0).then(pl.col(f"{name}s") / pl.col("n_moments")).alias(f"{name}_ratio")
            for name in ("handover", "decision")
        ),
    )
    parts = (
        _alignment(events),
        _owners(events),
        *_with_cases(events),
        _feelings(events),
        _until_next(events),
    )
    kinds = event_types(events.replay).select("type", "kind", "n_cases", "case_share", "position")
    for part in (kinds, *parts):
        table = table.join(part, on="type", how="left", maintain_order="left")
    return table.with_columns(_mood()).sort("cost", "n", "type", descending=[True, True, False])


def _mood() -> pl.Expr:
    ends = [(pl.col("difference_low"), pl.col("difference_high")), (pl.col("feeling_low"), pl.col("feeling_high"))]
    below = pl.any_horizontal([(high < 0).fill_null(False) for _, high in ends])
    above = pl.any_horizontal([(low > 0).fill_null(False) for low, _ in ends])
    is_moment, harms = pl.col("kind") == "moment", pl.col("alignment") == "harms"
    mood = pl.when(below).then(pl.lit("misery")).when(above & ~harms).then(pl.lit("magic"))
    return pl.when(is_moment).then(mood).alias("mood")


def _named(events: CodedEvents, rows: pl.LazyFrame) -> pl.DataFrame:
    """A row for each type: its ``code`` made its name."""
    return rows.select(pl.lit(events.type_names).gather("code").alias("type"), pl.exclude("code")).collect()


def _alignment(events: CodedEvents) -> pl.DataFrame:
    n_types = len(events.type_names)
    n = np.maximum(np.bincount(events.type, minlength=n_types), 1)
    serving = np.bincount(events.type, alignment.serves(events), minlength=n_types) / n
    harming = np.bincount(events.type, alignment.harms(events), minlength=n_types) / n
    kind = np.where(harming >= 0.5, "harms", np.where(serving >= 0.5, "serves", "not linked"))
    return pl.DataFrame(
        {"type": events.type_names, "alignment": kind}, schema={"type": pl.String, "alignment": pl.String}
    )


def _owners(events: CodedEvents) -> pl.DataFrame:
    field = events.owner_field
    owner = (
        events.replay.events[field].cast(pl.String) if field else pl.Series([None] * events.n_events, dtype=pl.String)
    )
    rows = pl.LazyFrame({"code": events.type, "owner": owner})
    counted = _named(events, rows.group_by("code", "owner").len("n_owned"))
    most = counted.sort("n_owned", "owner", descending=[True, False]).group_by("type", maintain_order=True)
    shares = counted.group_by("type").agg(pl.col("n_owned").sum().alias("all"))
    return (
        most.first()
        .join(shares, on="type")
        .select("type", "owner", (pl.col("n_owned") / pl.col("all")).alias("owner_share"))
    )


class _Passes(NamedTuple):
    """A row for each case and type of event that it has: where ``first``, how many ``times``."""

    case: Ints
    kind: Ints
    first: Ints
    times: Ints


def _with_cases(events: CodedEvents) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How the cases end that pass a type, and how often they do."""
    n_cases = max(events.n_cases, 1)
    pair, first, times = np.unique(events.case + events.type * n_cases, return_index=True, return_counts=True)
    passes = _Passes(pair % n_cases, pair // n_cases, first, times)
    return _after(events, passes), _trends(events, passes)


def _after(events: CodedEvents, passes: _Passes) -> pl.DataFrame:
    """How decided cases end that pass a type before their verdict, against those that do not."""
    outcome = events.cases["outcome"]
    decided, achieved = (outcome != "open").to_numpy(), (outcome == "achieved").to_numpy()
    case, kind = passes.case, passes.kind
    passed = decided[case] & (passes.first < events.over_at[case])
    n_types = len(events.type_names)
    n = np.bincount(kind[passed], minlength=n_types)
    n_achieved = np.bincount(kind[passed], achieved[case[passed]], minlength=n_types).astype(np.int64)
    counts = pl.DataFrame({"type": events.type_names, "k": n_achieved, "m": n}).with_columns(
        (int((achieved & decided).sum()) - pl.col("k")).alias("k_others"),
        (int(decided.sum()) - pl.col("m")).alias("m_others"),
    )
    k, m, ko, mo = (pl.col(name) for name in ("k", "m", "k_others", "m_others"))
    low, high = wilson(k, m)
    difference_low, difference_high = newcombe(k, m, ko, mo)
    both = (m > 0) & (mo > 0)
    return counts.select(
        "type",
        m.alias("n_decided"),
        pl.when(m > 0).then(k / m).alias("achieved_share"),
        low.alias("achieved_low"),
        high.alias("achieved_high"),
        pl.when(both).then(k / m - ko / mo).alias("difference"),
        pl.when(both).then(difference_low).alias("difference_low"),
        pl.when(both).then(difference_high).alias("difference_high"),
    )


def _trends(events: CodedEvents, passes: _Passes) -> pl.DataFrame:
    """Events a decided case, of those opened in the first half of them and of those in the second."""
    from scipy.stats import false_discovery_control, norm  # noqa: PLC0415 heavy

    decided, opened = events.ripe, events.instants("opened")
    middle = np.median(opened[decided]) if decided.any() else 0
    late = opened > middle
    n_types = len(events.type_names)
    means, errors = [], []
    for half in (decided & ~late, decided & late):
        n = max(int(half.sum()), 1)
        taken = half[passes.case]
        kind, times = passes.kind[taken], passes.times[taken]
        mean = np.bincount(kind, times, minlength=n_types) / n
        square = np.bincount(kind, times**2, minlength=n_types) / n
        means.append(mean)
        errors.append((square - mean**2) / n)
    error = np.sqrt(errors[0] + errors[1])
    change = means[1] - means[0]
    score = np.divide(change, error, out=np.zeros(n_types), where=error > 0)
    chance = 2 * norm.sf(np.abs(score))
    clear = (false_discovery_control(chance) <= CHANCE) & (error > 0) if n_types else np.zeros(0, np.bool_)
    trend = np.where(~clear, "steady", np.where(change > 0, "more", "fewer"))
    columns = {"type": events.type_names, "per_case_before": means[0], "per_case_after": means[1], "trend": trend}
    return pl.DataFrame(columns, schema_overrides={"trend": pl.String})


def _feelings(events: CodedEvents) -> pl.DataFrame:
    """By how much the feeling changes: the first recorded at an event or after it, less the last one before it.

    Feelings sink on the way of most cases, so changes are told against the mean change over all moments.
    """
    known, change = _changes_of_feeling(events)
    of_moments = change[events.moment[known]]
    change -= of_moments.mean() if len(of_moments) else 0.0
    who = customers_of(events).astype(np.int32)[events.case[known]]
    rows = pl.LazyFrame({"code": events.type[known].astype(np.int32), "who": who, "feeling": change})
    names = {"mean": "feeling_change", "low": "feeling_low", "high": "feeling_high"}
    return _named(events, clustered_means(rows, "code", "who", "feeling").select("code", *names).rename(names))


def _changes_of_feeling(events: CodedEvents) -> tuple[Bools, Floats]:
    """At which events a change is known, and how large it is at these."""
    feeling = events.number("feeling", np.nan)
    felt = ~np.isnan(feeling)
    feeling, case = feeling[felt], events.case[felt]
    number = np.cumsum(felt, dtype=np.int32) - felt  # of the first feeling at each event or after it
    known = np.append(case, -1)[number] == events.case
    known &= np.append(-1, case)[number] == events.case
    number = number[known]
    return known, feeling[number] - feeling[number - 1]


def _until_next(events: CodedEvents) -> pl.DataFrame:
    following = causal_flow.nexts(events.moment, events)
    there = following < events.n_events
    gap = events.time_us[following[there]] - events.time_us[there]
    rows = pl.LazyFrame({"code": events.type[there], "gap": gap})
    return _named(events, rows.group_by("code").agg(pl.col("gap").median().alias("median_next_us")))


# --- what causes what ------------------------------------------------------------------------------------------------


def causal_flow_of(replay: Replayed) -> pl.DataFrame:
    """The table ``flow`` of `Moments` alone: it adds up over logs that share no case."""
    events = coded(replay)
    return _flow(events, causal_flow.causes(events))


def _flow(events: CodedEvents, cause: Positions) -> pl.DataFrame:
    parts = []
    for kind, flag in (("handover", events.handover), ("decision", events.decision), ("internal", events.internal)):
        at = np.flatnonzero(flag)
        cause_type = np.where(cause[at] >= 0, events.type[cause[at]], -1)
        parts.append(
            pl.LazyFrame({"cause": cause_type, "code": events.type[at], "cost": events.cost[at]})
            .group_by("cause", "code")
            .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("cost").sum())
            .with_columns(pl.lit(kind).alias("kind"))
        )
    names = pl.Series("name", [*events.type_names, BEFORE_FIRST], dtype=pl.String)
    found = pl.concat(parts).collect()
    codes = found["cause"].to_numpy()
    return (
        found.with_columns(
            names.gather(np.where(codes < 0, len(names) - 1, codes)).alias("moment"),
            names.gather(found["code"]).alias("type"),
        )
        .select("moment", "kind", "type", "n", "cost")
        .sort("n", "moment", "kind", "type", descending=[True, False, False, False])
    )


def _demand(events: CodedEvents, demand: Reasons, reason: Reasons) -> pl.DataFrame:
    """Failure demand by reason; ``reason`` has the work that goes with it, too."""
    n = len(demands.REASONS)
    taken = reason >= 0
    return pl.DataFrame(
        {
            "reason": demands.REASONS,
            "n": np.bincount(demand[demand >= 0], minlength=n),
            "n_events": np.bincount(reason[taken], minlength=n),
            "cost": np.bincount(reason[taken], events.cost[taken], minlength=n).astype(np.float64),
        }
    )


def _with_what_goes_with_it(events: CodedEvents, bearer: Positions, demand: Reasons) -> Reasons:
    """The reason of each event that is failure demand, is caused by it or answers it; -1 for all others."""
    none = np.int8(-1)
    answered = np.where(demands.answers(events, demand), np.roll(demand, 1), demand)
    borne = np.append(demand, none)[bearer]  # a bearer of -1 is none
    return np.maximum(answered, np.where(events.moment, none, borne))


def _work(events: CodedEvents, bearer: Positions, reason: Reasons) -> pl.DataFrame:
    """The company's events by what they are for; a piece of work is for what its moment is for."""
    serving, harming = alignment.serves(events), alignment.harms(events)
    of_moment = np.append(serving, False)[bearer]
    kind = np.select([reason >= 0, harming, serving | of_moment], np.array([1, 2, 0], np.int8), np.int8(3))
    company = ~events.by_customer
    n = np.bincount(kind[company], minlength=4)
    cost = np.bincount(kind[company], events.cost[company], minlength=4)
    return pl.DataFrame(
        {"purpose": ["serves", "failure demand", "harms", "not linked"], "n": n, "cost": cost.astype(np.float64)}
    ).with_columns(
        (pl.col("n") / max(int(n.sum()), 1)).alias("share"),
        (pl.col("cost") / (float(cost.sum()) or 1.0)).alias("cost_share"),
    )
