"""The log page by page, and what an event is outside of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec
import polars as pl

from truenorth.events import Event
from truenorth.logs.log import INSTANT
from truenorth.spec.instants import instant_at
from truenorth.store.ports import Stored

PAGE_EVENTS = 10_000
PART_PAGES = 10
"""Pages that are written at a time where a part of a file is made."""
INSTANTS = {"time_us": "time", "received_us": "received"}
"""Fields of an event that are called otherwise outside of the store, as instants."""
_NUMBERS = ("cost", "revenue", "feeling")

Tell = Callable[[str, float], object]


class Exported(NamedTuple):
    """How many events were written, and the position of the log up to which all are."""

    n_events: int
    position: int


class Readable(Protocol):
    """What is exported: a log, or one in which customers are called otherwise."""

    def last_position(self) -> int:
        """Where it ends."""
        ...

    def read(self, after: int = 0, *, limit: int) -> Sequence[Stored]:
        """Events after a position, in the order of arrival."""
        ...


def pages(log: Readable, tell: Tell, after: int = 0) -> Iterator[Sequence[Stored]]:
    """The log after a position, in the order of arrival; ``tell`` hears the stage and its share."""
    last, at = log.last_position(), after
    while page := log.read(at, limit=PAGE_EVENTS):
        at = page[-1].position
        tell("writing", min(1.0, at / max(last, at)))
        yield page


def parts(log: Readable, tell: Tell, after: int = 0) -> Iterator[Sequence[Stored]]:
    """The same, in parts of `PART_PAGES` pages: never an empty one."""
    part: list[Stored] = []
    for page in pages(log, tell, after):
        part += page
        if len(part) >= PART_PAGES * PAGE_EVENTS:
            yield part
            part = []
    if part:
        yield part


def as_json(event: Event) -> bytes:
    """An event as a JSON object: canonical names, ``properties`` an object, what is null left out.

    >>> as_json(Event(source="shop", id="e1", type="paid", time_us=0, received_us=0, properties=b'{"sum":3}'))[:64]
    b'{"source":"shop","id":"e1","type":"paid","properties":{"sum":3},'
    """
    fields: dict[str, Any] = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
    for name, shown in INSTANTS.items():
        fields[shown] = _instant(fields.pop(name))
    return msgspec.json.encode({**fields, "properties": msgspec.Raw(event.properties)})


def as_frame(events: Sequence[Event]) -> pl.DataFrame:
    """Events as a table: canonical names, instants in microseconds UTC, ``properties`` as JSON text."""
    names = Event.__struct_fields__
    kinds = {
        **dict.fromkeys(names, pl.String()),
        **dict.fromkeys(_NUMBERS, pl.Float64()),
        **dict.fromkeys(INSTANTS, pl.Int64()),
        "properties": pl.Binary(),
    }
    rows = [msgspec.structs.astuple(event) for event in events]
    frame = pl.DataFrame(rows, pl.Schema({name: kinds[name] for name in names}), orient="row")
    instants = [pl.col(name).cast(INSTANT) for name in INSTANTS]
    return frame.with_columns(*instants, pl.col("properties").cast(pl.String)).rename(INSTANTS)


def _instant(time_us: int) -> datetime | int:
    try:
        return instant_at(time_us)
    except OverflowError:  # outside of the years that a text can say
        return time_us
