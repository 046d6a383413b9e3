"""What is exported and imported again is the same log; a second import changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.memory_log import MemoryLog
from truenorth.events import Event
from truenorth.logs import read_log
from truenorth.logs.log import Log
from truenorth.server.exports import pages
from truenorth.server.exports.file import export_file
from truenorth.server.importing import Imported, import_events
from truenorth.server.same_person import ids_of_person
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import Store, open_store

NAMES = st.sampled_from(["ann", "bob", "ä b", "x,y", '"q"', "line\nbreak"])
MONEY = st.none() | st.floats(-1e9, 1e9).map(lambda x: round(x, 2))
TYPED = st.fixed_dictionaries({}, optional={"n": st.integers(0, 9), "s": NAMES, "yes": st.booleans()})
JSON = st.dictionaries(NAMES, st.recursive(st.integers(-9, 9) | NAMES | st.booleans(), st.lists))


def events(properties: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Event]]:
    one = st.builds(
        Event,
        source=st.sampled_from(["shop", "app"]),
        id=st.integers(0, 10**6).map(lambda n: f"e{n}"),
        type=NAMES,
        time_us=st.integers(0, 4 * 10**15),
        received_us=st.integers(0, 4 * 10**15),
        customer=st.none() | NAMES,
        case=st.none() | NAMES,
        actor=st.none() | NAMES,
        cost=MONEY,
        feeling=st.none() | st.sampled_from([-1.0, 0.25, 1.0]),
        text=st.none() | NAMES,
        properties=properties.map(msgspec.json.encode),
    )
    stated = st.tuples(NAMES, st.sampled_from(["anonymous", "alias"])) | st.just((None, None))
    whole = st.tuples(one, stated).map(lambda x: msgspec.structs.replace(x[0], other_id=x[1][0], other_kind=x[1][1]))
    return st.lists(whole, max_size=20, unique_by=lambda event: (event.source, event.id))


def same(one: Event) -> dict[str, Any]:
    return {**msgspec.structs.asdict(one), "properties": msgspec.json.decode(one.properties)}


def returned(log: list[Event], name: str) -> tuple[list[Event], Imported]:
    first, second = MemoryLog(), MemoryLog()
    first.append(log)
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        assert export_file(Counted(first), path).n_events == len(log)
        done = import_events(read_log(path, as_stored=True), second, "import", 7)
    return second.events, done


class Counted:
    """A log in memory that knows where it ends."""

    def __init__(self, log: MemoryLog) -> None:
        self.read = log.read
        self.last_position = lambda: len(log.stored)


@pytest.mark.parametrize(("name", "strategy"), [("log.jsonl", TYPED), ("log.parquet", TYPED | JSON)])
@pytest.mark.parametrize("page", [3, 10_000])
def test_a_log_that_was_exported_comes_back_the_same(
    name: str, strategy: st.SearchStrategy[Any], page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_EVENTS", page)
    monkeypatch.setattr(pages, "PART_PAGES", 2)

    @given(events(strategy))
    @settings(max_examples=40, deadline=None)
    def law(log: list[Event]) -> None:
        if not log and name == "log.jsonl":
            return  # an empty file says nothing about its columns
        again, done = returned(log, name)
        assert [same(one) for one in again] == [same(one) for one in log]
        assert done == Imported(n_new=len(log))

    law()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as opened:
        yield opened


def test_archived_events_are_exported_too(store: Store, tmp_path: Path) -> None:
    log = [Event(source="shop", id=str(n), type="t", time_us=n, received_us=n) for n in range(10)]
    store.events.append(log)
    store.archive.move(5, tmp_path / "archive")
    assert export_file(store.events, tmp_path / "log.parquet").n_events == 10
    assert read_log(tmp_path / "log.parquet").events["id"].to_list() == [str(n) for n in range(10)]


def test_an_event_of_no_year_that_a_text_can_say_is_exported_all_the_same(store: Store, tmp_path: Path) -> None:
    store.events.append([Event(source="shop", id="1", type="t", time_us=2**62, received_us=0)])
    assert export_file(store.events, tmp_path / "log.jsonl").n_events == 1
    assert str(2**62) in (tmp_path / "log.jsonl").read_text()


def test_another_format_is_refused_before_anything_is_written(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TruenorthError, match=r"\.jsonl or \.parquet"):
        export_file(store.events, tmp_path / "log.csv")
    assert not (tmp_path / "log.csv").exists()


def test_a_file_of_rows_without_ids_is_imported_once(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("type,time,customer,n\na,2026-01-01,ann,1\n,2026-01-02,ann,2\nb,never,ann,3\nc,2026-01-03,,\n")
    log = read_log(path)
    assert import_events(log, store.events, "desk", 7) == Imported(n_new=2, n_quarantined=2)
    assert import_events(log, store.events, "desk", 8) == Imported(n_duplicates=2, n_quarantined=2)
    first, last = (one.event for one in store.events.read())
    assert (first.source, first.id, first.received_us, first.properties) == ("desk", "1", 7, b'{"n":1}')
    assert (last.id, last.customer, last.properties) == ("4", None, b"{}")
    reasons = [one.reason for _, one in store.events.refused()][:2]
    assert reasons[0].startswith("no type")
    assert reasons[1].startswith("line 4: time 'never'")


def test_a_column_called_properties_that_is_no_object_is_a_property(store: Store) -> None:
    frame = pl.DataFrame({"type": ["a"], "time": [0], "id": ["1"], "properties": ["fast"], "n": [1]})
    log = Log(frame.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC"))))
    import_events(log, store.events, "desk", 7)
    assert store.events.read()[0].event.properties == b'{"properties":"fast","n":1}'


def test_events_of_the_erased_do_not_come_back(store: Store, tmp_path: Path) -> None:
    log = [Event(source="s", id=str(n), type="t", time_us=n, received_us=n, customer="ab"[n % 2]) for n in range(6)]
    store.events.append(log)
    export_file(store.events, tmp_path / "log.jsonl")
    store.people.erase(["a"], asked_by="me", now_us=9)
    done = import_events(read_log(tmp_path / "log.jsonl"), store.events, "s", 9)
    assert done == Imported(n_duplicates=3, n_suppressed=3)


def test_all_ids_of_a_person(store: Store) -> None:
    def stated(n: int, customer: str, other: str, kind: Any) -> Event:
        return Event(
            source="s",
            id=str(n),
            type="t",
            time_us=n,
            received_us=n,
            customer=customer,
            other_id=other,
            other_kind=kind,
        )

    store.events.append([stated(1, "ann", "browser-1", "anonymous"), stated(2, "ann", "ann@example.org", "alias")])
    store.events.append([stated(3, "bob", "browser-2", "anonymous")])
    assert ids_of_person(store.events, ["ann@example.org"]) == ("ann", "ann@example.org", "browser-1")
    assert ids_of_person(store.events, ["eve", "bob"]) == ("bob", "browser-2", "eve")
