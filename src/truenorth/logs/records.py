"""Nested records to columns: what JSON events hold, flat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

PROPERTIES = "properties"
MOST_COLUMNS = 2_000
"""Keys beyond these are data, not columns: customer numbers used as keys, for instance."""

INT64 = range(-(2**63), 2**63)

Record = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Flat:
    """Columns of records. ``aliases``: the full dotted path of a column that goes by a shorter name."""

    frame: pl.DataFrame
    aliases: Mapping[str, str]

    @property
    def texts(self) -> list[str]:
        """The columns that hold text."""
        return [name for name, dtype in self.frame.schema.items() if dtype == pl.String]


class Flattener:
    """Makes a table of records, one after the other, without keeping them.

    Keys of ``properties`` go by their own name, other nested objects by their dotted path; lists become JSON text.
    A property that shares its name with a field of the record is called ``properties.<name>``.

    >>> flattener = Flattener()
    >>> flattener.add({"type": "a", "properties": {"n": 1, "deep": {"x": [1]}}, "context": {"ip": "::1"}})
    >>> flattener.table().frame.to_dicts()
    [{'type': 'a', 'n': 1, 'context.ip': '::1', 'deep.x': '[1]'}]
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {}
        self._n_rows = 0
        self.n_left_out = 0
        """Values left out because there are columns enough."""

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
                        self.n_left_out += 1
                        continue
                    column = self._columns[path] = []
                if len(column) < row:
                    column.extend([None] * (row - len(column)))
                if len(column) == row:
                    column.append(value)
                else:
                    column[row] = value
        self._n_rows = row + 1

    def table(self) -> Flat:
        """All records as columns."""
        names = _names(self._columns)
        columns = []
        for path, values in self._columns.items():
            values.extend([None] * (self._n_rows - len(values)))
            columns.append(column_of(names[path], values))
        return Flat(pl.DataFrame(columns), {path: name for path, name in names.items() if path != name})


def _names(paths: Iterable[str]) -> dict[str, str]:
    """A name for each path, each once."""
    taken = {path for path in paths if not path.startswith(f"{PROPERTIES}.")}
    names = {path: path for path in taken}
    for path in paths:
        if path in taken:
            continue
        short = path.removeprefix(f"{PROPERTIES}.")
        names[path] = path if short in taken or not short else short
        taken.add(names[path])
    return names


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
