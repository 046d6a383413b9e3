"""What a backtest finds on held-out time: plain arrays in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight import alarms
from truenorth.foresight.metrics import (
    Drawn,
    Estimate,
    auc_of,
    brier,
    calibration_error,
    calibration_error_by_chance,
    estimate,
    log_loss,
    mean_of,
    reliability,
)
from truenorth.foresight.model import Verdict

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

PREFIXES = (1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 31, 51)
"""Buckets of prefix lengths begin here."""
FEWEST_SEEN_OUT = 50
"""Of fewer cases it is not said whether risks come true."""
SURE = 0.9
"""Of the bootstraps, a model must be better than the base rate in this share."""


class Scored(msgspec.Struct, frozen=True):
    """How good one model's risks are.

    ``by_chance``: the calibration error is at most so large, in 95 of 100 logs, where all of these risks are right.
    """

    model: str
    auc: Estimate
    brier: Estimate
    log_loss: float
    calibration_error: float
    by_chance: float = float("nan")


class Bucket(msgspec.Struct, frozen=True):
    """The same for rows of cases of which ``first`` to ``last`` events had been seen."""

    first: int
    last: int
    n_cases: int
    n_rows: int
    base_rate: float
    auc: Estimate
    brier: float
    calibration_error: float
    by_chance: float = float("nan")


class Reliable(msgspec.Struct, frozen=True):
    """What was said against what came, in bins of equal numbers of rows."""

    said: tuple[float, ...]
    came: tuple[float, ...]
    n: tuple[int, ...]


class Level(msgspec.Struct, frozen=True):
    """How much of the calibration error is that times have changed.

    ``learnt`` and ``came``: the share of failing cases among those learnt from and those held out, so ``moved`` is what
    no model of the past can know. ``shift`` is what would have to be added to the log-odds of every risk for their mean
    to be right; ``calibration_error`` is what would be left then. ``if_left`` is the error if the level had been left
    as it was learnt, and had not followed what became of cases.
    """

    learnt: float
    came: float
    shift: float
    calibration_error: float
    if_left: float = float("nan")

    @property
    def moved(self) -> float:
        """By how much the base rate itself has moved."""
        return abs(self.came - self.learnt)


class SeenOut(msgspec.Struct, frozen=True):
    """Whether risks come true where the data go on for long enough to see what becomes of cases.

    These are the held-out cases opened at least ``days`` before the data end, as long as nearly all cases take that
    were known at the split. Of those opened later only the quick ones have ended, and what takes long cannot have
    happened: no risk can be right about that.
    """

    days: float
    n_cases: int
    base_rate: float
    calibration_error: float
    by_chance: float
    reliability: Reliable
    buckets: tuple[Bucket, ...]


class Lead(msgspec.Struct, frozen=True):
    """Alarms at a threshold chosen on validation for a precision, tried on held-out time.

    ``lead_days`` (median) and its quartiles are from the first crossing to the instant the failure was known, of
    failing cases that were alarmed before it.
    """

    asked_precision: float
    threshold: float
    reached_on_validation: bool
    n_cases: int
    n_failed: int
    n_alarmed: int
    precision: Estimate
    recall: Estimate
    lead_days: float
    lead_days_q1: float
    lead_days_q3: float


class PerDay(msgspec.Struct, frozen=True):
    """A team that looks at so many cases a day: the share of these that fail, beside that of all cases."""

    per_day: int
    n_looked_at: int
    precision: Estimate
    base_rate: float


def scored(model: str, failed: Bools, risk: F64, case: I32, seed: int) -> Scored:
    """One model's figures on rows (n,)."""
    return Scored(
        model,
        auc_of(failed, risk, case, seed),
        mean_of((risk - failed) ** 2, case, seed),
        log_loss(failed, risk),
        calibration_error(failed, risk),
        calibration_error_by_chance(risk, case, seed),
    )


def buckets(failed: Bools, risk: F64, case: I32, prefix: I32, seed: int) -> tuple[Bucket, ...]:
    """Figures by prefix length; a bucket without rows is left out."""
    ends = (*(first - 1 for first in PREFIXES[1:]), int(prefix.max(initial=1)))
    found = []
    for first, last in zip(PREFIXES, ends, strict=True):
        of = (prefix >= first) & (prefix <= last)
        if of.any():
            y, p, cases = failed[of], risk[of], case[of]
            numbers = len(np.unique(cases)), len(y), float(y.mean())
            errors = brier(y, p), calibration_error(y, p), calibration_error_by_chance(p, cases, seed)
            found.append(Bucket(first, last, *numbers, auc_of(y, p, cases, seed), *errors))
    return tuple(found)


def reliable(failed: Bools, risk: F64) -> Reliable:
    """`metrics.reliability` as a value."""
    said, came, n = reliability(failed, risk)
    return Reliable(tuple(said.tolist()), tuple(came.tolist()), tuple(n.tolist()))


def level(learnt: float, came: float, failed: Bools, risk: F64, as_learnt: F64) -> Level:
    """`Level` of rows (n,), between the shares of cases ``learnt`` and ``came``; ``as_learnt``: risks without it."""
    from scipy.optimize import brentq

    rate = float(failed.mean()) if len(failed) else float("nan")
    if not 0.0 < rate < 1.0:
        return Level(learnt, came, float("nan"), float("nan"), float("nan"))
    sure = np.clip(risk, 1e-6, 1 - 1e-6)
    score = np.log(sure) - np.log1p(-sure)

    def shifted(added: float) -> F64:
        return 1.0 / (1.0 + np.exp(-(score + added)))

    shift = float(brentq(lambda added: float(shifted(added).mean()) - rate, -30.0, 30.0))
    return Level(learnt, came, shift, calibration_error(failed, shifted(shift)), calibration_error(failed, as_learnt))


def seen_out(days: float, failed: Bools, risk: F64, case: I32, prefix: I32, seed: int) -> SeenOut | None:
    """`SeenOut` of the rows (n,) of such cases; None where there are fewer than `FEWEST_SEEN_OUT`."""
    n_cases = len(np.unique(case))
    if n_cases < FEWEST_SEEN_OUT:
        return None
    error, by_chance = calibration_error(failed, risk), calibration_error_by_chance(risk, case, seed)
    figures = float(failed.mean()), error, by_chance, reliable(failed, risk)
    return SeenOut(days, n_cases, *figures, buckets(failed, risk, case, prefix, seed))


def verdict(failed: Bools, risks: Mapping[str, F64], case: I32, seed: int, *, still_open: str = "") -> Verdict:
    """Which of ``trees`` and ``logistic`` goes to work, against ``base rate``, and why, in words.

    Trees must have a lower Brier score than the base rate in `SURE` of the bootstraps over cases and than the logistic
    baseline in the point estimate; else the baseline is tried against the base rate; else none. An interval of the AUC
    that reaches 0.5 means that nothing can be predicted. ``still_open``: what there is to say of cases that have not
    ended where all others ended the same way.
    """
    if not len(failed):
        return Verdict("none", False, "cannot be judged: no held-out case was open at an instant and has ended since")
    if failed.all() or not failed.any():
        why = "cannot be judged: the held-out cases all end the same way"
        return Verdict("none", False, f"{why}; {still_open}" if still_open else why)
    errors = {name: (risk - failed) ** 2 for name, risk in risks.items()}
    reasons = []
    for name in ("trees", "logistic"):
        if name not in risks:
            reasons.append(f"{name}: too few cases of each outcome to learn from")
            continue
        reason = _shortfall(name, failed, risks, errors, case, seed)
        if reason is None:
            return Verdict(name, True, "; ".join([*reasons, _praise(name, errors)]))
        reasons.append(f"{name}: {reason}")
    return Verdict("none", False, "; ".join(reasons))


def _shortfall(
    name: str, failed: Bools, risks: Mapping[str, F64], errors: Mapping[str, F64], case: I32, seed: int
) -> str | None:
    auc = auc_of(failed, risks[name], case, seed)
    if not auc.low > 0.5:
        return f"cannot be predicted: AUC {auc.value:.3f}, and its interval [{auc.low:.3f}, {auc.high:.3f}] reaches 0.5"
    gain = errors["base rate"] - errors[name]
    draws = Drawn(case, seed).means(gain)
    if (draws > 0).mean() < SURE:
        return (
            f"does not beat the base rate: Brier {errors[name].mean():.4f} against {errors['base rate'].mean():.4f}"
            f" (better in {100 * (draws > 0).mean():.0f} % of the bootstraps, {100 * SURE:.0f} % asked for)"
        )
    if name == "trees" and "logistic" in errors and errors[name].mean() >= errors["logistic"].mean():
        return (
            f"does not beat the logistic baseline: Brier {errors[name].mean():.4f} against "
            f"{errors['logistic'].mean():.4f}"
        )
    return None


def _praise(name: str, errors: Mapping[str, F64]) -> str:
    others = ", ".join(f"{other} {error.mean():.4f}" for other, error in errors.items() if other != name)
    return f"{name} goes to work: Brier {errors[name].mean():.4f} on held-out time, against {others}"


def lead(
    at: alarms.Threshold,
    asked: float,
    case: I32,
    time_us: I64,
    risk: F64,
    failed: Bools,
    ended_us: I64,
    seed: int,
) -> Lead:
    """Alarms on held-out rows (n,); ``ended_us`` (n_cases,) when what became of a case was known."""
    found = alarms.crossings(case, risk, failed)
    alarmed = found.highest >= at.risk
    first = alarms.first_crossing_us(case, time_us, risk, at.risk, len(ended_us))[found.case]
    early = (ended_us[found.case] - first)[alarmed & found.failed] / alarms.DAY_US
    quartiles = np.quantile(early, [0.25, 0.5, 0.75]) if len(early) else np.full(3, np.nan)
    return Lead(
        asked,
        at.risk,
        at.reached,
        len(found.case),
        int(found.failed.sum()),
        int(alarmed.sum()),
        mean_of(found.failed[alarmed].astype(float), found.case[alarmed], seed),
        mean_of(alarmed[found.failed].astype(float), found.case[found.failed], seed),
        *(float(quartiles[i]) for i in (1, 0, 2)),
    )


def per_day(case: I32, time_us: I64, risk: F64, failed: Bools, n: int, seed: int) -> PerDay:
    """`alarms.looked_at` on held-out rows (n,)."""
    found = alarms.crossings(case, risk, failed)
    was = np.zeros(int(case.max(initial=-1)) + 1, bool)
    was[found.case] = found.failed
    chosen = alarms.looked_at(case, time_us, risk, n)
    base = float(found.failed.mean()) if len(found.case) else float("nan")
    return PerDay(n, len(chosen), mean_of(was[chosen].astype(float), chosen, seed), base)


def costs(
    valid: alarms.Crossings, past: alarms.Ended, since: alarms.Ended, test: alarms.Ended, ratios: Sequence[float]
) -> tuple[alarms.Cost, ...]:
    """For each ratio the threshold that is cheapest on validation, and what it costs on held-out time.

    ``past`` are all cases learnt from and chosen on, ``since`` all that have ended since. A case goes by the threshold
    in force when it was opened.
    """
    found = []
    for ratio in ratios:
        threshold = alarms.cheapest(valid, ratio)
        followed = alarms.in_force(threshold, ratio, past, since, test.opened_us)
        found.append(alarms.mean_cost(test.found, threshold, ratio, followed))
    return tuple(found)


class Days(msgspec.Struct, frozen=True):
    """Mean absolute error of the days to the outcome, beside the two constants; how often the interval held.

    ``as_learnt``: how often it would have held had its ends stayed where they were learnt. ``open_ended``: the share of
    intervals without a high end, which the mean ``width`` in days leaves out.
    """

    mae: Estimate
    mae_zero: float
    mae_median: float
    coverage: Estimate
    asked_coverage: float
    width: float
    as_learnt: float = float("nan")
    open_ended: float = 0.0


def days(came: F64, said: F64, as_learnt: F64, learnt_median: float, coverage: float, case: I32, seed: int) -> Days:
    """``came`` (n,) true days; low, median, high (n, 3) as ``said``, and with ends ``as_learnt``.

    ``learnt_median`` is that of the rows learnt from.
    """
    held, would_have = ((came >= one[:, 0]) & (came <= one[:, 2]) for one in (said, as_learnt))
    ended = np.isfinite(said[:, 2])
    return Days(
        mean_of(np.abs(came - said[:, 1]), case, seed),
        float(np.abs(came).mean()),
        float(np.abs(came - learnt_median).mean()),
        mean_of(held.astype(float), case, seed),
        coverage,
        float((said[ended, 2] - said[ended, 0]).mean()) if ended.any() else float("nan"),
        float(would_have.mean()),
        float(1.0 - ended.mean()),
    )


class Hits(msgspec.Struct, frozen=True):
    """How often the likeliest next event was right, of all instants at which an event came.

    ``constant``: always naming the most frequent one; ``usual``: naming what most often followed the last event.
    """

    accuracy: Estimate
    constant: float
    usual: float


def hits(came: I64, said: I64, most_frequent: int, usual: I64, case: I32, seed: int) -> Hits:
    """Codes (n,) of the event that came, of the one foretold, and of the one that usually follows."""
    return Hits(
        mean_of((said == came).astype(float), case, seed),
        float((came == most_frequent).mean()),
        float((came == usual).mean()),
    )


def usual_next(last: I64, came: I64, asked: I64) -> I64:
    """What most often came after each of the events ``asked`` (m,); the commonest of all after one never seen.

    Learnt from pairs of an event's code ``last`` (n,) >= -1 and that of the next one ``came`` (n,) >= 0, n > 0.

    >>> import numpy as np
    >>> usual_next(np.array([0, 0, 0, 1]), np.array([2, 2, 1, 0]), np.array([0, 1, 7]))
    array([2, 0, 2])
    """
    counts = np.zeros((int(max(last.max(), asked.max(initial=0))) + 2, int(came.max()) + 1), np.int64)
    np.add.at(counts, (last + 1, came), 1)
    counts[counts.sum(1) == 0] = counts.sum(0)
    found: I64 = counts.argmax(1)[asked + 1]
    return found


class Ahead(msgspec.Struct, frozen=True):
    """Foresight against surveys, over failing cases of held-out time.

    ``n_never_answered`` of ``n_failed`` left no survey answer; of these ``n_silent_seen`` were alarmed. The median
    ``days_earlier`` is from the alarm to the answer, of cases with both; negative: the survey was first.
    """

    n_failed: int
    n_never_answered: int
    n_silent_seen: int
    n_both: int
    days_earlier: Estimate


def ahead(crossed_us: I64, answered_us: I64, failed: Bools, seed: int) -> Ahead:
    """One entry a case: first crossing and survey answer (-1 for none), whether it failed."""
    seen, answered = crossed_us >= 0, answered_us >= 0
    both = np.flatnonzero(failed & seen & answered)
    earlier = (answered_us[both] - crossed_us[both]) / alarms.DAY_US
    generator = np.random.default_rng(seed)
    draws = [np.median(generator.choice(earlier, len(earlier))) for _ in range(200)] if len(earlier) else []
    median = float(np.median(earlier)) if len(earlier) else float("nan")
    return Ahead(
        int(failed.sum()),
        int((failed & ~answered).sum()),
        int((failed & ~answered & seen).sum()),
        len(both),
        estimate(median, np.array(draws)),
    )
