"""Who is who, for whoever asks: kept up to date from the statements in the log when it is asked."""

from __future__ import annotations

from threading import Lock

from truenorth.identity import Identities
from truenorth.store.opening import Store

PAGE_STATEMENTS = 5_000
"""Statements read at a time."""


class Who:
    """The ids of people as the log states them. Safe to use from any number of threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._forget(store.results.n_erasures())

    def ids_of(self, id: str) -> tuple[str, ...]:  # noqa: A002  # the field's name
        """All ids of the person of an id, sorted; at least the id itself."""
        with self._lock:
            self._follow()
            return self._people.ids(id)

    def _forget(self, n_erasures: int) -> None:
        self._n_erasures = n_erasures
        self._people = Identities()
        self._position = 0

    def _follow(self) -> None:
        with self._store.database.one_look():
            n_erasures, last = self._store.results.n_erasures(), self._store.events.last_position()
        if n_erasures != self._n_erasures:
            self._forget(n_erasures)
        if last == self._position:
            return
        while page := self._store.events.statements(self._position, limit=PAGE_STATEMENTS):
            for _, event in page:
                if event.customer and event.other_id and event.other_kind:
                    self._people.state(
                        event.customer, event.other_id, event.other_kind, event.time_us, event.source, event.id
                    )
            self._position = page[-1].position
        self._position = max(self._position, last)  # there may be no statement in all that came: it is not read again
