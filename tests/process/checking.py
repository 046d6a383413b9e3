"""What must be true of a store in the end, whatever happened to the processes that wrote it."""

from __future__ import annotations

from pathlib import Path

from process.traffic import JOURNEY, Clients
from server.test_live_equals_replay import assert_equals_replay, stored_rows
from server.test_signals import all_signals, folded
from truenorth.store.opening import Store, open_store


def ids_of(store: Store) -> list[str]:
    """The ids in the log, in the order of arrival."""
    ids: list[str] = []
    after = 0
    while page := store.events.read(after):
        ids += [found.event.id for found in page]
        after = page[-1].position
    return ids


def assert_nothing_lost(store: Store, clients: Clients) -> None:
    """Acknowledged events are in the log exactly once, those given up at most once, and no others."""
    ids = ids_of(store)
    assert len(ids) == len(set(ids))
    found = set(ids) - {"m0"}
    assert clients.acknowledged - found == set()
    assert found <= clients.acknowledged | clients.given_up


def assert_all_is_right(url: str, clients: Clients, watermark_us: int, folder: Path) -> None:
    """Log, verdicts, counts and signals."""
    with open_store(url) as store:
        assert_nothing_lost(store, clients)
        assert_equals_replay(store, JOURNEY, folder, watermark_us)
        assert_signals_are_the_verdicts(store)


def assert_signals_are_the_verdicts(store: Store) -> None:
    """Who reads all signals with their corrections believes the verdicts; `folded` finds what is told twice."""
    signals = all_signals(store)
    assert "judged_anew" not in {signal.kind for signal in signals}
    verdicts, outcomes = folded(signals)
    cases, promises = stored_rows(store, "tea")
    given = {(row["case"], row["promise"], row["instance"]): row["verdict"] for row in promises}
    assert verdicts == {key: verdict for key, verdict in given.items() if verdict != "open"}
    assert outcomes == {row["case"]: row["outcome"] for row in cases if row["outcome"] != "open"}
