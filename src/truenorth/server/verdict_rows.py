"""What a batch moved, as the rows a store keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from truenorth.engine import kernel
from truenorth.engine.live import Live, Moves
from truenorth.engine.verdicts import OUTCOMES, REASONS, VERDICTS
from truenorth.spec.model import Journey
from truenorth.store.rows import CaseRow, PromiseRow

IdsAt = Callable[[Sequence[int]], Mapping[int, str]]
"""The ids of the events at some positions."""


def case_id(key: str, episode: int) -> str:
    """The id of a key's case: ``key``, ``key#2``, ``key#3`` ...

    >>> case_id("T1", 1), case_id("T1", 2)
    ('T1', 'T1#2')
    """
    return key if episode == 1 else f"{key}#{episode}"


def _instant(us: int) -> int | None:
    return None if us == kernel.NEVER else us


def case_rows(journey: Journey, live: Live, moves: Moves) -> list[CaseRow]:
    """The newest row of every case that was touched."""
    rows, value, customers = moves.cases, journey.outcome.value, live.customers
    names = ("opened", "resolved", "closed", "outcome_time", "episode", "customer", "outcome", "reason")
    columns = [rows[name].tolist() for name in names]
    counts = ("reopened", "events", "moments", "decisions", "handovers", "internal", *VERDICTS, "cost", "revenue")
    counted = [dict(zip(counts, row, strict=True)) for row in rows[list(counts)].tolist()]
    found = []
    for key, opened, resolved, closed, at, episode, who, outcome, reason, n in zip(
        live.keys(rows["key"]), *columns, counted, strict=True
    ):
        found.append(
            CaseRow(
                case=case_id(key, episode),
                customer=customers[who] if who >= 0 else None,
                opened_us=opened,
                resolved_us=_instant(resolved),
                closed_us=_instant(closed),
                outcome=OUTCOMES[outcome],  # type: ignore[arg-type]
                reason=REASONS[reason],  # type: ignore[arg-type]
                outcome_time_us=_instant(at),
                value=float(value.get(OUTCOMES[outcome], 0.0)),  # type: ignore[call-overload]
                **n,
            )
        )
    return found


def newly_told(moves: Moves, first_position: int) -> NDArray[np.bool_]:
    """Which verdict rows a store does not have: decided ones, and open ones that an event of this batch started."""
    rows = moves.verdicts
    told: NDArray[np.bool_] = (rows["verdict"] != kernel.OPEN) | (rows["started_by"] >= first_position)
    return told


def promise_rows(journey: Journey, live: Live, rows: NDArray[np.void], ids_at: IdsAt) -> list[PromiseRow]:
    """The rows of some verdicts (`kernel.VERDICT`)."""
    positions = np.unique(np.concatenate([rows["started_by"], rows["decided_by"]]))
    ids = ids_at(positions[positions >= 0].tolist())
    names = [promise.name for promise in journey.promises]
    fields = ("episode", "promise", "instance", "started", "due", "verdict", "decided", "started_by", "decided_by")
    return [
        PromiseRow(
            case=case_id(key, episode),
            promise=names[promise],
            instance=instance,
            started_us=started,
            due_us=_instant(due),
            verdict=VERDICTS[verdict],  # type: ignore[arg-type]
            decided_us=_instant(decided),
            started_by=ids.get(started_by),
            decided_by=ids.get(decided_by),
        )
        for key, (episode, promise, instance, started, due, verdict, decided, started_by, decided_by) in zip(
            live.keys(rows["key"]), rows[list(fields)].tolist(), strict=True
        )
    ]
