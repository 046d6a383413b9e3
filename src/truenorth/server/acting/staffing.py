"""People as a people file names them, put into a store."""

from __future__ import annotations

import msgspec

from truenorth.action.people_file import People
from truenorth.store.opening import Store


def keep_people(store: Store, people: People, at_us: int, *, by: str | None = None) -> None:
    """Add or replace people, their teams, levels and courses; ``by``: who says so of the levels, if not the file."""
    levels = people.accreditations
    if by is not None:
        levels = tuple(msgspec.structs.replace(one, by=by) for one in levels)
    store.staff.load(people.members, people.teams, levels, now_us=at_us)
    store.staff.add_courses(people.courses, people.classes)
