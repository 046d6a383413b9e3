"""What the store keeps of foresight, as values: models, risks, and looks at how models do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from truenorth.store.rows import NewSignal, Outcome

ModelState = Literal["shadow", "live", "retired"]


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A model without its bytes. ``version`` names its content.

    ``state``: a live model's risks are shown and told, a shadow's only kept, a retired one is not asked. ``made_us``
    and ``live_us``: when it was stored, and when it last went live. ``beats``: whether it was better than the baselines
    on held-out time, with ``why`` in words. ``sight``, ``features``, ``metrics``: JSON, how columns were read, what the
    columns of its rows are called, how it did on held-out time. ``level``: what is added to the log-odds of its risks,
    learnt at ``level_us`` from what has become of cases since; None = nothing so far. ``ends_low`` and ``ends_high``:
    where its intervals of the days remaining end, learnt with it; None = as the model learnt it.
    """

    journey: str
    version: str
    state: ModelState = "shadow"
    made_us: int
    live_us: int | None = None
    data_from_us: int
    data_to_us: int
    n_cases: int
    beats: bool
    why: str
    threshold: float
    sight: bytes = b"{}"
    features: bytes = b"[]"
    metrics: bytes = b"{}"
    level: float | None = None
    level_us: int | None = None
    ends_low: float | None = None
    ends_high: float | None = None


class RiskRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says of an open case as it stood at ``at_us``, with the events up to ``position`` of the log.

    ``p_failed`` is the chance of any outcome but the one hoped for, ``avoidable`` the expected loss against it. JSON:
    ``p`` by outcome, ``p_break`` by promise, ``remaining_days`` (low, median, high; null for no end) or null, ``next``
    by type of event, ``why`` and ``lowers`` in words. ``alarmed``: the risk crossed the threshold and has not come back
    since. ``n_past`` and ``p_past``: how many points its history has, and the risk at the last one. ``p_learnt``: the
    risk as the model learnt it, without a level; None = the same as ``p_failed``.
    """

    model: str
    case: str
    customer: str | None = None
    at_us: int
    position: int
    p_failed: float
    avoidable: float
    p: bytes = b"{}"
    p_break: bytes = b"{}"
    remaining_days: bytes = b"null"
    next: bytes = b"{}"
    why: bytes = b"[]"
    lowers: bytes = b"[]"
    alarmed: bool = False
    n_past: int = 0
    p_past: float = 0.0
    p_learnt: float | None = None


class RiskPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of the history of a case's risk; ``number`` from 1. ``days_said``: the median of the days remaining."""

    model: str
    case: str
    number: int
    customer: str | None = None
    at_us: int
    position: int
    p_failed: float
    p_learnt: float | None = None
    days_said: float | None = None


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of scoring writes, kept together or not at all. ``ended``: cases that are open no more."""

    risks: Sequence[RiskRow] = ()
    points: Sequence[RiskPoint] = ()
    ended: Sequence[str] = ()
    signals: Sequence[NewSignal] = ()


class MaturedRow(msgspec.Struct, frozen=True):
    """A point of the history of a case that has ended since."""

    case: str
    number: int
    at_us: int
    p_failed: float
    outcome: Outcome
    ended_us: int


class SaidRow(msgspec.Struct, frozen=True):
    """What a model said of a case at ``at_us``, without a level, and what is known of the case by now.

    ``risk`` and the median ``days`` remaining; the ``newest`` risk, None = the case is not open any more.
    """

    case: str
    number: int
    at_us: int
    risk: float
    days: float | None
    newest: float | None
    outcome: Outcome
    outcome_time_us: int | None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at how a model does; ``body`` is JSON."""

    number: int
    journey: str
    version: str
    at_us: int
    body: bytes
