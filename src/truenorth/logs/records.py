"""Nested records to columns: what JSON events hold, flat."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from truenorth.spec.model import CANONICAL_TYPES

PROPERTIES = "properties"
MOST_COLUMNS = 2_000
"""Keys beyond these are data, not columns: customer numbers used as keys, for instance."""

INT64 = range(-(2**63), 2**63)

Record = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Flat:
    """Columns of records. ``aliases``: longer names of columns, such as whole paths; ``notes``: what was left out."""

    frame: pl.DataFrame
    aliases: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        """The columns that hold text."""
        return [name for name, dtype in self.frame.schema.items() if dtype == pl.String]


class Flattener:
    """Makes a table of records, one after the other, without keeping them.

    Keys of ``properties`` go by their own name, other nested objects by their dotted path; lists become JSON text.
    A property that shares its name with a field of the record is called ``properties.<name>``. An exported record has
    everything that is no field under ``properties``, also the ``properties`` that a client sent: their keys go by
    their own name, too, as in the live service.

    >>> flattener = Flattener()
    >>> flattener.add({"type": "a", "properties": {"n": 1, "deep": {"x": [1]}}, "context": {"ip": "::1"}})
    >>> flattener.table().frame.to_dicts()
    [{'type': 'a', 'n': 1, 'context.ip': '::1', 'deep.x': '[1]'}]
    """

    def __init__(self, n_levels: int = 2) -> None:
        """``n_levels``: how many times ``properties.`` is left out of a name, at most."""
        self._n_levels = n_levels
        self._columns: dict[str, list[Any]] = {}
        self._n_rows = 0
        self._n_left_out = 0

    def add(self, record: Record) -> None:
        """Take in one record."""
        row = self._n_rows
        waiting = deque([("", record)])
        while waiting:  # without recursion, however deep the record
            above, inner = waiting.popleft()
            for key, value in inner.items():
                if isinstance(value, dict):
                    waiting.append((f"{above}{key}.", value))
                    continue
                path = above + key
                column = self._columns.get(path)
                if column is None:
                    if len(self._columns) >= MOST_COLUMNS:
                        self._n_left_out += 1
                        continue
                    column = self._columns[path] = []
                if len(column) < row:
                    column.extend([None] * (row - len(column)))
                if len(column) == row:
                    column.append(value)
                else:
                    column[row] = value
        self._n_rows = row + 1

    def table(self, beside: Collection[str] = ()) -> Flat:
        """All records as columns, none of them called as one of the columns ``beside``."""
        names = _names(self._columns, beside, self._n_levels)
        columns = []
        for path, values in self._columns.items():
            values.extend([None] * (self._n_rows - len(values)))
            columns.append(column_of(names[path], values))
        frame = pl.DataFrame(columns) if columns else pl.DataFrame(height=self._n_rows)
        left_out = f"{self._n_left_out:,} values under further keys are left out"
        note = f"the events have more than {MOST_COLUMNS:,} different keys: {left_out}"
        return Flat(frame, _aliases(names), (note,) if self._n_left_out else ())


def _names(paths: Iterable[str], beside: Iterable[str], n_levels: int) -> dict[str, str]:
    """A name for each path, each once: the shortest that nobody has, paths with fewer levels first."""
    levels = {path: list(_short_of(path, n_levels)) for path in paths}
    taken, names = set(beside), {}
    for path, forms in sorted(levels.items(), key=lambda found: len(found[1])):
        free = (form for form in reversed(forms) if form not in taken and not _is_field_below(form, len(forms)))
        names[path] = next(free, path)
        taken.add(names[path])
    return names


def _short_of(path: str, n_levels: int) -> Iterator[str]:
    """A path, and what is left of it without one ``properties.`` at its beginning, without two ...

    >>> list(_short_of("properties.properties.n", 2)), list(_short_of("n", 2))
    (['properties.properties.n', 'properties.n', 'n'], ['n'])
    """
    yield path
    for _ in range(n_levels):
        short = path.removeprefix(f"{PROPERTIES}.")
        if short == path or not short:
            return
        yield (path := short)


def _is_field_below(name: str, n_forms: int) -> bool:
    """Whether a name is that of a field, two levels down: an exported record has its fields at its top."""
    return n_forms > 2 and name in CANONICAL_TYPES


def _aliases(names: Mapping[str, str]) -> dict[str, str]:
    """Every longer form of a name that is not itself a column's."""
    known = {*names, *names.values()}
    longer = {form: name for path, name in names.items() for form in _short_of(path, 2) if form not in known}
    return longer | {path: name for path, name in names.items() if path != name}


def column_of(name: str, values: Sequence[Any]) -> pl.Series:
    """Values of JSON as a column of one type; where types differ, as text.

    >>> column_of("x", [1, None, 2.5]).dtype, column_of("x", [1, "a", True]).to_list()
    (Float64, ['1', 'a', 'true'])
    """
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or value in INT64 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    if kinds == {str}:
        return pl.Series(name, values, dtype=pl.String)
    return pl.Series(name, [as_json_text(value) for value in values], dtype=pl.String)


def as_json_text(value: Any) -> str | None:
    """Text as it is, anything else as JSON."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
