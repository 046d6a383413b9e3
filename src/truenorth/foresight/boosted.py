"""Gradient-boosted trees (LightGBM: Ke et al. 2017, NeurIPS): the default model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from truenorth.foresight.abreast import go_on
from truenorth.foresight.predictors import Boosted, Sample
from truenorth.foresight.rows import Column


class Setting(msgspec.Struct, frozen=True):
    """How trees are grown: leaves of each, what each corrects of the error left, at most how many, and the patience.

    So many rounds (``patience``) without a gain on the validation rows end the learning. Each round grows a tree a
    class. A tree sees a share of the columns (eight at least) and of the rows: many trees of small steps that each see
    something else are as steady as the mean of several models. ``ridge`` is LightGBM's lambda_l2.
    """

    n_leaves: int = 31
    rate: float = 0.06
    most_rounds: int = 300
    patience: int = 25
    share_of_columns: float = 0.5
    share_of_rows: float = 0.8
    ridge: float = 1.0


SETTINGS = (Setting(31, 0.03, 600, 40, 0.2, 0.5, 20.0), Setting(4, 0.08, 300, 40, 0.2, 0.5))
"""Compared for the outcome: large trees held back, and small ones, which stand a change of the times better."""
FEWEST_COLUMNS = 8
"""A tree sees so many columns at least, where there are as many."""
OF_PROMISES = Setting(15, 0.1, 120, 12)
OF_NEXT = Setting(15, 0.2, 40, 5)
"""Of what comes next there are many classes: few rounds, large steps."""
OF_DAYS = Setting(31, 0.1, 300, 20)


def in_larger_steps(setting: Setting) -> Setting:
    """The same trees, but fewer that correct more each: for a first model, whose answers only teach another one."""
    return msgspec.structs.replace(setting, rate=0.1, most_rounds=200, patience=20)


def fit_classes(
    fit: Sample,
    valid: Sample | None,
    n_classes: int,
    columns: Sequence[Column],
    setting: Setting,
    seed: int,
) -> Boosted:
    """Trees for two or more classes (codes 0..n_classes-1 in ``y``), stopped when the validation rows say so.

    Without such rows all rounds of the setting are grown.
    """
    parameters: dict[str, object] = (
        {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    )
    return _grown(fit, valid, columns, parameters, n_classes, setting, seed)


def fit_median(fit: Sample, valid: Sample, columns: Sequence[Column], setting: Setting, seed: int) -> Boosted:
    """Trees for the median of a quantity: the mean absolute error is what they lower."""
    return _grown(fit, valid, columns, {"objective": "regression_l1"}, 1, setting, seed)


def _grown(
    fit: Sample,
    valid: Sample | None,
    columns: Sequence[Column],
    parameters: dict[str, object],
    n_classes: int,
    setting: Setting,
    seed: int,
) -> Boosted:
    import lightgbm

    categories = [i for i, column in enumerate(columns) if column.kind == "category"]
    names = [f"c{i}" for i in range(fit.x.shape[1])]
    full = {
        "learning_rate": setting.rate,
        "num_leaves": setting.n_leaves,
        "max_bin": 127,
        "min_data_in_leaf": int(np.clip(len(fit.y) // 200, 5, 50)),
        "feature_fraction": min(1.0, max(setting.share_of_columns, FEWEST_COLUMNS / max(fit.x.shape[1], 1))),
        "bagging_fraction": setting.share_of_rows,
        "bagging_freq": 1,
        "lambda_l2": setting.ridge,
        "cat_smooth": 20.0,
        "max_cat_to_onehot": 8,
        "verbosity": -1,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
    } | parameters
    known = lightgbm.Dataset(
        fit.x, fit.y, weight=fit.weight, feature_name=names, categorical_feature=categories, params=full
    )
    each_round: list[Callable[..., None]] = [lambda _: go_on()]
    if valid is None:
        booster = lightgbm.train(full, known, setting.most_rounds, callbacks=each_round)
        return Boosted(booster.model_to_string(), n_classes)
    later = lightgbm.Dataset(valid.x, valid.y, weight=valid.weight, reference=known, params=full)
    stop = lightgbm.early_stopping(setting.patience, verbose=False)
    booster = lightgbm.train(full, known, setting.most_rounds, valid_sets=[later], callbacks=[*each_round, stop])
    return Boosted(booster.model_to_string(num_iteration=booster.best_iteration), n_classes)
