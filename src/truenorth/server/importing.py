"""The events of a file into the store's log, in batches; a second time changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl

from truenorth.events import Event, Refused
from truenorth.logs.log import Log
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.store.ports import EventLog

BATCH_EVENTS = 5_000
"""Events of a transaction."""
_OWN = ("properties", "other_id", "other_kind")
"""Columns that a file has if it was exported: an event's own fields, not properties of it."""
_KINDS = ("anonymous", "alias")

Tell = Callable[[str, float], object]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: new events; ones that were there already, in the file or in the log; ones of people who
    were erased; rows that cannot be events.
    """

    n_new: int = 0
    n_duplicates: int = 0
    n_suppressed: int = 0
    n_quarantined: int = 0


class _Batch(NamedTuple):
    events: list[Event]
    refused: list[Refused]


def import_events(
    log: Log, into: EventLog, source: str, received_us: int, tell: Tell = lambda _stage, _share: None
) -> Imported:
    """Append the events of a log, in its order, under their own ids.

    ``source`` is that of events that name none; ``received_us`` the arrival of those that have none. Columns that are
    no canonical field become properties; a row without a type, and whatever could not be read, goes to the quarantine
    with its reason. What was appended stays if the store fails half-way: to run it once more completes it.
    """
    done = Imported(n_duplicates=log.n_duplicates)
    n_done = 0
    for batch in _batches(log, source, received_us):
        appended = into.append(batch.events, batch.refused)
        done = Imported(
            n_new=done.n_new + appended.n_new,
            n_duplicates=done.n_duplicates + appended.n_duplicates,
            n_suppressed=done.n_suppressed + appended.n_suppressed,
            n_quarantined=done.n_quarantined + len(batch.refused),
        )
        n_done += len(batch.events)
        tell("appending", n_done / max(1, log.n_events))
    return done


def _batches(log: Log, source: str, received_us: int) -> Iterator[_Batch]:
    frame = log.events.with_columns(pl.col("time").to_physical(), pl.col("^received$").to_physical())
    names = [name for name in frame.columns if name not in CANONICAL_TYPES and name not in _OWN]
    for part in frame.iter_slices(BATCH_EVENTS):
        batch = _Batch([], [])
        for row in part.iter_rows(named=True):
            source_of_row = row.get("source") or source
            if row.get("type") is None:
                reason = "no type: map the column that says what happened, --map type=COLUMN"
                batch.refused.append(
                    _refused(source_of_row, received_us, reason, msgspec.json.encode(row, enc_hook=str))
                )
            else:
                batch.events.append(_event(row, names, source_of_row, received_us))
        yield batch
    for part in log.quarantine.iter_slices(BATCH_EVENTS):
        rows = part.select("line", "reason", "row").iter_rows()
        refused = [
            _refused(source, received_us, f"line {line}: {reason}", (row or "").encode()) for line, reason, row in rows
        ]
        yield _Batch([], refused)


def _event(row: dict[str, Any], names: Sequence[str], source: str, received_us: int) -> Event:
    fields = {name: row.get(name) for name in CANONICAL_TYPES if name not in {"source", "id", "time", "received"}}
    kind = row.get("other_kind")
    received = row.get("received")
    return Event(
        **{**fields, "source": source, "id": str(row["id"])},  # type: ignore[arg-type]  # the log is typed by field
        time_us=row["time"],
        received_us=received_us if received is None else received,
        properties=_properties(row, names),
        other_id=row.get("other_id") if kind in _KINDS else None,
        other_kind=kind if kind in _KINDS else None,
    )


def _properties(row: dict[str, Any], names: Sequence[str]) -> bytes:
    """Everything else as a JSON object, without what is null; what an exported column holds is taken as it is."""
    own = {name: row[name] for name in names if row[name] is not None}
    text = row.get("properties")
    if text is None:
        return msgspec.json.encode(own, enc_hook=str)
    try:
        whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw]) if isinstance(text, str) else None
    except msgspec.DecodeError:
        whole = None
    if whole is None:
        return msgspec.json.encode({"properties": text, **own}, enc_hook=str)
    return text.encode() if not own else msgspec.json.encode({**whole, **own}, enc_hook=str)


def _refused(source: str, received_us: int, reason: str, raw: bytes) -> Refused:
    return Refused(source=source, received_us=received_us, reason=reason, raw=raw)
