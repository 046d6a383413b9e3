"""All ids of the people that some ids belong to, as the log states it."""

from __future__ import annotations

from collections.abc import Collection

from truenorth.identity import Identities
from truenorth.store.ports import EventLog

PAGE_EVENTS = 10_000


def ids_of_person(log: EventLog, ids: Collection[str]) -> tuple[str, ...]:
    """The ids given and all others of the same people, sorted. It reads every statement about ids in the log."""
    people, at = Identities(), 0
    while page := log.statements(at, limit=PAGE_EVENTS):
        at = page[-1].position
        for _, event in page:
            if event.other_id and event.other_kind and event.customer:
                people.state(event.customer, event.other_id, event.other_kind, event.time_us, event.source, event.id)
    return tuple(sorted({one for id in ids for one in people.ids(id)}))  # noqa: A001  # the field's name
