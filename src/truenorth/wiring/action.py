"""Commands about acting put together: a store, the clock, chance, and what journey files believe of their actions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from truenorth.action.people_file import People
from truenorth.action.people_file import load_people as parse_people
from truenorth.server.acting.acting import ID_BYTES, Acting, Knowing, Made
from truenorth.server.acting.staffing import keep_people
from truenorth.server.receiving import Turned
from truenorth.server.who import Who
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.decisions import Stopped
from truenorth.store.opening import Store
from truenorth.wiring.store import existing_store, now_us, user_name


class PersonNow(msgspec.Struct, frozen=True):
    """Somebody who decides, with the levels that hold now."""

    id: str
    name: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    levels: tuple[str, ...]


def decide(url: str, journey: str, case: str, person: str) -> Made:
    """A decision for somebody; `TruenorthError` where there is no such case, or no such person."""
    with existing_store(url) as store:
        acting = acting_of(store, now_us)
        try:
            acting.must_know(person)
            return acting.decide(journey, case, acting.asker(person))
        except Turned as turned:
            problem = Problem(path=f"{journey} {case}", expected="a case of a live journey", found=turned.message)
            if turned.code == "unknown_person":
                problem = Problem(path="--as", expected="somebody in the people file, by id", found=turned.message)
            raise TruenorthError([problem]) from None


def load_people(url: str, file: Path) -> dict[str, int]:
    """Add or replace what a people file says; how many of each."""
    found = read_people(file)
    with existing_store(url) as store:
        keep_people(store, found, now_us(), by=user_name())
        store.audit.note(user_name(), "loaded a people file", now_us=now_us())
    return found.counts()


def read_people(file: Path) -> People:
    """What a people file says; `TruenorthError` with all its problems."""
    loaded = parse_people(file.read_bytes())
    if loaded.people is None:
        raise TruenorthError([msgspec.structs.replace(one, path=f"{file}: {one.path}") for one in loaded.problems])
    return loaded.people


def people(url: str) -> Sequence[PersonNow]:
    """Everybody who decides."""
    with existing_store(url) as store:
        held = store.staff.accreditations(at_us=now_us())
        return [
            PersonNow(one.id, one.name, one.roles, one.teams, tuple(it.level for it in held if it.person == one.id))
            for one in store.staff.members()
        ]


def stop(url: str, journey: str, action: str, reason: str) -> Sequence[Stopped]:
    """Switch an action off; all that is off now."""
    with existing_store(url) as store:
        stopped = Stopped(journey=journey, action=action, since_us=now_us(), by=user_name(), reason=reason)
        store.decisions.stop(stopped)
        store.audit.note(user_name(), "stopped an action", about=f"{journey}: {action}", now_us=now_us())
        return store.decisions.all_stopped()


def resume(url: str, journey: str, action: str) -> bool:
    """Switch an action on again; false if it was not off."""
    with existing_store(url) as store:
        was_off = store.decisions.resume(journey, action)
        if was_off:
            store.audit.note(user_name(), "resumed an action", about=f"{journey}: {action}", now_us=now_us())
    return was_off


def stops(url: str) -> Sequence[Stopped]:
    """What is switched off."""
    with existing_store(url) as store:
        return store.decisions.all_stopped()


def any_id() -> str:
    """An id that no other decision has."""
    return os.urandom(ID_BYTES).hex()


def acting_of(
    store: Store,
    clock: Callable[[], int],
    *,
    new_id: Callable[[], str] = any_id,
    outcomes_of: Callable[[str], Mapping[str, int]] | None = None,
) -> Acting:
    """Who decides in a store that no service runs on; ``clock``: microseconds since 1970 UTC.

    ``new_id``: of decisions, hexadecimal; what is drawn by chance follows from it. ``outcomes_of``: the cases of a
    journey by outcome, None for what the store has at that instant.
    """
    return Acting(
        store,
        now_us=clock,
        new_id=new_id,
        ids_of=Who(store).ids_of,
        outcomes_of=outcomes_of or store.results.outcomes,
        knowing=Knowing(),
    )
