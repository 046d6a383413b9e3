"""XES, the standard format of process mining (IEEE 1849)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from truenorth.logs.content import Content
from truenorth.logs.kinds import typed_by_content
from truenorth.logs.table import Table, rows_as_json, unreadable
from truenorth.logs.xes_plain import TRACE_PREFIX, Attribute, Codes, Elements, read_plain

DEFAULTS = {
    "case": "case:concept:name",
    "type": "concept:name",
    "time": "time:timestamp",
    "actor": "org:resource",
    "team": "org:group",
    "cost": "cost:total",
}


class XesSource:
    """An XES file that was read."""

    defaults: Mapping[str, str] = DEFAULTS

    def __init__(self, path: Path, content: Content) -> None:
        elements = read_plain(content.data)
        if elements is None:
            raise unreadable(path, "plain XES", "something else")
        columns = [_event_column(one, elements) for one in elements.of_events]
        columns += [_trace_column(one, elements) for one in elements.of_traces]
        self._frame = pl.DataFrame(columns)
        self._dates = [
            column.name
            for column, one in zip(columns, [*elements.of_events, *elements.of_traces], strict=True)
            if one.tags == {"date"}
        ]
        self.columns = tuple(self._frame.columns)

    def read(self, columns: Collection[str] | None) -> Table:
        """Hand over the events."""
        return Table(frame=self._frame, locate=rows_as_json(self._frame), loose=self._dates)

    def head(self, n_rows: int) -> pl.DataFrame:
        """The first events, all columns."""
        head = self._frame.head(n_rows)
        return head.with_columns(typed_by_content(head[name]) for name in self._dates)


def _event_column(attribute: Attribute, elements: Elements) -> pl.Series:
    return _spread(_typed(attribute), attribute.owner, elements.n_events).alias(attribute.name)


def _trace_column(attribute: Attribute, elements: Elements) -> pl.Series:
    n_traces = int(elements.trace_of_event[-1]) + 1 if elements.n_events else 0
    column = _spread(_typed(attribute), attribute.owner, max(n_traces, int(attribute.owner[-1]) + 1))
    return column.gather(elements.trace_of_event).alias(TRACE_PREFIX + attribute.name)


def _spread(values: pl.Series, owner: Codes, n: int) -> pl.Series:
    """Values at the places of their owners, null elsewhere."""
    if len(values) == n:
        return values
    at = np.full(n, -1, dtype=np.int64)
    at[owner] = np.arange(len(owner))
    places = pl.Series(at)
    return values.gather(places.set(places < 0, None))


def _typed(attribute: Attribute) -> pl.Series:
    values = attribute.values
    tags = attribute.tags
    if tags == {"int"}:
        typed = values.cast(pl.Int64, strict=False)
    elif tags <= {"float", "int"}:
        typed = values.cast(pl.Float64, strict=False)
    elif tags == {"boolean"}:
        lower = values.str.to_lowercase()
        typed = lower == "true" if lower.is_in(["true", "false"]).all() else values
    else:
        return values
    return values if typed.null_count() else typed
