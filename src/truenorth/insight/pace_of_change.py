"""Pace: how fast customers change, and how fast the company does, on one scale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import polars as pl

from truenorth.insight.change_points import MIN_DAYS, N_SHUFFLES, best_split, change_days, distance
from truenorth.insight.replayed import Replayed
from truenorth.insight.signals import QUESTIONS, Side, Signal, signals

ALPHA = 0.05
"""In a year in which nothing changes, the chance that any change is seen."""
MONTH_DAYS = 30.4375
RULE = (
    "A signal asks how often each answer comes in the cases that open on a day (their first three days). A change is "
    "the day that splits the days into the two most different mixes, if shuffled days (each weekday among its kind) "
    "are split as well in at most 5 % of the times in which nothing changes, all signals together (Holm). It is as "
    "large as the share that would have to answer otherwise for the mixes to be equal. The pace of a signal is the sum "
    "of its changes over the months seen, that of a side the pace of its fastest signal."
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """On ``at`` a signal changed by ``size`` (in [0, 1], see `change_points.distance`); ``what`` moved most, from the
    share ``share_before`` to ``share_after`` of the answers to ``question``. ``p`` as in `change_points.Split`."""

    signal: str
    side: Side
    at: date
    size: float
    p: float
    question: str
    what: str
    share_before: float
    share_after: float


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """``changes`` by day. ``outside`` and ``inside``: pace, in share of answers a month. ``alarm``: customers changed,
    and faster than the company. ``lag_days``: from the last change outside to the first inside at or after it; None
    where none has come. ``pace``: of each signal. ``first`` to ``last``: the days seen."""

    changes: tuple[Change, ...]
    outside: float
    inside: float
    alarm: bool
    lag_days: int | None
    pace: dict[str, float]
    first: date | None
    last: date | None
    weeks: tuple[tuple[date, str, float], ...]

    def to_frame(self) -> pl.DataFrame:
        """The changes, one row each."""
        rows = [msgspec.to_builtins(one, builtin_types=(date,)) for one in self.changes]
        return pl.DataFrame(rows, schema=CHANGE_SCHEMA)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


CHANGE_SCHEMA = {
    "signal": pl.String, "side": pl.String, "at": pl.Date, "size": pl.Float64, "p": pl.Float64, "question": pl.String,
    "what": pl.String, "share_before": pl.Float64, "share_after": pl.Float64,
}  # fmt: skip


def pace_of_change(
    replay: Replayed, *, seed: int = 0, exclude: Collection[str] = (), n_shuffles: int = N_SHUFFLES
) -> Pace:
    """How fast customers and company have changed, and whether the outside moves faster than the inside.

    The rules are those of `RULE`, `truenorth.insight.signals` and `truenorth.insight.change_points`; ``seed`` is that
    of the shuffles, ``exclude`` names columns of the opening event that tell no need, for they were written later.
    """
    asked = signals(replay, exclude=exclude)
    if not asked:
        return Pace(
            changes=(), outside=0.0, inside=0.0, alarm=False, lag_days=None, pace={}, first=None, last=None, weeks=()
        )
    changes = sorted(_changes(asked, seed, n_shuffles), key=lambda one: (one.at, one.signal))
    n_days = len(asked[0].counts)
    months = n_days / MONTH_DAYS
    pace = {one.name: sum(change.size for change in changes if change.signal == one.name) / months for one in asked}
    outside, inside = (_fastest(pace, side) for side in ("outside", "inside"))
    first = asked[0].first.date()
    return Pace(
        changes=tuple(changes),
        outside=outside,
        inside=inside,
        alarm=outside > inside,
        lag_days=_lag(changes),
        pace=pace,
        first=first,
        last=first + timedelta(days=n_days - 1),
        weeks=tuple(week for one in asked for week in _weeks(one)),
    )


def _changes(asked: Sequence[Signal], seed: int, n_shuffles: int) -> list[Change]:
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415 heavy

    splits = [best_split(one.counts, one.stratum, seed + 1000 * number, n_shuffles) for number, one in enumerate(asked)]
    p_values = [split.p if split else 1.0 for split in splits]
    rejected = multipletests(p_values, ALPHA, method="holm")[0]
    found = []
    for number, signal in enumerate(asked):
        if rejected[number]:
            alpha = max(p_values[number], ALPHA / len(asked))
            days = change_days(signal.counts, signal.stratum, alpha, seed + 1000 * number, n_shuffles)
            bounds = [0, *(split.day for split in days), len(signal.counts)]
            found += [_change(signal, bounds[n : n + 3], split.p) for n, split in enumerate(days)]
    return found


def _change(signal: Signal, bounds: Sequence[int], p: float) -> Change:
    low, day, high = bounds
    before, after = signal.counts[low:day].sum(0), signal.counts[day:high].sum(0)
    size, which = distance(before, after, signal.stratum)
    same = signal.stratum == signal.stratum[which]
    shares = [float(part[which] / part[same].sum()) if part[same].any() else 0.0 for part in (before, after)]
    return Change(
        signal=signal.name,
        side=signal.side,
        at=signal.first.date() + timedelta(days=day),
        size=size,
        p=p,
        question=signal.strata[signal.stratum[which]],
        what=signal.answers[which],
        share_before=shares[0],
        share_after=shares[1],
    )


def _fastest(pace: dict[str, float], side: Side) -> float:
    return max((value for name, value in pace.items() if QUESTIONS[name][0] == side), default=0.0)


def _lag(changes: Sequence[Change]) -> int | None:
    outside = [one.at for one in changes if one.side == "outside"]
    if not outside:
        return None
    later = [one.at for one in changes if one.side == "inside" and one.at >= outside[-1]]
    return (min(later) - outside[-1]).days if later else None


def _weeks(signal: Signal) -> list[tuple[date, str, float]]:
    """How far each week's mix is from that of all weeks together: for drawing."""
    whole = signal.counts.sum(0)
    found = []
    for start in range(0, len(signal.counts) - MIN_DAYS + 1, MIN_DAYS):
        week = signal.counts[start : start + MIN_DAYS].sum(0)
        if week.any():
            apart = distance(whole, week, signal.stratum)[0]
            found.append((signal.first.date() + timedelta(days=start), signal.name, apart))
    return found
