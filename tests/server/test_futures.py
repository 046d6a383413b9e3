"""Future states: each element has one fate, and what the law asks for stays."""

from __future__ import annotations

from typing import Any

from server.desk import JOURNEY, NOW_US, Desk
from server.test_given import desk

__all__ = ["desk"]

RULED = f"""{JOURNEY}
decisions:
  - {{when: type = 'Taken up', name: identity, kind: regulatory, owner: Law, reason: act, reviewed: 2025-06-01}}
"""
PATH = "/api/v1/journeys/support/futures"


def put(desk: Desk, element: str, fate: str, note: str = "", future: str = "one-desk") -> Any:
    return desk.ask("PUT", f"{PATH}/{future}", "analyst", json={"element": element, "fate": fate, "note": note})


def test_an_element_has_one_fate_in_each_future(desk: Desk) -> None:
    assert desk.get(PATH, "viewer") == []
    assert put(desk, "type:Passed on", "improve").status_code == 200
    desk.now_us += 1
    assert put(desk, "type:Passed on", "remove", "<b>once</b>").json()["by"] == "analyst's"
    put(desk, "type:Passed on", "keep", future="other")
    put(desk, "new:Call back", "add")
    (one, _) = desk.get(PATH, "viewer")
    assert one == {
        "future": "one-desk",
        "changed": "2026-01-05T09:30:00.000001Z",
        "fates": {"keep": 0, "remove": 1, "improve": 0, "add": 1},
    }
    fates = desk.get(f"{PATH}/one-desk", "viewer")["fates"]
    assert [(row["element"], row["fate"], row["note"]) for row in fates] == [
        ("new:Call back", "add", ""),
        ("type:Passed on", "remove", "<b>once</b>"),
    ]


def test_what_is_forgotten_is_gone(desk: Desk) -> None:
    put(desk, "type:Passed on", "improve")
    put(desk, "new:Call back", "add")
    gone = desk.ask("DELETE", f"{PATH}/one-desk", "analyst", params={"element": "new:Call back"})
    assert gone.json() == {"removed": 1}
    assert desk.ask("DELETE", f"{PATH}/one-desk", "analyst").json() == {"removed": 1}
    assert desk.ask("GET", f"{PATH}/one-desk").status_code == 404
    assert desk.ask("DELETE", f"{PATH}/one-desk").status_code == 404


def test_a_regulatory_rule_cannot_be_removed_but_improved(desk: Desk) -> None:
    desk.store.journeys.publish("support", RULED, now_us=NOW_US)
    refused = put(desk, "rule:identity", "remove")
    assert (refused.status_code, refused.json()["code"]) == (409, "protected")
    assert put(desk, "rule:identity", "improve").status_code == 200


def test_a_fate_fits_its_element(desk: Desk) -> None:
    assert put(desk, "new:Call back", "keep").json()["code"] == "no_such_fate"
    assert put(desk, "type:Contact", "add").json()["code"] == "no_such_fate"
    assert put(desk, "Contact", "keep").status_code == 422
    assert put(desk, "type:Contact", "burn").status_code == 422
