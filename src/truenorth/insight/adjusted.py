"""Effects adjusted for what else differs: the doubly robust estimator, in one place.

Augmented inverse propensity weighting with cross-fitting. Sources: J. M. Robins, A. Rotnitzky, L. P. Zhao (1994),
"Estimation of regression coefficients when some regressors are not always observed", JASA 89, 846-866; V. Chernozhukov
et al. (2018), "Double/debiased machine learning for treatment and structural parameters", Econometrics Journal 21,
C1-C68, whose partially linear model is `adjusted_slope`. It is right if what decides who is treated is among what is
adjusted for, and if either the model of that or the model of the outcome is about right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.insight.clustered import clustered_error
from truenorth.insight.intervals import Z95
from truenorth.insight.one_thread import in_one_thread

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Learner = Literal["linear", "boosted"]

N_FOLDS = 5
"""Models are asked only about customers they have not seen, in so many turns."""

MIN_ARM = 30
"""Fewer cases than this with or without it say too little."""

PENALTY = 10.0
"""Strength of the ridge penalty of the linear models, on columns of standard deviation 1."""

TRIM = 0.05
"""Cases whose propensity is below this or above 1 less this are left out (of rare treatments: a fifth of their "
"share)."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A difference with its 95 % interval; ``error``: its standard error; ``p_value``: of no difference at all."""

    estimate: float
    low: float
    high: float
    error: float
    p_value: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome with and without a treatment.

    ``raw``: the plain difference of the means. ``everyone``: the adjusted effect on all cases compared (average
    treatment effect). ``treated``: on those that had it, that is what would go were it taken away from them, with its
    sign turned. ``mean_without``: the mean that all cases compared would have without it.
    """

    raw: Effect
    everyone: Effect
    treated: Effect
    mean_without: float


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """What a treatment does to some outcomes.

    ``n_treated`` and ``n_others``: cases with and without it. ``trimmed_share``: of them left out of the adjusted
    effects because nearly all like them, or nearly none, are treated. ``overlap``: the share of treated cases that
    are kept. ``imbalance``: the largest standardised difference of a column between treated and others (0.1 is
    small), as it is (``imbalance_raw``) and after weighting.
    """

    n_treated: int
    n_others: int
    trimmed_share: float
    overlap: float
    imbalance_raw: float
    imbalance: float
    outcomes: dict[str, Comparison]


class _Nuisance(NamedTuple):
    """Predictions of models that have not seen the row: the propensity, and the outcome with and without."""

    propensity: Floats
    with_it: Floats
    without: Floats


@in_one_thread
def adjusted_effects(
    treated: Bools,
    outcomes: Mapping[str, Floats],
    design: Floats,
    clusters: Ints,
    *,
    seed: int = 0,
    learner: Learner = "linear",
) -> Adjusted | None:
    """The effect of a treatment on outcomes, adjusted for the columns of a design; None with too few cases.

    ``treated`` (n,); ``outcomes``: name to values (n,), those of zeros and ones are chances; ``design`` (n, p): what
    was known *before*, as `truenorth.insight.design.design_of` gives it, nothing that the treatment itself moves;
    ``clusters`` (n,): whole numbers from 0, rows of one cluster (a customer) are never in training and test at once
    and count as one in the intervals. ``learner``: penalised logistic and linear regression, or LightGBM's trees.

    >>> dice = np.random.default_rng(1)
    >>> sick = dice.random(4000) < 0.5
    >>> treated = dice.random(4000) < np.where(sick, 0.8, 0.2)
    >>> healed = (dice.random(4000) < np.where(sick, 0.3, 0.7) + 0.1 * treated).astype(float)
    >>> found = adjusted_effects(treated, {"healed": healed}, sick[:, None] - 0.5, np.arange(4000))
    >>> found.outcomes["healed"].raw.estimate < 0 < found.outcomes["healed"].everyone.low < 0.1
    True
    """
    n_treated, n_others = int(treated.sum()), int((~treated).sum())
    if min(n_treated, n_others) < MIN_ARM:
        return None
    folds = _folds(clusters, seed)
    propensity = _predicted(design, treated.astype(np.float64), np.ones(len(treated), np.bool_), folds, learner)
    share = treated.mean()
    low, high = min(TRIM, share / 5), 1 - min(TRIM, (1 - share) / 5)
    kept = (propensity > low) & (propensity < high)
    if min(int((treated & kept).sum()), int((~treated & kept).sum())) < MIN_ARM:
        return None
    found = {}
    for name, values in outcomes.items():
        arms = [_predicted(design, values, arm, folds, learner) for arm in (treated, ~treated)]
        nuisance = _Nuisance(propensity[kept], arms[0][kept], arms[1][kept])
        found[name] = _comparison(treated, values, clusters, kept, nuisance)
    weights = np.where(treated, 1 / propensity, 1 / (1 - propensity))
    return Adjusted(
        n_treated=n_treated,
        n_others=n_others,
        trimmed_share=float(1 - kept.mean()),
        overlap=float(kept[treated].mean()),
        imbalance_raw=_imbalance(design, treated, np.ones(len(treated))),
        imbalance=_imbalance(design[kept], treated[kept], weights[kept]),
        outcomes=found,
    )


@in_one_thread
def adjusted_slope(
    exposure: Floats, outcome: Floats, design: Floats, clusters: Ints, *, seed: int = 0, learner: Learner = "linear"
) -> Effect:
    """By how much an outcome goes up with one unit of an exposure, both adjusted for a design (partially linear model).

    Arguments as in `adjusted_effects`, with a number for the treatment. The slope of what the design does not tell of
    the outcome on what it does not tell of the exposure. NaN where the design tells all of the exposure.

    >>> dice = np.random.default_rng(1)
    >>> size = dice.normal(size=3000)
    >>> speed = size + dice.normal(size=3000)
    >>> found = adjusted_slope(speed, 2 * size + 0.5 * speed, size[:, None], np.arange(3000))
    >>> 0.45 < found.estimate < 0.55
    True
    """
    folds, everyone = _folds(clusters, seed), np.ones(len(exposure), np.bool_)
    left = exposure - _predicted(design, exposure, everyone, folds, learner)
    rest = outcome - _predicted(design, outcome, everyone, folds, learner)
    square = float((left**2).mean())
    if square <= 0:
        return _effect(math.nan, math.nan)
    slope = float((left * rest).mean()) / square
    return _effect(slope, clustered_error(left * (rest - slope * left) / square, clusters))


def e_value(risk_without: float, risk_with: float) -> float:
    """How strong hidden confounding would have to be to explain an effect away: a risk ratio, 1 for no effect.

    Something unseen would have to go with the treatment and with the outcome by at least this ratio each, beyond all
    that is adjusted for. Source: T. J. VanderWeele, P. Ding (2017), "Sensitivity analysis in observational research:
    introducing the E-value", Annals of Internal Medicine 167, 268-274.

    >>> round(e_value(0.10, 0.20), 2), e_value(0.1, 0.1)
    (3.41, 1.0)
    """
    low, high = sorted((min(max(risk_without, 1e-9), 1.0), min(max(risk_with, 1e-9), 1.0)))
    ratio = high / low
    return ratio + math.sqrt(ratio * (ratio - 1))


# --- estimates -------------------------------------------------------------------------------------------------------


def _comparison(treated: Bools, values: Floats, clusters: Ints, kept: Bools, nuisance: _Nuisance) -> Comparison:
    t, y, who = treated[kept].astype(np.float64), values[kept], clusters[kept]
    odds = nuisance.propensity / (1 - nuisance.propensity)
    given, other = t / nuisance.propensity, (1 - t) / (1 - nuisance.propensity)
    with_it = nuisance.with_it + given / given.mean() * (y - nuisance.with_it)
    without = nuisance.without + other / other.mean() * (y - nuisance.without)
    like_treated = (1 - t) * odds
    gap = (t / t.mean() - like_treated / like_treated.mean()) * (y - nuisance.without)
    on_treated = float(gap.mean())
    return Comparison(
        raw=_raw(treated, values, clusters),
        everyone=_effect(float((with_it - without).mean()), clustered_error(with_it - without, who)),
        treated=_effect(on_treated, clustered_error(gap - t / t.mean() * on_treated, who)),
        mean_without=float(without.mean()),
    )


def _raw(treated: Bools, values: Floats, clusters: Ints) -> Effect:
    t = treated.astype(np.float64)
    with_it, without = float(values[treated].mean()), float(values[~treated].mean())
    scores = t / t.mean() * (values - with_it) - (1 - t) / (1 - t.mean()) * (values - without)
    return _effect(with_it - without, clustered_error(scores, clusters))


def _effect(estimate: float, error: float) -> Effect:
    half = Z95 * error
    ends = {"low": estimate - half, "high": estimate + half, "p_value": _p_value(estimate, error)}
    return Effect(estimate=estimate, error=error, **ends)


def _p_value(estimate: float, error: float) -> float:
    """Two-sided. Without an error all cases on either side are alike: a difference is no chance; without one, NaN."""
    if error > 0:
        return math.erfc(abs(estimate) / error / math.sqrt(2))
    return math.nan if estimate == 0 else 0.0


def _imbalance(design: Floats, treated: Bools, weights: Floats) -> float:
    """The largest standardised difference of means: P. C. Austin (2009), Statistics in Medicine 28, 3083-3107."""
    if not design.shape[1]:
        return 0.0
    means = [np.average(design[arm], axis=0, weights=weights[arm]) for arm in (treated, ~treated)]
    spread = np.sqrt((design[treated].var(axis=0) + design[~treated].var(axis=0)) / 2)
    return float(np.max(np.abs(means[0] - means[1]) / np.maximum(spread, 1e-9)))


# --- models ----------------------------------------------------------------------------------------------------------


def _folds(clusters: Ints, seed: int) -> Ints:
    n = int(clusters.max()) + 1 if len(clusters) else 0
    of_cluster = np.random.default_rng(seed).permutation(n) % N_FOLDS
    folds: Ints = of_cluster[clusters]
    return folds


def _predicted(design: Floats, values: Floats, arm: Bools, folds: Ints, learner: Learner) -> Floats:
    """The values of all rows, each predicted by a model of the rows of an arm in other folds."""
    found = np.empty(len(values))
    is_chance = bool(np.isin(values, (0.0, 1.0)).all())
    for fold in range(N_FOLDS):
        ask = folds == fold
        learn = arm & ~ask
        known = values[learn]
        if not len(known) or known.min() == known.max() or not design.shape[1]:
            found[ask] = known.mean() if len(known) else values.mean()
            continue
        model = _model(learner, is_chance)
        model.fit(design[learn], known)
        found[ask] = model.predict_proba(design[ask])[:, 1] if is_chance else model.predict(design[ask])
    return found


def _model(learner: Learner, is_chance: bool) -> Any:
    if learner == "boosted":
        from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: PLC0415 heavy

        shape: dict[str, Any] = {"n_estimators": 150, "learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 40}
        made = LGBMClassifier if is_chance else LGBMRegressor
        return made(**shape, n_jobs=1, verbose=-1, random_state=0, deterministic=True)
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 heavy

    if is_chance:
        return LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", max_iter=100)
    return Ridge(alpha=PENALTY)
