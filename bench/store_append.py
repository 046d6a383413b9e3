"""Appending to the event log: `python bench/store_append.py [N_EVENTS] [--postgres URL]`.

Batches of 1,000 new events, each a transaction that is on disk before the next begins (WAL, synchronous = FULL). Events
are made before the clock starts. The peer writes the same rows into the same tables by nothing but the sqlite3 module's
`executemany`; the last way is SQLAlchemy Core's ordinary insert of dictionaries. All are told to keep what is unique.
The best of three rounds, each in a new file, the ways by turns.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
from tables import best, show

from truenorth.events import Event
from truenorth.store.database import Turn
from truenorth.store.event_rows import FIELDS, rows_of
from truenorth.store.opening import Store, open_store
from truenorth.store.tables import EVENT

BATCH_EVENTS = 1_000
N_ROUNDS = 3
PROPERTIES = b'{"properties":{"plan":"pro","items":3},"context":{"library":{"name":"analytics","version":"1.0"}}}'

Append = Callable[[Store, Sequence[Event]], object]


def made(n_events: int) -> list[Event]:
    """Events as an SDK sends them: random ids, 5,000 customers, half of the fields in use."""
    random = Random(1)
    return [
        Event(
            source="web",
            id=f"{random.getrandbits(128):032x}",
            type="Order placed",
            time_us=n,
            received_us=n,
            customer=f"customer-{random.randrange(5_000)}",
            case=f"case-{random.randrange(9_000)}",
            channel="web",
            revenue=12.5,
            properties=PROPERTIES,
        )
        for n in range(n_events)
    ]


def by_store(store: Store, events: Sequence[Event]) -> None:
    for start in range(0, len(events), BATCH_EVENTS):
        store.events.append(events[start : start + BATCH_EVENTS])


def by_core(store: Store, events: Sequence[Event]) -> None:
    statement = store.database.insert(EVENT).on_conflict_do_nothing()
    for start in range(0, len(events), BATCH_EVENTS):
        rows = [msgspec.structs.asdict(event) for event in events[start : start + BATCH_EVENTS]]
        with store.database.writing(Turn.EVENTS) as connection:
            connection.execute(statement, rows)


def by_driver(store: Store, events: Sequence[Event]) -> None:
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    places = ", ".join("?" * len(FIELDS))
    statement = f"insert into event ({columns}) values ({places}) on conflict do nothing"
    connection = sqlite3.connect(store.database.path or "", isolation_level=None)
    for pragma in ("synchronous = FULL", "secure_delete = ON", "cache_size = -65536", "wal_autocheckpoint = 10000"):
        connection.execute(f"pragma {pragma}")
    for start in range(0, len(events), BATCH_EVENTS):
        connection.execute("begin immediate")
        connection.executemany(statement, rows_of(events[start : start + BATCH_EVENTS]))
        connection.execute("commit")
    connection.close()


def seconds(append: Append, events: Sequence[Event]) -> float:
    """One round in a new file."""
    with TemporaryDirectory() as folder, open_store(f"sqlite:///{Path(folder)}/truenorth.db") as store:
        taken = best(lambda: append(store, events), 1)
        assert len(store.events.read(limit=len(events))) == len(events)
    return taken


def main(arguments: list[str]) -> None:
    url = arguments.pop(arguments.index("--postgres") + 1) if "--postgres" in arguments else None
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    events = made(numbers[0] if numbers else 200_000)
    if url is not None:
        with open_store(url) as store:
            taken = best(lambda: by_store(store, events), 1)
        show(["way", "events/s"], [["store, PostgreSQL", f"{len(events) / taken:,.0f}"]])
        return
    ways: dict[str, Append] = {"sqlite3 executemany": by_driver, "store": by_store, "SQLAlchemy Core": by_core}
    rounds = [{name: seconds(append, events) for name, append in ways.items()} for _ in range(N_ROUNDS)]
    times = {name: min(times[name] for times in rounds) for name in ways}
    peer = times["sqlite3 executemany"]
    show(
        ["way", "events/s", "time : peer"],
        [[name, f"{len(events) / taken:,.0f}", f"{taken / peer:.2f}"] for name, taken in times.items()],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
