"""Learning: every target of a table, on what was known by then, chosen and calibrated on later cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.abreast import side_by_side
from truenorth.foresight.boosted import OF_DAYS, OF_NEXT, SETTINGS, Setting, fit_classes, fit_median, in_larger_steps
from truenorth.foresight.calibrate import choose_curve
from truenorth.foresight.metrics import Drawn
from truenorth.foresight.predictors import Boosted, Head, Linear, Mean, Predictor, calibrated, mean_of_chances, runner
from truenorth.foresight.remaining import Foretold, Remaining, conformal
from truenorth.foresight.rows import Column, Table, unresolved
from truenorth.foresight.samples import Part, Parts, has_both, is_varied, part_of, parts_of, parts_with_open
from truenorth.foresight.split import FEWEST_OF_A_CLASS, Split, newest_of_each, split_at, thinned
from truenorth.spec.durations import DAY_US

F64 = NDArray[np.float64]
Tell = Callable[[str, float], None]

MANY_CLASSES = 8
"""With more classes scores are not calibrated class by class."""
CLEARLY = 0.8
"""A model that is worse than another one in so large a share of the bootstraps over later cases is clearly worse."""
SUREST = 1e-15
"""A chance counts as so much at least where trees are compared."""


class Effort(msgspec.Struct, frozen=True):
    """How hard to try: settings of trees that are compared, models learnt at once, coverage of intervals, rows.

    Where there are more rows than that, some are drawn: ``n_rows`` for the outcome and the time remaining,
    ``n_rows_small`` for each promise and for what comes next; a quarter of these to choose on.
    """

    settings: tuple[Setting, ...] = SETTINGS
    n_threads: int = 2
    coverage: float = 0.9
    n_rows: int = 200_000
    n_rows_small: int = 40_000


class Answered(NamedTuple):
    """A model, or several whose mean is meant, and the chances (n, n_classes) that it gives to later rows."""

    parts: tuple[Boosted | Linear, ...]
    p: F64

    @property
    def predictor(self) -> Predictor:
        """The model itself."""
        return self.parts[0] if len(self.parts) == 1 else Mean(self.parts)


class Heads(NamedTuple):
    """What was learnt of one target with classes."""

    trees: Head | None
    logistic: Head
    constant: Head


def outcome_of_rows(table: Table) -> F64:
    """The outcome of each row's case as a code; NaN where it is not known."""
    code = table.cases.outcome[table.rows.case].astype(np.float64)
    return np.where(code >= 0, code, np.nan)


def learn_outcome(table: Table, split: Split, seed: int, effort: Effort) -> Heads:
    """Models of the outcome: all settings of trees compared, a sum of all columns beside; open cases teach, too."""
    y, n_classes = outcome_of_rows(table), len(table.outcomes)
    parts = parts_of(table, split, y, effort.n_rows, seed)
    if split.open.any() and has_both(parts):
        parts = parts_with_open(table, split, _chances_of_open(table, split, seed, effort), effort.n_rows, seed)
    return _learn(parts, table, n_classes, effort.settings, seed, effort)


def _chances_of_open(table: Table, split: Split, seed: int, effort: Effort) -> F64:
    """How likely each outcome of open cases is at their newest row, (n_cases, n_classes), as ended ones tell.

    0 for all cases that are not open or have no row.
    """
    watched = table if table.watched is None else table._replace(rows=table.watched)
    rows, split = watched.rows, split_at(watched.cases, watched.rows, split.valid_us, split.test_us)
    n_classes = len(table.outcomes)
    fit, valid = parts_of(watched, split, outcome_of_rows(watched), effort.n_rows // 2, seed)
    setting = in_larger_steps(effort.settings[0])
    trees = fit_classes(fit.sample, valid.sample, n_classes, table.columns, setting, seed)
    curves = _calibrated(answered(trees, valid), valid, n_classes).curves
    newest = newest_of_each(split.open, rows.case)
    x = rows.x[newest]
    chances = np.zeros((len(table.cases.opened_us), n_classes))
    chances[rows.case[newest]] = calibrated(runner(trees, x.shape[1]).predict(x), curves)
    return chances


def learn_classes(
    table: Table,
    split: Split,
    y: F64,
    n_classes: int,
    settings: Sequence[Setting],
    n_rows: int,
    seed: int,
    effort: Effort,
) -> Heads:
    """Models of a target with classes: ``y`` (n_rows_of_table,) codes, NaN = not known."""
    return _learn(parts_of(table, split, y, n_rows, seed), table, n_classes, settings, seed, effort)


def _learn(parts: Parts, table: Table, n_classes: int, settings: Sequence[Setting], seed: int, effort: Effort) -> Heads:
    """Trees of the setting that does best on later cases, or the mean of all that are not clearly worse there.

    Where several settings are compared, the mean of these trees and a wide sum goes by their name if it is better.
    """
    from truenorth.foresight.transparent import fit_constant, fit_logistic

    fit, valid = parts
    constant = Head(fit_constant(fit.sample, n_classes))
    if not has_both(parts):
        return Heads(None, constant, constant)

    def grown(setting: Setting) -> Answered:
        return answered(fit_classes(fit.sample, valid.sample, n_classes, table.columns, setting, seed), valid)

    trees = side_by_side([partial(grown, one) for one in settings], effort.n_threads)
    best = trees[0] if len(trees) == 1 else _with_sum(trees, fit, valid, n_classes, table.columns, seed)
    logistic = answered(fit_logistic(fit.sample, n_classes, table.columns), valid)
    return Heads(_calibrated(best, valid, n_classes), _calibrated(logistic, valid, n_classes), constant)


def _with_sum(
    trees: Sequence[Answered], fit: Part, valid: Part, n_classes: int, columns: Sequence[Column], seed: int
) -> Answered:
    """The trees that are as good as the best, with the sum of fewest terms that is as good as any if that is better."""
    from truenorth.foresight.additive import fit_sums

    good = as_good(trees, valid, seed)
    sums = [answered(one, valid) for one in fit_sums(fit.sample, n_classes, columns, seed)]
    both = (mean_of(good), mean_of([*good, as_good(sums, valid, seed)[0]]))
    return min(both, key=lambda one: _losses(one, valid).sum())


def answered(predictor: Boosted | Linear, later: Part) -> Answered:
    """A model, and what it says of later rows."""
    x = later.sample.x
    return Answered((predictor,), runner(predictor, x.shape[1]).predict(x))


def mean_of(models: Sequence[Answered]) -> Answered:
    """The mean of models that were asked about the same rows."""
    if len(models) == 1:
        return models[0]
    return Answered(tuple(part for one in models for part in one.parts), mean_of_chances([one.p for one in models]))


def as_good(models: Sequence[Answered], later: Part, seed: int) -> list[Answered]:
    """The models, in their order, that are not clearly worse on later rows than the one with the least loss.

    Scores are compared as they are: curves are fitted on the same cases and would flatter.
    """
    losses = [_losses(one, later) for one in models]
    best, drawn = min(losses, key=np.sum), Drawn(later.case, seed)
    return [one for one, loss in zip(models, losses, strict=True) if (drawn.means(loss - best) > 0.0).mean() < CLEARLY]


def learn_next(table: Table, split: Split, seed: int, effort: Effort) -> Head | None:
    """What comes next: trees, or the base rate; None where the table does not say or there is but one type."""
    n_classes = len(table.next_types)
    if "next" not in table.targets or n_classes < 2:
        return None
    from truenorth.foresight.transparent import fit_constant

    parts = parts_of(table, split, table.targets["next"].astype(np.float64), effort.n_rows_small, seed)
    fit, valid = parts
    if not is_varied(parts):
        return Head(fit_constant(fit.sample, n_classes))
    return Head(fit_classes(fit.sample, valid.sample, n_classes, table.columns, OF_NEXT, seed))


def _calibrated(model: Answered, valid: Part, n_classes: int) -> Head:
    if n_classes > MANY_CLASSES:
        return Head(model.predictor)
    classes = (1,) if n_classes == 2 else range(n_classes)
    y, weight = valid.sample.y, valid.sample.weight
    curves = [choose_curve(model.p[:, k], y == k, weight, valid.case, valid.opened_us) for k in classes]
    return Head(model.predictor, tuple(curves))


def _losses(model: Answered, later: Part) -> F64:
    """The logarithmic loss of each row, times its weight."""
    given = model.p[np.arange(len(model.p)), later.sample.y.astype(int)]
    losses: F64 = -np.log(np.maximum(given, SUREST)) * later.sample.weight
    return losses


def learn_remaining(table: Table, split: Split, seed: int, effort: Effort) -> Remaining | None:
    """The days to the outcome, from ``remaining_days``; None where hardly any are known."""
    days = table.targets.get("remaining_days")
    if days is None:
        return None
    y = days.astype(np.float64)
    fit, valid = parts_of(table, split, y, effort.n_rows, seed)
    if len(np.unique(fit.case)) < 2 * FEWEST_OF_A_CLASS or len(np.unique(valid.case)) < FEWEST_OF_A_CLASS:
        return None
    predictor = fit_median(fit.sample, valid.sample, table.columns, OF_DAYS, seed)
    found = foretold_by_halves(table, split, y, seed, effort)
    return None if found is None else conformal(predictor, found, effort.coverage)


def foretold_by_halves(table: Table, split: Split, y: F64, seed: int, effort: Effort) -> Foretold | None:
    """Each half of the cases foretold by what the other half taught, over all the time there was to learn from.

    Cases that had not ended by then teach nothing, but are foretold: the latest ones are not the short ones only. None
    where either half has hardly any that had ended.
    """
    rows, until_us = table.rows, split.test_us - longest_hold_us(table, split.test_us)
    before = (table.cases.opened_us[rows.case] < split.test_us) & (rows.time_us < until_us)
    asked = before & ~split.test & unresolved(table)
    known = asked & (split.fit | split.valid) & np.isfinite(y)
    asked = thinned(asked, effort.n_rows_small, seed)
    halves = [rows.case % 2 == half for half in (0, 1)]
    if min(len(np.unique(rows.case[known & half])) for half in halves) < FEWEST_OF_A_CLASS:
        return None
    n_rows = effort.n_rows_small // 2
    taught = [part_of(table, known & half, y, split.test_us, n_rows, seed).sample for half in halves]
    said = np.full(len(rows.case), np.nan)
    for own, other, half in zip(taught, taught[::-1], halves[::-1], strict=True):
        trees = fit_median(own, other, table.columns, OF_DAYS, seed)
        said[asked & half] = runner(trees, len(table.columns)).predict(rows.x[asked & half])[:, 0]
    seen_days = (until_us - rows.time_us[asked]) / DAY_US
    came = np.where(known, y, np.inf)[asked]
    return Foretold(np.maximum(said[asked], 0.0), np.minimum(came, seen_days), came < seen_days, rows.case[asked])


def longest_hold_us(table: Table, at_us: int) -> int:
    """How late it is known that outcomes have come, in microseconds: as long as they have to hold at most.

    By the cases whose outcome was known before an instant.
    """
    y, case = table.targets["remaining_days"].astype(np.float64), table.rows.case
    of = np.isfinite(y) & (table.cases.ended_us[case] < at_us)
    holds_us = (table.cases.ended_us[case] - table.rows.time_us)[of] - y[of] * DAY_US
    return int(holds_us.max(initial=0.0))
