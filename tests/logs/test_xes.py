"""XES of every shape."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal

from logs.making import frames
from truenorth.logs import Log, peek, read_log, write_events
from truenorth.logs.content import Content
from truenorth.logs.xes import XesSource
from truenorth.logs.xes_plain import read_plain
from truenorth.spec.problems import UnreadableLog

LINES = """<?xml version="1.0" encoding="UTF-8"?>
<!-- made by a tool -->
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <string key="concept:name" value="the log"/>
  <trace>
    <string key="concept:name" value="c1"/>
    <int key="amount" value="7"/>
    <event>
      <string key="concept:name" value="A &amp; B"/>
      <date key="time:timestamp" value="2024-01-01T10:00:00.000+01:00"/>
      <string key="org:resource" value="ann"/>
      <boolean key="ok" value="true"/>
    </event>
    <event>
      <date key="time:timestamp" value="2024-01-01T11:00:00Z"/>
      <float key="cost:total" value="1.5"/>
    </event>
  </trace>
  <trace>
    <string key="concept:name" value="c2"/>
    <event>
      <string key="concept:name" value="Closed"/>
      <date key="time:timestamp" value="2024-01-02T10:00:00.000+00:00"/>
    </event>
  </trace>
</log>
"""


def read(folder: Path, text: str | bytes, name: str = "log.xes", **options: object) -> Log:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log(path, **options)  # type: ignore[arg-type]


def one_event(inside: str, before: str = "") -> str:
    time = '<date key="time:timestamp" value="2024-01-01T00:00:00Z"/>'
    return f"<log><trace>{before}<event>{time}{inside}</event></trace></log>"


def test_defaults(tmp_path: Path) -> None:
    log = read(tmp_path, LINES)
    assert log.events.drop("time").rows(named=True) == [
        {"id": 1, "type": "A & B", "case": "c1", "actor": "ann", "cost": None, "ok": True, "case:amount": 7},
        {"id": 2, "type": None, "case": "c1", "actor": None, "cost": 1.5, "ok": None, "case:amount": 7},
        {"id": 3, "type": "Closed", "case": "c2", "actor": None, "cost": None, "ok": None, "case:amount": None},
    ]
    assert log.events["time"].dt.strftime("%d %H:%M").to_list() == ["01 09:00", "01 11:00", "02 10:00"]
    assert "case is read from 'case:concept:name'" in log.notes


@pytest.mark.parametrize("fields", [{"team": "org:resource"}, {"actor": "ok"}])
def test_who_acted_is_mapped_as_a_whole_or_not_at_all(tmp_path: Path, fields: dict[str, str]) -> None:
    log = read(tmp_path, LINES, fields=fields)
    assert ({"actor", "team"} & set(log.events.columns)) == set(fields)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", ""),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("><", ">\n\n<").replace("  ", "\t"),
        lambda text: text.replace('"', "'"),
        lambda text: text.replace("/>", "></{}>").replace("></{}>", " />"),
        lambda text: text.replace("<log", "<x:log xmlns:x='y'").replace("</log", "</x:log"),
        lambda text: text.replace("<event>", "<!-- here --><event>"),
        lambda text: text.replace('key="ok" value="true"', 'value="true" key="ok"'),
        lambda text: text.replace("A &amp; B", "A &#38; B"),
    ],
)
def test_the_layout_does_not_matter(tmp_path: Path, change: object) -> None:
    expected = read(tmp_path, LINES).events
    assert_frame_equal(read(tmp_path, change(LINES)).events, expected)  # type: ignore[operator]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16", "utf-8"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = LINES.replace("UTF-8", encoding).replace("ann", "Jürgen")
    assert read(tmp_path, text.encode(encoding)).events["actor"][0] == "Jürgen"


@pytest.mark.parametrize(
    ("inside", "name", "value"),
    [
        ('<string key="a" value="b"><int key="c" value="1"/></string>', "a:c", 1),
        ('<list key="a"><values><string key="x" value="b"/><int key="y" value="2"/></values></list>', "a", '["b","2"]'),
        ('<container key="a"><int key="y" value="2"/></container>', "a", '["2"]'),
        ('<int key="a" value="1"/><int key="a" value="2"/>', "a", 2),
        ('<int key="a" value="one"/>', "a", "one"),
        ('<int key="a" value=""/>', "a", None),
        ('<float key="a" value="INF"/>', "a", float("inf")),
        ('<boolean key="a" value="False"/>', "a", False),
        ('<date key="a" value="2024-02-30"/>', "a", "2024-02-30"),
        ('<string key="a" value=" &lt;&#10;&quot; "/>', "a", ' <\n" '),
        ('<string key="" value="b"/>', "unnamed", "b"),
        ('<string key="a" value="x	y"/>', "a", "x y"),
        ('<id key="a" value="f81d4fae"/>', "a", "f81d4fae"),
    ],
)
def test_attributes(tmp_path: Path, inside: str, name: str, value: object) -> None:
    assert read(tmp_path, one_event(inside)).events[name][0] == value


def test_attributes_of_two_types_are_text(tmp_path: Path) -> None:
    other = '<event><date key="time:timestamp" value="2024-01-01"/><string key="a" value="x"/></event>'
    text = one_event('<int key="a" value="1"/>').replace("</trace>", f"{other}</trace>")
    assert read(tmp_path, text).events["a"].to_list() == ["1", "x"]


def test_events_outside_of_traces_have_no_case(tmp_path: Path) -> None:
    text = LINES.replace("</log>", '<event><date key="time:timestamp" value="2024-01-03"/></event></log>')
    assert read(tmp_path, text).events["case"].to_list() == ["c1", "c1", "c2", None]


@pytest.mark.parametrize("lines", [LINES, LINES.replace("<event>", "<!-- x --><event>")])
def test_bad_dates_go_to_the_quarantine(tmp_path: Path, lines: str) -> None:
    log = read(tmp_path, lines.replace("2024-01-01T11:00:00Z", "2024-02-30T11:00:00Z"))
    assert log.n_events == 2
    assert log.events["id"].to_list() == [1, 3]
    line, reason, row = log.quarantine.row(0)
    assert line == 16
    assert reason.startswith("time '2024-02-30T11:00:00Z' is no instant")
    assert row.startswith("<event>")
    assert row.endswith("</event>")


def test_an_event_without_a_time_goes_to_the_quarantine(tmp_path: Path) -> None:
    log = read(tmp_path, LINES.replace('<date key="time:timestamp" value="2024-01-01T11:00:00Z"/>', ""))
    assert log.quarantine.select("line", "reason").row(0) == (16, "time is missing")


def test_a_cut_document_is_read_to_the_cut(tmp_path: Path) -> None:
    text = LINES[: LINES.index("Closed")]
    log = read(tmp_path, text)
    last = text.count("\n") + 1
    assert log.n_events == 2
    assert log.notes[0] == f"the file breaks off in line {last}: the document has no end"
    assert log.quarantine.select("line", "reason").row(0) == (last - 1, f"this event is not complete: {log.notes[0]}")


def test_cut_gzip_data_is_read_to_the_cut(tmp_path: Path) -> None:
    frame = pl.DataFrame({"case": [str(n % 50) for n in range(3_000)], "type": [f"{n * n}" for n in range(3_000)]})
    times = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1, 0, 49, 59), "1s", time_zone="UTC", eager=True
    )
    write_events(frame.with_columns(times.alias("time")), tmp_path / "log.xes.gz")
    whole = (tmp_path / "log.xes.gz").read_bytes()
    log = read(tmp_path, whole[: len(whole) // 2], "log.xes.gz")
    assert 0 < log.n_events < 3_000
    assert "the gzip data is damaged or cut off" in log.notes[0]
    assert log.quarantine.height == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<log><trace></event></log>", "line 1, .*not well-formed: mismatched tag"),
        ("<html><body/></html>", "a document of <html>, not of <log>"),
        ("<log><object-types/></log>", "an object-centric log as XML"),
        ("<log><trace><event>", "no complete event: the file breaks off in line 1"),
        ("time,type\n", "not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><log/>', "klingon|unknown encoding"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(UnreadableLog, match=found):
        read(tmp_path, text)


def test_a_log_without_events(tmp_path: Path) -> None:
    assert read(tmp_path, "<log/>").n_events == 0


def test_a_peek_takes_the_first_events(tmp_path: Path) -> None:
    (tmp_path / "log.xes").write_text(LINES)
    head = peek(tmp_path / "log.xes", 1)
    assert head.height == 1
    assert head["concept:name"].to_list() == ["A & B"]


BRIEF = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@BRIEF
@given(frame=frames())
def test_both_readers_agree(tmp_path: Path, frame: pl.DataFrame) -> None:
    write_events(frame, tmp_path / "log.xes")
    data = (tmp_path / "log.xes").read_bytes()
    careful = XesSource(tmp_path / "log.xes", Content(data.replace(b"<event>", b"<event><!-- -->"))).read(None)
    if read_plain(data) is not None:
        assert_frame_equal(XesSource(tmp_path / "log.xes", Content(data)).read(None).frame, careful.frame)
    zipped = Content(gzip.decompress(gzip.compress(data)))
    assert XesSource(tmp_path / "log.xes", zipped).read(None).frame.columns == careful.frame.columns


def test_an_event_that_several_traces_hold_belongs_to_each_of_their_cases(tmp_path: Path) -> None:
    shared = (
        '<event><string key="id" value="permit 7"/><string key="concept:name" value="Permitted"/>'
        '<date key="time:timestamp" value="2024-01-01T00:00:00Z"/></event>'
    )
    traces = (f'<trace><string key="concept:name" value="{case}"/>{shared}</trace>' for case in ("a", "b", "b"))
    log = read(tmp_path, f"<log>{''.join(traces)}</log>")
    assert log.events.select("id", "case").rows() == [("permit 7", "a"), ("permit 7", "b")]
    assert log.n_duplicates == 1
