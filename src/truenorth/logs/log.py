"""A log in memory: the events that could be read, and what became of the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import polars as pl

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

INSTANT = pl.Datetime("us", "UTC")

QUARANTINE_SCHEMA = {"line": pl.Int64, "reason": pl.String, "row": pl.String}
"""``line``: line number (CSV, JSON Lines, XES) or row number (Parquet, OCEL), from 1; ``row``: what stood there."""


def empty_quarantine() -> pl.DataFrame:
    """A quarantine that holds nothing.

    >>> empty_quarantine().height
    0
    """
    return pl.DataFrame(schema=QUARANTINE_SCHEMA)


@dataclass(frozen=True, eq=False)
class Log:
    """Events in arrival order, ready for a replay.

    ``events`` has the canonical fields that the file has, under their canonical names, then every other column under
    its own name as a property. ``time`` is always there and never null (microseconds, UTC). Text fields are ``String``,
    money and feeling ``Float64``. ``id`` is ``String``
    where the file has one, else the row's position (``Int64``, from 1).
    Duplicates (same ``source`` and ``id`` as an earlier row) are already left out and counted.
    """

    events: pl.DataFrame
    quarantine: pl.DataFrame = field(default_factory=empty_quarantine)
    n_duplicates: int = 0
    name: str = ""
    notes: tuple[str, ...] = ()
    """Things worth telling that are no problem: a column renamed, a compression guessed, a default mapping used."""
    n_let_go: int = 0
    """Events that are not held any more."""

    def let_go(self) -> Log:
        """The same without its events, which are still counted: for whoever has judged them and needs the memory.

        >>> log = Log(pl.DataFrame({"time": [None]}, schema={"time": INSTANT})).let_go()
        >>> log.n_events, log.events.height, log.events.columns
        (1, 0, ['time'])
        """
        return replace(self, events=self.events.clear(), n_let_go=self.n_events)

    @property
    def n_events(self) -> int:
        """Number of events.

        >>> Log(pl.DataFrame({"time": []}, schema={"time": INSTANT})).n_events
        0
        """
        return self.events.height + self.n_let_go
