"""How busy the company was at an instant: what all cases together tell, from before that instant only.

A `Load` is counts over what has happened; several of them add up. So a live service keeps a large one that it renews
from time to time and a small one of what came since, and the sum is bit by bit that of one made from everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from truenorth.foresight.histories import UNKNOWN, Histories
from truenorth.spec.durations import DAY_US, HOUR_US

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

WEEK_US = 7 * DAY_US
MONTH_US = 28 * DAY_US
LOOKS_BACK_US = MONTH_US
"""A case that closed longer ago than this changes no count: all its moves may be left out."""

MOVE = np.dtype(
    [
        ("time_us", np.int64),
        ("waited_us", np.int64),  # since the event before
        ("stage", np.int32),  # type of the event, or UNKNOWN where the case closes
        ("left_stage", np.int32),  # type of the event before, or UNKNOWN for the first
        ("owner", np.int32),  # who has it now
        ("left_owner", np.int32),
        ("opens", np.bool_),
        ("closes", np.bool_),
    ],
    align=True,
)
"""A case moves: an event, or its close."""


class Flow(NamedTuple):
    """Instants by group: (n_groups + 1,) delimits, and the instants of each group in order, with what was waited."""

    starts: I64
    time_us: I64
    waited_us: I64  # (n + 1,) sums from the beginning


class Load(NamedTuple):
    """Instants of all that happened, in order."""

    opened_us: I64
    closed_us: I64
    moved_us: I64
    into_stage: Flow
    out_of_stage: Flow
    into_owner: Flow
    out_of_owner: Flow


def moves_of(histories: Histories, closed_us: I64 | None = None) -> NDArray[np.void]:
    """The moves of cases: one per event, in the same order, then the closes that ``closed_us`` (n_cases,) knows."""
    n_events = len(histories.time_us)
    moves = np.zeros(n_events, MOVE)
    moves["time_us"], moves["stage"], moves["owner"] = histories.time_us, histories.type, histories.owner
    moves["left_stage"], moves["left_owner"] = np.roll(histories.type, 1), np.roll(histories.owner, 1)
    moves["waited_us"] = np.diff(histories.time_us, prepend=0)
    firsts = histories.starts[:-1]
    moves["opens"][firsts] = True
    moves["left_stage"][firsts] = moves["left_owner"][firsts] = UNKNOWN
    moves["waited_us"][firsts] = 0
    if closed_us is None:
        return moves
    closes = np.flatnonzero(closed_us != np.iinfo(np.int64).max)
    last = histories.starts[closes + 1] - 1
    ends = np.zeros(len(closes), MOVE)
    ends["time_us"], ends["stage"], ends["owner"], ends["closes"] = closed_us[closes], UNKNOWN, UNKNOWN, True
    ends["left_stage"], ends["left_owner"] = histories.type[last], histories.owner[last]
    ends["waited_us"] = closed_us[closes] - histories.time_us[last]
    return np.concatenate([moves, ends])


def load_of(moves: NDArray[np.void], n_stages: int, n_owners: int) -> Load:
    """The load that some moves make; ``n_stages`` and ``n_owners`` are numbers of codes, those for others included."""
    order = np.argsort(moves["time_us"], kind="stable")
    of = {name: moves[name][order] for name in MOVE.names or ()}  # columns: to pick from rows takes many times as long
    time_us, stage, owner = of["time_us"], of["stage"], of["owner"]
    passes = owner != of["left_owner"]
    return Load(
        opened_us=time_us[of["opens"]],
        closed_us=time_us[of["closes"]],
        moved_us=time_us[~of["closes"]],
        into_stage=_flow(of, stage, n_stages, stage >= 0),
        out_of_stage=_flow(of, of["left_stage"], n_stages, of["left_stage"] >= 0),
        into_owner=_flow(of, owner, n_owners, (owner >= 0) & passes),
        out_of_owner=_flow(of, of["left_owner"], n_owners, (of["left_owner"] >= 0) & passes),
    )


def _flow(of: Mapping[str, NDArray[Any]], group: I32, n_groups: int, mask: NDArray[np.bool_]) -> Flow:
    kept = np.flatnonzero(mask)
    kept = kept[np.argsort(group[kept], kind="stable")]
    waited = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(of["waited_us"][kept], out=waited[1:])
    starts = np.searchsorted(group[kept], np.arange(n_groups + 1)).astype(np.int64)
    return Flow(starts, of["time_us"][kept], waited)


IDLE = load_of(np.zeros(0, MOVE), 1_000, 1_000)
"""Nothing has happened."""


def fill(loads: Sequence[Load], stage: I32, owner: I32, at_us: I64, is_judged: bool, out: NDArray[np.float32]) -> None:
    """Fill the columns on load for cases at a stage (type of the last event) and with an owner, (n,) each."""
    loads = loads or (IDLE,)
    opened = np.add.reduce([_within(load.opened_us, at_us) for load in loads])
    moved = np.add.reduce([_within(load.moved_us, at_us) for load in loads])
    out[:, 0:4] = opened[:, :4]
    out[:, 4:8] = moved[:, :4]
    with np.errstate(invalid="ignore", divide="ignore"):
        out[:, 8] = opened[:, 1] * 7 / opened[:, 2]
    into, out_of = _passed(loads, "into_stage", stage, at_us), _passed(loads, "out_of_stage", stage, at_us)
    out[:, 9], out[:, 10] = into[:, 1], out_of[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        out[:, 11] = out_of[:, 3] / out_of[:, 2] / HOUR_US
    got, given = _passed(loads, "into_owner", owner, at_us), _passed(loads, "out_of_owner", owner, at_us)
    out[:, 12], out[:, 13] = got[:, 0], got[:, 1]
    n_closed = np.add.reduce([np.searchsorted(load.closed_us, at_us) for load in loads])
    out[:, 14] = opened[:, 4] - n_closed if is_judged else np.nan
    out[:, 15] = into[:, 4] - out_of[:, 4] if is_judged else np.nan
    out[:, 16] = got[:, 4] - given[:, 4] if is_judged else np.nan
    out[owner < 0, 12:14] = np.nan
    out[owner < 0, 16] = np.nan
    out[stage < 0, 9:12] = np.nan
    out[stage < 0, 15] = np.nan


def _within(time_us: I64, at_us: I64) -> I64:
    """How many of the instants lie in the hour, day, week and month before each of others, and before it at all."""
    n = np.searchsorted(time_us, at_us)
    windows = [n - np.searchsorted(time_us, at_us - window_us) for window_us in (HOUR_US, DAY_US, WEEK_US, MONTH_US)]
    return np.stack([*windows, n], axis=1)


def _passed(loads: Sequence[Load], flow: str, group: I32, at_us: I64) -> I64:
    """Of the case's group: moves in the day, the week and the month before; what was waited in those; all moves."""
    total = np.zeros((len(at_us), 5), np.int64)
    for load in loads:
        one: Flow = getattr(load, flow)
        _add_passed(one.starts, one.time_us, one.waited_us, group, at_us, total)
    return total


@njit(cache=True, nogil=True)
def _before(time_us: I64, low: int, high: int, at_us: int) -> int:
    """The first place in [low, high) whose instant is not before another."""
    while low < high:
        middle = (low + high) // 2
        if time_us[middle] < at_us:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _add_passed(starts: I64, time_us: I64, waited_us: I64, group: I32, at_us: I64, total: I64) -> None:
    day = 24 * 3_600_000_000
    for i in range(len(group)):
        if group[i] < 0:
            continue
        low, high = starts[group[i]], starts[group[i] + 1]
        end = _before(time_us, low, high, at_us[i])
        month = _before(time_us, low, end, at_us[i] - 28 * day)
        total[i, 0] += end - _before(time_us, low, end, at_us[i] - day)
        total[i, 1] += end - _before(time_us, low, end, at_us[i] - 7 * day)
        total[i, 2] += end - month
        total[i, 3] += waited_us[end] - waited_us[month]
        total[i, 4] += end - low
