"""From rows as they came to a log: canonical types, quarantine, duplicates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from truenorth.logs.duplicates import n_equal_rows, without_duplicates
from truenorth.logs.kinds import typed_by_content, with_decimal_comma
from truenorth.logs.log import INSTANT, QUARANTINE_SCHEMA, Log, Progress
from truenorth.logs.mapping import Plan
from truenorth.logs.table import Source, Table, unreadable
from truenorth.logs.times import EARLIEST, LATEST, Instants, looks_like_instants, plain, read_instants
from truenorth.logs.values import as_text, simplest
from truenorth.spec.counted import counted
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import UnreadableLog

SHOWN_COLUMNS = 40
SHOWN_CHARACTERS = 60
HEAD_ROWS = 1_000
MONEY = ("cost", "revenue", "feeling")
LARGEST_FEELING = 1.0
ENOUGH_TO_REFUSE = 20
"""With at least this many values, more than half of them unreadable, the column is not what it was taken for."""


COMPARED_ROWS = 100_000
"""Of a log without ids so many rows are looked at for rows that are the same."""

COMMA = re.compile(r"'-?[0-9.]*,[0-9]+'")


@dataclass(eq=False)
class _Draft:
    """A log in the making: finished columns by name, and what is wrong with which row."""

    path: str
    source: Source
    table: Table
    plan: Plan
    columns: dict[str, pl.Series] = field(default_factory=dict)
    faults: list[pl.DataFrame] = field(default_factory=list)
    """Rows (``at``, from 0) and what is wrong with each (``reason``)."""
    notes: list[str] = field(default_factory=list)
    kept_as_property: list[str] = field(default_factory=list)

    def column_of(self, name: str) -> pl.Series:
        column = self.table.frame.get_column(self.plan.fields[name]).alias(name)
        return as_text(column) if isinstance(column.dtype, pl.Categorical | pl.Enum | pl.Binary) else column


def to_log(path: str, source: Source, plan: Plan, wanted: Collection[str] | None, on_progress: Progress) -> Log:
    """Give a file's rows their meaning.

    Rows whose time, money or feeling cannot be read go to the quarantine; later rows with the ``source`` and ``id`` of
    an earlier one are left out and counted. Raises `UnreadableLog` where a whole column is not what it is mapped to.
    """
    on_progress("reading rows", 0.0)
    table = source.read(None if wanted is None else plan.columns(wanted))
    on_progress("reading values", 0.0)
    draft = _Draft(path, source, table, plan)
    _read_time(draft, "time")
    on_progress("reading values", 0.2)
    for name in plan.fields:
        _read_field(draft, name, wanted)
    _read_properties(draft, wanted)
    on_progress("reading values", 0.8)
    log = _finish(draft)
    on_progress("reading values", 1.0)
    return log


def _read_field(draft: _Draft, name: str, wanted: Collection[str] | None) -> None:
    if name == "time":
        return
    if name == "received":
        _read_time(draft, name)
    elif name in MONEY:
        _read_number(draft, name)
    elif wanted is None or name in wanted or name in ("id", "source"):
        draft.columns[name] = as_text(draft.column_of(name))


def _read_time(draft: _Draft, name: str) -> None:
    raw = draft.column_of(name)
    n_known = len(raw) - raw.null_count()
    order = draft.plan.orders.get(name)
    none = Instants(pl.repeat(None, len(raw), dtype=INSTANT, eager=True), "")
    read = read_instants(raw, order) if n_known else none
    n_failed = n_known if read is None else read.values.null_count() - raw.null_count()
    if read is None or n_failed == n_known:
        if name == "time" and len(raw):
            raise _no_instants(draft, raw)
        if n_known:
            _refuse(draft, name, "instants", raw)
            return
    assert read is not None
    draft.columns[name] = read.values.alias(name)
    if read.n_ambiguous:
        draft.notes.append(_ambiguous(name, draft.plan.fields[name], read))
    if n_failed:
        _fault(draft, read.values.is_null() & raw.is_not_null(), raw, partial(_time_reasons, read=read))
    if name == "time" and raw.null_count():
        _fault(draft, raw.is_null(), raw, lambda rows: pl.repeat("time is missing", len(rows), eager=True))


def _ambiguous(name: str, column: str, read: Instants) -> str:
    both = f"{counted(read.n_ambiguous, 'row')} could be read month first as well"
    say = f"--map {name}='{column} (month first)' or '{column} (day first)' decides"
    return f"'{column}' is read day first ({plain(read.format)}): {both}; {say}"


def _time_reasons(raw: pl.Series, read: Instants) -> pl.Series:
    """One reason for each row: no instant at all, or one that lies far away."""
    text = as_text(raw)
    year = text.str.extract(r"([0-9]{4,})", 1).cast(pl.Int64, strict=False)
    far = (year < EARLIEST.year) | (year >= LATEST.year) if raw.dtype == pl.String else text.is_not_null()
    name = pl.lit(raw.name)
    outside = pl.format("{} '{}' lies outside {} to {}", name, "shown", pl.lit(EARLIEST.year), pl.lit(LATEST.year))
    unlike = pl.format("{} '{}' is no instant of the format {}", name, "shown", pl.lit(plain(read.format)))
    frame = pl.DataFrame({"shown": text.str.slice(0, SHOWN_CHARACTERS), "far": far})
    return frame.select(pl.when("far").then(outside).otherwise(unlike)).to_series()


def _read_number(draft: _Draft, name: str) -> None:
    raw = draft.column_of(name)
    if raw.dtype == pl.Boolean or raw.dtype.is_temporal() or raw.dtype.is_nested():
        _refuse(draft, name, "numbers", raw)
        return
    values = _numbers(draft, draft.plan.fields[name], raw)
    good = values.is_finite() & ((values.abs() <= LARGEST_FEELING) if name == "feeling" else True)
    bad = raw.is_not_null() & ~good.fill_null(False)
    n_known = len(raw) - raw.null_count()
    if n_known >= ENOUGH_TO_REFUSE and int(bad.sum()) * 2 > n_known:
        _refuse(draft, name, "numbers in [-1, 1]" if name == "feeling" else "numbers", raw)
        return
    draft.columns[name] = values
    if bad.any():
        _fault(draft, bad, raw, _number_reasons)


def _numbers(draft: _Draft, column: str, raw: pl.Series) -> pl.Series:
    """Values as numbers, null where one is none; with a decimal comma, in a CSV where more of them are so written."""
    points = raw.cast(pl.Float64, strict=False)
    commas = with_decimal_comma(raw) if column in draft.table.loose and points.null_count() > raw.null_count() else None
    if commas is None or commas.null_count() >= points.null_count():
        return points
    draft.notes.append(_read_with_comma(column))
    return commas


def _read_with_comma(column: str) -> str:
    return f"'{column}' is read as numbers with a decimal comma"


def _number_reasons(raw: pl.Series) -> pl.Series:
    text, name = as_text(raw), raw.name
    shown = text.str.slice(0, SHOWN_CHARACTERS)
    comma = text.str.contains(r"^\s*-?[0-9.]*,[0-9]+\s*$")
    number = text.cast(pl.Float64, strict=False).is_finite().fill_null(False)
    frame = pl.DataFrame({"shown": shown, "comma": comma, "number": number})
    reason = (
        pl.when("number")
        .then(pl.format("{} '{}' is outside [-1, 1]", pl.lit(name), "shown"))
        .when("comma")
        .then(pl.format("{} '{}' is no number: write a decimal point, not a comma", pl.lit(name), "shown"))
        .otherwise(pl.format("{} '{}' is no number", pl.lit(name), "shown"))
    )
    return frame.select(reason).to_series()


def _refuse(draft: _Draft, name: str, expected: str, raw: pl.Series) -> None:
    """A column whose values mostly are not what the field needs: an error if it was mapped, a property if not."""
    column = draft.plan.fields[name]
    if name in draft.plan.explicit:
        hint = "write a decimal point, not a comma" if COMMA.match(_examples(raw)) else "map it to another column"
        raise unreadable(f"{draft.path}: {name}", expected, f"{_examples(raw)} in column '{column}'", hint)
    draft.kept_as_property.append(name)
    draft.notes.append(f"'{column}' holds no {expected}: it is kept as 'properties.{name}'")


def no_time(path: str, source: Source) -> UnreadableLog:
    """The error of a log whose time nobody mapped, with the columns that may be meant."""
    shown = ", ".join(f"'{name}'" for name in source.columns[:SHOWN_COLUMNS]) or "none"
    hint = _time_hint(source.head(HEAD_ROWS))
    return unreadable(f"{path}: time", "a column with the time of each event", f"columns {shown}", hint)


def _no_instants(draft: _Draft, raw: pl.Series) -> UnreadableLog:
    column = draft.plan.fields["time"]
    hint = _time_hint(draft.source.head(HEAD_ROWS))
    return unreadable(f"{draft.path}: time", "instants", f"{_examples(raw)} in column '{column}'", hint)


def _time_hint(head: pl.DataFrame) -> str:
    names = time_columns(head)
    if not names:
        return "no column of this file holds instants; write them as 2024-03-31T18:00:00Z or 2024-03-31 18:00"
    others = f" (also: {', '.join(names[1:6])})" if names[1:] else ""
    return f'--map time="{names[0]}"{others}'


def time_columns(head: pl.DataFrame) -> list[str]:
    """Columns that can be read as instants, those that say so in their type or text first."""
    found = []
    for column in head.iter_columns():
        read = read_instants(column) if column.null_count() < len(column) else None
        if read is not None and read.values.null_count() == column.null_count():
            found.append((read.format.startswith("epoch"), column.null_count(), column.name))
    return [name for *_, name in sorted(found, key=lambda one: one[:2])]


def _examples(raw: pl.Series) -> str:
    some = as_text(raw.drop_nulls().unique(maintain_order=True).head(3)).to_list()
    return ", ".join(f"'{value[:40]}'" for value in some) or "nothing"


def _read_properties(draft: _Draft, wanted: Collection[str] | None) -> None:
    for name in draft.kept_as_property:
        draft.columns[f"properties.{name}"] = _property(draft, draft.plan.fields[name])
    for name, column in draft.plan.properties.items():
        if wanted is None or name in wanted:
            draft.columns[name] = _property(draft, column)


def _property(draft: _Draft, column: str) -> pl.Series:
    values = draft.table.frame.get_column(column)
    if values.dtype == pl.String:
        if column in draft.table.loose:
            typed = typed_by_content(values)
            if typed.dtype == pl.Float64 and values.str.contains(",", literal=True).any():
                draft.notes.append(_read_with_comma(column))
            return typed
        instants = looks_like_instants(values) if column in draft.table.dated else None
        return values if instants is None else instants
    return simplest(values)


def _fault(draft: _Draft, bad: pl.Series, raw: pl.Series, reasons: Callable[[pl.Series], pl.Series]) -> None:
    """Note what is wrong with the rows of a mask; the reasons are made for these rows only."""
    rows = bad.fill_null(False).arg_true()
    if len(rows):
        draft.faults.append(pl.DataFrame({"at": rows, "reason": reasons(raw.gather(rows))}))


def _finish(draft: _Draft) -> Log:
    order = [
        *(name for name in CANONICAL_TYPES if name in draft.columns),
        *(n for n in draft.columns if n not in CANONICAL_TYPES),
    ]
    position = draft.table.position
    if "id" not in draft.columns or draft.columns["id"].null_count():
        n_rows = draft.table.frame.height
        position = pl.int_range(1, n_rows + 1, eager=True) if position is None else position
    events = pl.DataFrame([draft.columns[name].alias(name) for name in order])
    quarantine = draft.table.quarantine
    if draft.faults:
        good, quarantined = _quarantine(draft)
        events, quarantine = events.filter(good), pl.concat([quarantine, quarantined]).sort("line", maintain_order=True)
        position = position.filter(good) if position is not None else None
    if "id" not in draft.columns:
        draft.notes.extend(_equal_rows(draft, events))
    table = draft.table
    events, n_duplicates = without_duplicates(events, position, keys=table.keys, unique=table.unique)
    notes = (*draft.table.notes, *draft.plan.notes, *draft.notes)
    return Log(
        events=events,
        quarantine=quarantine,
        n_duplicates=n_duplicates + draft.table.n_duplicates,
        name=draft.path,
        notes=notes,
    )


def _equal_rows(draft: _Draft, events: pl.DataFrame) -> Iterator[str]:
    """A note where rows come twice and no id tells whether events did: seen in what was read, counted in all of it."""
    if not n_equal_rows(events.head(COMPARED_ROWS)):
        return
    rows = draft.source.head(COMPARED_ROWS)
    if n := n_equal_rows(rows):
        first = f" of the first {COMPARED_ROWS:,}" if rows.height == COMPARED_ROWS else ""
        again = "is the same as an earlier one and counts" if n == 1 else "are the same as earlier ones and count"
        told = counted(n, f"row{first}", f"rows{first}")
        yield f"{told} {again} again: only an id tells that it is one event; --map id=COLUMN names one"


def _quarantine(draft: _Draft) -> tuple[pl.Series, pl.DataFrame]:
    """A mask of the rows that stay, and the others with all that is wrong with each."""
    faults = pl.concat(draft.faults).group_by("at", maintain_order=True).agg(pl.col("reason").str.join("; ")).sort("at")
    found = draft.table.locate(faults["at"].cast(pl.Int64))
    good = pl.repeat(True, draft.table.frame.height, eager=True).scatter(faults["at"], False)
    rows = pl.DataFrame([found["line"], faults["reason"], found["row"]])
    return good, rows.cast(QUARANTINE_SCHEMA)  # type: ignore[arg-type]
