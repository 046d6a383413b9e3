"""The baselines: a constant, and a logistic regression on a few columns that anybody can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.predictors import Constant, Linear, Sample, Term, standardised
from truenorth.foresight.rows import Column

N_TERMS = 12
N_CATEGORIES = 6
"""Of a column of categories only the most frequent ones can become terms."""


def fit_constant(sample: Sample, n_classes: int) -> Constant:
    """The base rate: the share of each class."""
    shares = np.bincount(sample.y.astype(int), sample.weight, n_classes)
    return Constant(tuple((shares / max(shares.sum(), 1e-12)).tolist()))


def fit_logistic(sample: Sample, n_classes: int, columns: Sequence[Column]) -> Linear:
    """Logistic regression on the `N_TERMS` terms that go most closely with the first class against the others.

    With rows at events and in silences, each asking what becomes of a case that is still open, this is a
    discrete-time model of the kind of Cox (1972, J. R. Stat. Soc. B 34:187), time being one of the columns.
    """
    from sklearn.linear_model import LogisticRegression

    terms = _closest(sample, columns)
    z = standardised(terms, sample.x)
    y = sample.y.astype(int)
    present = np.unique(y)
    weights, intercepts = np.zeros((n_classes, len(terms))), np.full(n_classes, -12.0)
    if len(present) < 2 or not terms:
        shares = np.array(fit_constant(sample, n_classes).p)
        return _linear(terms, weights, np.log(np.maximum(shares, 1e-6)))
    fitted = LogisticRegression(C=1.0, solver="newton-cholesky").fit(z, y, sample.weight)
    if len(present) == 2:
        weights[present[1]], intercepts[present] = fitted.coef_[0], (0.0, fitted.intercept_[0])
    else:
        weights[present], intercepts[present] = fitted.coef_, fitted.intercept_
    return _linear(terms, weights, intercepts)


def _linear(terms: tuple[Term, ...], weights: NDArray[np.float64], intercepts: NDArray[np.float64]) -> Linear:
    return Linear(terms, tuple(tuple(row.tolist()) for row in weights), tuple(intercepts.tolist()))


def _closest(sample: Sample, columns: Sequence[Column]) -> tuple[Term, ...]:
    """The terms with the largest absolute correlation with 'not the first class', no two of them nearly the same."""
    y = (sample.y > 0).astype(float)
    y = (y - y.mean()) / max(float(y.std()), 1e-9)
    every = list(candidates(sample, columns, N_CATEGORIES))
    shown = [standardised((term,), sample.x)[:, 0] for term in every]
    strength = [abs(float(z @ y)) / len(y) for z in shown]
    chosen: list[int] = []
    for i in sorted(range(len(every)), key=lambda i: (-strength[i], i)):
        same = any(abs(float(shown[i] @ shown[j])) / len(y) > 0.95 for j in chosen)
        if strength[i] > 0.0 and not same:
            chosen.append(i)
        if len(chosen) == N_TERMS:
            break
    return tuple(every[i] for i in chosen)


def candidates(sample: Sample, columns: Sequence[Column], most_categories: int) -> Iterator[Term]:
    """All terms that there can be: of a column of categories the most frequent ones."""
    for i, column in enumerate(columns):
        value = sample.x[:, i].astype(np.float64)
        value = value[np.isfinite(value)]
        if not len(value):
            continue
        if column.kind == "number":
            squeezed = np.sign(value) * np.log1p(np.abs(value))
            yield from _term(i, None, squeezed)
            continue
        codes, counts = np.unique(value, return_counts=True)
        for code in codes[np.argsort(-counts, kind="stable")[:most_categories]]:
            yield from _term(i, int(code), (value == code).astype(float))


def _term(column: int, category: int | None, shown: NDArray[np.float64]) -> Iterator[Term]:
    mean, scale = float(shown.mean()), float(shown.std())
    if scale > 1e-6:
        yield Term(column, category, mean, scale)
