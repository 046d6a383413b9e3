"""Watching itself: whether risks still come true, alarms still pay, cases still look like those learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.alarms import crossings
from truenorth.foresight.metrics import Bools, Estimate, auc_of, calibration_error
from truenorth.foresight.rows import Column

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

FALSE_ALARMS = 0.01
"""Chance that one look at data that has not changed raises any alarm."""
FEWEST = 50
"""A window has at least so many cases; a smaller one says nothing."""

Kind = Literal["input", "outcome", "calibration", "discrimination", "cost"]


class Alarm(msgspec.Struct, frozen=True):
    """Something changed: what, how surely (``p_value``, before correction), in words."""

    kind: Kind
    what: str
    p_value: float
    words: str


class Matured(NamedTuple):
    """Predictions whose outcome is now known: risk, truth and case of rows (n,)."""

    risk: F64
    failed: Bools
    case: NDArray[np.int32]


class Health(msgspec.Struct, frozen=True):
    """How the model does on matured cases."""

    n_cases: int
    said: float
    came: float
    calibration_error: float
    auc: Estimate


class Alarmed(msgspec.Struct, frozen=True):
    """Of matured cases those whose risk reached the threshold, and the others; so many of each failed.

    By what `alarms.Cost` counts, alarms are cheaper than never to act where a failure costs more actions than one over
    the share of the alarmed that fail, and cheaper than to act always where it costs fewer than one over that of the
    others. ``asked_precision``, the share of alarms that were to be right, is taken to mean that it costs one over it.
    """

    n_alarmed: int
    n_alarmed_failed: int
    n_others: int
    n_others_failed: int
    asked_precision: float

    @property
    def words(self) -> str:
        """How many failed, and where that pays."""
        others = f"{self.n_others} others {_percent(self.n_others_failed, self.n_others)}"
        if not self.n_alarmed:
            return f"none was alarmed, of the {others} failed"
        said = f"of {self.n_alarmed} alarmed {_percent(self.n_alarmed_failed, self.n_alarmed)} failed, of the {others}"
        if self.n_alarmed_failed * self.n_others <= self.n_others_failed * self.n_alarmed:
            return f"{said}: alarms pay nowhere"
        least = f"{self.n_alarmed / self.n_alarmed_failed:.1f}"
        most = f"to {self.n_others / self.n_others_failed:.1f} actions" if self.n_others_failed else "actions or more"
        return f"{said}: alarms pay where a failure costs {least} {most}"


def alarmed(matured: Matured, threshold: float, asked_precision: float) -> Alarmed:
    """What became of the cases that a threshold alarmed, and of the others."""
    found = crossings(matured.case, matured.risk, matured.failed)
    over = found.highest >= threshold
    n_alarmed, n_failed = int(over.sum()), int(found.failed.sum())
    n_alarmed_failed = int(found.failed[over].sum())
    return Alarmed(n_alarmed, n_alarmed_failed, len(over) - n_alarmed, n_failed - n_alarmed_failed, asked_precision)


def health(matured: Matured, seed: int) -> Health:
    """Calibration and discrimination of what has matured."""
    risk, failed, case = matured
    return Health(
        len(np.unique(case)),
        float(risk.mean()) if len(risk) else float("nan"),
        float(failed.mean()) if len(failed) else float("nan"),
        calibration_error(failed, risk),
        auc_of(failed, risk, case, seed),
    )


def drift(
    columns: Sequence[Column],
    before: F32,
    now: F32,
    *,
    outcomes: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    matured: Matured | None = None,
    told: Alarmed | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> tuple[Alarm, ...]:
    """Alarms of one look: a fixed window ``now`` (m, n_columns) against ``before`` (n, n_columns), one row a case.

    Rows must be independent, so give one row a case and never the same case twice. Numbers are compared by the
    two-sample Kolmogorov-Smirnov test, categories and ``outcomes`` (codes before, codes now) by chi-square with Yates'
    correction for two by two, ``matured`` by Spiegelhalter's test of calibration (1986, Stat. Med. 5:421), what became
    of the cases ``told`` of by binomial tests of whether acting always, or never, would have been cheaper. Holm's
    correction (1979, Scand. J. Stat. 6:65) over all tests of the look keeps the chance of any false alarm at or below
    ``false_alarms``, whatever depends on what. That is per look: look at windows that do not overlap.
    """
    if min(len(before), len(now)) < FEWEST:
        return ()
    found = [_input(column, before[:, i], now[:, i]) for i, column in enumerate(columns)]
    if outcomes is not None and min(len(codes) for codes in outcomes) >= FEWEST:
        p = _chi_square(*outcomes)
        found.append(Alarm("outcome", "outcome", p, "the shares of the outcomes have changed"))
    if matured is not None and len(np.unique(matured.case)) >= FEWEST:
        found.append(_calibration(matured))
    if told is not None and told.n_alarmed + told.n_others >= FEWEST:
        found.append(_cost(told))
    return _holm(found, false_alarms)


def unlike(columns: Sequence[str]) -> str:
    """What is said of columns that have drifted, by their words.

    >>> unlike(["open cases"]), unlike(["open cases", "last event"])
    ("'open cases' no longer looks like what was learnt from", \
"'open cases', 'last event' no longer look like what was learnt from")
    """
    named = ", ".join(f"'{words}'" for words in columns)
    return f"{named} no longer {'looks' if len(columns) == 1 else 'look'} like what was learnt from"


def _holm(found: Sequence[Alarm], level: float) -> tuple[Alarm, ...]:
    ordered = sorted(found, key=lambda alarm: alarm.p_value)
    kept = []
    for i, alarm in enumerate(ordered):
        if alarm.p_value > level / (len(ordered) - i):
            break
        kept.append(alarm)
    return tuple(kept)


def _input(column: Column, before: NDArray[np.float32], now: NDArray[np.float32]) -> Alarm:
    from scipy.stats import ks_2samp

    words = unlike([column.words])
    if column.kind == "category":
        codes = (np.where(np.isnan(part), -1, part).astype(np.int64) for part in (before, now))
        return Alarm("input", column.name, _chi_square(*codes), words)
    # what is not known is a value of its own, below all others
    values = [np.where(np.isnan(part), -np.finfo(np.float32).max, part) for part in (before, now)]
    return Alarm("input", column.name, float(ks_2samp(*values, method="asymp").pvalue), words)


def _chi_square(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """The p-value that both come of the same shares; categories too rare for the test are put together."""
    from scipy.stats import chi2_contingency

    codes = np.unique(np.r_[before, now])
    table = np.array([[(part == code).sum() for code in codes] for part in (before, now)])
    share = len(now) / (len(before) + len(now))
    common = table.sum(0) * min(share, 1 - share) >= 5
    grouped = np.column_stack([table[:, common], table[:, ~common].sum(1)])
    grouped = grouped[:, grouped.sum(0) > 0]
    if grouped.shape[1] < 2:
        return 1.0
    return float(chi2_contingency(grouped).pvalue)


def _calibration(matured: Matured) -> Alarm:
    """Spiegelhalter's z over cases: of each case the mean over its rows, so that rows of a case count once."""
    from scipy.stats import norm

    _, position = np.unique(matured.case, return_inverse=True)
    n = np.bincount(position)
    risk = np.clip(np.bincount(position, matured.risk) / n, 1e-6, 1 - 1e-6)
    failed = np.bincount(position, matured.failed) / n
    z = ((failed - risk) @ (1 - 2 * risk)) / np.sqrt(((1 - 2 * risk) ** 2 * risk * (1 - risk)).sum() + 1e-12)
    whole = (failed - risk).sum() / np.sqrt((risk * (1 - risk)).sum())
    p = min(1.0, 2 * min(float(2 * norm.sf(abs(z))), float(2 * norm.sf(abs(whole)))))
    shares = f"{100 * risk.mean():.1f} % said, {100 * failed.mean():.1f} % came"
    words = f"risks no longer come true: {shares}, each case counted once"
    return Alarm("calibration", "risk", p, words)


def _cost(told: Alarmed) -> Alarm:
    """Whether too few of the alarmed fail, or too many of the others, for what a failure was taken to cost."""
    from scipy.stats import binom

    asked = told.asked_precision
    never = float(binom.cdf(told.n_alarmed_failed, told.n_alarmed, asked))
    always = float(binom.sf(told.n_others_failed - 1, told.n_others, asked))
    words = (
        f"alarms cost more than acting {'never' if never <= always else 'always'} where a failure costs "
        f"{1.0 / asked:.2g} actions, for {asked:.0%} of them were to be right: {told.words}"
    )
    return Alarm("cost", "threshold", min(1.0, 2.0 * min(never, always)), words)


def _percent(n: int, of: int) -> str:
    return f"{100 * n / max(of, 1):.0f} %"
