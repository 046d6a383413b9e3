"""Which format a file has, and what is said where it has none."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.logs import peek, read_log
from truenorth.spec.problems import UnreadableLog


def test_json_lines_without_a_line_are_a_log_without_events(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.touch()
    log = read_log(path)
    assert (log.events.height, log.quarantine.height) == (0, 0)
    assert "the file is empty: a log without events" in log.notes
    assert peek(path).height == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.csv", b"", r"expected an event log, found an empty file \(0 bytes\)"),
        ("log.csv", b"\n \n", "nothing but blank lines"),
        ("log.csv", b"PK\x03\x04....", "a ZIP archive or an Excel workbook"),
        ("log.csv", b"\0\0\0\1,\0", "NUL bytes in the first line"),
        ("log.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0", "gzip data, found data that is damaged from its beginning"),
        ("log.parquet", b"time,x\n", "text that begins with 'time,x.n'"),
        ("log.sqlite", b"\1\2\3\4", "the bytes 01 02 03 04"),
        ("log.parquet", b"PAR1PAR1", "is the file complete"),
        ("log.sqlite", b"SQLite format 3\0" + bytes(200), "SQLite database, found one that cannot be read"),
        ("log.xlsx", b"time,x\n", r"expected CSV, Parquet, JSON Lines, XES or OCEL 2.0 .* name the file by its format"),
        ("log", b"hello", "found text that begins with 'hello'"),
    ],
)
def test_what_is_no_log(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    for opened in (read_log, peek):
        with pytest.raises(UnreadableLog, match=said):
            opened(tmp_path / name)


def test_places_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="nothing under this name"):
        read_log(tmp_path / "log.csv")
    with pytest.raises(UnreadableLog, match="Parquet files in the folder"):
        read_log(tmp_path)
    with pytest.raises(UnreadableLog, match="a file name"):
        read_log("a\0b.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time\n")
    (tmp_path / "log.csv").chmod(0)
    with pytest.raises(UnreadableLog, match="no permission"):
        read_log(tmp_path / "log.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.csv", b"time\n2024-01-01\n"),
        ("LOG.CSV", b"time\n2024-01-01\n"),
        ("log.txt", b"time|x\n2024-01-01|1\n"),
        ("log", b'<log><trace><event><date key="time:timestamp" value="2024-01-01"/></event></trace></log>'),
        ("log", b'{"time":"2024-01-01"}\n{"time":"2024-01-01"}'),
        ("log.json", b'{"time":"2024-01-01"}\n'),
    ],
)
def test_the_name_or_the_beginning_tells_the_format(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_log(tmp_path / name).n_events >= 1


@pytest.mark.parametrize(
    "content",
    [
        b"time;type\n2024-01-01;a\n",
        b'{"time": "2024-01-01", "type": "a"}\n',
        gzip.compress(b"time,type\n2024-01-01,a\n", mtime=0),
    ],
)
def test_a_pipe_is_read_to_its_first_byte(tmp_path: Path, content: bytes) -> None:
    with pipe_of(tmp_path, content) as pipe:
        log = read_log(pipe)
    assert log.events["type"].to_list() == ["a"]
    assert log.quarantine.is_empty()


def test_a_pipe_of_what_must_be_a_file_says_so(tmp_path: Path) -> None:
    with pipe_of(tmp_path, b"PAR1....") as pipe, pytest.raises(UnreadableLog, match="write it to a file"):
        read_log(pipe)


def test_a_pipe_that_was_read_before_says_so(tmp_path: Path) -> None:
    with pipe_of(tmp_path, b"time\n2024-01-01\n") as pipe:
        read_log(pipe)
    with pipe_of(tmp_path, b"") as pipe, pytest.raises(UnreadableLog, match="a pipe can be read only once"):
        read_log(pipe)


@contextmanager
def pipe_of(folder: Path, content: bytes) -> Iterator[Path]:
    pipe = folder / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    yield pipe
    writer.join()


def test_a_type_of_objects_where_there_are_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time\n2024-01-01\n")
    assert read_log(tmp_path / "log.csv").notes == ()
    assert read_log(tmp_path / "log.csv", object_type="orders").notes == (
        "only logs in OCEL have types of objects: 'orders' changes nothing",
    )


def test_an_id_column_that_is_the_case_is_no_event_id(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,type,time\nA,Open,2024-05-01 10:00\nA,Closed,2024-05-01 11:00\n")
    log = read_log(path, fields={"case": "id"})
    assert (log.n_events, log.n_duplicates) == (2, 0)
    assert log.events["case"].to_list() == ["A", "A"]
    assert log.events["id"].to_list() == [1, 2]


@given(n_again=st.integers(0, 4), suffix=st.sampled_from([".csv", ".jsonl", ".parquet"]), some=st.booleans())
@settings(max_examples=40, deadline=None)
def test_rows_that_come_twice_without_an_id_are_told_whatever_is_read_of_them(
    n_again: int, suffix: str, some: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The rows differ in a property only, so that what a journey reads of them may be the same."""
    rows = [{"case": "1", "time": "2024-01-01 10:00", "item": i} for i in range(5)]
    frame = pl.DataFrame(rows + rows[:n_again])
    path = tmp_path_factory.mktemp("again") / f"log{suffix}"
    {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".parquet": frame.write_parquet}[suffix](path)
    log = read_log(path, columns=["case"] if some else None)
    assert log.n_events == 5 + n_again
    told = [note for note in log.notes if "count" in note]
    assert [note.split()[0] for note in told] == ([str(n_again)] if n_again else [])
    with_id = read_log(path, fields={"id": "item"}, columns=["case"] if some else None)
    assert (with_id.n_events, with_id.n_duplicates) == (5, n_again)
    assert not [note for note in with_id.notes if "count" in note]
