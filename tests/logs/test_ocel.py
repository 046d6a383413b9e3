"""Object-centric logs."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import msgspec
import polars as pl
import pytest

from truenorth.logs import Log, peek, read_log, write_events
from truenorth.spec.problems import UnreadableLog

OBJECTS = [
    {
        "id": "o1",
        "type": "order",
        "attributes": [
            {"name": "price", "time": "2024-01-03T00:00:00Z", "value": "8.5"},
            {"name": "price", "time": "1970-01-01T00:00:00Z", "value": 7},
        ],
    },
    {"id": "o2", "type": "order"},
    {"id": "i1", "type": "item"},
    {"id": "i2", "type": "item"},
    {"id": "ann", "type": "Customers"},
]


def event(name: str, day: int, objects: dict[str, str], **attributes: object) -> dict:
    return {
        "id": name,
        "type": "Placed",
        "time": f"2024-01-0{day}T00:00:00Z",
        "attributes": [{"name": key, "value": value} for key, value in attributes.items()],
        "relationships": [{"objectId": one, "qualifier": role} for one, role in objects.items()],
    }


EVENTS = [
    event("e1", 1, {"o1": "order", "ann": "buyer", "i1": "", "i2": ""}, cost="2.5"),
    event("e2", 3, {"o1": "", "o2": ""}),
    event("e1", 3, {"o2": ""}),
    event("e3", 4, {"i1": ""}),
]
TYPES = {
    "eventTypes": [{"name": "Placed", "attributes": [{"name": "cost", "type": "float"}]}],
    "objectTypes": [{"name": "order", "attributes": [{"name": "price", "type": "float"}]}],
}


def read(folder: Path, content: object, name: str = "log.json", **options: object) -> Log:
    data = content if isinstance(content, bytes) else msgspec.json.encode(content)
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return read_log(folder / name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["log.json", "log.ocel2.json.gz", "log.jsonocel", "log"])
def test_events_come_once_for_each_object_of_the_type(tmp_path: Path, name: str) -> None:
    log = read(tmp_path, {**TYPES, "objects": OBJECTS, "events": EVENTS}, name, object_type="order")
    assert log.events.select("id", "case", "customer", "cost", "case:price", "objects:item", "qualifiers").rows() == [
        ("e1", "o1", "ann", 2.5, 7.0, '["i1","i2"]', '{"ann":"buyer"}'),
        ("e2", "o1", None, None, 8.5, None, None),
        ("e2", "o2", None, None, None, None, None),
        ("e3", None, None, None, None, '["i1"]', None),
    ]
    assert log.n_duplicates == 1


def test_the_customer_may_be_the_case(tmp_path: Path) -> None:
    log = read(tmp_path, {"objects": OBJECTS, "events": EVENTS}, object_type="Customers")
    assert log.events.select("case", "customer").rows() == [("ann", "ann"), (None, None), (None, None)]


@pytest.mark.parametrize("object_type", [None, "orders"])
def test_the_types_are_shown(tmp_path: Path, object_type: str | None) -> None:
    with pytest.raises(UnreadableLog, match=r"types item \(2\), order \(2\), Customers \(1\). Hint: --object-type"):
        read(tmp_path, {"objects": OBJECTS, "events": EVENTS}, object_type=object_type)


def test_a_case_is_hardly_ever_what_there_are_few_of(tmp_path: Path) -> None:
    objects = [{"id": "bob", "type": "clerk"}, *({"id": f"o{n}", "type": "order"} for n in range(20))]
    events = [event(f"e{n}", 1, {"bob": "by", **({f"o{n}": "of"} if n else {})}) for n in range(20)]
    with pytest.raises(UnreadableLog, match='--object-type "order"'):
        read(tmp_path, {"objects": objects, "events": events})


def test_bad_events_are_quarantined(tmp_path: Path) -> None:
    events = [{"type": "a"}, {**EVENTS[0], "time": "soon"}, EVENTS[1]]
    log = read(tmp_path, {"objects": OBJECTS, "events": events}, object_type="order")
    assert log.quarantine.select("line", "reason").rows() == [
        (1, "the event has no id"),
        (2, "time 'soon' is no instant of the format Y-m-dTH:M:S with zone"),
    ]
    assert log.events["id"].to_list() == ["e2", "e2"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"objects": [], "events": []}, "neither events nor objects"),
        ({"objects": [], "events": EVENTS}, "objects of the types none"),
        ({"objects": OBJECTS, "events": 3}, r"Expected `array`, got `int` - at `\$.events`"),
        (b'{"objectTypes": [], "events": [', "truncated"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: object, found: str) -> None:
    with pytest.raises(UnreadableLog, match=found):
        read(tmp_path, content, object_type=None)


def test_the_older_version(tmp_path: Path) -> None:
    old = {
        "ocel:events": {
            "e1": {
                "ocel:activity": "Placed",
                "ocel:timestamp": "2024-01-01T00:00:00",
                "ocel:omap": ["o1"],
                "ocel:vmap": {"cost": 1.5},
            }
        },
        "ocel:objects": {"o1": {"ocel:type": "order", "ocel:ovmap": {"size": 3}}},
    }
    log = read(tmp_path, old, "log.jsonocel", object_type="order")
    assert log.events.select("id", "type", "case", "cost", "case:size").rows() == [("e1", "Placed", "o1", 1.5, 3)]


@pytest.mark.parametrize("name", ["log.json", "log.sqlite"])
def test_a_name_may_be_that_of_a_case_and_of_a_customer(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame(
        {"id": ["a", "b"], "time": ["2024-01-01T00:00:00Z"] * 2, "case": ["x", "y"], "customer": ["y", "x"]}
    )
    (tmp_path / "log.csv").write_text(frame.write_csv())
    log = read_log(tmp_path / "log.csv")
    write_events(log, tmp_path / name)
    assert read_log(tmp_path / name, object_type="case").events.select("id", "case", "customer").rows() == [
        ("a", "x", "y"),
        ("b", "y", "x"),
    ]


def test_an_event_of_several_cases_is_written_once(tmp_path: Path) -> None:
    log = read(tmp_path, {**TYPES, "objects": OBJECTS, "events": EVENTS}, object_type="order")
    write_events(log.events.select("id", "type", "time", "case"), tmp_path / "again.json")
    again = read_log(tmp_path / "again.json", object_type="case")
    assert again.events.select("id", "case").rows() == log.events.select("id", "case").rows()
    assert len(msgspec.json.decode((tmp_path / "again.json").read_bytes())["events"]) == 3


def test_other_databases(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "log.db") as connection:
        connection.execute("CREATE TABLE thing (x)")
    connection.close()
    with pytest.raises(UnreadableLog, match=r"event_map_type, object_map_type missing\), found tables thing"):
        read_log(tmp_path / "log.db", object_type="order")


def test_a_peek(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(msgspec.json.encode({"objects": OBJECTS, "events": EVENTS}))
    assert peek(tmp_path / "log.json", 2, object_type="order")["id"].to_list() == ["e1", "e2"]
