"""Who is who: what was looked through is not looked through again, and what is stated later is known at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truenorth.events import Event
from truenorth.server.who import Who
from truenorth.store.event_log import SqlEventLog
from truenorth.store.opening import open_store


def told(n: int, other: str | None = None) -> Event:
    kind = "alias" if other else None
    return Event(
        source="s", id=str(n), type="t", time_us=n, received_us=n, customer="C1", other_id=other, other_kind=kind
    )


def test_events_that_state_nothing_are_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    statements = SqlEventLog.statements

    def counted(log: SqlEventLog, after: int = 0, **more: Any) -> Any:
        looked.append(after)
        return statements(log, after, **more)

    monkeypatch.setattr(SqlEventLog, "statements", counted)
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        who = Who(store)
        store.events.append([told(n) for n in range(3)])
        assert [who.ids_of("C1") for _ in range(3)] == [("C1",)] * 3
        assert looked == [0]
        store.events.append([told(3), told(4, "C2"), told(5)])
        assert [who.ids_of("C2") for _ in range(3)] == [("C1", "C2")] * 3
        store.events.append([told(6, "C3")])
        assert who.ids_of("C1") == ("C1", "C2", "C3")
        assert looked[1:] == [3, 5, 6, 7]
