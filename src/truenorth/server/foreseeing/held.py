"""The events of open cases, in memory, so that time may pass for all of them without reading the log again."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

RECENT_ROWS = 4_096
"""Events that were added last are kept apart until there are so many: adding one copies no more than these."""
FEWEST_DEAD = 20_000
"""Events of cases that are let go of stay until there are so many of them, and more than of others."""


class Held:
    """Rows of a frame by the key of their case, in the order in which they were added."""

    def __init__(self, key_column: str) -> None:
        self.key_column = key_column
        self._settled: pl.DataFrame | None = None
        self._recent: pl.DataFrame | None = None
        self._rows: dict[str, list[int]] = {}
        self._n_rows = self._n_dead = 0

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def keys(self) -> Collection[str]:
        """The keys that are held."""
        return self._rows.keys()

    @property
    def n_events(self) -> int:
        """Events in memory, those of cases let go of included."""
        return self._n_rows

    def put(self, frame: pl.DataFrame) -> None:
        """Add events, all of one schema."""
        for row, key in enumerate(frame[self.key_column].to_list(), self._n_rows):
            self._rows.setdefault(key, []).append(row)
        self._n_rows += frame.height
        self._recent = frame if self._recent is None else _in_one_piece(self._recent.vstack(frame))
        if self._recent.height > RECENT_ROWS:
            self._settle()

    def let_go(self, keys: Iterable[str]) -> None:
        """Forget some keys."""
        for key in keys:
            self._n_dead += len(self._rows.pop(key, ()))
        if self._n_dead > max(FEWEST_DEAD, self._n_rows // 2):
            self._settle()
            assert self._settled is not None
            kept = np.sort(np.fromiter((row for rows in self._rows.values() for row in rows), np.int64))
            left, self._settled, self._rows, self._n_rows, self._n_dead = self._settled[kept], None, {}, 0, 0
            self.put(left)

    def of(self, keys: Iterable[str]) -> pl.DataFrame:
        """The events of some keys, key by key; of none that is not held."""
        wanted = [row for key in keys for row in self._rows.get(key, ())]
        n_settled = 0 if self._settled is None else self._settled.height
        rows = np.array(wanted, np.int64)
        parts = []
        if self._settled is not None and len(rows) and (old := rows[rows < n_settled]).size:
            parts.append(_rows_of(self._settled, old))
        if self._recent is not None and (new := rows[rows >= n_settled]).size:
            parts.append(_rows_of(self._recent, new - n_settled))
        if not parts:
            empty = self._settled if self._settled is not None else self._recent
            return empty.clear() if empty is not None else pl.DataFrame()
        return parts[0] if len(parts) == 1 else _in_one_piece(parts[0].vstack(parts[1]))

    def _settle(self) -> None:
        parts = [part for part in (self._settled, self._recent) if part is not None]
        self._settled, self._recent = pl.concat(parts, rechunk=True), None


def _rows_of(frame: pl.DataFrame, rows: NDArray[np.int64]) -> pl.DataFrame:
    """Some rows, column by column: a frame would ask its threads for them, and few are there sooner than these."""
    index = pl.Series(rows, dtype=pl.get_index_type())
    return pl.DataFrame([column[index] for column in frame.get_columns()])


def _in_one_piece(frame: pl.DataFrame) -> pl.DataFrame:
    """The same frame with each column in one piece: a frame would ask its threads for it, and one waits for them."""
    return pl.DataFrame([column.rechunk() for column in frame.get_columns()])
