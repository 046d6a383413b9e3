"""A folder, a table and a topic that a log is exported to hold every event once, however often it is cut off."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import polars as pl
import pytest
from confluent_kafka import Consumer
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog

import truenorth as tn
from server.memory_log import MemoryLog
from server.test_transfer import TYPED, Counted, events, same
from truenorth.events import Event
from truenorth.logs import read_log
from truenorth.server.exports import folder as folders
from truenorth.server.exports import pages
from truenorth.server.exports.folder import export_folder
from truenorth.server.exports.iceberg import TABLE, export_iceberg
from truenorth.server.exports.kafka import export_kafka
from truenorth.server.importing import import_events
from truenorth.spec.problems import TruenorthError

DAY_US = 86_400_000_000
PLAIN = [
    Event(source="shop", id=f"e{n}", type="t", time_us=n * DAY_US // 2, received_us=n, case=f"c{n % 3}")
    for n in range(10)
]
Export = Callable[..., pages.Exported]


def by_id(log: Sequence[Event]) -> list[dict[str, Any]]:
    return sorted((same(one) for one in log), key=lambda one: (one["source"], one["id"]))


def of_folder(folder: Path) -> list[Event]:
    log = MemoryLog()
    import_events(read_log(folder, as_stored=True), log, "import", 7)
    return log.events


def of_iceberg(folder: Path) -> list[Event]:
    """Its rows, by way of a file: read as any other log."""
    catalog = SqlCatalog("truenorth", uri=f"sqlite:///{folder}/catalog.db", warehouse=folder.as_uri())
    frame = pl.from_arrow(catalog.load_table(TABLE).scan().to_arrow())
    assert isinstance(frame, pl.DataFrame)
    (folder / "read").mkdir(exist_ok=True)
    frame.write_parquet(folder / "read" / "log.parquet")
    return of_folder(folder / "read")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_EVENTS", 3)
    monkeypatch.setattr(pages, "PART_PAGES", 1)


@pytest.mark.parametrize(
    ("export", "back", "n_logs"), [(export_folder, of_folder, 40), (export_iceberg, of_iceberg, 5)]
)
def test_what_is_exported_piece_by_piece_comes_back_the_same(
    export: Export, back: Callable[[Path], list[Event]], n_logs: int
) -> None:
    @given(events(TYPED).filter(bool), st.data())
    @settings(max_examples=n_logs, deadline=None)
    def law(log: list[Event], data: st.DataObject) -> None:
        first = data.draw(st.integers(0, len(log)))
        kept = MemoryLog()
        with TemporaryDirectory() as place:
            for piece in (log[:first], log[first:], []):
                kept.append(piece)
                assert export(Counted(kept), Path(place)) == (len(piece), len(kept.stored))
            assert by_id(back(Path(place))) == by_id(log)

    law()


@pytest.mark.parametrize("at", range(6))
def test_a_folder_that_was_cut_off_is_taken_up(tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(PLAIN)
    saved = folders._save
    n_left = at

    def cut_off(*arguments: Any) -> None:
        nonlocal n_left
        if n_left == 0:
            raise KeyboardInterrupt
        n_left -= 1
        saved(*arguments)

    monkeypatch.setattr(folders, "_save", cut_off)
    if at < 5:  # 4 parts and the end
        with pytest.raises(KeyboardInterrupt):
            export_folder(log, tmp_path)
    monkeypatch.setattr(folders, "_save", saved)
    done = export_folder(log, tmp_path)
    assert done.position == 10
    assert by_id(of_folder(tmp_path)) == by_id(PLAIN)


@pytest.mark.parametrize(("export", "back"), [(export_folder, of_folder), (export_iceberg, of_iceberg)])
def test_after_an_erasure_a_copy_is_made_anew_or_not_at_all(
    export: Export, back: Callable[[Path], list[Event]], tmp_path: Path
) -> None:
    export(filled(PLAIN), tmp_path, 0)
    rest = [one for one in PLAIN if one.case != "c1"]
    with pytest.raises(TruenorthError, match="add --anew"):
        export(filled(rest), tmp_path, 1)
    export(filled(rest), tmp_path, 1, anew=True)
    assert by_id(back(tmp_path)) == by_id(rest)
    named = [path for path in tmp_path.rglob("*.parquet") if path.parent.name != "read"]
    assert all("c1" not in pl.read_parquet(path, hive_partitioning=False)["case"].to_list() for path in named)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(TruenorthError, match=r"thesis\.doc"):
        export_folder(filled(PLAIN), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_an_event_of_no_year_that_a_text_can_say_has_a_day_all_the_same(tmp_path: Path) -> None:
    odd = Event(source="shop", id="1", type="t", time_us=2**62, received_us=0)
    assert export_folder(filled([odd]), tmp_path).n_events == 1
    assert list(tmp_path.glob("day=9999-12-31/*.parquet"))


def test_a_replay_of_a_folder_is_that_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_EVENTS", 1_000)
    journey = tn.load_journey("examples/support/journey.yaml")
    log, kept = tn.read_log("examples/support/log.csv", fields=journey.fields), MemoryLog()
    import_events(log, kept, "desk", 0)
    export_folder(Counted(kept), tmp_path)
    again = tn.replay(journey, tn.read_log(tmp_path, fields=journey.fields))
    for name in ("cases", "promises"):
        keys = ["case", "opened"] if name == "cases" else ["case", "promise", "instance"]
        assert getattr(again, name).sort(keys).equals(getattr(tn.replay(journey, log), name).sort(keys))


def test_a_folder_that_others_partitioned_keeps_what_its_names_say(tmp_path: Path) -> None:
    frame = pl.DataFrame({"case": ["a", "b"], "type": "t", "time": "2026-01-01", "channel": ["web", "desk"]})
    frame.write_parquet(pl.PartitionBy(tmp_path, key="channel", include_key=False), mkdir=True)
    (tmp_path / "_SUCCESS").touch()
    assert sorted(read_log(tmp_path).events["channel"].to_list()) == ["desk", "web"]
    shutil.rmtree(tmp_path / "channel=web")


def messages(brokers: str, n_messages: int, topic: str = "truenorth.events") -> list[Any]:
    reading = Consumer({"bootstrap.servers": brokers, "group.id": "test", "auto.offset.reset": "earliest"})
    reading.subscribe([topic])
    found: list[Any] = []
    while len(found) < n_messages:
        found += reading.consume(n_messages - len(found), 20) or pytest.fail(f"only {len(found)} messages came")
    reading.close()
    return found


def test_messages_hold_all_events_and_those_of_a_case_are_in_order(brokers: str) -> None:
    assert export_kafka(filled(PLAIN), brokers, after=2) == (8, 10)
    of_case = defaultdict(list)
    for message in messages(brokers, 8):
        event = msgspec.json.decode(message.value())
        assert message.key().decode() == event["case"]
        of_case[event["case"]].append(event["id"])
        assert dict(message.headers())["position"].decode() == str(int(event["id"][1:]) + 1)
    assert of_case == {"c0": ["e3", "e6", "e9"], "c1": ["e4", "e7"], "c2": ["e2", "e5", "e8"]}


def test_brokers_that_do_not_answer_are_named_with_the_position_to_go_on_from() -> None:
    with pytest.raises(TruenorthError, match="--after 4"):
        export_kafka(filled(PLAIN), "127.0.0.1:1", after=4, settings={"message.timeout.ms": "200"})


def filled(log: Sequence[Event]) -> Counted:
    kept = MemoryLog()
    kept.append(list(log))
    return Counted(kept)
