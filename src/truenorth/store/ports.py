"""What the service asks of a store. SQLite and PostgreSQL pass the same contract suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from truenorth.events import Event, Refused
from truenorth.spec.problems import Problem


class Stored(NamedTuple):
    """An event and its place in the order of arrival (from 1, rising, with gaps)."""

    position: int
    event: Event


class Appended(NamedTuple):
    """What became of a batch: new events, ones that were there already, events and refused items of erased people."""

    n_new: int
    n_duplicates: int
    n_suppressed: int


class Arrived(NamedTuple):
    """How much has ever arrived that was no new event, counted since the store was made."""

    n_duplicates: int
    n_suppressed: int
    n_refused: int


class StoreFull(Exception):
    """Nothing was written: the disk is full or the database does not take any more. ``problem`` says what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class StoreUnavailable(StoreFull):
    """Not known to be written: others held the database too long, or it could not be reached. Try again later."""


class EventLog(Protocol):
    """Events in the order of arrival. Whatever `append` has returned for is on disk."""

    def append(self, events: Sequence[Event], refused: Sequence[Refused] = ()) -> Appended:
        """Add a batch in one transaction; a second ``(source, id)`` changes nothing. StoreFull if it cannot be kept."""
        ...

    def read(self, after: int = 0, *, limit: int = 10_000) -> Sequence[Stored]:
        """The next events in the order of arrival; archived ones too."""
        ...

    def refused(self, after: int = 0, *, limit: int = 1_000) -> Sequence[tuple[int, Refused]]:
        """What could not be an event, in the order of arrival."""
        ...

    def dismiss(self, number: int) -> bool:
        """Forget something refused, once it is an event or needs to be none; false if there is nothing of it."""
        ...

    def of_customers(self, ids: Sequence[str]) -> Iterator[Stored]:
        """All events of some ids in the order of arrival; archived ones too."""
        ...

    def at(self, positions: Sequence[int]) -> Iterator[Stored]:
        """The events at some positions in the order of arrival; archived ones too, none where there is none."""
        ...

    def ids_at(self, positions: Sequence[int]) -> Mapping[int, str]:
        """The ids of the events at some positions, those that there are."""
        ...

    def statements(self, after: int = 0, *, limit: int = 10_000) -> Sequence[Stored]:
        """The next events that state another id of their customer, in the order of arrival."""
        ...

    def arrived(self) -> Arrived:
        """What has ever arrived beside events."""
        ...

    def last_position(self) -> int:
        """The position of the newest event, 0 where there is none."""
        ...
