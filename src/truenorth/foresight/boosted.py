"""Gradient-boosted trees (LightGBM: Ke et al. 2017, NeurIPS): the default model."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from truenorth.foresight.predictors import Boosted, Sample
from truenorth.foresight.rows import Column

MOST_ROUNDS = 400
PATIENCE = 30
"""So many rounds without a gain on the validation rows end the learning."""
MANY_CLASSES = 8
"""With more classes each round grows that many trees: fewer and larger steps."""


class Setting(msgspec.Struct, frozen=True):
    """What may be chosen: the size of the trees, and whether rare classes weigh as much as frequent ones."""

    n_leaves: int = 31
    balanced: bool = False


SETTINGS = (Setting(31), Setting(8), Setting(31, balanced=True))


def fit_classes(
    fit: Sample, valid: Sample, n_classes: int, columns: Sequence[Column], setting: Setting, seed: int, n_threads: int
) -> Boosted:
    """Trees for two or more classes (codes 0..n_classes-1 in ``y``), stopped when the validation rows say so."""
    weight = fit.weight * _class_weights(fit, n_classes) if setting.balanced else fit.weight
    parameters: dict[str, object] = (
        {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    )
    if n_classes > MANY_CLASSES:
        parameters |= {"learning_rate": 0.15, "num_leaves": min(setting.n_leaves, 15)}
    else:
        parameters |= {"num_leaves": setting.n_leaves}
    return _grown(fit._replace(weight=weight), valid, columns, parameters, n_classes, seed, n_threads)


def fit_median(fit: Sample, valid: Sample, columns: Sequence[Column], seed: int, n_threads: int) -> Boosted:
    """Trees for the median of a quantity: the mean absolute error is what they lower."""
    parameters: dict[str, object] = {"objective": "regression_l1", "num_leaves": 31}
    return _grown(fit, valid, columns, parameters, 1, seed, n_threads)


def _class_weights(sample: Sample, n_classes: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    shares = np.bincount(sample.y.astype(int), sample.weight, n_classes)
    weight = np.where(shares > 0, shares.sum() / (n_classes * np.maximum(shares, 1e-9)), 0.0)
    return np.asarray(weight[sample.y.astype(int)])


def _grown(
    fit: Sample,
    valid: Sample,
    columns: Sequence[Column],
    parameters: dict[str, object],
    n_classes: int,
    seed: int,
    n_threads: int,
) -> Boosted:
    import lightgbm

    categories = [i for i, column in enumerate(columns) if column.kind == "category"]
    names = [f"c{i}" for i in range(fit.x.shape[1])]
    full = {
        "learning_rate": 0.06,
        "min_data_in_leaf": int(np.clip(len(fit.y) // 200, 5, 50)),
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "cat_smooth": 20.0,
        "max_cat_to_onehot": 8,
        "verbosity": -1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": n_threads,
    } | parameters
    known = lightgbm.Dataset(
        fit.x, fit.y, weight=fit.weight, feature_name=names, categorical_feature=categories, params=full
    )
    later = lightgbm.Dataset(valid.x, valid.y, weight=valid.weight, reference=known, params=full)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    rounds = MOST_ROUNDS if n_classes <= MANY_CLASSES else 80
    booster = lightgbm.train(full, known, rounds, valid_sets=[later], callbacks=[stop])
    return Boosted(booster.model_to_string(num_iteration=booster.best_iteration), n_classes)
