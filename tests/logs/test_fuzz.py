"""No bytes whatsoever do anything but give a log or an `UnreadableLog`."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truenorth.logs import Log, peek, read_log, write_events
from truenorth.logs.log import QUARANTINE_SCHEMA
from truenorth.spec.problems import UnreadableLog

SUFFIXES = [
    ".csv",
    ".tsv",
    ".csv.gz",
    ".csv.zst",
    ".parquet",
    ".jsonl",
    ".json",
    ".json.gz",
    ".xes",
    ".xes.gz",
    ".sqlite",
    ".db",
    "",
    ".x",
]
STARTS = [
    b"",
    b"\x1f\x8b",
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"SQLite format 3\x00",
    b"<log>",
    b'{"events":',
    b"[",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"time,x\n",
]
WRITTEN = [
    "log.csv",
    "log.csv.gz",
    "log.csv.zst",
    "log.parquet",
    "log.jsonl",
    "log.xes",
    "log.xes.gz",
    "log.json",
    "log.sqlite",
]
BRIEF = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

FRAME = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "type": ["Call", 'say "hi", now', None, "Closed"],
        "time": ["2024-05-01T10:00:00Z"] * 4,
        "customer": ["x", "y", "x", None],
        "case": ["1", "1", "2", None],
        "cost": [1.5, None, 2.0, -3.0],
        "ok": [True, None, False, True],
        "n": [1, 2, None, 4],
    }
).with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC"))


def read_anything(path: Path) -> None:
    for object_type in (None, "case"):
        with suppress(UnreadableLog):
            check(read_log(path, object_type=object_type))
        with suppress(UnreadableLog):
            peek(path, 5)


def check(log: Log) -> None:
    assert log.events["time"].null_count() == 0
    assert "id" in log.events.columns
    assert dict(log.quarantine.schema) == QUARANTINE_SCHEMA
    assert log.quarantine["reason"].null_count() == 0
    assert log.quarantine["line"].null_count() == 0


@pytest.mark.parametrize("suffix", SUFFIXES)
@BRIEF
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, suffix: str, start: bytes, rest: bytes) -> None:
    path = tmp_path / f"log{suffix}"
    path.write_bytes(start + rest)
    read_anything(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xes", ".json"])
@BRIEF
@given(
    text=st.text("ab01,;\t|\"'\n\r<>/=&#:{}[]-.T \0é", max_size=80),
    start=st.sampled_from(["", "time,x\n", '{"time":', "<log><trace><event>"]),
)
def test_random_text(tmp_path: Path, suffix: str, text: str, start: str) -> None:
    path = tmp_path / f"log{suffix}"
    path.write_bytes((start + text).encode())
    read_anything(path)


@pytest.mark.parametrize("name", WRITTEN)
@BRIEF
@given(data=st.data())
def test_files_that_were_damaged(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / name
    write_events(FRAME, path)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(1, len(raw))))
    path.write_bytes(raw[:cut])
    read_anything(path)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_cut(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_events(FRAME, path)
    raw = path.read_bytes()
    for end in range(1, len(raw), max(1, len(raw) // 40)):
        path.write_bytes(raw[:end])
        read_anything(path)


@BRIEF
@given(
    value=st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["events", "objects", "id", "time", "type", "properties", "relationships", "attributes", "name", ""]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=12,
    )
)
def test_json_of_any_shape(tmp_path: Path, value: object) -> None:
    for name in ("log.json", "log.jsonl"):
        (tmp_path / name).write_bytes(msgspec.json.encode(value))
        read_anything(tmp_path / name)


def test_a_bomb_is_not_lit(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    trace = '<trace><string key="concept:name" value="&e11;"/></trace>'
    text = f'<!DOCTYPE log [<!ENTITY e0 "x">{entities}]><log>{trace}</log>'
    (tmp_path / "log.xes.gz").write_bytes(gzip.compress(text.encode()))
    with pytest.raises(UnreadableLog, match="declares entities"):
        read_log(tmp_path / "log.xes.gz")


def test_no_file_is_read_for_an_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    event = '<event><date key="time:timestamp" value="2024-01-01"/><string key="concept:name" value="&x;"/></event>'
    declared = f'<!DOCTYPE log [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    (tmp_path / "log.xes").write_text(f"{declared}<log><trace>{event}</trace></log>")
    with pytest.raises(UnreadableLog, match="declares entities"):
        read_log(tmp_path / "log.xes")


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_depth_is_no_danger(tmp_path: Path, depth: int) -> None:
    (tmp_path / "log.jsonl").write_text('{"time":0,"a":' * depth)
    read_anything(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text('{"a":' * depth + "1" + "}" * depth)
    read_anything(tmp_path / "log.jsonl")
    (tmp_path / "log.json").write_text("[" * depth + "]" * depth)
    read_anything(tmp_path / "log.json")
    (tmp_path / "log.xes").write_text("<log><trace><event>" + '<string key="a" value="b">' * depth)
    read_anything(tmp_path / "log.xes")
