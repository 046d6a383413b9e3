"""KPI audit: which measures count our own work, which of them fight the customer, and what we pay people to do."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.before_after import design_of as change_design
from truenorth.insight.before_after import effect
from truenorth.insight.design import design_of
from truenorth.insight.known_before import is_sign
from truenorth.insight.kpi_file import Kpi, Reward
from truenorth.insight.kpi_kind import Harmful, Kind, Told, in_catalogue, kind_of
from truenorth.insight.kpi_values import by_week, check_kpis, parts, units
from truenorth.insight.matching import matching, openings
from truenorth.insight.one_thread import in_one_thread
from truenorth.insight.promises import broken_in
from truenorth.insight.replayed import Replayed
from truenorth.insight.ripe import facts_of, ripe_cases
from truenorth.insight.slope import Slope, clusters, slope, too_few

Floats = NDArray[np.float64]
Verdict = Literal["fights the customer", "blind", "aligned", "is the outcome", "cannot be told"]
Level = Literal["case", "week", "reward"]

ALPHA = 0.01
"""The chance that any measure at all is wrongly said to fight the customer, or wrongly said to be aligned, is at most
this. Each such sentence accuses somebody, so it is not enough that most of them are right."""
MIN_CELLS = 20
"""Fewer units x weeks than this say nothing."""
N_FOLDS = 5
LEARNT_FROM = 50_000
"""What was to be expected of a case is learnt from so many others."""
RULE = (
    "A KPI is turned so that more is better by its own direction. Case: by how much the share achieved changes with "
    "one standard deviation of it among cases alike in what was known when they opened (partially linear model, "
    "cross-fitted). Week: the same over units and weeks, with every unit and every week compared with itself, and with "
    "what was to be expected of their cases taken off. Reward: what came with paying for it, before and after, in "
    "scope and out of it. It fights the customer where one of the three lies below 0 beyond chance (of 1 % that any is "
    "said to by mistake: Holm, over all KPIs and tests); it is aligned where the case level lies above 0; else it is "
    "blind."
)
SHOWN = ("effect", "low", "high", "p_harm_any", "raw", "n", "robustness")
"""What the table of KPIs gives of the evidence at each level, as ``case_effect`` and so on."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What improving a KPI goes with, at one level: change of the share achieved with a 95 % interval; ``p_harm``: of
    the effect not being below 0; ``p_harm_any``, ``p_help_any``: the chance that any finding as sure as this one, of
    all that are asked, is a false one (Holm). ``raw``: not adjusted, and its p-value. ``n``: cases or unit-weeks.
    ``robustness``: as in `slope.Slope`."""

    level: Level
    effect: float
    low: float
    high: float
    p_harm: float
    raw: float
    n: int
    robustness: float
    p_harm_any: float = math.nan
    p_help_any: float = math.nan


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI, audited. ``value``: over all ripe cases. ``paid``: its share of all reward. ``reversal``: what the plain
    figure says is turned round by what differs between cases or between levels (Simpson), in words."""

    kpi: Kpi
    kind: Kind
    reason: str
    verdict: Verdict
    why: str
    value: float
    paid: float
    evidence: tuple[Evidence, ...]
    reversal: str
    known_harm: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome measure to put in the place of outputs: its formula, its value now, and how it goes with the outcome
    (effect of a kept promise on the share achieved, with a 95 % interval; NaN for the outcome itself)."""

    name: str
    formula: str
    value: float
    effect: float
    low: float
    high: float


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """All KPIs. ``output_share``: of the KPIs; ``output_paid``: of the reward (NaN where nobody is paid by any)."""

    kpis: tuple[Audited, ...]
    output_share: float
    output_paid: float
    proposals: tuple[Proposal, ...]
    n_cases: int

    def to_frame(self) -> pl.DataFrame:
        """One row per KPI: what it is and how it was judged, and of each level the fields `SHOWN`."""
        rows = []
        for one in self.kpis:
            row: dict[str, Any] = {"name": one.kpi.name, "owner": one.kpi.owner, "kind": one.kind}
            row |= {"verdict": one.verdict, "why": one.why, "value": one.value, "target": one.kpi.target}
            row |= {"paid": one.paid, "reason": one.reason, "reversal": one.reversal, "known_harm": one.known_harm}
            for level in ("case", "week", "reward"):
                found = next((each for each in one.evidence if each.level == level), None)
                row |= {f"{level}_{key}": getattr(found, key, None) for key in SHOWN}
            rows.append(row)
        return pl.DataFrame(rows, infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "kpis": self.to_frame().to_dicts(),
            "output_share": self.output_share,
            "output_paid": None if math.isnan(self.output_paid) else self.output_paid,
            "proposals": msgspec.to_builtins(self.proposals),
            "n_cases": self.n_cases,
        }


@in_one_thread
def audit_kpis(replay: Replayed, kpis: Sequence[Kpi], *, seed: int = 0, exclude: Collection[str] = ()) -> Audit:
    """Audit KPIs against the outcome of a journey, over its ripe cases (`truenorth.insight.ripe`).

    The rules are those of `RULE`, `truenorth.insight.kpi_kind.kind_of` and `truenorth.insight.kpi_values`. ``seed``
    chooses folds; ``exclude``: columns that are not known when a case opens, although its first event has them.
    `TruenorthError` with every place where a KPI names what the log has not.
    """
    check_kpis(replay, tuple(kpis))
    cases = ripe_cases(replay)
    known = facts_of(replay, exclude)
    looked_at = _Looked(replay, cases, known, _expected(cases, known, seed), openings(replay))
    told = [kind_of(kpi.formula, replay.journey) for kpi in kpis]
    added = [parts(replay, kpi, cases) for kpi in kpis]
    judged = _discounted(
        [
            [] if _is_outcome(kpi, kind) else _evidence(looked_at, kpi, part, seed)
            for kpi, kind, part in zip(kpis, told, added, strict=True)
        ]
    )
    weights = [kpi.reward.weight if kpi.reward else 0.0 for kpi in kpis]
    total = sum(weights)
    audited = tuple(
        _audited(kpi, kind, part, evidence, weight / total if total else 0.0)
        for kpi, kind, part, evidence, weight in zip(kpis, told, added, judged, weights, strict=True)
    )
    outputs = [one for one in audited if one.kind == "output"]
    return Audit(
        kpis=audited,
        output_share=len(outputs) / len(audited) if audited else math.nan,
        output_paid=sum(one.paid for one in outputs) if total else math.nan,
        proposals=_proposals(replay, cases, known, seed),
        n_cases=cases.height,
    )


class _Looked(NamedTuple):
    """What all KPIs are looked at against: ripe cases, what was known of each when it opened, the chance that it would
    achieve the outcome by that, and the events that open cases."""

    replay: Replayed
    cases: pl.DataFrame
    known: pl.DataFrame
    expected: Floats
    opened: pl.DataFrame


def _expected(cases: pl.DataFrame, known: pl.DataFrame, seed: int) -> Floats:
    """The chance of *achieved* by what was known when a case opened, from models that have not seen its customer.

    Each model learns from at most `LEARNT_FROM` cases, drawn at random.
    """
    from sklearn.linear_model import Ridge  # noqa: PLC0415 heavy
    from sklearn.model_selection import GroupKFold  # noqa: PLC0415

    y, design, groups = cases["achieved"].to_numpy(), design_of(known).matrix, clusters(cases["customer"])
    if not design.shape[1] or len(np.unique(groups)) < N_FOLDS:
        return np.full(cases.height, y.mean() if len(y) else math.nan)
    dice, guessed = np.random.default_rng(seed), np.empty(len(y))
    for learn, ask in GroupKFold(N_FOLDS, shuffle=True, random_state=seed).split(design, groups=groups):
        some = learn if len(learn) <= LEARNT_FROM else np.sort(dice.choice(learn, LEARNT_FROM, replace=False))
        guessed[ask] = Ridge(alpha=10.0).fit(design[some], y[some]).predict(design[ask])
    return guessed


# --- evidence --------------------------------------------------------------------------------------------------------


def _evidence(looked: _Looked, kpi: Kpi, added: pl.DataFrame, seed: int) -> list[Evidence]:
    """What there is at each level; ``added``: what each case adds to the KPI."""
    turned = 1.0 if kpi.better == "higher" else -1.0
    cases = looked.cases
    frame = cases.select("opened", "achieved").hstack(added).with_columns(
        units(looked.replay, kpi.per, cases, looked.opened).alias("unit"), pl.Series("expected", looked.expected)
    )  # fmt: skip
    measure = turned * (frame["top"] / frame["bottom"]).cast(pl.Float64).fill_null(math.nan).to_numpy()
    found = [_at_case(slope(cases["achieved"].to_numpy(), measure, looked.known, cases["customer"], seed=seed))]
    found.append(_at_week(by_week(frame), turned))
    if kpi.reward and kpi.reward.since:
        found.append(_since_paid(cases, looked.opened, kpi.reward))
    return [one for one in found if not math.isnan(one.effect)]


def _at_case(found: Slope) -> Evidence:
    return Evidence(
        level="case", effect=found.effect, low=found.low, high=found.high, p_harm=_one_sided(found.effect, found.p),
        raw=found.raw, n=found.n, robustness=found.robustness,
    )  # fmt: skip


def _at_week(weeks: pl.DataFrame, turned: float) -> Evidence:
    """Least squares of the share achieved, less what was to be expected, on the KPI, units and weeks (weights: cases;
    errors: HC3)."""
    import statsmodels.api as sm  # noqa: PLC0415 takes a second

    unit, week = weeks["unit"].rank("dense").to_numpy(), weeks["week"].rank("dense").to_numpy()
    value = turned * weeks["value"].to_numpy()
    n_columns = len(np.unique(unit)) + len(np.unique(week))
    if weeks.height < max(MIN_CELLS, n_columns + 5) or len(np.unique(unit)) < 2 or np.ptp(value) == 0.0:
        return _at_case(too_few(weeks.height))
    value = (value - value.mean()) / value.std()
    dummies = [(unit == code).astype(float) for code in np.unique(unit)]
    dummies += [(week == code).astype(float) for code in np.unique(week)[1:]]
    y = weeks["achieved"].to_numpy() - weeks["expected"].to_numpy()
    fit = sm.WLS(y, np.column_stack([*dummies, value]), weights=weeks["n"].to_numpy()).fit(cov_type="HC3", use_t=True)
    low, high = fit.conf_int()[-1]
    estimate = float(fit.params[-1])
    raw = float(np.cov(value, weeks["achieved"].to_numpy())[0, 1] / value.var(ddof=1))
    p_value = float(fit.pvalues[-1])
    return Evidence(
        level="week", effect=estimate, low=float(low), high=float(high), p_harm=_one_sided(estimate, p_value), raw=raw,
        n=weeks.height, robustness=math.nan,
    )  # fmt: skip


def _since_paid(cases: pl.DataFrame, opened: pl.DataFrame, reward: Reward) -> Evidence:
    scope = matching(reward.scope, opened.schema) if reward.scope else pl.lit(True)
    assert reward.since is not None
    start = pl.lit(datetime.combine(reward.since, time(), UTC), dtype=pl.Datetime("us", "UTC"))
    placed = (
        cases.select("case", "customer", "opened", "achieved")
        .join(opened.select("case", scope.alias("reached")), on="case", how="left", maintain_order="left")
        .with_columns(((pl.col("opened") - start).dt.total_seconds() / 86_400).alias("day"))
    )
    found = effect(placed, "achieved", change_design(placed))
    inside = placed.filter("reached")
    halves = [inside.filter(side)["achieved"].mean() for side in (pl.col("day") >= 0, pl.col("day") < 0)]
    raw = math.nan if None in halves else float(halves[0]) - float(halves[1])  # type: ignore[arg-type]
    return Evidence(
        level="reward", effect=found.effect, low=found.low, high=found.high, p_harm=_one_sided(found.effect, found.p),
        raw=raw, n=placed.height, robustness=math.nan,
    )  # fmt: skip


def _one_sided(estimate: float, p: float) -> float:
    return p / 2 if estimate < 0 else 1 - p / 2


def _discounted(found: list[list[Evidence]]) -> list[list[Evidence]]:
    """Evidence with the chance of any false finding controlled over all that is tested.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 65-70. It
    holds however the tests depend on each other; those of KPIs that count the same work do.
    """
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415 heavy

    p_values = [one.p_harm for group in found for one in group]
    if not p_values:
        return found
    harm = iter(multipletests(p_values, method="holm")[1])
    gain = iter(multipletests([1 - p for p in p_values], method="holm")[1])
    return [
        [msgspec.structs.replace(one, p_harm_any=float(next(harm)), p_help_any=float(next(gain))) for one in group]
        for group in found
    ]


# --- verdicts --------------------------------------------------------------------------------------------------------


def _audited(kpi: Kpi, told: Told, added: pl.DataFrame, evidence: list[Evidence], paid: float) -> Audited:
    top, bottom = float(added["top"].sum()), float(added["bottom"].sum())
    summed = kpi.formula.aggregate in ("count", "sum")
    verdict, why = _verdict(kpi, told, evidence)
    harmful: Harmful | None = in_catalogue(kpi)
    return Audited(
        kpi=kpi,
        kind=told.kind,
        reason=told.reason,
        verdict=verdict,
        why=why,
        value=top if summed else top / bottom if bottom else math.nan,
        paid=paid,
        evidence=tuple(evidence),
        reversal=_reversal(evidence),
        known_harm=f"{harmful.name}: {harmful.why}" if harmful else "",
    )


WORDS: dict[Level, str] = {
    "case": "among cases alike",
    "week": "in the weeks in which it was better",
    "reward": "since people are paid by it",
}


def _is_outcome(kpi: Kpi, told: Told) -> bool:
    """Whether a KPI is read off the verdict itself: it cannot be tested against it."""
    return told.kind == "outcome" and kpi.formula.of == "cases"


def _verdict(kpi: Kpi, told: Told, evidence: list[Evidence]) -> tuple[Verdict, str]:
    if _is_outcome(kpi, told):
        return "is the outcome", told.reason
    harm = [one for one in evidence if one.p_harm_any <= ALPHA]
    if harm:
        return "fights the customer", "; ".join(f"{WORDS[one.level]} fewer achieve the outcome" for one in harm)
    at_case = next((one for one in evidence if one.level == "case"), None)
    if not evidence:
        return "cannot be told", "too few cases"
    if at_case is not None and at_case.p_help_any <= ALPHA:
        return "aligned", "among cases alike more achieve the outcome where it is better"
    return "blind", "whether it is better or worse goes with no difference for the customer"


def _reversal(evidence: list[Evidence]) -> str:
    """Where a plain figure and the adjusted one, or two levels, point opposite ways, both of them clearly."""
    clear = {one.level: (1 if one.low > 0 else -1) for one in evidence if one.low > 0 or one.high < 0}
    for one in evidence:
        if one.level == "case" and one.level in clear and one.raw * clear["case"] < 0:
            return "the plain figure points the other way: those cases differ in what was known before"
    if clear.get("case", 0) * clear.get("week", 0) < 0:
        return "cases and weeks point opposite ways: units with a better figure have other cases"
    return ""


# --- in their place --------------------------------------------------------------------------------------------------


def _proposals(replay: Replayed, cases: pl.DataFrame, known: pl.DataFrame, seed: int) -> tuple[Proposal, ...]:
    """The outcome, and the promises whose keeping goes with it, the largest effect first."""
    nan = math.nan
    share = float(cases["achieved"].mean()) if cases.height else nan  # type: ignore[arg-type] # not empty
    formula = "{share: outcome = 'achieved', of: cases}"
    first = Proposal(name="outcome_achieved", formula=formula, value=share, effect=nan, low=nan, high=nan)
    found = []
    for promise in replay.journey.promises:
        if is_sign(promise):
            continue
        kept = 1 - broken_in(replay, promise.name, cases)
        one = slope(cases["achieved"].to_numpy(), kept, known, cases["customer"], seed=seed)
        if one.low > 0:
            found.append(
                Proposal(
                    name=f"{promise.name}_kept",
                    formula=f"{{share: verdict = 'kept', of: promises, where: promise = '{promise.name}'}}",
                    value=float(np.nanmean(kept)), effect=one.per_unit, low=one.per_unit_low, high=one.per_unit_high,
                )
            )  # fmt: skip
    return (first, *sorted(found, key=lambda one: -one.effect))
