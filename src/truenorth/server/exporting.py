"""The log as a file that every command reads: page by page, whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import polars as pl

from truenorth.events import Event
from truenorth.logs.log import INSTANT
from truenorth.logs.whole import whole_file
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.ports import EventLog, Stored

PAGE_EVENTS = 10_000
PART_PAGES = 10
"""Pages of a part of a Parquet file while it is made."""
INSTANTS = {"time_us": "time", "received_us": "received"}
"""Fields of an event that a file has under another name, as instants."""
_NUMBERS = ("cost", "revenue", "feeling")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Tell = Callable[[str, float], object]


def export_events(log: EventLog, path: Path, tell: Tell = lambda _stage, _share: None) -> int:
    """Write the whole log, archived events too, in the order of arrival; how many events.

    JSON Lines or Parquet, by the file's name. The file appears as a whole or not at all. Fields have their canonical
    names; ``properties`` is a JSON object (in Parquet its text); ``other_id`` and ``other_kind`` are there where an
    event has them. Raises `TruenorthError` for another name or a place where nothing can be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        expected = f"a file name that ends in {' or '.join(_WRITERS)}"
        hint = "convert it afterwards: 'truenorth convert' writes CSV, XES and OCEL"
        raise TruenorthError([Problem(path=str(path), expected=expected, found=f"'{path.name}'", hint=hint)])
    with whole_file(path) as temporary:
        return write(_pages(log, tell), temporary)


def _pages(log: EventLog, tell: Tell) -> Iterator[Sequence[Stored]]:
    last, at = log.last_position(), 0
    while page := log.read(at, limit=PAGE_EVENTS):
        at = page[-1].position
        tell("writing", min(1.0, at / max(last, at)))
        yield page


def _write_lines(pages: Iterator[Sequence[Stored]], path: Path) -> int:
    n_events = 0
    with path.open("wb") as file:
        for page in pages:
            file.write(msgspec.json.Encoder().encode_lines([_told(one.event) for one in page]))
            n_events += len(page)
    return n_events


def _told(event: Event) -> dict[str, Any]:
    """An event as JSON has it: what is null is left out."""
    fields = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
    for name, shown in INSTANTS.items():
        fields[shown] = _instant(fields.pop(name))
    return {**fields, "properties": msgspec.Raw(event.properties)}


def _instant(time_us: int) -> datetime | int:
    try:
        return _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:  # outside of the years that a text can say
        return time_us


def _write_parquet(pages: Iterator[Sequence[Stored]], path: Path) -> int:
    """Parts first, then one file of them: none of it is in memory as a whole."""
    n_events = 0
    with TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        for number, part in enumerate(_gathered(pages)):
            _frame(part).write_parquet(Path(folder, f"{number:08}.parquet"))
            n_events += len(part)
        pl.scan_parquet(Path(folder, "*.parquet")).sink_parquet(path, compression="zstd")
    return n_events


def _gathered(pages: Iterator[Sequence[Stored]]) -> Iterator[list[Event]]:
    part: list[Event] = []
    for page in pages:
        part += [one.event for one in page]
        if len(part) >= PART_PAGES * PAGE_EVENTS:
            yield part
            part = []
    yield part


def _frame(events: Sequence[Event]) -> pl.DataFrame:
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


_WRITERS: dict[str, Callable[[Iterator[Sequence[Stored]], Path], int]] = {
    ".jsonl": _write_lines,
    ".parquet": _write_parquet,
}
