"""Learning: every target of a table, on what was known by then, chosen and calibrated on later cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.boosted import MANY_CLASSES, SETTINGS, Setting, fit_classes, fit_median
from truenorth.foresight.calibrate import Curve, choose_curve
from truenorth.foresight.metrics import log_loss
from truenorth.foresight.predictors import Boosted, Constant, Head, Predictor, Sample, calibrated, runner
from truenorth.foresight.remaining import Remaining, conformal
from truenorth.foresight.rows import Table
from truenorth.foresight.split import Split, row_weights

F64 = NDArray[np.float64]
Tell = Callable[[str, float], None]

FEWEST_OF_A_CLASS = 10
"""With fewer cases of a class to learn from, or to choose on, trees are not tried: the base rate is used."""


N_ROWS_TO_CHOOSE = 60_000
"""Settings are compared on so many rows; the best then learns from all."""


class Effort(msgspec.Struct, frozen=True):
    """How hard to try: settings of trees that are compared, threads, the coverage of intervals."""

    settings: tuple[Setting, ...] = SETTINGS
    n_threads: int = 2
    coverage: float = 0.9
    n_rows: int = 600_000
    """More rows than this are thinned, whole cases at a time."""


class Heads(NamedTuple):
    """What was learnt of one target with classes: trees, the logistic baseline, the base rate."""

    trees: Head | None
    logistic: Head
    constant: Head
    setting: Setting = SETTINGS[0]


class _Part(NamedTuple):
    sample: Sample
    case: NDArray[np.int32]
    opened_us: NDArray[np.int64]


def part(table: Table, mask: NDArray[np.bool_], y: F64, until_us: int) -> _Part:
    """The rows of a mask whose ``y`` is known."""
    kept = mask & np.isfinite(y)
    case = table.rows.case[kept]
    sample = Sample(table.rows.x[kept], y[kept], row_weights(table, kept, until_us))
    return _Part(sample, case, table.cases.opened_us[case])


def outcome_of_rows(table: Table) -> F64:
    """The outcome of each row's case as a code; NaN where it is not known."""
    code = table.cases.outcome[table.rows.case].astype(np.float64)
    return np.where(code >= 0, code, np.nan)


def learn_classes(table: Table, split: Split, y: F64, n_classes: int, seed: int, effort: Effort) -> Heads:
    """Models of a target with classes: ``y`` (n_rows,) codes, NaN = not known."""
    from truenorth.foresight.transparent import fit_constant, fit_logistic

    fit, valid = part(table, split.fit, y, split.test_us), part(table, split.valid, y, split.test_us)
    constant = Head(fit_constant(fit.sample, n_classes))
    if not _enough(fit) or not _enough(valid):
        return Heads(None, constant, constant)
    logistic = _calibrated(fit_logistic(fit.sample, n_classes, table.columns), valid, n_classes)
    settings = effort.settings if n_classes <= MANY_CLASSES else effort.settings[:1]

    def trees(part: _Part, setting: Setting) -> Head:
        grown = fit_classes(part.sample, valid.sample, n_classes, table.columns, setting, seed, effort.n_threads)
        return _calibrated(grown, valid, n_classes)

    tried = _some(fit, N_ROWS_TO_CHOOSE, seed) if len(settings) > 1 else fit
    heads = {setting: trees(tried, setting) for setting in settings}
    best = min(heads, key=lambda setting: _loss(heads[setting], valid))
    return Heads(heads[best] if tried is fit else trees(fit, best), logistic, constant, best)


def _some(part: _Part, n_rows: int, seed: int) -> _Part:
    """At most about so many rows, whole cases by chance; the part itself where it is small enough."""
    if len(part.case) <= n_rows:
        return part
    codes, position = np.unique(part.case, return_inverse=True)
    kept = (np.random.default_rng(seed).random(len(codes)) < n_rows / len(part.case))[position]
    x, y, weight = part.sample
    return _Part(Sample(x[kept], y[kept], weight[kept]), part.case[kept], part.opened_us[kept])


def _enough(part: _Part) -> bool:
    classes = part.sample.y.astype(int)
    first, other = (len(np.unique(part.case[chosen])) for chosen in (classes == 0, classes > 0))
    return min(first, other) >= FEWEST_OF_A_CLASS or len(np.unique(classes)) > MANY_CLASSES


def _calibrated(predictor: Predictor, valid: _Part, n_classes: int) -> Head:
    if n_classes > MANY_CLASSES:
        return Head(predictor)
    p = runner(predictor, valid.sample.x.shape[1]).predict(valid.sample.x)
    classes = (1,) if n_classes == 2 else range(n_classes)
    curves: Sequence[Curve] = [
        choose_curve(p[:, k], valid.sample.y == k, valid.sample.weight, valid.case, valid.opened_us) for k in classes
    ]
    return Head(predictor, tuple(curves))


def _loss(head: Head, valid: _Part) -> float:
    p = calibrated(runner(head.predictor, valid.sample.x.shape[1]).predict(valid.sample.x), head.curves)
    given = p[np.arange(len(p)), valid.sample.y.astype(int)]
    return log_loss(np.ones(len(given), bool), given, valid.sample.weight)


def learn_remaining(table: Table, split: Split, seed: int, effort: Effort) -> Remaining | None:
    """The days to the outcome, from ``remaining_days``; None where hardly any are known."""
    days = table.targets.get("remaining_days")
    if days is None:
        return None
    y = days.astype(np.float64)
    fit, valid = part(table, split.fit, y, split.test_us), part(table, split.valid, y, split.test_us)
    if len(np.unique(fit.case)) < 2 * FEWEST_OF_A_CLASS or len(np.unique(valid.case)) < FEWEST_OF_A_CLASS:
        return None
    predictor: Boosted | Constant = fit_median(fit.sample, valid.sample, table.columns, seed, effort.n_threads)
    said = np.maximum(runner(predictor, len(table.columns)).predict(valid.sample.x)[:, 0], 0.0)
    return conformal(predictor, said, valid.sample.y, valid.case, effort.coverage)


def thinned(table: Table, split: Split, n_rows: int, seed: int) -> Split:
    """At most so many rows to learn from, whole cases at a time, by chance."""
    n = int(split.fit.sum())
    if n <= n_rows:
        return split
    kept = np.random.default_rng(seed).random(len(table.cases.opened_us)) < n_rows / n
    return split._replace(fit=split.fit & kept[table.rows.case])
