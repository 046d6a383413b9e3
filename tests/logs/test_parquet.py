"""Parquet: typed columns of every kind."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from truenorth.logs import Log, peek, read_log, schema_kinds
from truenorth.spec.problems import UnreadableLog

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)


def read(folder: Path, frame: pl.DataFrame, **options: object) -> Log:
    frame.write_parquet(folder / "log.parquet")
    return read_log(folder / "log.parquet", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pl.Series([NOON.replace(tzinfo=None)], dtype=pl.Datetime("ms")), NOON),
        (pl.Series([NOON]).dt.convert_time_zone("Asia/Tokyo").cast(pl.Datetime("ns", "Asia/Tokyo")), NOON),
        (pl.Series([date(2024, 7, 1)]), NOON.replace(hour=0)),
        (pl.Series(["2024-07-01 14:00:00+02:00"]), NOON),
        (pl.Series(["2024-07-01 12:00:00"], dtype=pl.Categorical), NOON),
        (pl.Series([1_719_835_200], dtype=pl.UInt32), NOON),
        (pl.Series([1_719_835_200_000.0]), NOON),
    ],
)
def test_times(tmp_path: Path, column: pl.Series, expected: datetime) -> None:
    assert read(tmp_path, pl.DataFrame({"time": column})).events["time"].to_list() == [expected]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pl.Series([17], dtype=pl.UInt8), "17"),
        (pl.Series([2403.0, None]), "2403"),
        (pl.Series([1.5]), "1.5"),
        (pl.Series(["a"], dtype=pl.Categorical), "a"),
        (pl.Series(["a"], dtype=pl.Enum(["b", "a"])), "a"),
        (pl.Series([True]), "true"),
        (pl.Series([b"abc"]), "abc"),
        (pl.Series([date(2024, 7, 1)]), "2024-07-01"),
    ],
)
def test_canonical_text(tmp_path: Path, column: pl.Series, expected: str) -> None:
    frame = pl.DataFrame({"time": [NOON] * len(column), "case": column})
    assert read(tmp_path, frame).events["case"][0] == expected


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (pl.Series([7], dtype=pl.Int8), "integer", 7),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), "number", 2.0**64),
        (pl.Series([Decimal("1.25")]), "number", 1.25),
        (pl.Series([0.5], dtype=pl.Float32), "number", 0.5),
        (pl.Series(["a"], dtype=pl.Categorical), "text", "a"),
        (pl.Series([[1, 2], None]), "text", "[1,2]"),
        (pl.Series([{"a": "x"}]), "text", '{"a":"x"}'),
        (pl.Series([date(2024, 7, 1)]), "instant", NOON.replace(hour=0)),
        (pl.Series(["2024-07-01"]), "text", "2024-07-01"),
        (pl.Series([None], dtype=pl.Null), "null", None),
    ],
)
def test_properties(tmp_path: Path, column: pl.Series, kind: str, expected: object) -> None:
    log = read(tmp_path, pl.DataFrame({"time": [NOON] * len(column), "x": column}))
    assert (schema_kinds(log)["x"], log.events["x"][0]) == (kind, expected)
    assert len(column) == 1 or log.events["x"][1] is None


def test_what_other_tools_write(tmp_path: Path) -> None:
    table = pa.table(
        {
            "time": pa.array([NOON], pa.timestamp("us", "UTC")),
            "case": pa.array(["a"], pa.large_string()),
            "type": pa.array(["x"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet").events.rows() == [(1, "x", NOON, "a")]


def test_bad_rows_are_quarantined(tmp_path: Path) -> None:
    times = [NOON, None, datetime(9999, 12, 31, tzinfo=UTC), NOON, NOON]
    frame = pl.DataFrame({"time": times, "cost": [1.0, 2.0, 3.0, float("nan"), None], "x": ["a", "b", "c", "d", "e"]})
    log = read(tmp_path, frame)
    assert log.events["id"].to_list() == [1, 5]
    assert log.quarantine.select("line", "reason").rows() == [
        (2, "time is missing"),
        (3, "time '9999-12-31 00:00:00.000000+00:00' lies outside 1900 to 2200"),
        (4, "cost 'NaN' is no number"),
    ]
    assert '"x":"b"' in log.quarantine["row"][0]


def test_quarantine_does_not_depend_on_what_is_needed(tmp_path: Path) -> None:
    frame = pl.DataFrame({"time": [NOON, NOON], "cost": [1.0, float("inf")], "case": ["a", "b"], "x": [1, 2]})
    log = read(tmp_path, frame, columns=["case"])
    assert (log.n_events, log.quarantine.height) == (1, 1)
    assert "x" not in log.events.columns


def test_a_mapped_column_that_hides_another(tmp_path: Path) -> None:
    frame = pl.DataFrame({"time": [NOON], "Activity": ["a"], "type": ["b"]})
    log = read(tmp_path, frame, fields={"type": "Activity", "case": "Activity"})
    assert log.events.drop("id", "time").rows(named=True) == [{"type": "a", "case": "a", "properties.type": "b"}]
    assert "the file's own column 'type' is kept as 'properties.type'" in log.notes


def test_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, pl.DataFrame({"time": []}, schema={"time": pl.Datetime("us")})).n_events == 0


def test_no_time(tmp_path: Path) -> None:
    frame = pl.DataFrame({"when": [NOON], "x": ["a"]})
    with pytest.raises(UnreadableLog, match=r'columns \'when\', \'x\'. Hint: --map time="when"'):
        read(tmp_path, frame)
    with pytest.raises(UnreadableLog, match=r'expected instants, found \'a\' in column \'x\'. Hint: --map time="when"'):
        read(tmp_path, frame, fields={"time": "x"})


def test_every_missing_column_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog) as caught:
        read(tmp_path, pl.DataFrame({"When": [NOON], "b": ["a"]}), fields={"time": "when", "case": "c", "tpye": "b"})
    assert [problem.path.rpartition(": ")[2] for problem in caught.value.problems] == ["fields.tpye", "time", "case"]
    assert [problem.hint for problem in caught.value.problems] == [
        "did you mean 'type'?",
        "did you mean 'When'?",
        "map it to one of these columns",
    ]


def test_a_damaged_file(tmp_path: Path) -> None:
    pl.DataFrame({"time": [NOON]}).write_parquet(tmp_path / "log.parquet")
    whole = (tmp_path / "log.parquet").read_bytes()
    (tmp_path / "log.parquet").write_bytes(whole[:-20])
    with pytest.raises(UnreadableLog, match="is the file complete"):
        read_log(tmp_path / "log.parquet")


def test_a_peek(tmp_path: Path) -> None:
    pl.DataFrame({"time": [NOON] * 5, "x": range(5)}).write_parquet(tmp_path / "log.parquet")
    assert peek(tmp_path / "log.parquet", 2)["x"].to_list() == [0, 1]


def exported(properties: list[str | None]) -> pl.DataFrame:
    """A table as an export writes it: every field is there, though nobody may have said it."""
    n = len(properties)
    fields = {"time": [NOON] * n, "case": [None] * n, "cost": [2.0] * n, "properties": properties}
    return pl.DataFrame(fields, schema_overrides={"case": pl.String, "properties": pl.String})


def test_properties_as_json_text_are_columns_and_fields_that_hold_nothing_are_none(tmp_path: Path) -> None:
    frame = exported(['{"n":1,"day":"2024-07-01","properties":{"plan":"a","n":2,"cost":"?"}}', "{}", None])
    log = read(tmp_path, frame)
    assert log.events.drop("id").rows() == [
        (NOON, 2.0, 1, NOON.replace(hour=0), "a", 2, "?"),
        *[(NOON, 2.0, None, None, None, None, None)] * 2,
    ]
    assert log.events.columns[3:] == ["n", "day", "plan", "properties.n", "properties.cost"]
    few = read_log(tmp_path / "log.parquet", columns=["case", "plan"], fields={"case": "properties.n"})
    assert few.events.select("case", "plan").rows() == [("2", "a"), (None, None), (None, None)]
    assert peek(tmp_path / "log.parquet", 2).columns == ["time", "cost", *log.events.columns[3:]]


@pytest.mark.parametrize("text", ["a=1", "[1]", '"{}"', "{"])
def test_properties_of_another_kind_stay_a_column(tmp_path: Path, text: str) -> None:
    log = read(tmp_path, exported(["{}", text]))
    assert log.events["properties"].to_list() == ["{}", text]
    assert log.events["case"].to_list() == [None, None]


def test_an_export_without_events_and_one_to_be_brought_back(tmp_path: Path) -> None:
    assert read(tmp_path, exported([])).n_events == 0
    assert read(tmp_path, exported(['{"n":1}']), as_stored=True).events["properties"].to_list() == ['{"n":1}']


def test_keys_that_are_data_do_not_become_columns_without_end(tmp_path: Path) -> None:
    log = read(tmp_path, exported(['{"n":1,' + ",".join(f'"k{n}":{n}' for n in range(3_000)) + "}"]))
    assert log.events["n"].to_list() == [1]
    assert any("1,001 values under further keys are left out" in note for note in log.notes)
