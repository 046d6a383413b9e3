"""What there is to tell after a batch: opened, kept, broken, achieved, failed, corrected ..."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from truenorth.engine.live import Live, Moves
from truenorth.engine.verdicts import OUTCOMES
from truenorth.server.verdict_rows import case_id
from truenorth.store.rows import CaseRow, NewSignal, PromiseRow

TOLD_VERDICTS = ("kept", "broken", "lapsed")
RISK_KINDS = ("at_risk", "no_longer_at_risk")
"""The kinds of signals about risks."""
KINDS = (
    "opened",
    *TOLD_VERDICTS,
    "reopened",
    "achieved",
    "failed",
    "abandoned",
    "corrected",
    "judged_anew",
    "proposed",
    "approval",
    *RISK_KINDS,
)
"""The kinds of signals."""

PromiseKey = tuple[str, str, int]


def _signal(kind: str, time_us: int, row: CaseRow, **more: Any) -> NewSignal:
    body = {"opened_us": row.opened_us, "outcome": row.outcome, "reason": row.reason, **more}
    return NewSignal(kind=kind, time_us=time_us, case=row.case, customer=row.customer, body=msgspec.json.encode(body))


def _of_promise(row: PromiseRow, case: CaseRow | None, kind: str, **more: Any) -> NewSignal:
    body = {name: value for name, value in msgspec.structs.asdict(row).items() if name != "case"} | more
    return NewSignal(
        kind=kind,
        time_us=row.decided_us if row.decided_us is not None else row.started_us,
        case=row.case,
        customer=case.customer if case else None,
        body=msgspec.json.encode(body),
    )


def signals_of(live: Live, moves: Moves, cases: Sequence[CaseRow], promises: Sequence[PromiseRow]) -> list[NewSignal]:
    """What a batch of events in their places has to tell, in the order of time."""
    newest = {row.case: row for row in cases}
    told = [_of_promise(row, newest.get(row.case), row.verdict) for row in promises if row.verdict in TOLD_VERDICTS]
    before = _before(live, moves)
    for case in cases:
        told += _of_case(case, before.get(case.case))
    return sorted(told, key=lambda signal: signal.time_us)


def _before(live: Live, moves: Moves) -> Mapping[str, tuple[str, int]]:
    """The outcome and the count of reopenings of the newest case of each key, before the batch."""
    stood = moves.before[["episode", "outcome", "reopened"]].tolist()
    return {
        case_id(key, episode): (OUTCOMES[outcome], reopened)
        for key, (episode, outcome, reopened) in zip(live.keys(moves.slots), stood, strict=True)
        if episode
    }


def _of_case(row: CaseRow, before: tuple[str, int] | None) -> Iterator[NewSignal]:
    outcome, reopened = before or ("open", 0)
    if before is None:
        yield _signal("opened", row.opened_us, row)
    if row.reopened > reopened:
        yield _signal("reopened", row.outcome_time_us or row.opened_us, row, reopened=row.reopened)
    if row.outcome not in ("open", outcome) and row.outcome_time_us is not None:
        yield _signal(row.outcome, row.outcome_time_us, row, value=row.value)


def corrections(
    cases: tuple[Sequence[CaseRow], Sequence[CaseRow]], promises: tuple[Sequence[PromiseRow], Sequence[PromiseRow]]
) -> list[NewSignal]:
    """What has to be told where cases were judged afresh; rows before and after.

    A verdict that was given and is another one now, or none, is ``corrected``; one that is new is told as always.
    """
    old_cases, new_cases = ({row.case: row for row in rows} for rows in cases)
    old, new = ({(row.case, row.promise, row.instance): row for row in rows} for rows in promises)
    told: list[NewSignal] = []
    for key in old.keys() | new.keys():
        told += _of_corrected(key, old.get(key), new.get(key), new_cases)
    for case in old_cases.keys() | new_cases.keys():
        told += _of_corrected_case(old_cases.get(case), new_cases.get(case))
    return sorted(told, key=lambda signal: (signal.time_us, signal.case or "", signal.kind))


def _of_corrected(
    key: PromiseKey, old: PromiseRow | None, new: PromiseRow | None, cases: Mapping[str, CaseRow]
) -> Iterator[NewSignal]:
    given = old is not None and old.verdict in TOLD_VERDICTS
    row = new or old
    assert row is not None
    if given and old is not None and (new is None or (new.verdict, new.decided_us) != (old.verdict, old.decided_us)):
        was = {"verdict": old.verdict, "decided_us": old.decided_us}
        shown = row if new else msgspec.structs.replace(row, verdict="open", decided_us=None)
        yield _of_promise(shown, cases.get(key[0]), "corrected", was=was, gone=new is None)
    elif not given and new is not None and new.verdict in TOLD_VERDICTS:
        yield _of_promise(new, cases.get(key[0]), new.verdict)


def _of_corrected_case(old: CaseRow | None, new: CaseRow | None) -> Iterator[NewSignal]:
    if old is None:
        assert new is not None
        yield from _of_case(new, None)
    elif new is None:
        yield _signal("corrected", old.opened_us, old, was={"outcome": old.outcome}, gone=True)
    elif old.outcome != "open" and (old.outcome, old.outcome_time_us) != (new.outcome, new.outcome_time_us):
        was = {"outcome": old.outcome, "outcome_time_us": old.outcome_time_us}
        yield _signal("corrected", new.outcome_time_us or new.opened_us, new, was=was, gone=False)
    else:
        yield from _of_case(new, (old.outcome, old.reopened))
