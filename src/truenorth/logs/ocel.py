"""Object-centric event logs (OCEL 2.0): from events that touch several objects to events of one case.

The caller chooses a type of object; each event comes once for every object of that type that it touches, and an event
that touches none has no case.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from truenorth.logs.log import INSTANT, QUARANTINE_SCHEMA
from truenorth.logs.records import as_json_text, column_of
from truenorth.logs.table import Table, rows_as_json, unreadable
from truenorth.logs.times import EARLIEST, looks_like_instants, read_instants

CUSTOMERS = ("customer", "customers")
"""Types of objects that are taken for the customer of an event."""

OBJECTS_PREFIX, CASE_PREFIX, QUALIFIERS = "objects:", "case:", "qualifiers"
OWN = ("id", "type", "time", "case", "customer")
FEW_OBJECTS = 10
"""A type with fewer objects than the largest one by this factor is hardly what a case is."""
SHOWN_TYPES = 20


class Event(msgspec.Struct):
    """An event with the ids of the objects it touches and the role of each."""

    id: Any
    type: Any
    time: Any
    attributes: dict[str, Any]
    objects: list[tuple[str, str]]


class Change(msgspec.Struct):
    """A value that an attribute of an object has from some time on (None: from the beginning)."""

    object: str
    name: str
    value: Any
    time: Any


@dataclass
class ObjectLog:
    """An object-centric log. ``types`` gives the type of each object by its id."""

    events: list[Event] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)


class OcelSource:
    """An object-centric log that was read, seen through one type of objects."""

    defaults: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def __init__(self, path: Path, object_type: str | None, log: ObjectLog, notes: tuple[str, ...] = ()) -> None:
        _check_type(path, log, object_type)
        assert object_type is not None
        self._notes = notes
        self._bad, log.events, self._n_duplicates, self._numbers = _sound(log.events)
        self._frame, self._rows = _flat(log, object_type)
        if "customer" in self._frame.columns and "customer" not in _attribute_names(log):
            self._notes = (*notes, "customer is read from the related objects of that type")
        self.columns = tuple(self._frame.columns)

    def read(self, columns: Collection[str] | None) -> Table:
        """Hand over the events of all cases."""
        del columns
        numbers = self._numbers

        def locate(rows: pl.Series) -> pl.DataFrame:
            lines = [numbers[self._rows[row]] for row in rows.to_list()]
            return rows_as_json(self._frame)(rows).with_columns(pl.Series("line", lines, dtype=pl.Int64))

        return Table(
            frame=self._frame,
            locate=locate,
            dated=[name for name, dtype in self._frame.schema.items() if dtype == pl.String and name not in OWN],
            quarantine=pl.DataFrame(self._bad, schema=QUARANTINE_SCHEMA, orient="row"),
            notes=self._notes,
            n_duplicates=self._n_duplicates,
            unique=True,
        )

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first events, all columns."""
        return self._frame.head(n_rows)


def _check_type(path: Path, log: ObjectLog, object_type: str | None) -> None:
    counts: dict[str, int] = {}
    for one in log.types.values():
        counts[one] = counts.get(one, 0) + 1
    if object_type in counts:
        return
    if not counts and not log.events:
        raise unreadable(path, "an object-centric log", "neither events nor objects", "export it again")
    by_size = sorted(counts, key=lambda one: (-counts[one], one))
    shown = ", ".join(f"{one} ({counts[one]:,})" for one in by_size[:SHOWN_TYPES]) or "none"
    hint = f'--object-type "{_likely(log, counts)}"' if by_size else "the log has no objects"
    expected = "the type of object that is a case" if object_type is None else f"objects of the type '{object_type}'"
    raise unreadable(path, expected, f"objects of the types {shown}", hint)


def _likely(log: ObjectLog, n_objects: Mapping[str, int]) -> str:
    """The type that the most events touch exactly once, of those that have many objects: employees have few."""
    n_single = dict.fromkeys(n_objects, 0)
    for event in log.events:
        touched = [log.types[one] for one in {name for name, _ in event.objects} if one in log.types]
        for one in set(touched):
            n_single[one] += touched.count(one) == 1
    many = [one for one, n in n_objects.items() if n * FEW_OBJECTS >= max(n_objects.values())]
    return max(many, key=lambda one: n_single[one])


_Sound = tuple[list[tuple[int, str, str]], list[Event], int, list[int]]


def _sound(events: Iterable[Event]) -> _Sound:
    """What goes to the quarantine, each event once, how many came again, and the number of each in the file."""
    bad: list[tuple[int, str, str]] = []
    kept: list[Event] = []
    numbers: list[int] = []
    known: set[str] = set()
    n_duplicates = 0
    for number, event in enumerate(events, start=1):
        if event.id is None:
            bad.append((number, "the event has no id", msgspec.json.encode(event).decode()[:1000]))
            continue
        event.id = as_json_text(event.id)
        if event.id in known:
            n_duplicates += 1
            continue
        known.add(event.id)
        kept.append(event)
        numbers.append(number)
    return bad, kept, n_duplicates, numbers


def _attribute_names(log: ObjectLog) -> list[str]:
    return list(dict.fromkeys(name for event in log.events for name in event.attributes))


def _flat(log: ObjectLog, object_type: str) -> tuple[pl.DataFrame, list[int]]:
    """One row for each event and object of the type, and the number of the event in each row."""
    cases: list[str | None] = []
    rows: list[int] = []
    for number, event in enumerate(log.events):
        own = list(dict.fromkeys(name for name, _ in event.objects if log.types.get(name) == object_type))
        cases.extend(own or (None,))
        rows.extend([number] * max(len(own), 1))
    own_columns = [
        pl.Series("id", [event.id for event in log.events], dtype=pl.String),
        column_of("type", [None if event.type == "" else event.type for event in log.events]),
        column_of("time", [event.time for event in log.events]),
    ]
    events = pl.DataFrame([*own_columns, *_attributes(log), *_related(log, object_type)])
    frame = events[rows].insert_column(3, pl.Series("case", cases, dtype=pl.String))
    frame = _with_customer(frame, log, object_type, rows)
    return _with_case_attributes(frame, log, object_type), rows


def _attributes(log: ObjectLog) -> Iterable[pl.Series]:
    for name in _attribute_names(log):
        own = f"properties.{name}" if name in ("id", "type", "time", "case") else name
        yield column_of(own, [event.attributes.get(name) for event in log.events])


def _related(log: ObjectLog, object_type: str) -> Iterable[pl.Series]:
    """The other objects of each event by type, and the roles of all of them, as JSON."""
    others = [one for one in dict.fromkeys(log.types.values()) if one != object_type]
    lists: dict[str, list[str | None]] = {one: [] for one in others}
    several: set[str] = set()
    roles: list[str | None] = []
    for event in log.events:
        by_type: dict[str, list[str]] = {}
        for name, _ in event.objects:
            by_type.setdefault(log.types.get(name, ""), []).append(name)
        several.update(one for one, names in by_type.items() if len(set(names)) > 1)
        for one in others:
            lists[one].append(as_json_text(list(dict.fromkeys(by_type[one]))) if one in by_type else None)
        named = {name: role for name, role in event.objects if role and role != log.types.get(name)}
        roles.append(as_json_text(named) if named else None)
    for one, values in lists.items():
        if one.casefold() in CUSTOMERS and one not in several:
            continue  # the field customer says it all
        yield pl.Series(OBJECTS_PREFIX + one, values, dtype=pl.String)
    if any(role is not None for role in roles):
        yield pl.Series(QUALIFIERS, roles, dtype=pl.String)


def _with_customer(frame: pl.DataFrame, log: ObjectLog, object_type: str, rows: list[int]) -> pl.DataFrame:
    if "customer" in frame.columns:
        return frame
    if object_type.casefold() in CUSTOMERS:
        return frame.with_columns(customer="case")
    found = [one for one in dict.fromkeys(log.types.values()) if one.casefold() in CUSTOMERS]
    if not found:
        return frame
    customers = [
        next((name for name, _ in event.objects if log.types.get(name) == found[0]), None) for event in log.events
    ]
    return frame.with_columns(pl.Series("customer", [customers[row] for row in rows], dtype=pl.String))


def _with_case_attributes(frame: pl.DataFrame, log: ObjectLog, object_type: str) -> pl.DataFrame:
    """The value that each attribute of the case had at the event; before the first known one, that one."""
    by_name: dict[str, list[Change]] = {}
    for change in log.changes:
        if log.types.get(change.object) == object_type:
            by_name.setdefault(change.name, []).append(change)
    if not by_name:
        return frame
    at = read_instants(frame["time"])
    times = pl.repeat(EARLIEST, frame.height, dtype=INSTANT, eager=True) if at is None else at.values
    keys = pl.DataFrame({"case": frame["case"], "at": times.fill_null(EARLIEST)}).with_row_index("row").sort("at")
    columns = [_value_at(keys, name, changes) for name, changes in by_name.items()]
    return frame.with_columns(columns)


def _value_at(keys: pl.DataFrame, name: str, changes: list[Change]) -> pl.Series:
    since = read_instants(column_of("at", [change.time for change in changes]))
    at = pl.repeat(EARLIEST, len(changes), dtype=INSTANT, eager=True) if since is None else since.values
    values = typed_values(column_of("value", [change.value for change in changes]))
    case = pl.Series("case", [change.object for change in changes], dtype=pl.String)
    known = pl.DataFrame([case, at.fill_null(EARLIEST).alias("at"), values]).sort("at", maintain_order=True)
    first = known.unique("case", keep="first", maintain_order=True).select("case", initial="value")
    joined = keys.join_asof(known, on="at", by="case", strategy="backward", check_sortedness=False)
    joined = joined.join(first, on="case", how="left").with_columns(pl.coalesce("value", "initial").alias("value"))
    return joined.sort("row")["value"].alias(CASE_PREFIX + name)


def typed_values(values: pl.Series) -> pl.Series:
    """Text that holds instants as instants; anything else as it is."""
    if values.dtype != pl.String:
        return values
    instants = looks_like_instants(values)
    return values if instants is None else instants


def declared(values: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """Values given as text in the type that the log declares for them.

    >>> declared({"price": "1.5", "name": "7"}, {"price": "float", "name": "string"})
    {'price': 1.5, 'name': '7'}
    """
    return {name: _declared(value, types.get(name, "string")) for name, value in values.items()}


def _declared(value: Any, kind: str) -> Any:
    if not isinstance(value, str) or kind not in _READERS:
        return value
    try:
        return _READERS[kind](value)
    except (ValueError, KeyError):
        return value


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "float": float,
    "boolean": lambda text: {"true": True, "false": False}[text.lower()],
}
