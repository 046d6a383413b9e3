"""From rows of features to what is kept and told of cases: risks, points of their history, signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.level import raised, with_level
from truenorth.foresight.model import Foreseen, Foresight, Scorer
from truenorth.foresight.remaining import Ends
from truenorth.foresight.why import Change, Reason, Remedy, remedies
from truenorth.server.signals_of import RISK_KINDS
from truenorth.store.foresight_rows import Foretold, RiskPoint, RiskRow
from truenorth.store.rows import NewSignal

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

STEP = 0.05
"""A risk that has moved by so much makes a point in its case's history."""
MOST_POINTS = 40
"""Points of a case's history; then the last one takes the place of the one before."""
STATED_ANEW_US = 3_600_000_000
"""A risk of which nothing has changed is written again after an hour, so that its instant tells that it still holds."""
CALM = 0.8
"""An alarmed case is at risk no longer once its risk is below this share of the threshold."""
REASONS = 3
"""Reasons, changes and next events that are kept."""
CONTROLLABLE = (
    ("hours_since_moment", 0.0, "be in touch with the customer now"),
    ("hours_silent", 0.0, "let the next step happen now"),
    ("n_handovers", 1.0, "no second hand-over"),
    ("n_owner_changes", 1.0, "leave the case with one owner"),
    ("owner_queue", 0.0, "give it to somebody with nothing else to do"),
)
"""Columns that somebody can do something about, what they would be then, and what to do."""


class Standing(NamedTuple):
    """Open cases as they stand: names, customers, rows ``x`` (n, n_columns), the last position of each, the instant."""

    cases: Sequence[str]
    customers: Sequence[str | None]
    x: F32
    positions: Sequence[int]
    at_us: Sequence[int]


class _Shown(NamedTuple):
    """What n rows foretell, as it is kept: lists of plain numbers, rounded where they are shown; JSON as bytes."""

    risk: list[float]
    learnt: list[float]
    avoidable: list[float]
    p: list[bytes]
    p_break: list[bytes]
    remaining_days: list[bytes]
    next: list[bytes]


class Stater:
    """States what one model says. ``values``: what each outcome is worth, by name.

    ``level`` is added to the log-odds of all its risks (`truenorth.foresight.level`); its intervals of the days
    remaining have the ``ends`` (`truenorth.foresight.ends`).
    """

    def __init__(
        self,
        version: str,
        foresight: Foresight,
        values: Mapping[Any, float],
        *,
        is_live: bool,
        level: float = 0.0,
        ends: Ends | None = None,
    ) -> None:
        self.version, self.is_live, self.level = version, is_live, level
        self.foresight, self._scorer = foresight, Scorer(foresight, ends)
        names = [column.name for column in foresight.columns]
        self._loss = np.array([_loss(values, foresight.outcomes[0], outcome) for outcome in foresight.outcomes])
        if not self._loss.any():  # nothing is said about money: each case that fails counts one
            self._loss = np.array([0.0, *(1.0 for _ in foresight.outcomes[1:])])
        self._changes = [Change(names.index(name), to, words) for name, to, words in CONTROLLABLE if name in names]
        place = {name: at for at, name in enumerate(names)}
        self._active = {name: place.get(f"active:promise={name}") for name in self._promises()}

    def _promises(self) -> list[str]:
        return [name.removeprefix("promise:") for name in self.foresight.heads if name.startswith("promise:")]

    def follow(self, level: float, ends: Ends | None) -> None:
        """From now on speak at this level, with intervals that end there."""
        self.level, self._scorer.ends = level, ends

    def state(self, standing: Standing, before: Mapping[str, RiskRow], *, explain: bool) -> Foretold:
        """What there is to write about some cases; ``before``: their risks so far.

        Without ``explain`` reasons are made anew only where a risk has moved by `STEP` or has crossed the threshold,
        and a risk of which nothing has changed is left as it is for `STATED_ANEW_US`.
        """
        if not len(standing.cases):
            return Foretold()
        x = standing.x
        shown = self._shown(x, self._scorer.one(x[0]) if len(x) == 1 else self._scorer.predict(x))
        old = [before.get(case) for case in standing.cases]
        rows = [self._row(standing, shown, n, one) for n, one in enumerate(old)]
        anew = [n for n, one in enumerate(old) if explain or one is None or _moved(rows[n], one)]
        for n, (why, lowers) in zip(anew, self._explained(x[anew]), strict=True):
            rows[n] = msgspec.structs.replace(rows[n], why=_said(why), lowers=_said(lowers))
        pairs = list(zip(rows, old, strict=True))
        return Foretold(
            risks=[row for row, one in pairs if explain or one is None or not _still_holds(row, one)],
            points=[_point(row) for row, one in pairs if one is None or one.p_past != row.p_past],
            signals=[self._signal(row) for row, one in pairs if self.is_live and row.alarmed != _was(one)],
        )

    def _shown(self, x: F32, seen: Foreseen) -> _Shown:
        learnt, p = seen.risk, with_level(seen.p, self.level)
        days = np.round(seen.remaining_days, 4).tolist()
        return _Shown(
            risk=np.clip(raised(learnt, self.level), 0.0, 1.0).tolist(),
            learnt=np.clip(learnt, 0.0, 1.0).tolist(),
            avoidable=(p @ self._loss).tolist(),
            p=[_encoded(zip(self.foresight.outcomes, one, strict=True)) for one in np.round(p, 4).tolist()],
            p_break=self._breaks(x, seen),
            remaining_days=[msgspec.json.encode(None if one[0] != one[0] else one) for one in days],
            next=self._next(seen),
        )

    def _is_alarmed(self, risk: float, old: RiskRow | None) -> bool:
        if not self.is_live:
            return old is not None and old.alarmed
        edge = self.foresight.threshold
        return risk >= (edge * CALM if _was(old) else edge)

    def _row(self, standing: Standing, shown: _Shown, n: int, old: RiskRow | None) -> RiskRow:
        risk = shown.risk[n]
        n_past, p_past = (old.n_past, old.p_past) if old else (0, risk)
        if old is None or abs(risk - p_past) >= STEP:
            n_past, p_past = min(n_past + 1, MOST_POINTS), risk
        return RiskRow(
            model=self.version,
            case=standing.cases[n],
            customer=standing.customers[n],
            at_us=standing.at_us[n],
            position=standing.positions[n],
            p_failed=risk,
            avoidable=shown.avoidable[n],
            p=shown.p[n],
            p_break=shown.p_break[n],
            remaining_days=shown.remaining_days[n],
            next=shown.next[n],
            why=old.why if old else b"[]",
            lowers=old.lowers if old else b"[]",
            alarmed=self._is_alarmed(risk, old),
            n_past=n_past,
            p_past=p_past,
            p_learnt=shown.learnt[n] if self.level else None,
        )

    def _breaks(self, x: F32, seen: Foreseen) -> list[bytes]:
        """The chances of the promises that are under way."""
        columns = []
        for name, at in self._active.items():
            is_active = [True] * len(x) if at is None else (x[:, at] > 0).tolist()
            columns.append(
                [(name, p, on) for p, on in zip(np.round(seen.p_break[name], 4).tolist(), is_active, strict=True)]
            )
        if not columns:
            return [b"{}"] * len(x)
        return [_encoded((name, p) for name, p, on in row if on) for row in zip(*columns, strict=True)]

    def _next(self, seen: Foreseen) -> list[bytes]:
        types = self.foresight.next_types
        best = np.argsort(-seen.next, axis=1, kind="stable")[:, :REASONS]
        chances = np.round(np.take_along_axis(seen.next, best, axis=1), 4).tolist()
        return [
            _encoded((types[code], p) for code, p in zip(codes, of_row, strict=True))
            for codes, of_row in zip(best.tolist(), chances, strict=True)
        ]

    def _explained(self, x: F32) -> list[tuple[tuple[Reason, ...], list[Remedy]]]:
        if not len(x):
            return []
        why = self._scorer.contributions(x, REASONS)
        return list(zip(why, remedies(x, self._changes, self._scorer.risk, REASONS, self.level), strict=True))

    def _signal(self, row: RiskRow) -> NewSignal:
        body = {
            "risk": round(row.p_failed, 4),
            "threshold": self.foresight.threshold,
            "avoidable": row.avoidable,
            "why": msgspec.Raw(row.why),
            "lowers": msgspec.Raw(row.lowers),
            "model": row.model,
        }
        kind = RISK_KINDS[0] if row.alarmed else RISK_KINDS[1]
        return NewSignal(
            kind=kind, time_us=row.at_us, case=row.case, customer=row.customer, body=msgspec.json.encode(body)
        )


def together(parts: Sequence[Foretold], ended: Sequence[str]) -> Foretold:
    """What several models say of one step."""
    joined: dict[str, Any] = {
        name: [one for part in parts for one in getattr(part, name)] for name in ("risks", "points", "signals")
    }
    return Foretold(ended=ended, **joined)


def _loss(values: Mapping[Any, float], hoped: str, outcome: str) -> float:
    return float(values.get(hoped, 0.0)) - float(values.get(outcome, 0.0))


def _was(old: RiskRow | None) -> bool:
    return old is not None and old.alarmed


def _moved(row: RiskRow, old: RiskRow) -> bool:
    return row.alarmed != old.alarmed or row.p_past != old.p_past


def _still_holds(row: RiskRow, old: RiskRow) -> bool:
    """Whether all that was written holds, but for the instant, which is not long ago."""
    return row.at_us - old.at_us < STATED_ANEW_US and msgspec.structs.replace(old, at_us=row.at_us) == row


def _point(row: RiskRow) -> RiskPoint:
    days = msgspec.json.decode(row.remaining_days)
    return RiskPoint(
        model=row.model,
        case=row.case,
        number=row.n_past,
        customer=row.customer,
        at_us=row.at_us,
        position=row.position,
        p_failed=row.p_failed,
        p_learnt=row.p_learnt,
        days_said=days and days[1],
    )


def _encoded(pairs: Iterable[tuple[str, float]]) -> bytes:
    return msgspec.json.encode(dict(pairs))


def _said(found: Sequence[Reason] | Sequence[Remedy]) -> bytes:
    """Reasons or remedies as JSON objects."""
    shown = ({name: _short(value) for name, value in one._asdict().items()} for one in found)
    return msgspec.json.encode(list(shown))


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
