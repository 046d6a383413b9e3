"""A log written part by part reads back as if it had been written at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import truenorth as tn
from simulate.making import frames, large
from truenorth.simulate.outputs import write_parts
from truenorth.spec.problems import TruenorthError

STREAMED = ["log.parquet", "log.csv", "log.csv.gz", "log.tsv.zst", "log.jsonl", "log.ndjson.gz", "LOG.CSV"]
AT_ONCE = ["log.xes", "log.xes.gz", "log.json", "log.sqlite"]


@pytest.mark.parametrize("name", STREAMED)
@settings(deadline=None, max_examples=10)
@given(frame=frames(min_size=1), rows_per_part=st.integers(1, 50))
def test_parts_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, name: str, frame: pl.DataFrame, rows_per_part: int
) -> None:
    folder = tmp_path_factory.mktemp("out")
    frame = frame.with_columns((pl.col("time") + pl.duration(microseconds=7)).alias("received"))
    frame = frame.with_columns(
        (pl.col("severity") / 0).alias("ratio"), pl.lit("a, b").cast(pl.Categorical).alias("kind")
    )
    n = write_parts(frame.iter_slices(rows_per_part), folder / f"parts-{name}")
    tn.write_events(frame, folder / f"whole-{name}")
    parts, whole = tn.read_log(folder / f"parts-{name}"), tn.read_log(folder / f"whole-{name}")
    assert n == frame.height
    assert_frame_equal(parts.events, whole.events)
    assert parts.quarantine.is_empty()


@pytest.mark.parametrize("name", AT_ONCE)
def test_formats_that_group_by_case_are_written_at_once(tmp_path: Path, name: str) -> None:
    frame = large(200)
    assert write_parts(frame.iter_slices(30), tmp_path / f"parts-{name}") == 200
    tn.write_events(frame, tmp_path / f"whole-{name}")
    if not name.endswith("sqlite"):
        assert (tmp_path / f"parts-{name}").read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


@pytest.mark.parametrize("name", ["log.parquet", "log.csv.gz", "log.jsonl", "log.xes"])
def test_a_log_that_breaks_off_leaves_nothing(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield large(100)
        raise OSError(28, "No space left on device")

    with pytest.raises((TruenorthError, OSError), match="No space left"):
        write_parts(broken(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_parts_are_not_kept(tmp_path: Path) -> None:
    """However many there are, only some are ahead of what is written."""
    part = large(5_000)
    n_parts = 400
    sizes = []

    def parts() -> Iterator[pl.DataFrame]:
        for _ in range(n_parts):
            unfinished = tmp_path / ".log.csv.part"
            sizes.append(unfinished.stat().st_size if unfinished.exists() else 0)
            yield part

    write_parts(parts(), tmp_path / "log.csv")
    size_of_part = (tmp_path / "log.csv").stat().st_size / n_parts
    assert max(number - size / size_of_part for number, size in enumerate(sizes)) < n_parts / 2


@pytest.mark.parametrize("name", ["log.docx", "log", "log.parquet.gz", "log.db.zst"])
def test_a_name_of_no_format(tmp_path: Path, name: str) -> None:
    with pytest.raises(TruenorthError, match="a file name that ends in"):
        write_parts([large(100)], tmp_path / name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TruenorthError, match="no such folder"):
        write_parts([large(100)], tmp_path / "none" / "log.csv")


def test_no_part_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one part"):
        write_parts([], tmp_path / "log.csv")
