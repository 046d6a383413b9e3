"""Events of the log as the columns a journey looks at, typed by all that has been seen so far.

A file of the same events reads the same: keys of ``properties`` go by their own name, everything else by its dotted
path (docs/logs.md). A file's columns are typed by their whole content; a log that goes on can only be typed by what has
come. So a `Sight` tells when something new changes what a column is, and the journey is then judged anew from the log.

A log whose columns hold what a condition cannot read is refused by a replay. Here one event of many must not end the
judging of all: such a column is read as a type that fits, and what is not of that type is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from math import isfinite
from typing import Any, Literal, NamedTuple, overload

import msgspec
import polars as pl

from truenorth.engine.compile import compile_journey, kinds_of, needed_columns
from truenorth.engine.live import POSITION
from truenorth.events import Event
from truenorth.logs.records import INT64, PROPERTIES, as_json_text
from truenorth.logs.times import looks_like_instants
from truenorth.spec.model import CANONICAL_TYPES, Journey
from truenorth.spec.problems import InvalidJourney
from truenorth.store.ports import Stored

INSTANT = pl.Datetime("us", "UTC")
_DTYPES: Mapping[str, pl.DataType] = {"text": pl.String(), "number": pl.Float64(), "instant": INSTANT}
_ATTRIBUTES = {"time": "time_us", "received": "received_us"}
MOST_SIGHTS = 100
"""What columns were found to hold is kept with how they are read then, the last so many."""
_YEAR_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

ReadAs = Literal["text", "number", "instant", "boolean"]
_READ_AS: Mapping[ReadAs, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "instant": INSTANT,
    "boolean": pl.Boolean(),
}


class Record(NamedTuple):
    """An event with its place in the log, its person, and what else it holds, decoded."""

    position: int
    event: Event
    person: str | None
    rest: Mapping[str, Any]


class Records(Sequence[Record]):
    """Some events, of which one column after the other is asked for, by one journey after the other.

    What was asked for is kept: journeys ask for much the same.
    """

    def __init__(self, some: Iterable[Record] = ()) -> None:
        self._some = list(some)
        self._keys = {key for record in self._some for key in record.rest}  # not those inside of objects
        self._objects: dict[str, list[Mapping[str, Any]]] = {}
        self._values: dict[tuple[str, str | None], list[Any]] = {}
        self._kinds: dict[tuple[str, str | None], frozenset[str]] = {}
        self._series: dict[tuple[str, str | None, ReadAs | None, pl.DataType], pl.Series] = {}

    def __len__(self) -> int:
        return len(self._some)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Records: ...
    def __getitem__(self, place: int | slice) -> Record | Records:
        return Records(self._some[place]) if isinstance(place, slice) else self._some[place]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._some)

    @cached_property
    def attribute_names(self) -> Sequence[str]:
        """The names of what senders said beside an event's fields, in the order in which they come first.

        >>> from truenorth.events import Event
        >>> event = Event(source="s", id="1", type="t", time_us=0, received_us=0)
        >>> said = {"properties": {"plan": "a", "deep": {}}, "context": {}, "n": 1}
        >>> Records([Record(1, event, None, said)]).attribute_names
        ['plan', 'n']
        """
        return list(dict.fromkeys(chain.from_iterable(_attribute_names(record.rest) for record in self._some)))

    @cached_property
    def positions(self) -> pl.Series:
        """Their places in the log."""
        return pl.Series(POSITION, [record.position for record in self._some], dtype=pl.Int64)

    def kinds(self, name: str, path: str | None) -> frozenset[str]:
        """The kinds of what the events hold."""
        if (name, path) not in self._kinds:
            self._kinds[name, path] = _kinds(self.values(name, path))
        return self._kinds[name, path]

    def series(self, name: str, path: str | None, read_as: ReadAs | None, dtype: pl.DataType) -> pl.Series:
        """What the events hold, as a column."""
        key = (name, path, read_as, dtype)
        if key not in self._series:
            self._series[key] = _series(name, _only(read_as, self.values(name, path)), dtype)
        return self._series[key]

    def values(self, name: str, path: str | None) -> list[Any]:
        """What each of the events holds."""
        if (name, path) not in self._values:
            self._values[name, path] = self._looked_up(name, path)
        return self._values[name, path]

    def _looked_up(self, name: str, path: str | None) -> list[Any]:
        if path is None and name == "customer":
            return [record.person for record in self._some]
        if path is None:
            attribute = _ATTRIBUTES.get(name, name)
            return [getattr(record.event, attribute) for record in self._some]
        heads = [(head, tail) for head, tail in _splits(path) if head in self._keys]
        if path in self._keys or len(heads) > 1 or any("." in tail for _, tail in heads):
            return [value_at(record.rest, path) for record in self._some]
        return self._inner(*heads[0]) if heads else [None] * len(self._some)

    def _inner(self, head: str, tail: str) -> list[Any]:
        """What stands under a key of an object under another one, as `value_at` finds it: most of a log."""
        if head not in self._objects:
            held = [record.rest.get(head) for record in self._some]
            self._objects[head] = [one if isinstance(one, dict) else {} for one in held]
        found = [one.get(tail) for one in self._objects[head]]
        return [None if isinstance(value, dict) else value for value in found] if dict in _types(found) else found


def records(stored: Iterable[Stored], person: Callable[[str], str]) -> Records:
    """Decode events; ``person`` gives the id that stands for a customer's."""
    decode = msgspec.json.Decoder().decode
    return Records(
        Record(place, event, event.customer and person(event.customer), decode(event.properties))
        for place, event in stored
    )


def _attribute_names(rest: Mapping[str, Any]) -> Iterator[str]:
    for name, value in rest.items():
        if name == PROPERTIES and isinstance(value, dict):
            yield from (inner for inner, held in value.items() if not isinstance(held, dict | list))
        elif not isinstance(value, dict | list):
            yield name


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path; None if nothing does or an object does.

    >>> value_at({"context": {"page": {"url": "/a"}}, "a.b": 1}, "context.page.url")
    '/a'
    >>> value_at({"context": {"page": {"url": "/a"}}, "a.b": 1}, "a.b"), value_at({"context": {}}, "context")
    (1, None)
    """
    value = record.get(path)
    if value is None and "." in path:
        for head, tail in _splits(path):
            inner = record.get(head)
            if isinstance(inner, dict):
                value = value_at(inner, tail)
                if value is not None:
                    break
    return None if isinstance(value, dict) else value


@lru_cache(maxsize=10_000)
def _splits(path: str) -> tuple[tuple[str, str], ...]:
    """All ways to cut a path at a dot that leave something behind it.

    >>> _splits("a.b.c")
    (('a', 'b.c'), ('a.b', 'c'))
    """
    parts = path.split(".")
    cuts = ((".".join(parts[:n]), ".".join(parts[n:])) for n in range(1, len(parts)))
    return tuple((head, tail) for head, tail in cuts if tail)


class Column(msgspec.Struct, frozen=True):
    """Where a column comes from and what it holds: a field of the event, or a path and the kinds of its values.

    ``read_as``: what the conditions need where they cannot read what it holds; all else is null then.
    """

    path: str | None
    kinds: frozenset[str] = frozenset()
    read_as: ReadAs | None = None

    @property
    def dtype(self) -> pl.DataType:
        """The type of the column."""
        if self.read_as:
            return _READ_AS[self.read_as]
        if self.kinds <= {"boolean"}:
            return pl.Boolean()
        if self.kinds <= {"integer"}:
            return pl.Int64()
        if self.kinds <= {"integer", "number"}:
            return pl.Float64()
        return INSTANT if self.kinds == {"instant"} else pl.String()


class Sight(msgspec.Struct, frozen=True):
    """What a journey has seen of its columns so far, by name."""

    columns: Mapping[str, Column] = {}

    def schema(self) -> dict[str, pl.DataType]:
        """The type of each column that has been seen; time and customer are always there."""
        found = {name: _dtype(name, column) for name, column in sorted(self.columns.items())}
        return {"time": INSTANT, "customer": pl.String(), **found}

    def misfits(self) -> list[str]:
        """The columns that hold something no condition can read."""
        return sorted(name for name, column in self.columns.items() if column.read_as)

    def path(self, name: str) -> str | None:
        """Where a column comes from; None is the event's own field."""
        column = self.columns.get(name)
        return column.path if column else None


def _dtype(name: str, column: Column) -> pl.DataType:
    canonical = CANONICAL_TYPES.get(name)
    return _DTYPES[canonical] if canonical else column.dtype


class Columns:
    """Makes the frames of one journey."""

    def __init__(self, journey: Journey, more: Iterable[str] = ()) -> None:
        """``more``: columns that the journey does not look at."""
        self._journey = journey
        self._names = sorted((needed_columns(journey) | set(more)) - {"source", "id", "time"})
        self._paths = {name: _paths(name, journey.fields.get(name)) for name in self._names}
        self._fitted = lru_cache(MOST_SIGHTS)(self._fit)

    def look(self, sight: Sight, seen: Records) -> Sight:
        """What has been seen, with some more events; the same value if that is nothing new."""
        columns = dict(sight.columns)
        for name in self._names:
            column = self._widened(name, columns.get(name), seen)
            if column:
                columns[name] = column
        return sight if columns == sight.columns else self._fitted(tuple(columns.items()))

    def _fit(self, columns: tuple[tuple[str, Column], ...]) -> Sight:
        """Columns read as what the conditions can read, which follows from all that they hold, not from its order."""
        best = Sight({name: msgspec.structs.replace(column, read_as=None) for name, column in columns})
        n_best = self._n_problems(best)
        while n_best:
            n_least, least = min(
                ((self._n_problems(other), other) for other in _read_otherwise(best)),
                key=lambda found: found[0],
                default=(n_best, best),
            )
            if n_least >= n_best:
                return best  # whoever compiles the journey says what is wrong
            n_best, best = n_least, least
        return best

    def _n_problems(self, sight: Sight) -> int:
        """How many conditions cannot read what the columns hold."""
        try:
            compile_journey(self._journey, kinds_of(sight.schema()))
        except InvalidJourney as error:
            return len(error.problems)
        return 0

    def _widened(self, name: str, known: Column | None, seen: Records) -> Column | None:
        """A column with what some events show of it: a path further up takes its place, one further down counts not."""
        paths = self._paths[name]
        if known and known.path is None and paths[0] is None:
            return known  # the event's own field: of the type that the reference gives it
        for path in paths if known is None else paths[: paths.index(known.path) + 1]:
            kinds = seen.kinds(name, path)
            if kinds:
                same = known if known and known.path == path else Column(path)
                return msgspec.structs.replace(same, kinds=kinds | same.kinds)
        return known

    def frame(self, sight: Sight, some: Records) -> pl.DataFrame:
        """Events as a frame with `POSITION` and the columns of `Sight.schema`."""
        columns = [some.positions]
        for name, dtype in sight.schema().items():
            column = sight.columns.get(name)
            columns.append(some.series(name, sight.path(name), column.read_as if column else None, dtype))
        return pl.DataFrame(columns)


def _types(values: Iterable[Any]) -> set[type]:
    """The types of some values, that of null left out."""
    return set(map(type, values)) - {type(None)}


def _paths(name: str, mapped: str | None) -> list[str | None]:
    """Where a column may come from, the first that holds anything counts; None is the event's own field."""
    paths: list[str | None] = [mapped, f"{PROPERTIES}.{mapped}"] if mapped else []
    if name in CANONICAL_TYPES:
        return [*paths, None]
    return [*paths, name, name if name.startswith(f"{PROPERTIES}.") else f"{PROPERTIES}.{name}"]


def _read_otherwise(sight: Sight) -> Iterable[Sight]:
    """The sights in which one more column is read as something else than it holds."""
    for name in sorted(set(sight.columns) - set(CANONICAL_TYPES) - set(sight.misfits())):
        for read_as in _READ_AS:
            column = msgspec.structs.replace(sight.columns[name], read_as=read_as)
            yield Sight({**sight.columns, name: column})


def _only(read_as: ReadAs | None, values: list[Any]) -> list[Any]:
    """Values with null for what is something else.

    >>> _only("number", [1, 2.5, "7", True]), _only("instant", ["2026-01-05T09:30:00Z", "soon"])
    ([1, 2.5, None, None], ['2026-01-05T09:30:00Z', None])
    """
    if read_as is None or read_as == "text":  # anything can be written as one
        return values
    return [value if _is(read_as, value) else None for value in values]


def _is(read_as: ReadAs, value: Any) -> bool:
    if read_as == "boolean" or isinstance(value, bool):
        return read_as == "boolean" and isinstance(value, bool)
    if read_as == "number":
        return isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    return isinstance(value, str) and _is_instant(value)


@lru_cache(maxsize=10_000)
def _is_instant(text: str) -> bool:
    return _kind(str, [text]) == "instant"


def _kinds(values: Sequence[Any]) -> frozenset[str]:
    """The kinds of what is not null."""
    return frozenset(_kind(kind, [value for value in values if type(value) is kind]) for kind in _types(values))


def _kind(kind: type, found: Sequence[Any]) -> str:
    if kind is bool:
        return "boolean"
    if kind is int:
        return "integer" if all(number in INT64 for number in found) else "number"
    if kind is float:
        return "number"
    looks_dated = kind is str and all(map(_YEAR_FIRST.match, found))
    return "instant" if looks_dated and looks_like_instants(pl.Series(found)) is not None else "text"


def _series(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == INSTANT and name in _ATTRIBUTES:
        return pl.Series(name, values, dtype=pl.Int64).cast(INSTANT)
    if dtype == INSTANT:
        texts = pl.Series(name, values, dtype=pl.String)
        read = looks_like_instants(texts)
        return texts.cast(INSTANT) if read is None else read.alias(name)
    if dtype == pl.String:
        written = values if _types(values) <= {str} else [as_json_text(value) for value in values]
        return pl.Series(name, written, dtype=pl.String)
    if dtype == pl.Float64:
        return pl.Series(name, [_number(value) for value in values], dtype=pl.Float64)
    return pl.Series(name, values, dtype=dtype)


def _number(value: Any) -> float | None:
    """A number; text that is none is none, and what is beyond the range of numbers neither."""
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
