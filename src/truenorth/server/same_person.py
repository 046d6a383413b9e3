"""Who is who in a log: all ids of some people, and the log with one id for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from truenorth.events import Event
from truenorth.identity import Identities
from truenorth.store.ports import EventLog, Stored

PAGE_EVENTS = 10_000


def people_of(log: EventLog) -> Identities:
    """Who is who, by every statement about ids in the log."""
    people, at = Identities(), 0
    while page := log.statements(at, limit=PAGE_EVENTS):
        at = page[-1].position
        for _, event in page:
            if event.other_id and event.other_kind and event.customer:
                people.state(event.customer, event.other_id, event.other_kind, event.time_us, event.source, event.id)
    return people


def ids_of_person(log: EventLog, ids: Collection[str]) -> tuple[str, ...]:
    """The ids given and all others of the same people, sorted. It reads every statement about ids in the log."""
    people = people_of(log)
    return tuple(sorted({one for id in ids for one in people.ids(id)}))  # noqa: A001  # the field's name


class Joined:
    """A log in which every customer is called by the person that they are, and nothing is stated of ids any more."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._people = people_of(log)

    def last_position(self) -> int:
        """Where the log ends."""
        return self._log.last_position()

    def read(self, after: int = 0, *, limit: int) -> Sequence[Stored]:
        """Events after a position, in the order of arrival."""
        return [Stored(position, self._joined(event)) for position, event in self._log.read(after, limit=limit)]

    def _joined(self, event: Event) -> Event:
        person = event.customer and self._people.person(event.customer)
        return msgspec.structs.replace(event, customer=person, other_id=None, other_kind=None)
