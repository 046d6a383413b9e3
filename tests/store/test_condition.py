"""Facts about a store, and deliveries seen one webhook at a time, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from store.making import event
from truenorth.events import Refused
from truenorth.store.condition import Condition
from truenorth.store.database import Database
from truenorth.store.migrate import revisions
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import Judged, NewSignal, Progress, Settled

LEASE_US = 1_000


@pytest.fixture
def condition(store: Store) -> Condition:
    return Condition(store.database)


def signals(store: Store, n: int) -> Sequence[int]:
    given = [NewSignal(kind="broken", time_us=at, body=b"{}", case="T1") for at in range(n)]
    judged = Judged(progress=Progress(position=1), signals=given)
    return store.results.write("support", judged, n_erasures=store.results.n_erasures())


def test_the_revision_before_and_after_opening(url: str) -> None:
    database = Database(url)
    found, expected = revisions(database)
    assert found is None
    open_store(url).close()
    assert revisions(database) == (expected, expected)
    database.close()


def test_the_clock_and_the_settings_of_the_database(store: Store, condition: Condition) -> None:
    assert condition.n_bytes() > 0
    if store.database.is_sqlite:
        assert condition.clock_us() is None
        assert condition.unsafe_settings() == {}
    else:
        first, second = condition.clock_us(), condition.clock_us()
        assert first is not None
        assert second is not None
        assert 1_700_000_000_000_000 < first <= second
        assert condition.unsafe_settings() == {"fsync": "off"}  # as the server of these tests is set


def test_what_arrived_last(store: Store, condition: Condition) -> None:
    assert condition.recent(3) == (0, 0, None)
    refused = [Refused(source="shop", received_us=at * 3_600_000_000, reason="no", raw=b"") for at in (1, 8, 9)]
    store.events.append([event(n) for n in range(1, 9)], refused)
    assert condition.recent(3) == (3, 2, event(8).received_us)
    assert condition.recent(100)[:2] == (8, 2)


def test_files_that_should_be_there(store: Store, condition: Condition, tmp_path: Path) -> None:
    assert condition.archive_files() == []
    store.events.append([event(n) for n in range(5)])
    store.archive.move(event(5).received_us, tmp_path / "archive")
    ((path, n_bytes),) = condition.archive_files()
    assert path.stat().st_size == n_bytes


def test_deliveries_of_one_webhook_are_claimed_alone_and_settled_together(store: Store) -> None:
    one, other = (store.outbox.add_webhook(f"https://{name}.example/", "s", now_us=0) for name in ("a", "b"))
    numbers = signals(store, 3)
    due = store.outbox.claim(5, lease_us=LEASE_US, webhook=one.number, limit=2)
    assert [(found.signal.number, found.webhook) for found in due] == [(numbers[0], one), (numbers[1], one)]
    assert store.outbox.is_due(one.number, 5)
    assert store.outbox.is_due(other.number, 5)
    settled = [
        Settled(signal=numbers[0], webhook=one.number, state="delivered", attempts=0),
        Settled(signal=numbers[1], webhook=one.number, state="dead", attempts=11, last_error="x" * 10_000),
        Settled(signal=numbers[2], webhook=one.number, state="pending", attempts=1, next_us=99, last_error="500"),
    ]
    store.outbox.settle(settled)
    store.outbox.settle([])
    store.outbox.settle([msgspec.structs.replace(settled[2], last_error=None)])  # put back untried
    with store.database.reading() as connection:
        errors = connection.exec_driver_sql("select last_error from outbox where webhook = 1 order by signal").all()
    assert [error for (error,) in errors] == [None, "x" * 500, "500"]
    assert not store.outbox.is_due(one.number, 98)
    assert store.outbox.is_due(one.number, 99)
    assert store.outbox.waiting() == {one.number: (1, 99), other.number: (3, None)}
    (letter,) = store.outbox.dead_letters()
    assert (letter.signal, letter.url, letter.attempts) == (numbers[1], "https://a.example/", 11)
    assert letter.last_error == "x" * 500
    assert store.outbox.n_dead() == 1


def test_dead_letters_are_retried_by_webhook_and_signal(store: Store) -> None:
    hooks = [store.outbox.add_webhook(f"https://{name}.example/", "s", now_us=0) for name in ("a", "b")]
    numbers = signals(store, 2)
    store.outbox.settle(
        [Settled(signal=number, webhook=hook.number, state="dead", attempts=11) for hook in hooks for number in numbers]
    )
    assert store.outbox.dead_letters(webhook=99) == []
    assert len(store.outbox.dead_letters(webhook=hooks[0].number)) == 2
    assert store.outbox.retry_dead(7, webhook=hooks[0].number, signal=numbers[0]) == 1
    assert store.outbox.retry_dead(7, webhook=hooks[1].number) == 2
    assert store.outbox.n_dead() == 1
    again = store.outbox.claim(7, lease_us=LEASE_US)
    assert {(one.signal.number, one.webhook.number, one.attempts) for one in again} == {
        (numbers[0], hooks[0].number, 0),
        (numbers[0], hooks[1].number, 0),
        (numbers[1], hooks[1].number, 0),
    }


def test_events_are_counted_where_positions_have_gaps(store: Store, condition: Condition, tmp_path: Path) -> None:
    store.events.append([event(n) for n in range(1, 9)])
    middle = store.events.last_position()
    store.events.append([event(n) for n in range(1, 9)])  # second arrivals take positions, too
    store.events.append([event(n) for n in range(9, 12)])
    assert store.events.last_position() - middle > 3
    assert (condition.n_after(0), condition.n_after(middle), condition.n_after(store.events.last_position())) == (
        11,
        3,
        0,
    )
    store.archive.move(event(11).received_us, tmp_path / "archive")
    assert (condition.n_after(0), condition.n_after(store.events.last_position())) == (11, 0)
