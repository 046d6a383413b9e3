"""JSON Lines and arrays of events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truenorth.logs import Log, peek, read_log, schema_kinds
from truenorth.spec.problems import UnreadableLog

T = '"time":"2024-01-01T00:00:00Z"'


def read(folder: Path, text: str, name: str = "log.jsonl", **options: object) -> Log:
    path = folder / name
    path.write_text(text)
    return read_log(path, **options)  # type: ignore[arg-type]


SEGMENT = (
    '{"messageId":"m1","type":"track","event":"Order Completed","userId":17,"timestamp":"2024-01-01T00:00:00.250Z",'
    '"context":{"page":{"url":"/pay"},"ip":"::1"},'
    '"properties":{"order_id":"o1","type":"web","items":[{"sku":"a"}],"deep":{"n":1}}}'
)


def test_nested_events_are_flat(tmp_path: Path) -> None:
    fields = {
        "id": "messageId",
        "type": "event",
        "time": "timestamp",
        "customer": "userId",
        "case": "properties.order_id",
        "channel": "properties.type",
    }
    log = read(tmp_path, SEGMENT, fields=fields)
    assert log.events.drop("time").rows(named=True) == [
        {
            "id": "m1",
            "type": "Order Completed",
            "customer": "17",
            "case": "o1",
            "channel": "web",
            "properties.type": "track",
            "context.page.url": "/pay",
            "context.ip": "::1",
            "items": '[{"sku":"a"}]',
            "deep.n": 1,
        }
    ]


def test_a_path_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UnreadableLog, match=r"case: expected a column 'properties.orderid'.*did you mean 'properties.order_id'"
    ):
        read(tmp_path, SEGMENT, fields={"case": "properties.orderid", "time": "timestamp"})


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "null"], "integer", [1, None]),
        (["1", "2.5"], "number", [1.0, 2.5]),
        (["true", "false"], "boolean", [True, False]),
        (['"1"', '"2"'], "text", ["1", "2"]),
        (["1", '"a"', "true", "[1]"], "text", ["1", "a", "true", "[1]"]),
        (["36893488147419103232", "1"], "number", [2.0**65, 1.0]),
        (["null"], "null", [None]),
        (["{}"], None, None),
    ],
)
def test_types(tmp_path: Path, values: list[str], kind: str | None, expected: list | None) -> None:
    log = read(tmp_path, "\n".join(f'{{{T},"x":{value}}}' for value in values))
    assert schema_kinds(log).get("x") == kind
    assert expected is None or log.events["x"].to_list() == expected


def test_text_that_is_an_instant_throughout_is_one(tmp_path: Path) -> None:
    log = read(tmp_path, f'{{{T},"x":"2024-01-01","y":"2024-01-01"}}\n{{{T},"x":"2024-01-02T10:00Z","y":"soon"}}')
    assert (schema_kinds(log)["x"], schema_kinds(log)["y"]) == ("instant", "text")


def test_each_bad_line_is_quarantined(tmp_path: Path) -> None:
    lines = [f"{{{T}}}", "", "oops", "[1]", '{"type":"a"}', '{"time":"soon"}', f"{{{T}}}", '{"time":"2024-']
    log = read(tmp_path, "\n".join(lines))
    assert log.events["id"].to_list() == [1, 6]
    assert log.quarantine.select("line", "reason").rows() == [
        (3, "no JSON: JSON is malformed: invalid character (byte 0)"),
        (4, "a list where an event is a JSON object"),
        (5, "time is missing"),
        (6, "time 'soon' is no instant of the format Y-m-dTH:M:S with zone"),
        (8, "the file ends in the middle of this line: no JSON: Input data was truncated"),
    ]
    assert log.quarantine["row"][0] == "oops"
    assert log.quarantine["row"][3] == '{"time":"soon"}'


@pytest.mark.parametrize("name", ["log.json", "log.jsonl", "log", "log.dat"])
def test_an_array_of_events(tmp_path: Path, name: str) -> None:
    log = read(tmp_path, f'[{{{T},"id":1}},\n {{{T},"id":"1"}}, 7]', name)
    assert (log.n_events, log.n_duplicates) == (1, 1)
    assert log.quarantine.rows() == [(3, "a number where an event is a JSON object", "7")]


def test_a_broken_array_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match=r"expected a JSON array of events, found .*truncated"):
        read(tmp_path, f"[{{{T}}},", "log.json")


def test_a_blank_file_is_a_log_without_events(tmp_path: Path) -> None:
    assert read(tmp_path, "\n").n_events == 0


def test_a_peek(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(SEGMENT)
    head = peek(tmp_path / "log.jsonl")
    assert head["properties.type"].to_list() == ["web"]
    assert head["type"].to_list() == ["track"]


def test_keys_that_are_data_do_not_become_columns_without_end(tmp_path: Path) -> None:
    log = read(tmp_path, "\n".join(f'{{{T},"user {n}":1}}' for n in range(3_000)))
    assert log.events.width == 2_001
    assert (
        log.notes[0] == "the events have more than 2,000 different keys: 1,001 values under further keys are left out"
    )


def test_properties_of_an_exported_event_go_by_their_own_names(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    inner = {"plan": "a", "ticket": 7, "n": 2, "cost": "?"}
    path.write_text(json.dumps({"time": "2024-01-01", "properties": {"n": 1, "properties": inner, "x": {"y": 3}}}))
    log = read_log(path, fields={"case": "properties.ticket"})
    assert log.events.drop("id", "time").to_dicts() == [
        {"case": "7", "n": 1, "x.y": 3, "plan": "a", "properties.n": 2, "properties.cost": "?"}
    ]
    stored = read_log(path, as_stored=True).events
    assert {"n", "properties.n", "properties.plan", "properties.ticket"} <= set(stored.columns)


def test_ids_that_are_stated_to_be_one_persons_stay_two_and_a_note_says_so(tmp_path: Path) -> None:
    rows = [
        {"time": "2024-01-01", "customer": "ann", "other_id": other, "other_kind": "alias"} for other in ("a", None)
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    told = "1 event states that two ids are one person's; they stay two"
    assert [told in note for note in read_log(path, columns=["customer"]).notes] == [True]
    assert read_log(path, as_stored=True).notes == ()
