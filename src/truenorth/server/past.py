"""What trackers ask about events and cases of before, from the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from truenorth.server.columns import Record, records
from truenorth.store.ports import EventLog
from truenorth.store.results import Results
from truenorth.store.rows import CaseRow, PromiseRow


class StoredPast:
    """The past of one journey. ``person`` gives the id that stands for a customer's, as known now."""

    def __init__(self, events: EventLog, results: Results, journey: str, person: Callable[[str], str]) -> None:
        self._events = events
        self._results = results
        self._journey = journey
        self._person = person

    def records_of_keys(self, keys: Collection[str], up_to: int) -> list[Record]:
        """The events of some case keys up to a position."""
        history = self._results.history(self._journey, sorted(keys))
        return records(self._events.at([one.position for one in history if one.position <= up_to]), self._person)

    def records_of_customers(self, ids: Collection[str], up_to: int) -> list[Record]:
        """The events of some ids up to a position."""
        found = records(self._events.of_customers(sorted(ids)), self._person)
        return [record for record in found if record.position <= up_to]

    def rows_of(self, cases: Sequence[str]) -> tuple[list[CaseRow], list[PromiseRow]]:
        """The rows of some cases as the store has them."""
        return self._results.rows_of(self._journey, cases)

    def ids_at(self, positions: Sequence[int]) -> Mapping[int, str]:
        """The ids of the events at some positions."""
        return self._events.ids_at(positions)
