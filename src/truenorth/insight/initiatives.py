"""True north: do nothing that does not contribute to the outcome, and see whether what was done did."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from truenorth.insight.before_after import (
    UNKNOWN,
    Design,
    Estimate,
    design_of,
    effect,
    placebo,
    placebo_day,
    pre_trend,
)
from truenorth.insight.initiative_file import Initiative, Serves
from truenorth.insight.matching import matching, openings
from truenorth.insight.one_thread import in_one_thread
from truenorth.insight.promises import broken_in
from truenorth.insight.recorded import is_recorded
from truenorth.insight.replayed import Replayed
from truenorth.insight.ripe import facts_of, ripe_cases
from truenorth.insight.slope import slope
from truenorth.spec.problems import Problem, TruenorthError, nearest

Verdict = Literal["do not do it", "proposed", "too early", "not credible", "keep", "trade", "stop", "no effect shown"]
VERDICTS: tuple[Verdict, ...] = (
    "keep", "trade", "no effect shown", "stop", "not credible", "too early", "proposed", "do not do it",
)  # fmt: skip
"""In the order in which a portfolio shows them."""

CROWNS = ("achieved", "cost", "revenue")
"""Better service, lower cost, higher revenue: side by side, none traded silently for another."""
BETTER = {"achieved": 1, "cost": -1, "revenue": 1}
"""The direction in which each is better."""
DOUBTFUL = 0.05
"""Checks with a p-value below this, times their number, say that before and after cannot be compared."""


class Possible(msgspec.Struct, frozen=True, kw_only=True):
    """What the share achieved would gain in scope if what an initiative serves went right in every case: points as a
    share, with a 95 % interval. NaN where it cannot be told. ``how`` says by what."""

    gain: float
    low: float
    high: float
    how: str


Ruling = Literal["better", "worse", "not clear", "not recorded"]
"""What the interval of an effect says; *not recorded*: the log has no such amount at all."""


class Crown(msgspec.Struct, frozen=True, kw_only=True):
    """One crown: the effect per case reached, what had been expected, and the ruling."""

    measure: str
    estimate: Estimate
    expected: float | None
    ruling: Ruling


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a measure moved before the change as it should have: not at all.

    ``kind``: *placebo*, the effect per case of a change that never was, on the day ``since``; or *pre-trend*, by how
    much more a week it rose in scope than outside it. ``p``: of the estimate, times the number of checks, at most 1.
    """

    kind: Literal["placebo", "pre-trend"]
    measure: str
    since: date | None = None
    estimate: Estimate
    p: float = math.nan

    @property
    def is_doubtful(self) -> bool:
        """Whether it says that before and after cannot be compared."""
        return self.p < DOUBTFUL


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """An initiative, judged.

    ``n_reached`` and ``n_before``: ripe cases in scope from its start and before it. ``net``: change in value + revenue
    - cost per case reached, without the initiative's own cost; ``net_total`` = net x n_reached - its own cost so far.
    ``checks``: what can be checked of the time before.
    """

    initiative: Initiative
    verdict: Verdict
    reason: str
    possible: Possible
    plausible: Literal["possible", "more than can be", "not said", "cannot be told"]
    design: Design | None
    n_reached: int
    n_before: int
    crowns: tuple[Crown, ...]
    net: Estimate
    net_total: float
    checks: tuple[Check, ...]

    @property
    def checks_p(self) -> float:
        """The smallest p-value of the checks, corrected for their number; NaN where there are none."""
        return min((check.p for check in self.checks), default=math.nan)


@in_one_thread
def assess(
    replay: Replayed, initiatives: Sequence[Initiative], *, seed: int = 0, exclude: Collection[str] = ()
) -> tuple[Assessment, ...]:
    """Every initiative judged, the portfolio ranked: by verdict in the order of `VERDICTS`, then by ``net_total``.

    *Before*: an initiative that serves neither the outcome, nor a promise, nor a moment has no line of sight: do not do
    it. What it is expected to bring is held against what would come of it if what it serves never went wrong.
    *After*: its effect on the share achieved, on cost and on revenue per case, by difference in differences where its
    scope leaves cases out, else by an interrupted time series, in ripe cases (`truenorth.insight.ripe`).
    ``exclude``: columns that are not known when a case opens, although its first event has them; ``seed`` chooses
    folds.

    `TruenorthError` with every place where an initiative names what the journey or the log has not.
    """
    _check(replay, initiatives)
    net = (pl.col("value") + pl.col("revenue") - pl.col("cost")).alias("net")
    cases = ripe_cases(replay).with_columns(net).with_row_index("row")
    facts = facts_of(replay, exclude)
    opened = openings(replay)
    assessed = [_assess(replay, _placed(cases, opened, one), facts, one, seed) for one in initiatives]

    def rank(one: Assessment) -> tuple[int, float]:
        return VERDICTS.index(one.verdict), -one.net_total if not math.isnan(one.net_total) else math.inf

    return tuple(sorted(assessed, key=rank))


def portfolio_frame(assessed: Sequence[Assessment]) -> pl.DataFrame:
    """Assessments as a frame, one row each: what the command prints, and more."""
    rows = []
    for one in assessed:
        row: dict[str, object] = {
            "name": one.initiative.name, "owner": one.initiative.owner, "verdict": one.verdict, "reason": one.reason,
            "design": one.design, "n_reached": one.n_reached, "n_before": one.n_before, "possible": one.possible.gain,
        }  # fmt: skip
        for crown in one.crowns:
            estimate = crown.estimate
            row |= {crown.measure: estimate.effect, f"{crown.measure}_low": estimate.low}
            row |= {f"{crown.measure}_high": estimate.high, f"{crown.measure}_ruling": crown.ruling}
        rows.append(row | {"net_total": one.net_total, "checks": one.checks_p})
    return pl.DataFrame(rows, infer_schema_length=None)


def _check(replay: Replayed, initiatives: Sequence[Initiative]) -> None:
    problems: list[Problem] = []
    names = [promise.name for promise in replay.journey.promises]
    for one in initiatives:
        served = one.serves or Serves()
        if served.promise is not None and served.promise not in names:
            problems.append(
                Problem(
                    path=f"{one.path}.serves.promise", line=one.line, expected="a promise of the journey",
                    found=f"'{served.promise}'", hint=nearest(served.promise, names),
                )
            )  # fmt: skip
        for key, condition in (("scope", one.scope), ("serves.moment", served.moment)):
            if condition is not None:
                try:
                    matching(condition, replay.events.schema, f"{one.path}.{key}")
                except TruenorthError as error:
                    problems += [msgspec.structs.replace(problem, line=one.line) for problem in error.problems]
    if problems:
        raise TruenorthError(problems)


def _assess(
    replay: Replayed, frame: pl.DataFrame, facts: pl.DataFrame, initiative: Initiative, seed: int
) -> Assessment:
    inside = frame.filter("reached")
    possible = _possible(replay, inside, facts, initiative.serves, seed)
    begun = initiative.start is not None
    design = design_of(frame) if begun else None
    estimates = {name: effect(frame, name, design) for name in (*CROWNS, "net")}
    told = {name: estimates[name] for name in CROWNS if name == "achieved" or is_recorded(replay, name)}
    crowns = tuple(_crown(name, told.get(name), initiative) for name in CROWNS)
    checks = _checks(frame, design, initiative.start)
    n_reached = inside.filter(pl.col("day") >= 0).height if begun else 0
    spent = initiative.cost.once + initiative.cost.per_case * n_reached
    verdict, reason = _judged(replay, initiative, design, crowns, checks)
    return Assessment(
        initiative=initiative,
        verdict=verdict,
        reason=reason,
        possible=possible,
        plausible=_plausible(initiative.expects.achieved, possible),
        design=design,
        n_reached=n_reached,
        n_before=inside.height - n_reached,
        crowns=crowns,
        net=estimates["net"],
        net_total=estimates["net"].effect * n_reached - spent,
        checks=checks,
    )


def _placed(cases: pl.DataFrame, opened: pl.DataFrame, initiative: Initiative) -> pl.DataFrame:
    """Cases with ``reached`` (in scope) and ``day`` (since the start; before everything where there is none)."""
    scope = matching(initiative.scope, opened.schema) if initiative.scope else pl.lit(True)
    in_scope = opened.select(pl.col("case"), scope.alias("reached"))
    start = datetime.combine(initiative.start, time(), UTC) if initiative.start else None
    since = (pl.col("opened") - pl.lit(start, dtype=pl.Datetime("us", "UTC"))).dt.total_seconds() / 86_400
    day = since if start else pl.lit(-1.0)
    return cases.join(in_scope, on="case", how="left", maintain_order="left").with_columns(
        pl.col("reached").fill_null(False), day.alias("day")
    )


def _possible(
    replay: Replayed, inside: pl.DataFrame, facts: pl.DataFrame, serves: Serves | None, seed: int
) -> Possible:
    nothing = Possible(gain=math.nan, low=math.nan, high=math.nan, how="it serves nothing that is measured")
    before = inside.filter(pl.col("day") < 0) if (inside["day"] < 0).any() else inside
    if serves is None or not before.height:
        return nothing
    if serves.outcome is not None:
        gain = 1 - float(before["achieved"].mean())  # type: ignore[arg-type] # not empty
        return Possible(gain=gain, low=gain, high=gain, how="every case achieved")
    wrong, how = _gone_wrong(replay, before, serves)
    found = slope(before["achieved"].to_numpy(), wrong, facts[before["row"].to_numpy()], before["customer"], seed=seed)
    share = float(np.nansum(wrong)) / before.height
    if math.isnan(found.effect):
        return msgspec.structs.replace(nothing, how="too few cases to tell")
    gains = -found.per_unit_high * share, -found.per_unit_low * share
    return Possible(gain=-found.per_unit * share, low=gains[0], high=gains[1], how=how)


def _gone_wrong(
    replay: Replayed, cases: pl.DataFrame, serves: Serves
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], str]:
    """1.0 where what is served went wrong in a case, 0.0 where not, NaN where it was not at stake."""
    if serves.promise is not None:
        return broken_in(replay, serves.promise, cases), f"'{serves.promise}' never broken"
    assert serves.moment is not None
    there = replay.events.lazy().filter(matching(serves.moment, replay.events.schema)).select("case").unique().collect()
    missed = ~cases["case"].is_in(there["case"].implode())
    return missed.cast(pl.Float64).to_numpy(), f"{serves.moment.text} in every case"


def _plausible(
    expected: float | None, possible: Possible
) -> Literal["possible", "more than can be", "not said", "cannot be told"]:
    if expected is None:
        return "not said"
    if math.isnan(possible.high):
        return "cannot be told"
    return "possible" if expected <= possible.high else "more than can be"


def _crown(name: str, estimate: Estimate | None, initiative: Initiative) -> Crown:
    """One crown; no estimate where the log has no such amount."""
    expected = getattr(initiative.expects, name)
    if estimate is None:
        return Crown(measure=name, estimate=UNKNOWN, expected=expected, ruling="not recorded")
    turned = estimate.direction * BETTER[name]
    ruling: Ruling = "better" if turned > 0 else "worse" if turned < 0 else "not clear"
    return Crown(measure=name, estimate=estimate, expected=expected, ruling=ruling)


def _checks(frame: pl.DataFrame, design: Design | None, start: date | None) -> tuple[Check, ...]:
    """Placebos and pre-trends of all crowns that can be told, with Bonferroni's correction."""
    never = start + timedelta(days=placebo_day(frame)) if start else None
    asked = [Check(kind="placebo", measure=name, since=never, estimate=placebo(frame, name, design)) for name in CROWNS]
    asked += [Check(kind="pre-trend", measure=name, estimate=pre_trend(frame, name, design)) for name in CROWNS]
    found = [one for one in asked if not math.isnan(one.estimate.p) and one.estimate != _SAME]
    return tuple(msgspec.structs.replace(one, p=min(1.0, one.estimate.p * len(found))) for one in found)


_SAME = Estimate(effect=0.0, low=0.0, high=0.0, p=1.0)
"""What a measure gives that is the same in all cases."""


def _judged(
    replay: Replayed, initiative: Initiative, design: Design | None, crowns: Sequence[Crown], checks: Sequence[Check]
) -> tuple[Verdict, str]:
    if initiative.serves is None:
        return "do not do it", "no line of sight: it names no outcome, promise or moment that it serves"
    start = initiative.start
    if start is None or (replay.watermark and start > replay.watermark.date()):
        return "proposed", "it has not begun"
    if design is None:
        return "too early", "too few ripe cases before or after its start"
    doubtful = [f"{check.measure} ({check.kind})" for check in checks if check.is_doubtful]
    if doubtful:
        return "not credible", f"cases in scope moved differently already before it began: {', '.join(doubtful)}"
    better = [one.measure for one in crowns if one.ruling == "better"]
    worse = [one.measure for one in crowns if one.ruling == "worse"]
    if not better and not worse:
        return "no effect shown", "every interval holds 0"
    words = [f"{name} {ruling}" for ruling, names in (("better", better), ("worse", worse)) for name in names]
    verdict: Verdict = "trade" if better and worse else "keep" if better else "stop"
    return verdict, ", ".join(words)
