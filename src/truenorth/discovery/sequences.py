"""A log as the events of each case in their order, in numbers: what every later step counts on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAX_EVENTS = 2_000_000
"""Above this many events, only every n-th case is looked at."""

MAX_TYPE_LENGTH = 200
"""An event whose name is longer is not named in a draft."""

MAX_TYPES = 30
"""Most types of events that are compared pair by pair: those of the most cases."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Events sorted by (case, time, arrival).

    ``case``: number of the case of each event; ``starts``: place of the first event of each case, and the number of
    events at its end; ``code``: type of each event, -1 for none; ``names``: the types by code, those of most cases
    first; ``row``: place in the frame that was given; ``by_customer``: whether a customer is the key of a case.
    """

    case: Ints
    starts: Ints
    time_us: Ints
    code: Ints
    row: Ints
    names: Sequence[str]
    by_customer: bool = False
    columns: Mapping[str, pl.Series] = field(default_factory=dict)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.code)

    @property
    def n_cases(self) -> int:
        """Number of cases."""
        return len(self.starts) - 1

    @cached_property
    def ends(self) -> Ints:
        """For each event, the place behind the last one of its case."""
        return self.starts[1:][self.case]

    @cached_property
    def n_cases_of(self) -> Ints:
        """Number of cases by type."""
        return np.bincount(self.code[self.first_of_type], minlength=len(self.names))[: len(self.names)]

    @cached_property
    def first_of_type(self) -> Ints:
        """Places of the first event of each type in each case."""
        return self._distinct(np.arange(self.n_events))

    @cached_property
    def last_of_type(self) -> Ints:
        """Places of the last event of each type in each case."""
        return self._distinct(np.arange(self.n_events)[::-1])

    def _distinct(self, places: Ints) -> Ints:
        known = places[self.code[places] >= 0]
        pairs = self.case[known] * max(1, len(self.names)) + self.code[known]
        return np.sort(known[np.unique(pairs, return_index=True)[1]])

    @cached_property
    def frequent(self) -> list[int]:
        """Codes of the types that a draft may name, those of most cases first."""
        codes = [code for code, name in enumerate(self.names) if len(name) <= MAX_TYPE_LENGTH]
        return codes[:MAX_TYPES]

    def is_one_of(self, names: Sequence[str]) -> Bools:
        """Which events are of one of some types."""
        wanted = set(names)
        table = np.array([name in wanted for name in self.names] + [False])
        return table[self.code]

    def first_where(self, mask: Bools) -> Ints:
        """For each case the place of its first event in a mask, or the number of events where it has none."""
        places = np.flatnonzero(mask)
        found = np.full(self.n_cases, self.n_events, np.int64)
        cases, at = np.unique(self.case[places], return_index=True)
        found[cases] = places[at]
        return found

    def next_where(self, mask: Bools) -> Ints:
        """For each event the place of the next later one of its case in a mask, or the number of events."""
        n = self.n_events
        own = np.where(mask, np.arange(n), n)
        after = np.append(np.minimum.accumulate(own[::-1])[::-1], n)[1:]
        return np.where(after < self.ends, after, n)

    def seen_before(self, mask: Bools) -> Bools:
        """For each event whether an earlier one of its case is in a mask."""
        own = np.where(mask, np.arange(self.n_events), -1)
        last = np.concatenate([[-1], np.maximum.accumulate(own)[:-1]]) if self.n_events else own
        return last >= self.starts[self.case]


def arrange(events: pl.DataFrame) -> Sequences:
    """Arrange a log's events, given with their canonical fields.

    >>> log = pl.DataFrame({"time": [3, 1], "case": ["a", "a"], "type": ["y", "x"]}).cast({"time": pl.Datetime("us")})
    >>> arrange(log).names, arrange(log).row.tolist()
    (['x', 'y'], [1, 0])
    """
    key_name = "case" if "case" in events.columns else "customer"
    key = events[key_name] if key_name in events.columns else pl.Series([None] * events.height, dtype=pl.String)
    time_us = events["time"].to_physical().to_numpy()
    kept = np.flatnonzero(key.is_not_null().to_numpy())
    case = key.gather(kept).rank("dense").cast(pl.Int64).to_numpy() - 1 if len(kept) else kept
    order = np.lexsort((time_us[kept], case))
    case, row = case[order], kept[order]
    starts = np.flatnonzero(np.append(True, case[1:] != case[:-1])) if len(case) else np.zeros(0, np.int64)
    code, names = _coded(events["type"].gather(row) if "type" in events.columns else None, case)
    columns = {name: events[name] for name in events.columns}
    numbered = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(case))))
    by_customer = key_name == "customer"
    return Sequences(numbered, np.append(starts, len(case)), time_us[row], code, row, names, by_customer, columns)


def _coded(types: pl.Series | None, case: Ints) -> tuple[Ints, list[str]]:
    """Types as numbers: 0 is the type of the most cases."""
    if types is None:
        return np.full(len(case), -1, np.int64), []
    frame = pl.DataFrame({"type": types, "case": case})
    counts = frame.drop_nulls().group_by("type").agg(pl.col("case").n_unique().alias("n"))
    names = counts.sort(["n", "type"], descending=[True, False])["type"]
    numbers = pl.DataFrame({"type": names, "code": np.arange(len(names))})
    codes = frame.join(numbers, on="type", how="left", maintain_order="left")["code"].fill_null(-1)
    return codes.cast(pl.Int64).to_numpy(), names.to_list()


def cut(sequences: Sequences, ending: Bools, silence_us: int) -> Sequences:
    """Cut cases behind every ending and at every longer silence, as episodes are."""
    gaps = np.diff(sequences.time_us, prepend=sequences.time_us[:1]) > silence_us
    after_ending = np.concatenate([[False], ending[:-1]]) if sequences.n_events else ending
    begins = gaps | after_ending
    begins[sequences.starts[:-1]] = True
    starts = np.append(np.flatnonzero(begins), sequences.n_events)
    case = np.cumsum(begins) - 1
    rest = sequences.time_us, sequences.code, sequences.row, sequences.names, sequences.by_customer, sequences.columns
    return Sequences(case, starts, *rest)


def thinned(events: pl.DataFrame, most: int = MAX_EVENTS) -> tuple[pl.DataFrame, int]:
    """Every n-th case of a log that is too long, and n.

    >>> frame = pl.DataFrame({"case": ["a", "b", "c", "a"]})
    >>> thinned(frame, 2)[0]["case"].to_list()
    ['a', 'c', 'a']
    """
    n = -(-events.height // most)
    key = next((name for name in ("case", "customer") if name in events.columns), None)
    if n <= 1 or key is None:
        return events, 1
    return events.filter((pl.col(key).rank("dense") - 1) % n == 0), n
