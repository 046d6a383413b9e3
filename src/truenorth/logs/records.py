"""Nested records to columns: what JSON events hold, flat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

PROPERTIES = "properties"
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


def flatten(records: Sequence[Record]) -> Flat:
    """Make a table of records.

    Keys of ``properties`` go by their own name, other nested objects by their dotted path; lists become JSON text.
    A property that shares its name with a field of the record is called ``properties.<name>``.

    >>> flatten([{"type": "a", "properties": {"n": 1, "deep": {"x": [1]}}, "context": {"ip": "::1"}}]).frame.to_dicts()
    [{'type': 'a', 'n': 1, 'deep.x': '[1]', 'context.ip': '::1'}]
    """
    columns: dict[str, list[Any]] = {}
    n_rows = len(records)
    for row, record in enumerate(records):
        for path, value in record.items():
            if isinstance(value, dict):
                _nested(columns, path, value, row, n_rows)
            elif value is not None or path not in columns:
                _column(columns, path, n_rows)[row] = value
    names = _names(columns)
    frame = pl.DataFrame([column_of(names[path], values) for path, values in columns.items()])
    return Flat(frame, {path: name for path, name in names.items() if path != name})


def _column(columns: dict[str, list[Any]], path: str, n_rows: int) -> list[Any]:
    known = columns.get(path)
    if known is None:
        known = columns[path] = [None] * n_rows
    return known


def _nested(columns: dict[str, list[Any]], path: str, value: Record, row: int, n_rows: int) -> None:
    """Walk down without recursion, however deep the record."""
    waiting = [(path, value)]
    while waiting:
        above, inner = waiting.pop()
        for key, leaf in inner.items():
            if isinstance(leaf, dict):
                waiting.append((f"{above}.{key}", leaf))
            else:
                _column(columns, f"{above}.{key}", n_rows)[row] = leaf


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
