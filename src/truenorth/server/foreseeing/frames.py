"""Events of the log as frames for foresight: what a journey looks at, and the attributes that a model has learnt from.

The journey's own columns are typed by all that the log has shown, as the runner types them. Attributes are read as they
were when the model learnt: what is something else now is null, so that the same event always makes the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import polars as pl

from truenorth.engine.compile import needed_columns
from truenorth.server.columns import Column, Columns, ReadAs, Records, Sight
from truenorth.spec.model import CANONICAL_TYPES, Journey

FIELDS = ("type", "actor", "team", "channel", "cost", "revenue", "feeling")
"""Fields of an event that are looked at whatever the journey says."""
MOST_ATTRIBUTES = 300
"""So many attributes are looked at when learning, those that come first; features keep fewer."""


class Attributes(msgspec.Struct, frozen=True):
    """How attributes are read, by name: fixed when a model learns. ``without``: columns that were not to teach it."""

    columns: Mapping[str, Column] = {}
    without: tuple[str, ...] = ()

    def only(self, names: Iterable[str]) -> Attributes:
        """Those of some names that there are."""
        wanted = set(names)
        return Attributes({name: column for name, column in self.columns.items() if name in wanted}, self.without)


class Frames:
    """Makes the frames of one journey, with attributes."""

    def __init__(self, journey: Journey, attributes: Attributes) -> None:
        self._columns = Columns(journey)
        self._attributes = attributes.columns

    def look(self, sight: Sight, seen: Records) -> Sight:
        """What the journey's columns have shown, with some more events; the same value if that is nothing new."""
        return self._columns.look(sight, seen)

    def frame(self, sight: Sight, some: Records) -> pl.DataFrame:
        """Events as a frame with `POSITION`, the journey's columns and the attributes."""
        return self._columns.frame(Sight({**self._attributes, **sight.columns}), some)


class Looking:
    """Learns from the whole log, page by page, what its columns hold: the journey's, and all attributes."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self._own = needed_columns(journey) | set(CANONICAL_TYPES)
        self._names = set(FIELDS) - needed_columns(journey)
        self._columns = Columns(journey, self._names)
        self._sight = Sight()

    def look(self, seen: Records) -> None:
        """Look at the next events of the log."""
        fresh = [name for name in seen.attribute_names if name not in self._own and name not in self._names]
        if fresh and len(self._names) < MOST_ATTRIBUTES:
            self._names.update(fresh[: MOST_ATTRIBUTES - len(self._names)])
            self._columns = Columns(self._journey, self._names)
        self._sight = self._columns.look(self._sight, seen)

    @property
    def sight(self) -> Sight:
        """What the journey's own columns hold."""
        return Sight({name: column for name, column in self._sight.columns.items() if name not in self._names})

    @property
    def attributes(self) -> Attributes:
        """How all others are read from now on."""
        found = {name: column for name, column in sorted(self._sight.columns.items()) if name in self._names}
        return Attributes({name: _fixed(name, column) for name, column in found.items()})


def _fixed(name: str, column: Column) -> Column:
    if name in CANONICAL_TYPES:
        return column
    dtype = column.dtype
    kinds: tuple[tuple[bool, ReadAs], ...] = (
        (dtype == pl.Boolean, "boolean"),
        (dtype.is_numeric(), "number"),
        (dtype.is_temporal(), "instant"),
    )
    read_as: ReadAs = next((name for is_so, name in kinds if is_so), "text")
    return msgspec.structs.replace(column, read_as=read_as)
