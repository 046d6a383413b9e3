"""True north: do nothing that does not contribute to the outcome, and see whether what was done did."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from truenorth.insight.before_after import Check, Design, Estimate, checked_before, design_of, effect, smallest_p
from truenorth.insight.initiative_file import Initiative, Serves
from truenorth.insight.matching import matching, openings
from truenorth.insight.one_thread import in_one_thread
from truenorth.insight.promises import broken_in
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


class Crown(msgspec.Struct, frozen=True, kw_only=True):
    """One crown: the effect per case reached, what had been expected, and the ruling."""

    measure: str
    estimate: Estimate
    expected: float | None
    ruling: Literal["better", "worse", "not clear"]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """An initiative, judged.

    ``n_reached`` and ``n_before``: ripe cases in scope from its start and before it. ``net``: change in value + revenue
    - cost per case reached, without the initiative's own cost; ``net_total`` = net x n_reached - its own cost so far.
    ``checked``: placebo and pre-trend of each crown; ``checks``: the smallest of their p-values times their number, NaN
    where there is none.
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
    checked: tuple[Check, ...]
    checks: float


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
        rows.append(row | {"net_total": one.net_total, "checks": one.checks})
    return pl.DataFrame(rows, infer_schema_length=None)


def checks_frame(assessed: Sequence[Assessment]) -> pl.DataFrame:
    """What was looked at before each initiative began, one row for a check of a crown.

    ``check``: `placebo` or `pre_trend`; ``as_if``: the day on which the placebo began; ``effect``, ``low``, ``high``:
    in the crown's unit per case (a pre-trend: per week); ``p_all``: p times the number of checks, at most 1;
    ``moved``: whether that is below `DOUBTFUL`. Null where it cannot be told.
    """
    rows = [
        _check_row(one, check, sum(other.tells for other in one.checked)) for one in assessed for check in one.checked
    ]
    return pl.DataFrame(rows, schema=CHECKS_SCHEMA)


CHECKS_SCHEMA: dict[str, type[pl.DataType]] = {
    "name": pl.String, "verdict": pl.String, "check": pl.String, "measure": pl.String, "as_if": pl.Date,
    "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64, "p": pl.Float64, "p_all": pl.Float64,
    "moved": pl.Boolean,
}  # fmt: skip


def _check_row(one: Assessment, check: Check, n: int) -> dict[str, object]:
    start, estimate = one.initiative.start, check.estimate
    row: dict[str, object] = {
        "name": one.initiative.name, "verdict": one.verdict, "check": check.kind, "measure": check.measure,
        "as_if": start + timedelta(days=check.day) if start and check.day is not None else None,
    }  # fmt: skip
    if math.isnan(estimate.p):
        return row
    p_all = min(1.0, estimate.p * max(n, 1))
    row |= {"effect": estimate.effect, "low": estimate.low, "high": estimate.high, "p": estimate.p}
    return row | {"p_all": p_all, "moved": check.tells and p_all < DOUBTFUL}


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
    crowns = tuple(_crown(name, estimates[name], initiative) for name in CROWNS)
    checked = checked_before(frame, CROWNS, design)
    checks = smallest_p(checked)
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
        checked=checked,
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


def _crown(name: str, estimate: Estimate, initiative: Initiative) -> Crown:
    turned = estimate.direction * BETTER[name]
    ruling: Literal["better", "worse", "not clear"] = "better" if turned > 0 else "worse" if turned < 0 else "not clear"
    return Crown(measure=name, estimate=estimate, expected=getattr(initiative.expects, name), ruling=ruling)


def _judged(
    replay: Replayed, initiative: Initiative, design: Design | None, crowns: Sequence[Crown], checks: float
) -> tuple[Verdict, str]:
    if initiative.serves is None:
        return "do not do it", "no line of sight: it names no outcome, promise or moment that it serves"
    start = initiative.start
    if start is None or (replay.watermark and start > replay.watermark.date()):
        return "proposed", "it has not begun"
    if design is None:
        return "too early", "too few ripe cases before or after its start"
    if checks < DOUBTFUL:
        return "not credible", "cases in scope moved differently already before it began"
    better = [one.measure for one in crowns if one.ruling == "better"]
    worse = [one.measure for one in crowns if one.ruling == "worse"]
    if not better and not worse:
        return "no effect shown", "all three intervals hold 0"
    words = [f"{name} {ruling}" for ruling, names in (("better", better), ("worse", worse)) for name in names]
    verdict: Verdict = "trade" if better and worse else "keep" if better else "stop"
    return verdict, ", ".join(words)
