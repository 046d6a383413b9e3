"""The archive: moved or not, the log reads the same, also when the process dies in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.making import BATCHES, HOUR_US, empty, event, first_arrivals, on_one_database, read_all
from truenorth.events import Event
from truenorth.spec.problems import TruenorthError
from truenorth.store import archive as archive_module
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import Appended

MIDDLE = st.sampled_from([-(2**61), 0, 2**61, 2**63 - 1])


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.parquet"))


@given(batches=BATCHES, cuts=st.lists(MIDDLE, min_size=6, max_size=6), page=st.integers(1, 7), rows=st.integers(1, 9))
@on_one_database
def test_archived_or_not_the_log_reads_the_same(
    store: Store, batches: list[list[Event]], cuts: list[int], page: int, rows: int
) -> None:
    empty(store)
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive_module, "FILE_ROWS", rows)
        for batch, before_us in zip(batches, cuts, strict=False):
            store.events.append(batch)
            store.archive.move(before_us, Path(name))
        distinct = first_arrivals(chain.from_iterable(batches))
        assert read_all(store, page) == distinct
        of_ann = [one.event for one in store.events.of_customers(["ann", "b"])]
        assert of_ann == [one for one in distinct if one.customer in {"ann", "b"}]
        whole = store.events.read()
        assert list(store.events.at([one.position for one in whole[::2]])) == list(whole[::2])
        again = list(chain.from_iterable(batches))
        assert store.events.append(again) == Appended(0, len(again), 0)


def test_old_events_are_moved_in_files_of_a_bounded_size(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "FILE_ROWS", 4)
    store.events.append([event(n) for n in range(1, 16)])
    told: list[int] = []
    moved = store.archive.move(11 * HOUR_US, tmp_path / "new" / "folder", told.append)
    assert moved == (10, 3)
    assert told == [4, 8, 10]
    first = pl.read_parquet(tmp_path / "new" / "folder" / files_in(tmp_path / "new" / "folder")[0])
    assert first["id"].to_list() == ["1", "2", "3", "4"]
    assert first.columns[:5] == ["position", "source", "id", "type", "time_us"]
    assert read_all(store) == [event(n) for n in range(1, 16)]
    assert store.archive.move(11 * HOUR_US, tmp_path / "new" / "folder") == (0, 0)


def test_positions_are_never_given_twice(store: Store, tmp_path: Path) -> None:
    store.events.append([event(1), event(2)])
    store.archive.move(10 * HOUR_US, tmp_path)
    store.events.append([event(3)])
    assert [one.event.id for one in store.events.read()] == ["1", "2", "3"]
    assert store.events.read()[-1].position > store.events.read()[-2].position


def test_an_archive_can_be_moved_elsewhere(store: Store, tmp_path: Path) -> None:
    store.events.append([event(1)])
    store.archive.move(10 * HOUR_US, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(TruenorthError, match="a file of archived events"):
        store.events.read()
    assert store.archive.relocate(tmp_path / "there") == 1
    assert read_all(store) == [event(1)]


def test_another_copy_of_the_store_does_not_write_over_the_files(store: Store, tmp_path: Path) -> None:
    store.events.append([event(1), event(2)])
    store.archive.move(2 * HOUR_US, tmp_path)
    (name,) = files_in(tmp_path)
    other = tmp_path / name.replace("000000000001-000000000001", "000000000002-000000000002")
    other.write_bytes(b"of another copy")
    with pytest.raises(TruenorthError, match="another copy of this store"):
        store.archive.move(9 * HOUR_US, tmp_path)
    store.archive.remove_doomed()
    assert other.read_bytes() == b"of another copy"
    assert read_all(store) == [event(1), event(2)]


def test_a_folder_that_cannot_be_written_to_changes_nothing(store: Store, tmp_path: Path) -> None:
    store.events.append([event(1)])
    (tmp_path / "file").write_text("")
    with pytest.raises(TruenorthError, match="folder"):
        store.archive.move(9 * HOUR_US, tmp_path / "file" / "folder")
    assert read_all(store) == [event(1)]


DYING = """
import os, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from truenorth.store import archive, archive_files
from truenorth.store.opening import open_store

url, folder, what, number = sys.argv[1:]
left = int(number)

def die_here(*_, **__):
    global left
    left -= 1
    if left < 0:
        os._exit(42)

archive.FILE_ROWS = 3
with open_store(url) as store:
    if what == "statement":
        event.listen(Engine, "before_cursor_execute", die_here)
    elif what == "committed":
        real = store.database._writes.dialect.do_commit
        store.database._writes.dialect.do_commit = lambda connection: (real(connection), die_here())
    else:
        real_sync = archive_files._on_disk
        archive_files._on_disk = lambda path: (real_sync(path), die_here())
    CALL
print("done")
"""


def dies(url: str, folder: Path, what: str, number: int, call: str) -> bool:
    """Run something in a process that dies at the so-manieth step; whether it died before it was done."""
    child = subprocess.run(
        [sys.executable, "-c", DYING.replace("CALL", call), url, str(folder), what, str(number)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert child.returncode in {0, 42}, child.stderr
    return child.returncode == 42


SOME = [("statement", (9, 12, 14)), ("committed", (0, 1)), ("file", (0, 1))]
ALL = [("statement", tuple(range(50))), ("committed", tuple(range(12))), ("file", tuple(range(10)))]


@pytest.mark.parametrize(
    ("what", "steps"),
    [*SOME, *(pytest.param(*one, marks=pytest.mark.slow) for one in ALL)],
    ids=lambda value: str(value)[:9],
)
def test_a_crash_at_any_instant_of_archiving_loses_and_doubles_nothing(
    url: str, tmp_path: Path, what: str, steps: tuple[int, ...]
) -> None:
    folder = tmp_path / "archive"
    expected: list[Event] = []
    n_died = 0
    for number in steps:
        new = [event(len(expected) + n) for n in range(9)]
        expected += new
        with open_store(url) as store:
            store.events.append(new)
        n_died += dies(url, folder, what, number, "store.archive.move(10**15, Path(folder))")
        with open_store(url) as store:
            assert read_all(store) == expected
            assert store.events.append(expected) == Appended(0, len(expected), 0)
            n_archived = sum(pl.read_parquet(path).height for path in folder.glob("*.parquet"))
            assert n_archived + n_in_table(store) == len(expected)  # no file is left that is not listed
            assert not list(folder.glob(".*"))
    assert n_died >= len(SOME[0][1]) - 1 or n_died == len(steps)
    with open_store(url) as store:
        store.archive.move(10**15, folder)
        assert n_in_table(store) == 0
        assert read_all(store) == expected


def n_in_table(store: Store) -> int:
    with store.database.reading() as connection:
        return int(connection.exec_driver_sql("select count(*) from event").scalar_one())
