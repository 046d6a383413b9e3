"""Several who append at once, and one who reads along: whoever has read up to a position misses nothing before it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from threading import Event as Flag

from store.making import HOUR_US, event
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import Stored
from truenorth.store.rows import Judged, NewSignal, Progress

N_WRITERS = 4
N_BATCHES = 25


def test_a_reader_who_follows_sees_every_event_once_in_order(url: str, tmp_path: Path) -> None:
    start, done = Barrier(N_WRITERS + 2), Flag()

    def write(writer: int) -> int:
        with open_store(url) as store:
            start.wait()
            batches = [[event(f"{number}-{n}", f"c{writer}") for n in range(5)] for number in range(N_BATCHES)]
            return sum(store.events.append(batch).n_new for batch in batches)  # each writer sends the same ids

    def follow() -> list[Stored]:
        found: list[Stored] = []
        with open_store(url) as store:
            start.wait()
            while True:
                is_last = done.is_set()
                part = store.events.read(found[-1].position if found else 0, limit=7)
                found += part
                if is_last and not part:
                    return found

    def archive() -> None:
        with open_store(url) as store:
            start.wait()
            while not done.is_set():
                store.archive.move(HOUR_US, tmp_path / "archive")

    with ThreadPoolExecutor(N_WRITERS + 2) as pool:
        writers = [pool.submit(write, writer) for writer in range(N_WRITERS)]
        reader, archiver = pool.submit(follow), pool.submit(archive)
        n_new = sum(writer.result() for writer in writers)
        done.set()
        followed = reader.result()
        archiver.result()
    with open_store(url) as store:
        assert followed == store.events.read(limit=10**6)
    assert n_new == len(followed) == N_BATCHES * 5
    assert len({one.event.id for one in followed}) == len(followed)


def test_signals_become_visible_in_the_order_of_their_numbers(url: str) -> None:
    start, done = Barrier(3), Flag()

    def write(journey: str) -> None:
        with open_store(url) as store:
            start.wait()
            for n in range(N_BATCHES):
                signals = [NewSignal(kind="k", time_us=n, body=b"{}") for _ in range(3)]
                store.results.write(journey, Judged(progress=Progress(n), signals=signals), n_erasures=0)

    def follow() -> list[int]:
        found: list[int] = []
        with open_store(url) as store:
            start.wait()
            while True:
                is_last = done.is_set()
                part = store.signals.read(found[-1] if found else 0, limit=4)
                found += [one.number for one in part]
                if is_last and not part:
                    return found

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, journey) for journey in ("help", "sales")]
        reader = pool.submit(follow)
        for writer in writers:
            writer.result()
        done.set()
        followed = reader.result()
    assert len(followed) == len(set(followed)) == 2 * N_BATCHES * 3


def test_a_delivery_is_claimed_by_one_only(url: str) -> None:
    with open_store(url) as store:
        store.outbox.add_webhook("https://a.example", "s", now_us=1)
        signals = [NewSignal(kind="k", time_us=n, body=b"{}") for n in range(40)]
        numbers = store.results.write("help", Judged(progress=Progress(1), signals=signals), n_erasures=0)
    start = Barrier(3)

    def claim(_: int) -> list[int]:
        found: list[int] = []
        with open_store(url) as store:
            start.wait()
            while part := store.outbox.claim(5, lease_us=60_000_000, limit=7):
                found += [one.signal.number for one in part]
        return found

    with ThreadPoolExecutor(3) as pool:
        claimed = [number for part in pool.map(claim, range(3)) for number in part]
    assert sorted(claimed) == sorted(numbers)


def test_one_look_sees_one_state_whatever_is_written_meanwhile(store: Store) -> None:
    store.events.append([event(1)])
    with store.database.one_look():
        before = store.events.last_position()
        store.events.append([event(2)])
        assert store.events.last_position() == before
        with ThreadPoolExecutor(1) as another:
            assert another.submit(store.events.last_position).result() == before + 1
    assert store.events.last_position() == before + 1
