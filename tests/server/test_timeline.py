"""A customer's time line: nothing is missing, everything is in order, and promises are pinned where they belong."""

from __future__ import annotations

from datetime import datetime

from server.desk import NOW_US, Desk
from truenorth.events import Event
from truenorth.server.api.timeline import timeline_of
from truenorth.store.opening import Store


def test_it_has_every_event_of_every_id_in_order_and_every_promise(desk: Desk) -> None:
    said = desk.get("/api/v1/customers/browser-1/timeline", "agent")
    assert said["ids"] == ["C1", "browser-1"]
    logged = [one.event.id for one in desk.store.events.of_customers(["C1", "browser-1"])]
    events = [one["event"] for one in said["entries"] if one["event"]]
    assert sorted(one["id"] for one in events) == sorted(logged)
    times = [one["at"] for one in said["entries"]]
    assert times == sorted(times)
    cases = desk.all_pages("/api/v1/cases", 100, journey="support", customer="C1")
    assert sorted(one["case"]["case"] for one in said["cases"]) == sorted(one["case"] for one in cases)
    pins = [pin for one in said["entries"] for pin in one["pins"]]
    made = [(pin["case"], pin["promise"], pin["instance"]) for pin in pins if pin["kind"] == "made"]
    of_cases = {one["case"] for one in cases}
    promises = [one for one in desk.all_pages("/api/v1/promises", 100, journey="support") if one["case"] in of_cases]
    assert sorted(made) == sorted((one["case"], one["promise"], one["instance"]) for one in promises)
    for pin in pins:
        assert pin["kind"] in {"made", "due" if pin["verdict"] == "open" else pin["verdict"]}


def test_pins_stand_at_their_instant(desk: Desk) -> None:
    said = desk.get("/api/v1/customers/C1/timeline", "agent")
    for entry in said["entries"]:
        for pin in entry["pins"]:
            assert pin["at"] == entry["at"]
            assert {"journey": pin["journey"], "case": pin["case"]} in entry["cases"]
        if entry["event"] is None:
            assert entry["pins"]


def test_open_cases_have_their_risk_and_what_was_given(desk: Desk) -> None:
    desk.ask("POST", "/api/v1/customers/C1/promises", "agent", json={"text": "call back within 2h"})
    said = desk.get("/api/v1/customers/C1/timeline", "agent")
    assert all((one["risk"] is not None) == (one["case"]["outcome"] == "open") for one in said["cases"])
    assert [one["what"] for one in said["given"]] == ["call back"]
    assert said["entries"][-1]["event"]["type"] == "promise given"


def test_who_looks_is_noted(desk: Desk) -> None:
    desk.get("/api/v1/customers/C1/timeline", "agent")
    noted = desk.get("/api/v1/audit")["items"][-1]
    assert (noted["who"], noted["what"], noted["about"]) == ("agent's", "read the time line of a customer", "C1")


def test_of_very_many_events_the_newest_are_shown(store: Store) -> None:
    desk = Desk(store)
    most = desk.app.state.context.bounds.case_events
    events = [
        Event(source="s", id=str(n), type="t", time_us=NOW_US + n, received_us=NOW_US, customer="c")
        for n in range(most + 5)
    ]
    store.events.append(events)
    line = timeline_of(desk.app.state.context, "c")
    assert line.more_events
    assert [one.event.id for one in line.entries if one.event] == [one.id for one in events[5:]]
    assert datetime.fromisoformat(line.entries[0].at).microsecond == 5
