"""What columns add to the scores of trees: LightGBM's own figures, of every kind of split and of any number of rows."""

from __future__ import annotations

from functools import cache

import lightgbm
import numpy as np
import pytest

from truenorth.foresight import treeshap

N_SCORES = {"binary": 1, "regression": 1, "multiclass": 3}


def rows(n, seed):
    """A number, a number that may be missing, one that is mostly zero, and two columns of categories."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(n, 5))
    x[chance.random(n) < 0.3, 1] = np.nan
    x[chance.random(n) < 0.6, 2] = 0.0
    x[:, 3], x[:, 4] = chance.integers(0, 70, n), chance.integers(0, 4, n)
    x[chance.random(n) < 0.1, 3] = np.nan
    return x.astype(np.float32)


@cache
def grown(objective, **parameters):
    x = rows(3_000, 1)
    score = (
        x[:, 0] + np.nan_to_num(x[:, 1], nan=1.5) * x[:, 2] + np.nan_to_num(x[:, 3], nan=0.0) % 7 - 2 * (x[:, 4] == 1)
    )
    cuts = {"binary": [3.0], "multiclass": [2.0, 4.0]}.get(objective)
    y = score if cuts is None else np.searchsorted(cuts, score).astype(float)
    asked = {"objective": objective, "verbosity": -1, "num_leaves": 24, "seed": 3, "num_threads": 1, **parameters}
    if objective == "multiclass":
        asked["num_class"] = N_SCORES[objective]
    return lightgbm.train(asked, lightgbm.Dataset(x, y, categorical_feature=[3, 4]), 12)


def agree(booster, x, n_scores):
    own = booster.predict(x, pred_contrib=True).reshape(len(x), n_scores, -1)[:, :, :-1]
    ours = treeshap.added(treeshap.trees_of(booster.model_to_string()), x, n_scores)
    assert np.abs(own).max() > 0.1
    assert np.allclose(ours, own, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("objective", list(N_SCORES))
@pytest.mark.parametrize("n", [1, 3, treeshap.TOGETHER + 90])
def test_they_are_those_of_lightgbm(objective, n):
    unseen = rows(n, 2)
    unseen[0, 3] = 500.0  # a category that was not learnt from
    agree(grown(objective), unseen, N_SCORES[objective])


@pytest.mark.parametrize("how", ["zero_as_missing", "deep", "one column", "large categories"])
def test_they_are_whatever_the_trees(how):
    parameters = {
        "zero_as_missing": {"zero_as_missing": True},
        "deep": {"num_leaves": 200, "min_data_in_leaf": 2},
        "one column": {"feature_fraction": 0.1},
        "large categories": {"max_cat_to_onehot": 1, "cat_smooth": 1.0, "min_data_per_group": 5},
    }[how]
    agree(grown("binary", **parameters), rows(300, 4), 1)


def test_a_tree_that_does_not_split_adds_nothing():
    x = rows(50, 5)
    booster = lightgbm.train({"verbosity": -1, "min_data_in_leaf": 60}, lightgbm.Dataset(x, np.ones(50)), 2)
    assert not treeshap.added(treeshap.trees_of(booster.model_to_string()), x, 1).any()
