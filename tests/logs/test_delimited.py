"""Delimited text as it is found in the world."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from truenorth.logs import Log, peek, read_log, schema_kinds
from truenorth.logs.delimited import read_whole
from truenorth.logs.delimited_rows import split_rows
from truenorth.logs.mapping import DAY_OR_MONTH
from truenorth.spec.problems import UnreadableLog

NEVER_CLOSED = "a quote is opened in this line and never closed"
TOO_MANY = "3 fields where the header has 2"


def read(folder: Path, text: bytes | str, name: str = "log.csv", **options: object) -> Log:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log(path, **options)  # type: ignore[arg-type]


def bad(log: Log) -> list[tuple[int, str]]:
    return list(log.quarantine.select("line", "reason").iter_rows())


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        (["1", "-20", ""], "integer", 1),
        (["1", "2.5"], "number", 1.0),
        (["1e3", "2"], "number", 1000.0),
        (["TRUE", "false"], "boolean", True),
        (["2024-01-01", "2024-01-02T10:00Z"], "instant", None),
        (["0012", "7"], "text", "0012"),
        (["0", "10"], "integer", 0),
        (["1234567890123456789", "1"], "text", "1234567890123456789"),
        (["123456789012345678"], "integer", 123456789012345678),
        (["1", "x"], "text", "1"),
        (["+1"], "text", "+1"),
        (["nan", "1.0"], "text", "nan"),
        (["1,5", "-2", "1.234,567"], "number", 1.5),
        (["1,500", "2"], "text", "1,500"),
        (["1,5", "1.5"], "text", "1,5"),
        (["1,5", "3,5,7"], "text", "1,5"),
        (["", ""], "null", None),
        (["yes", "no"], "text", "yes"),
    ],
)
def test_columns_have_the_type_of_their_content(tmp_path: Path, values: list[str], kind: str, first: object) -> None:
    rows = "".join(f"2024-01-01;{value}\n" for value in values)
    log = read(tmp_path, f"time;x\n{rows}")
    assert schema_kinds(log)["x"] == kind
    assert first is None or log.events["x"][0] == first


def test_money_with_a_decimal_comma_is_read_and_told(tmp_path: Path) -> None:
    log = read(tmp_path, "time;cost;fee\n2024-01-01;3,20;0,5\n2024-01-02;1.100;7\n2024-01-03;?;\n2024-01-04;;1,25\n")
    assert log.events.select("cost", "fee").rows() == [(3.2, 0.5), (1100.0, 7.0), (None, 1.25)]
    assert bad(log) == [(4, "cost '?' is no number")]
    assert [note for note in log.notes if "decimal comma" in note] == [
        f"'{name}' is read as numbers with a decimal comma" for name in ("cost", "fee")
    ]


def test_canonical_text_is_as_it_was_written(tmp_path: Path) -> None:
    log = read(tmp_path, "time,case,type,id\n2024-01-01,007,1.50,9\n")
    assert log.events.select("id", "type", "case").row(0) == ("9", "1.50", "007")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_separators_line_ends_encodings(tmp_path: Path, separator: str, end: str, encoding: str) -> None:
    lines = [["time", "type", "n"], ["2024-01-01", "Überprüft", "1"], ["2024-01-02", "é", "2"]]
    text = "".join(separator.join(line) + end for line in lines)
    log = read(tmp_path, text.encode(encoding))
    assert log.events.drop("time").rows() == [(1, "Überprüft", 1), (2, "é", 2)]


@pytest.mark.parametrize(
    ("text", "events", "quarantined"),
    [
        ("time,x\n2024-01-01,1\n\n\n2024-01-02,2\n", [(1, 1), (2, 2)], []),
        ("\n\ntime,x\n2024-01-01,1\n2024-01-02\n", [(1, 1)], [(5, "1 field where the header has 2")]),
        ("sep=,\ntime,x\nsoon,1\n2024-01-02,1\n", [(2, 1)], [(3, "time 'soon' is no instant of the format Y-m-d")]),
        ("time,x\n2024-01-01,1\n2024-01-02,2,3\n2024-01-03,3\n", [(1, 1), (3, 3)], [(3, TOO_MANY)]),
        ('time,x\n2024-01-01,"a\nb\n"\n2024-01-02\n', [(1, "a\nb\n")], [(5, "1 field where the header has 2")]),
        ('time,x\n2024-01-01,"a\r\nb"\r\n2024-01-02,5" pipe\r\n', [(1, "a\r\nb"), (2, '5" pipe')], []),
        ('time,x\n2024-01-01,say "hi" now\n2024-01-02,"say ""hi"""\n', [(1, 'say "hi" now'), (2, 'say "hi"')], []),
        ('time,x\n2024-01-01,"a\n2024-01-02,b\n2024-01-03,c\n', [(2, "b"), (3, "c")], [(2, NEVER_CLOSED)]),
        ("time,x\n2024-01-01,a\0b\n2024-01-02,c\n", [(2, "c")], [(2, "holds NUL bytes")]),
        ("time,x\n,a\n2024-01-02,c\n", [(2, "c")], [(2, "time is missing")]),
        ("time,x\n2024-01-01,a\n2024-01-02", [(1, "a")], [(3, "1 field where the header has 2")]),
        ("time,x\n2024-01-01,\n2024-01-02,\"\"\n", [(1, None), (2, None)], []),
    ],
)  # fmt: skip
def test_dirty_files(tmp_path: Path, text: str, events: list[tuple], quarantined: list[tuple[int, str]]) -> None:
    log = read(tmp_path, text)
    assert log.events.select("id", "x").rows() == events
    assert bad(log) == quarantined


def test_reasons(tmp_path: Path) -> None:
    rows = [
        "30/03/2016 10:00;1;0.5",
        "31/02/2016 10:00;1;0",
        "30/03/2016 10:00;1,5;0",
        "30/03/2016 10:00;x;2",
        "01/01/9999 10:00;1;0",
        "30/03/2016 10:00;inf;nan",
    ]
    log = read(tmp_path, "time;cost;feeling\n" + "\n".join(rows) + "\n")
    assert log.n_events == 1
    assert bad(log) == [
        (3, "time '31/02/2016 10:00' is no instant of the format d/m/Y H:M"),
        (4, "cost '1,5' is no number: write a decimal point, not a comma"),
        (5, "cost 'x' is no number; feeling '2' is outside [-1, 1]"),
        (6, "time '01/01/9999 10:00' lies outside 1900 to 2200"),
        (7, "cost 'inf' is no number; feeling 'nan' is no number"),
    ]  # fmt: skip
    assert log.quarantine["row"].to_list() == rows[1:]


def test_long_rows_are_cut_in_the_quarantine(tmp_path: Path) -> None:
    log = read(tmp_path, f"time,x\n2024-01-01,1\nsoon,{'y' * 3000}\n")
    assert len(log.quarantine["row"][0]) == 1_000


def test_names_are_made_distinct(tmp_path: Path) -> None:
    log = read(tmp_path, ",time,category,category\n1,2024-01-01,a,b\n")
    assert log.events.columns == ["id", "time", "column_1", "category", "category_2"]
    assert log.notes == (
        "column 1 has no name: it is called 'column_1'",
        "column 4 is another 'category': it is called 'category_2'",
    )


@pytest.mark.parametrize(
    ("rows", "ids", "n_duplicates"),
    [
        ("2024-01-01,a,\n2024-01-02,a,\n2024-01-03,b,\n", ["a", "b"], 1),
        ("soon,a,\n2024-01-02,a,\n2024-01-03,a,\n", ["a"], 1),
        ("2024-01-01,,\n2024-01-02,,\n2024-01-03,x,\n", ["1", "2", "x"], 0),
        ("2024-01-01,a,s\n2024-01-02,a,t\n2024-01-03,a,s\n2024-01-03,a,\n2024-01-03,a,\n", ["a", "a", "a"], 2),
    ],
)
def test_second_arrivals_are_left_out(tmp_path: Path, rows: str, ids: list[str], n_duplicates: int) -> None:
    log = read(tmp_path, f"time,id,source\n{rows}")
    assert (log.events["id"].to_list(), log.n_duplicates) == (ids, n_duplicates)


def test_a_header_alone_is_a_log_without_events(tmp_path: Path) -> None:
    log = read(tmp_path, "time,type,cost\n")
    assert (log.n_events, log.quarantine.height) == (0, 0)
    assert log.events.columns == ["id", "type", "time", "cost"]


def test_an_ambiguous_day_is_told(tmp_path: Path) -> None:
    log = read(tmp_path, "when\n1/2/2016\n3/4/2016\n", fields={"time": "when"})
    assert log.notes == (
        "'when' is read day first (d/m/Y): 2 rows could be read month first as well; "
        "--map time='when (month first)' or 'when (day first)' decides",
    )


@given(
    days=st.lists(st.dates(date(1980, 1, 1), date(2080, 1, 1)), min_size=1, max_size=9),
    order=st.sampled_from(DAY_OR_MONTH),
)
@settings(max_examples=40, deadline=None)
def test_a_caller_says_whether_day_or_month_comes_first(
    days: list[date], order: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was written so is read so, with no note, also where days and months could be told apart only by that."""
    written = "%d/%m/%Y %I:%M %p" if order == "day first" else "%m/%d/%Y %I:%M %p"
    rows = [datetime.combine(day, time(13, 5), UTC) for day in days]
    text = "".join(f"{row:{written}}\n" for row in rows)
    log = read(tmp_path_factory.mktemp("said"), f"when\n{text}", fields={"time": f"when ({order})"})
    assert log.events["time"].to_list() == rows
    assert log.notes == () or "same as" in log.notes[0]


def test_what_does_not_fit_the_order_that_is_said_is_quarantined(tmp_path: Path) -> None:
    log = read(tmp_path, "when\n1/2/2016\n30/4/2016\n", fields={"time": "when (month first)"})
    assert log.events["time"].to_list() == [datetime(2016, 1, 2, tzinfo=UTC)]
    assert log.quarantine["reason"].to_list() == ["time '30/4/2016' is no instant of the format m/d/Y"]


def test_a_column_that_is_called_so_is_that_column(tmp_path: Path) -> None:
    log = read(tmp_path, "when (month first),when\n1/2/2016,5/6/2016\n", fields={"time": "when (month first)"})
    assert log.events["time"].to_list() == [datetime(2016, 2, 1, tzinfo=UTC)]


def test_a_cut_file_is_read_to_the_cut(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-01,event number {n * n}\n" for n in range(5_000))
    whole = gzip.compress(("time,x\n" + rows).encode())
    log = read(tmp_path, whole[: len(whole) // 2], "log.csv.gz")
    assert 0 < log.n_events < 5_000
    assert "damaged or cut off" in log.notes[0]
    line, reason = bad(log)[0]
    assert line == log.n_events + 2
    assert "damaged or cut off" in reason


@pytest.mark.parametrize("n_good", [25])
def test_a_column_that_is_no_money_is_a_property(tmp_path: Path, n_good: int) -> None:
    text = "time,cost\n" + "2024-01-01,high\n" * n_good
    log = read(tmp_path, text)
    assert log.events["properties.cost"][0] == "high"
    assert log.quarantine.is_empty()
    with pytest.raises(UnreadableLog, match="cost: expected numbers, found 'high' in column 'cost'"):
        read(tmp_path, text, fields={"cost": "cost"})


def test_only_what_is_needed(tmp_path: Path) -> None:
    log = read(tmp_path, "time,case,x,y\n2024-01-01,a,1,2\n", columns=["case", "y"])
    assert log.events.columns == ["id", "time", "case", "y"]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    read(tmp_path, "time\n2024-01-01\n", on_progress=lambda stage, share: told.append((stage, share)))
    assert told[0] == ("reading", 0.0)
    assert told[-1] == ("reading values", 1.0)
    assert all(0 <= share <= 1 for _, share in told)


def test_a_peek_shows_the_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("When,type,type\nsoon,1,x\n2024-01-01,2,y\n2024-01-01,3,z\n")
    assert peek(tmp_path / "log.csv", 2).rows(named=True) == [
        {"When": "soon", "type": 1, "type_2": "x"},
        {"When": "2024-01-01", "type": 2, "type_2": "y"},
    ]


FIELDS = st.text("ab \",;\n'é1", max_size=6)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=6), separator=st.sampled_from(",;\t|"))
def test_both_ways_of_reading_agree(rows: list[list[str]], separator: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    data = text.getvalue().encode()
    names = ("a", "b", "c")
    whole = read_whole(data, 6, 1, names, separator)
    split = split_rows(data[6:], separator, 3, 2)
    assert split.bad.is_empty()
    careful = read_whole("\n".join(["a", *split.good["row"]]).encode(), 2, 1, names, separator)
    found = [next(csv.reader(io.StringIO(row, newline=""), delimiter=separator)) for row in split.good["row"]]
    assert found == rows
    if whole is not None:
        expected = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").with_columns(
            pl.all().replace("", None)
        )
        assert_frame_equal(whole, expected)
        if careful is not None:
            assert_frame_equal(whole, careful)
