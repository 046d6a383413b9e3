"""Who is who, as pages of the log state it, and whom that concerns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from truenorth.identity import Identities
from truenorth.store.ports import EventLog, Stored

PAGE_EVENTS = 1_000


class Joined(NamedTuple):
    """Ids that have become another person: all ids of the persons concerned, and the ids that stood for them."""

    ids: frozenset[str]
    persons: frozenset[str]


def joined_by(statements: Iterable[tuple[Collection[str], Collection[str]]]) -> Joined | None:
    """All that some statements have changed: ids and persons of each; None if nothing."""
    ids: set[str] = set()
    persons: set[str] = set()
    for of_ids, of_persons in statements:
        ids.update(of_ids)
        persons.update(of_persons)
    return Joined(frozenset(ids), frozenset(persons)) if ids else None


def learn(people: Identities, page: Sequence[Stored]) -> Joined | None:
    """Learn who is who from some events; what that changed."""
    changes = []
    for _, event in page:
        if event.other_id and event.other_kind and event.customer:
            before = {people.person(event.customer), people.person(event.other_id)}
            changed = people.state(
                event.customer, event.other_id, event.other_kind, event.time_us, event.source, event.id
            )
            if changed:
                persons = before | {people.person(one) for one in changed}
                changes.append(({*changed, *(one for who in persons for one in people.ids(who))}, persons))
    return joined_by(changes)


def everybody(log: EventLog, up_to: int) -> Identities:
    """Who is who by the statements of the log up to a position."""
    people, at = Identities(), 0
    while page := [one for one in log.statements(at, limit=PAGE_EVENTS) if one.position <= up_to]:
        learn(people, page)
        at = page[-1].position
    return people
