"""What the newest events of the log hold: for whoever writes a journey and names a field that none of them has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from truenorth.engine.compile import kinds_of
from truenorth.server.api.totals import Reused
from truenorth.server.columns import Columns, Records, Sight, records
from truenorth.spec.expressions import Kind
from truenorth.spec.model import CANONICAL_TYPES, Journey
from truenorth.store.ports import EventLog

N_EVENTS = 10_000
"""Events that are looked at: a check while somebody types has to be quick."""


class Newest:
    """The newest events, read again as the log goes on. Safe to use from any number of threads."""

    def __init__(self, log: EventLog, elapsed_s: Callable[[], float]) -> None:
        self._log = log
        self._events = Reused(self._read, elapsed_s)

    def columns(self, journey: Journey) -> Mapping[str, Kind]:
        """The kind of every field that these events have, as a journey reads them; none where there is no event."""
        some = self._events.of(None)
        if not some:
            return {}
        sight = Columns(journey).look(Sight(), some)
        beside: dict[str, Kind] = {name: "text" for name in some.attribute_names if name not in CANONICAL_TYPES}
        return beside | kinds_of(sight.schema())

    def nowhere(self) -> str:
        """What is said of a field that none of them has."""
        n_events = self._log.last_position()
        return "which no event has" if n_events <= N_EVENTS else f"which none of the newest {N_EVENTS:,} events has"

    def _read(self, _: None) -> Records:
        return records(self._log.read(max(self._log.last_position() - N_EVENTS, 0), limit=N_EVENTS), str)
