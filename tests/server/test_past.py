"""Ids of events that promises name: from memory or from the log, the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.events import Event
from truenorth.server import past
from truenorth.server.past import RecentIds
from truenorth.store.ports import Stored


def event(position: int) -> Stored:
    return Stored(position, Event(source="shop", id=f"e{position}", type="t", time_us=0, received_us=0))


@given(st.lists(st.integers(0, 9), max_size=8), st.sets(st.integers(1, 80)))
def test_who_remembers_finds_what_the_log_has_and_asks_for_the_rest_only(pages: list[int], asked: set[int]) -> None:
    log: dict[int, str] = {}
    lookups: list[int] = []

    def ids_at(positions: Sequence[int]) -> dict[int, str]:
        lookups.extend(positions)
        return {position: log[position] for position in positions if position in log}

    recent = RecentIds(ids_at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "RECENT_EVENTS", 20)
        for n_events in pages:
            page = [event(position) for position in range(len(log) + 1, len(log) + 1 + n_events)]
            log |= {position: one.id for position, one in page}
            recent.note(page)
    assert recent.at(sorted(asked)) == {position: log[position] for position in asked & log.keys()}
    assert set(lookups) == {position for position in asked if not len(log) - 20 < position <= len(log)}
