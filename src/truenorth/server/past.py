"""What trackers ask about events and cases of before, from the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

from truenorth.server.columns import Record, records
from truenorth.store.ports import EventLog, Stored
from truenorth.store.results import Results
from truenorth.store.rows import CaseRow, PromiseRow

RECENT_EVENTS = 50_000
"""Events whose ids are kept in memory: about 5 MB."""


class RecentIds:
    """The ids of the last events of the log: nearly all that the promises of a step name are among them."""

    def __init__(self, ids_at: Callable[[Sequence[int]], Mapping[int, str]]) -> None:
        """``ids_at`` finds those that are not."""
        self._ids_at = ids_at
        self._ids: dict[int, str] = {}

    def note(self, page: Sequence[Stored]) -> None:
        """Note the next events."""
        self._ids.update((position, event.id) for position, event in page)
        for position in list(islice(self._ids, max(0, len(self._ids) - RECENT_EVENTS))):
            del self._ids[position]

    def at(self, positions: Sequence[int]) -> dict[int, str]:
        """The ids of the events at some positions, those that there are."""
        older = [position for position in positions if position not in self._ids]
        found = dict(self._ids_at(older)) if older else {}
        return found | {position: self._ids[position] for position in positions if position in self._ids}


class StoredPast:
    """The past of one journey. ``person`` gives the id that stands for a customer's, as known now."""

    def __init__(
        self, events: EventLog, recent: RecentIds, results: Results, journey: str, person: Callable[[str], str]
    ) -> None:
        self._events = events
        self._recent = recent
        self._results = results
        self._journey = journey
        self._person = person

    def records_of_keys(self, keys: Collection[str], up_to: int) -> Sequence[Record]:
        """The events of some case keys up to a position."""
        history = self._results.history(self._journey, sorted(keys))
        return records(self._events.at([one.position for one in history if one.position <= up_to]), self._person)

    def records_of_customers(self, ids: Collection[str], up_to: int) -> Sequence[Record]:
        """The events of some ids up to a position."""
        found = records(self._events.of_customers(sorted(ids)), self._person)
        return [record for record in found if record.position <= up_to]

    def rows_of(self, cases: Sequence[str]) -> tuple[list[CaseRow], list[PromiseRow]]:
        """The rows of some cases as the store has them."""
        return self._results.rows_of(self._journey, cases)

    def ids_at(self, positions: Sequence[int]) -> Mapping[int, str]:
        """The ids of the events at some positions."""
        return self._recent.at(positions)
