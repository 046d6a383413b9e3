"""What steps of buckets have told, as the tables of a replay: the last row of each case and of each promise counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import polars as pl

from truenorth.cluster.bucket import What
from truenorth.cluster.stream.bucket import Told
from truenorth.engine.replay import replay
from truenorth.spec.model import Journey
from truenorth.store.rows import CaseRow, PromiseRow


class Tables:
    """The cases and promises of a journey as they stand after what was told, in the order in which it was told."""

    def __init__(self, journey: Journey) -> None:
        nothing = replay(journey, pl.DataFrame(schema={"time": pl.Datetime("us", "UTC"), "customer": pl.String}))
        self._schemas = {"cases": nothing.cases.schema, "promises": nothing.promises.schema}
        self._cases: dict[str, CaseRow] = {}
        self._promises: dict[str, dict[tuple[str, int], PromiseRow]] = {}

    def add(self, told: Told) -> None:
        """Take what a step has told."""
        for case in told.gone:
            self._cases.pop(case, None)
            self._promises.pop(case, None)
        self._cases |= {row.case: row for row in told.cases}
        for row in told.promises:
            self._promises.setdefault(row.case, {})[row.promise, row.instance] = row

    def frame(self, what: What) -> pl.DataFrame:
        """The table ``cases`` or ``promises`` in the layout of a replay, in no particular order of rows."""
        if what == "cases":
            return framed(self._cases.values(), self._schemas[what])
        return framed((row for of in self._promises.values() for row in of.values()), self._schemas[what])


def framed(rows: Iterable[CaseRow | PromiseRow], schema: pl.Schema) -> pl.DataFrame:
    """Rows as a table of a schema: instants lose the ``_us`` of their names."""
    found: Sequence[dict[str, Any]] = [msgspec.structs.asdict(row) for row in rows]
    columns = {}
    for name, kind in schema.items():
        field = f"{name}_us" if isinstance(kind, pl.Datetime) else name
        plain = pl.Int64() if isinstance(kind, pl.Datetime) else kind
        columns[name] = pl.Series(name, [row[field] for row in found], dtype=plain).cast(kind)
    return pl.DataFrame(columns)
