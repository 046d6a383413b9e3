"""From scores to probabilities that can be taken at their word: four ways, chosen on later time."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.metrics import Bools, log_loss

F64 = NDArray[np.float64]

LEAST_GAIN = 0.002
"""A way other than none must lower the logarithmic loss on later time by this share of it, or it is not taken."""
FEWEST_CASES = 200
"""With fewer cases to choose on, isotonic regression follows noise and is not tried."""

MOST_ODDS = 700.0
"""Log-odds are cut here: beyond, a risk is 0 or 1 to the last bit."""

Way = Literal["none", "platt", "beta", "isotonic"]


class Curve(msgspec.Struct, frozen=True):
    """A non-decreasing map of probabilities.

    ``platt`` (Platt 1999) is logit(q) = a logit(p) + c; ``beta`` (Kull, Silva Filho and Flach 2017, AISTATS) is
    logit(q) = a ln p - b ln(1 - p) + c with a, b >= 0; ``isotonic`` (Zadrozny and Elkan 2002, KDD) runs linearly
    through the points ``xs``, ``ys``.
    """

    way: Way = "none"
    a: float = 1.0
    b: float = 1.0
    c: float = 0.0
    xs: tuple[float, ...] = ()
    ys: tuple[float, ...] = ()

    def __call__(self, p: F64) -> F64:
        """Probabilities (n,) in [0, 1] to probabilities (n,).

        >>> import numpy as np
        >>> Curve()(np.array([0.2]))
        array([0.2])
        """
        if self.way == "none":
            return p
        if self.way == "isotonic":
            return np.interp(p, self.xs, self.ys)
        sure = np.clip(p, 1e-7, 1 - 1e-7)
        odds = self.a * np.log(sure) - self.b * np.log1p(-sure) + self.c
        return 1.0 / (1.0 + np.exp(np.clip(-odds, -MOST_ODDS, MOST_ODDS)))


def fit_curve(way: Way, p: F64, y: Bools, weight: F64) -> Curve:
    """The curve of one way through rows of probabilities ``p``, truths ``y`` and weights; none where one class only."""
    if way == "none" or y.all() or not y.any():
        return Curve()
    if way == "isotonic":
        return _isotonic(p, y, weight)
    from sklearn.linear_model import LogisticRegression

    sure = np.clip(p, 1e-7, 1 - 1e-7)
    sides = np.column_stack([np.log(sure), -np.log1p(-sure)])
    if way == "platt":
        fitted = LogisticRegression(C=1e6, solver="newton-cholesky").fit(sides.sum(1, keepdims=True), y, weight)
        slope = max(float(fitted.coef_[0, 0]), 0.0)
        return Curve("platt", slope, slope, float(fitted.intercept_[0]))
    fitted = LogisticRegression(C=1e6, solver="newton-cholesky").fit(sides, y, weight)
    a, b = fitted.coef_[0]
    if a < 0 or b < 0:  # Kull et al.: leave out the side that would make the map fall
        kept = 1 if a < 0 else 0
        fitted = LogisticRegression(C=1e6, solver="newton-cholesky").fit(sides[:, [kept]], y, weight)
        slope = max(float(fitted.coef_[0, 0]), 0.0)
        a, b = (0.0, slope) if kept else (slope, 0.0)
    return Curve("beta", float(a), float(b), float(fitted.intercept_[0]))


def _isotonic(p: F64, y: Bools, weight: F64) -> Curve:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p, y.astype(float), weight)
    # a step at either end would be sure of something: as sure as the rows there allow (Laplace)
    surest = 1.0 / (weight.sum() + 2.0)
    ys = np.clip(fitted.y_thresholds_, surest, 1.0 - surest)
    return Curve("isotonic", xs=tuple(fitted.X_thresholds_.tolist()), ys=tuple(ys.tolist()))


def choose_curve(p: F64, y: Bools, weight: F64, case: NDArray[np.int32], opened_us: NDArray[np.int64]) -> Curve:
    """The way that does best on later cases than those it was fitted on, fitted on all; none where none helps.

    Rows with ``case`` (n,) and the instant their case was opened (n,): earlier half of the cases against later half,
    and the other way round; a way must help in the mean of the two.
    """
    late = opened_us >= np.median(opened_us) if len(opened_us) else np.zeros(0, bool)
    n_cases = len(np.unique(case))
    ways: tuple[Way, ...] = ("platt", "beta", "isotonic") if n_cases >= FEWEST_CASES else ("platt", "beta")
    parts = (~late, late)
    if any(y[part].all() or not y[part].any() for part in parts):
        return Curve()

    def loss(way: Way) -> float:
        sides = zip(parts, parts[::-1], strict=True)
        return float(
            np.mean([log_loss(y[on], fit_curve(way, p[of], y[of], weight[of])(p[on]), weight[on]) for of, on in sides])
        )

    losses = {way: loss(way) for way in ways}
    best = min(losses, key=losses.__getitem__)
    return fit_curve(best, p, y, weight) if losses[best] < (1 - LEAST_GAIN) * loss("none") else Curve()
