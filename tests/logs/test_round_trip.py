"""What was written reads back the same."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal

from logs.making import frames, known
from truenorth.logs import Log, peek, read_log, write_events, write_quarantine
from truenorth.spec.problems import TruenorthError

TABULAR = [
    "log.csv",
    "log.csv.gz",
    "log.csv.zst",
    "log.tsv",
    "log.parquet",
    "log.jsonl",
    "log.ndjson.gz",
    "log.jsonl.zst",
]
BRIEF = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", TABULAR)
@BRIEF
@given(frame=frames())
def test_rows_come_back(tmp_path: Path, name: str, frame: pl.DataFrame) -> None:
    write_events(frame, tmp_path / name)
    log = read_log(tmp_path / name)
    assert_frame_equal(known(log.events), known(frame), check_column_order=not name.startswith("log.jsonl"))
    assert log.quarantine.is_empty()
    assert log.n_duplicates == 0


def in_cases(frame: pl.DataFrame) -> pl.DataFrame:
    """Events by their place, with their case's first."""
    key = next((name for name in ("case", "customer") if name in frame.columns), None)
    if key is None:
        return frame
    order = frame.with_row_index("row").with_columns(last=pl.col(key).is_null(), first=pl.col("row").min().over(key))
    return frame[order.sort("last", "first", "row")["row"].to_list()]


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
@BRIEF
@given(frame=frames())
def test_traces_come_back(tmp_path: Path, name: str, frame: pl.DataFrame) -> None:
    write_events(frame, tmp_path / name)
    found = known(read_log(tmp_path / name).events)
    expected = known(in_cases(frame)).with_columns(pl.col("id").cast(found["id"].dtype))
    assert_frame_equal(found, expected, check_column_order=False)


@pytest.mark.parametrize("name", ["log.json", "log.json.gz", "log.sqlite"])
@BRIEF
@given(frame=frames())
def test_objects_come_back(tmp_path: Path, name: str, frame: pl.DataFrame) -> None:
    if "case" not in frame.columns or frame["case"].null_count() == frame.height:
        frame = frame.with_columns(case=pl.lit("one"))
    write_events(frame, tmp_path / name)
    found = known(read_log(tmp_path / name, object_type="case").events)
    expected = known(frame).with_columns(pl.col("id").cast(pl.String))
    assert_frame_equal(found, expected, check_column_order=False)


@pytest.mark.parametrize("name", [*TABULAR, "log.xes"])
def test_no_events_come_back(tmp_path: Path, name: str) -> None:
    write_events(read_log_of(tmp_path, b"time,type\n").events, tmp_path / name)
    assert read_log(tmp_path / name).n_events == 0
    assert peek(tmp_path / name).height == 0


def read_log_of(folder: Path, text: bytes) -> Log:
    path = folder / "given.csv"
    path.write_bytes(text)
    return read_log(path)


def test_the_quarantine_is_a_table_too(tmp_path: Path) -> None:
    log = read_log_of(tmp_path, b'time,type\n2024-01-01,"a\nb"\nsoon,"c, ""d"""\n')
    write_quarantine(log, tmp_path / "bad.csv")
    expected = 'line,reason,row\n4,time \'soon\' is no instant of the format Y-m-d,"soon,""c, """"d"""""""\n'
    assert (tmp_path / "bad.csv").read_text() == expected


def test_positions_are_not_written(tmp_path: Path) -> None:
    log = read_log_of(tmp_path, b"time\n2024-01-01\nsoon\n2024-01-02\n")
    assert log.events["id"].to_list() == [1, 3]
    write_events(log, tmp_path / "log.csv")
    assert read_log(tmp_path / "log.csv").events["id"].to_list() == ["1", "3"]
    write_events(log.events.head(1), tmp_path / "log.csv")
    assert peek(tmp_path / "log.csv").columns == ["time"]


@pytest.mark.parametrize("name", ["log.xlsx", "log", "log.parquet.gz"])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TruenorthError, match="expected a file name that ends in"):
        write_events(read_log_of(tmp_path, b"time\n"), tmp_path / name)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    log = read_log_of(tmp_path, b"time\n2024-01-01\n")
    with pytest.raises(TruenorthError, match="expected a place to write to"):
        write_events(log, tmp_path / "missing" / "log.csv")
    with pytest.raises(TruenorthError):
        write_events(log.events.with_columns(pl.lit("x").alias("concept:name"), type=pl.lit("a")), tmp_path / "log.xes")
    assert [path.name for path in tmp_path.iterdir()] == ["given.csv"]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.json"])
def test_what_is_no_finite_number_becomes_null(tmp_path: Path, name: str) -> None:
    log = read_log_of(tmp_path, b"time,case,x\n2024-01-01,a,1.5\n2024-01-02,a,2\n2024-01-03,a,3\n")
    odd = log.events.with_columns(x=pl.Series([1.5, float("nan"), float("inf")]))
    write_events(odd, tmp_path / name)
    assert read_log(tmp_path / name, object_type="case").events["x"].to_list() == [1.5, None, None]
