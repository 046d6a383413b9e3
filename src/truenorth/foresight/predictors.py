"""What has been learnt, as values: trees, a transparent sum, a constant. Frozen, equal by value, kept as text."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from truenorth.foresight import treeshap
from truenorth.foresight.calibrate import Curve

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


FEW_ROWS = 16
"""Up to so many rows are asked one by one: LightGBM would first wake its threads."""
SMALLEST = 1e-300
"""A chance counts as so much at least where its logarithm is taken."""


class Sample(NamedTuple):
    """Rows to learn from: ``x`` (n, n_columns), ``y`` (n,) codes of classes or a quantity, ``weight`` (n,)."""

    x: F32
    y: F64
    weight: F64


class Constant(msgspec.Struct, frozen=True, tag="constant"):
    """The same for every row: shares of the classes, or one quantity."""

    p: tuple[float, ...]


class Term(msgspec.Struct, frozen=True):
    """One readable term: a column, squeezed by sign(x) ln(1 + abs x), or whether it is of one category.

    A value that is not known counts as the mean: it moves nothing.
    """

    column: int
    category: int | None
    mean: float
    scale: float


def standardised(terms: Sequence[Term], x: F32) -> F64:
    """The terms (n, n_terms) of rows (n, n_columns), each with mean 0 and deviation 1 where it was learnt."""
    return _standardised(*_numbers_of(terms), x)


def _numbers_of(terms: Sequence[Term]) -> tuple[NDArray[np.int64], NDArray[np.int64], F64, F64]:
    """Columns, categories (-1 for a number), means and scales, (n_terms,) each."""
    columns = np.array([term.column for term in terms], np.int64)
    categories = np.array([-1 if term.category is None else term.category for term in terms], np.int64)
    return columns, categories, np.array([term.mean for term in terms]), np.array([term.scale for term in terms])


@njit(cache=True, nogil=True)
def _standardised(columns: NDArray[np.int64], categories: NDArray[np.int64], mean: F64, scale: F64, x: F32) -> F64:
    out = np.zeros((len(x), len(columns)))
    for i in range(len(x)):
        for j in range(len(columns)):
            value = np.float64(x[i, columns[j]])
            if np.isnan(value):
                continue
            if categories[j] >= 0:
                shown = 1.0 if value == categories[j] else 0.0
            else:
                shown = np.sign(value) * np.log1p(abs(value))
            out[i, j] = (shown - mean[j]) / scale[j]
    return out


class Linear(msgspec.Struct, frozen=True, tag="linear"):
    """Multinomial logistic regression on a few terms: ``weights`` (n_classes, n_terms), ``intercepts`` (n_classes,)."""

    terms: tuple[Term, ...]
    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]


class Boosted(msgspec.Struct, frozen=True, tag="boosted"):
    """Gradient-boosted trees in LightGBM's own text; ``n_classes`` 1 = a quantity."""

    text: str
    n_classes: int


class Mean(msgspec.Struct, frozen=True, tag="mean"):
    """The mean of several models, taken of their log-odds: contributions to these stay exact."""

    parts: tuple[Boosted | Linear, ...]


Predictor = Constant | Linear | Boosted | Mean


class Runner(Protocol):
    """A predictor ready to be asked, by one thread at a time.

    ``x`` is (n, n_columns) float32; answers are (n, n_classes).
    """

    def predict(self, x: F32) -> F64:
        """Probabilities of the classes, or the quantity (n, 1)."""

    def one(self, x: F32) -> F64:
        """The same for one row (n_columns,), as fast as can be: (n_classes,)."""

    def contributions(self, x: F32) -> F64:
        """What each column adds to the score of each class: (n, n_classes, n_columns)."""


def runner(predictor: Predictor, n_columns: int) -> Runner:
    """A predictor ready to be asked for rows of so many columns."""
    match predictor:
        case Constant():
            return _ConstantRunner(predictor, n_columns)
        case Linear():
            return _LinearRunner(predictor, n_columns)
        case Boosted():
            return _BoostedRunner(predictor, n_columns)
        case Mean():
            return _MeanRunner(predictor, n_columns)


class _ConstantRunner:
    def __init__(self, constant: Constant, n_columns: int) -> None:
        self.p = np.array(constant.p)
        self.n_columns = n_columns

    def predict(self, x: F32) -> F64:
        return np.tile(self.p, (len(x), 1))

    def one(self, x: F32) -> F64:  # noqa: ARG002 (that is what a constant is)
        return self.p

    def contributions(self, x: F32) -> F64:
        return np.zeros((len(x), len(self.p), self.n_columns))


class _LinearRunner:
    def __init__(self, linear: Linear, n_columns: int) -> None:
        self.terms, self.numbers = linear.terms, _numbers_of(linear.terms)
        self.weights = np.array(linear.weights).reshape(len(linear.intercepts), -1)
        self.intercepts = np.array(linear.intercepts)
        self.n_columns = n_columns

    def predict(self, x: F32) -> F64:
        scores = _standardised(*self.numbers, x) @ self.weights.T + self.intercepts
        return softmax(scores)

    def one(self, x: F32) -> F64:
        answer: F64 = self.predict(x[None])[0]
        return answer

    def contributions(self, x: F32) -> F64:
        """Coefficient times deviation from the mean, summed over the terms of a column."""
        added = np.zeros((len(x), len(self.intercepts), self.n_columns))
        terms = _standardised(*self.numbers, x)
        for i, term in enumerate(self.terms):
            added[:, :, term.column] += terms[:, i, None] * self.weights[:, i]
        return added


class _BoostedRunner:
    def __init__(self, boosted: Boosted, n_columns: int) -> None:
        import lightgbm

        self.booster, self.text = lightgbm.Booster(model_str=boosted.text), boosted.text
        self.n_classes = boosted.n_classes
        self.n_columns = n_columns

    def predict(self, x: F32) -> F64:
        if 0 < len(x) <= FEW_ROWS:
            return self._shaped(np.stack([self._fast(row) for row in x]))
        return self._shaped(np.asarray(self.booster.predict(x)))

    def one(self, x: F32) -> F64:
        answer: F64 = self._shaped(self._fast(x))[0]
        return answer

    def contributions(self, x: F32) -> F64:
        """TreeSHAP (Lundberg et al. 2020, Nature Machine Intelligence 2:56), in log-odds; exact for trees."""
        added = treeshap.added(self._trees, x, self.booster.num_model_per_iteration())
        if self.n_classes == 2:  # trees for the second class only
            added = np.concatenate([np.zeros_like(added), added], axis=1)
        return added

    def _shaped(self, answer: F64) -> F64:
        if self.n_classes == 2:
            return np.column_stack([1.0 - answer, answer])
        return answer.reshape(-1, self.n_classes)

    @cached_property
    def _trees(self) -> treeshap.Trees:
        return treeshap.trees_of(self.text)

    @cached_property
    def _fast(self) -> _FastRow:
        return _FastRow(self.booster, self.n_columns, max(self.n_classes, 1))


class _MeanRunner:
    def __init__(self, mean: Mean, n_columns: int) -> None:
        self.parts = [runner(part, n_columns) for part in mean.parts]

    def predict(self, x: F32) -> F64:
        return mean_of_chances([part.predict(x) for part in self.parts])

    def one(self, x: F32) -> F64:
        answer: F64 = mean_of_chances([part.one(x)[None] for part in self.parts])[0]
        return answer

    def contributions(self, x: F32) -> F64:
        added: F64 = np.mean([part.contributions(x) for part in self.parts], axis=0)
        return added


class _FastRow:
    """LightGBM's path for single rows, which its Python package does not show: 20 to 50 times less time a row.

    https://lightgbm.readthedocs.io/en/stable/C-API.html#LGBM_BoosterPredictForMatSingleRowFastInit. One thread at a
    time: the room for the row is shared.
    """

    NORMAL, FLOAT32 = 0, 0

    def __init__(self, booster: Any, n_columns: int, n_outputs: int) -> None:
        from lightgbm.basic import _LIB as LIBRARY  # type: ignore[attr-defined]

        self.library, self.booster = LIBRARY, booster
        self.row = np.zeros(n_columns, np.float32)
        self.out = np.zeros(n_outputs, np.float64)
        self.length = ctypes.c_int64()
        self.config = ctypes.c_void_p()
        made = LIBRARY.LGBM_BoosterPredictForMatSingleRowFastInit(
            booster._handle,
            ctypes.c_int(self.NORMAL),
            ctypes.c_int(0),
            ctypes.c_int(-1),
            ctypes.c_int(self.FLOAT32),
            ctypes.c_int32(n_columns),
            ctypes.c_char_p(b"num_threads=1"),
            ctypes.byref(self.config),
        )
        if made != 0:
            raise RuntimeError("LightGBM cannot prepare this model for single rows")
        self.arguments = (
            self.config,
            ctypes.c_void_p(self.row.ctypes.data),
            ctypes.byref(self.length),
            ctypes.c_void_p(self.out.ctypes.data),
        )

    def __call__(self, x: F32) -> F64:
        self.row[:] = x
        if self.library.LGBM_BoosterPredictForMatSingleRowFast(*self.arguments) != 0:
            raise RuntimeError("LightGBM cannot score this row")
        return self.out[: self.length.value].copy()

    def __del__(self) -> None:
        if getattr(self, "config", None):
            self.library.LGBM_FastConfigFree(self.config)


class Head(msgspec.Struct, frozen=True):
    """A predictor of classes with one curve a class that makes its scores probabilities (for two classes: one)."""

    predictor: Predictor
    curves: tuple[Curve, ...] = ()


def calibrated(p: F64, curves: tuple[Curve, ...]) -> F64:
    """Probabilities (n, n_classes) through their curves, made to sum to one again."""
    if not curves:
        return p
    if p.shape[1] == 2:
        second = curves[0](p[:, 1])
        return np.column_stack([1.0 - second, second])
    bent = np.column_stack([curve(p[:, k]) for k, curve in enumerate(curves)])
    total = bent.sum(1, keepdims=True)
    return np.where(total > 0, bent / np.where(total > 0, total, 1.0), p)


def mean_of_chances(answers: Sequence[F64]) -> F64:
    """The mean of chances (n, k) by several models, taken of their log-odds.

    >>> import numpy as np
    >>> mean_of_chances([np.array([[0.5, 0.5]]), np.array([[0.1, 0.9]])]).round(2)
    array([[0.25, 0.75]])
    """
    return softmax(np.mean([np.log(np.maximum(p, SMALLEST)) for p in answers], axis=0))


def softmax(scores: F64) -> F64:
    """Scores (n, k) to probabilities (n, k).

    >>> import numpy as np
    >>> softmax(np.zeros((1, 4)))
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    raised = np.exp(scores - scores.max(1, keepdims=True))
    shares: F64 = raised / raised.sum(1, keepdims=True)
    return shares
