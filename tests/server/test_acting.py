"""Deciding by the API: what is recommended, reserved, reacted to, approved, stopped; and who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.acting_desk import ACTIONS, acting_desk, decide, open_cases
from server.desk import JOURNEY, NOW_US, Desk, desk_in
from truenorth.action.record import is_reproduced
from truenorth.server.acting.proposing import Proposer
from truenorth.store.rows import Judged, NewSignal

DAY_US = 86_400_000_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with acting_desk(tmp_path) as opened:
        yield opened


def pending(desk: Desk) -> list[Any]:
    places = desk.get("/api/v1/queue", "agent", team="first_line")["items"]
    return [one["decision"] for one in places if one["decision"] and one["decision"]["state"] == "proposed"]


def react(desk: Desk, id: str, kind: str, role: str = "agent", **more: Any) -> Any:  # noqa: A002
    return desk.ask("POST", f"/api/v1/decisions/{id}/reaction", role, json={"kind": kind, **more})


def stages(made: Any) -> dict[str, str | None]:
    return {one["action"]: one["stage"] for one in made["candidates"]}


def test_one_recommendation_with_its_reasons_and_where_all_others_fell(desk: Desk) -> None:
    made = decide(desk, open_cases(desk)[0])
    assert made["decision"]["chosen"] == "call_back_now"
    assert stages(made) == {"do_nothing": None, "call_back_now": None, "credit": "authority", "gift": "authority"}
    assert len(made["reasons"]) == 3
    assert len(made["alternatives"]) <= 2
    assert made["versions"] == {"model": "risk/1", "policy": "thompson/4 belief/1", "journey": 2}
    assert made["left"] == [{"permission": "goodwill", "unit": "money", "per": "case", "amount": 2000, "left": 2000}]


def test_without_a_model_conditions_on_the_risk_are_not_true(tmp_path: Path) -> None:
    with acting_desk(tmp_path, risk=None, actions=ACTIONS.replace("promise_broken('taken_up')", "risk >= 0")) as desk:
        assert stages(decide(desk, open_cases(desk)[0]))["call_back_now"] == "eligibility"


def test_a_decision_takes_the_risk_that_the_live_model_says(tmp_path: Path) -> None:
    certain = ACTIONS.replace("promise_broken('taken_up')", "risk >= 0.2")
    with desk_in(tmp_path) as desk:
        desk.store.journeys.publish("support", JOURNEY + certain, now_us=NOW_US)
        first, second = open_cases(desk)[:2]  # the made-up model says 0.1 and 0.2
        assert stages(decide(desk, first, "admin", asker="bo"))["call_back_now"] == "eligibility"
        made = decide(desk, second, "admin", asker="bo")
        assert stages(made)["call_back_now"] != "eligibility"
        assert made["versions"]["model"] == "m0"


def test_a_decision_is_explained_and_made_again(desk: Desk) -> None:
    made = decide(desk, open_cases(desk)[0])
    whole = desk.get(f"/api/v1/decisions/{made['decision']['id']}", "agent")
    assert whole["reproduced"] is True
    assert "with 'taken_up' kept nothing would have been proposed" in whole["counterfactuals"]
    assert whole["decision"] == made["decision"]
    case = made["decision"]["case"]
    assert desk.get("/api/v1/decisions", "agent", journey="support", case=case) == [made["decision"]]


def test_what_is_held_is_not_proposed_twice_and_is_free_when_it_expires(desk: Desk) -> None:
    case = open_cases(desk)[0]
    first = decide(desk, case)
    assert stages(decide(desk, case))["call_back_now"] == "eligibility"
    desk.now_us += DAY_US
    assert stages(decide(desk, case))["call_back_now"] is None
    expired = react(desk, first["decision"]["id"], "accepted")
    assert (expired.status_code, expired.json()["code"]) == (409, "expired")
    assert desk.get(f"/api/v1/decisions/{first['decision']['id']}", "agent")["decision"]["state"] == "expired"


def test_a_customer_is_left_alone_for_the_cooldown(desk: Desk) -> None:
    case = open_cases(desk)[0]
    assert react(desk, decide(desk, case)["decision"]["id"], "accepted").json()["expires"] is None
    assert react(desk, decide_id(desk, case), "done", cost_cents=900).json()["actual_cents"] == 900
    desk.now_us += 2 * DAY_US
    assert stages(decide(desk, case))["call_back_now"] == "contact"


def decide_id(desk: Desk, case: str) -> str:
    found = desk.get("/api/v1/decisions", "agent", journey="support", case=case)
    return str(found[0]["id"])


def test_reactions_need_what_they_need(desk: Desk) -> None:
    id = decide(desk, open_cases(desk)[0])["decision"]["id"]  # noqa: A001
    assert react(desk, id, "declined").json()["code"] == "no_reason"
    assert react(desk, id, "changed").json()["code"] == "no_action"
    assert react(desk, id, "done").json()["code"] == "too_late"
    assert react(desk, id, "declined", reason="called already").json()["state"] == "declined"
    assert react(desk, id, "accepted").json()["code"] == "too_late"
    assert react(desk, "0" * 24, "accepted").status_code == 404


def test_changing_to_what_is_not_possible_changes_nothing(desk: Desk) -> None:
    id = decide(desk, open_cases(desk)[0])["decision"]["id"]  # noqa: A001
    refused = react(desk, id, "changed", action="credit")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert "authority" in refused.json()["message"]
    assert desk.get(f"/api/v1/decisions/{id}")["decision"]["state"] == "proposed"


def test_a_lead_changes_it_and_the_change_counts_within_their_limits(desk: Desk) -> None:
    id = decide(desk, open_cases(desk)[0])["decision"]["id"]  # noqa: A001
    changed = react(desk, id, "changed", "analyst", action="credit", who="lea").json()
    assert (changed["chosen"], changed["asker"], changed["state"], changed["origin"]) == (
        "credit", "lea", "accepted", "changed",
    )  # fmt: skip
    left = desk.get("/api/v1/staff/lea", "analyst", journey="support")["left"]
    assert [one["left"] for one in left if one["per"] == "day"] == [95_000]
    react(desk, changed["id"], "done", "analyst", cost_cents=4000, who="lea")
    left = desk.get("/api/v1/staff/lea", "analyst", journey="support")["left"]
    assert [one["left"] for one in left if one["per"] == "day"] == [96_000]


def test_an_agent_speaks_for_nobody_else(desk: Desk) -> None:
    asked = {"journey": "support", "case": open_cases(desk)[0], "asker": "lea"}
    assert desk.ask("POST", "/api/v1/decide", "agent", json=asked).status_code == 403
    made = desk.ask("POST", "/api/v1/decide", "analyst", json=asked).json()
    assert made["decision"]["asker"] == "lea"


def test_whom_nobody_knows_nobody_acts_for(desk: Desk) -> None:
    """Not a person without permissions: no person, and nothing is decided; the nearest is named."""
    before = open_cases(desk)[0]
    made = decide(desk, before, "analyst", asker="lea")["decision"]
    bodies: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/v1/decide", {"json": {"journey": "support", "case": before, "asker": "leaa"}}),
        ("POST", f"/api/v1/decisions/{made['id']}/reaction", {"json": {"kind": "accepted", "who": "leaa"}}),
        ("POST", f"/api/v1/decisions/{made['id']}/approval", {"json": {"action": "gift", "who": "leaa"}}),
        ("GET", "/api/v1/staff/leaa?journey=support", {}),
    ]
    for method, path, body in bodies:
        answer = desk.ask(method, path, "analyst", **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_person"), path
        assert "there is no such person: 'leaa'; did you mean 'lea'?" in answer.json()["message"]
    assert desk.get("/api/v1/decisions", "agent", journey="support", case=before) == [made]


# ---- approvals


def ask(desk: Desk, id: str, action: str) -> Any:  # noqa: A002
    return desk.ask("POST", f"/api/v1/decisions/{id}/approval", "agent", json={"action": action})


def answer(desk: Desk, number: int, who: str, granted: bool = True) -> Any:
    return desk.ask("POST", f"/api/v1/approvals/{number}", "analyst", json={"granted": granted, "who": who})


def test_a_request_is_granted_by_somebody_who_may(desk: Desk) -> None:
    made = decide(desk, open_cases(desk)[0])["decision"]
    assert ask(desk, made["id"], "call_back_now").json()["code"] == "no_approval_needed"
    asked = ask(desk, made["id"], "credit").json()
    assert (asked["n_needed"], asked["state"], asked["asked_by"]) == (1, "waiting", "agent's")
    assert (asked["case"], asked["amount_cents"]) == (made["case"], 5000)
    assert desk.get("/api/v1/approvals", state="waiting") == [asked]
    assert desk.get("/api/v1/approvals", state="granted") == []
    assert answer(desk, asked["number"], "bo").json()["code"] == "no_authority"
    granted = answer(desk, asked["number"], "lea").json()
    assert granted["state"] == "granted"
    became = desk.get(f"/api/v1/decisions/{granted['became']}")["decision"]
    assert (became["chosen"], became["asker"], became["state"]) == ("credit", "lea", "accepted")
    assert answer(desk, asked["number"], "leo").json()["code"] == "too_late"
    practice = desk.get("/api/v1/practice")
    assert (practice["n_escalated"], practice["n_acted"], practice["without_escalation"]) == (1, 0, 0.0)
    kinds = [one["kind"] for one in desk.get("/api/v1/signals", limit=1000)["items"]]
    assert kinds.count("approval") == 2


def test_the_highest_class_needs_four_eyes(desk: Desk) -> None:
    asked = ask(desk, decide(desk, open_cases(desk)[0])["decision"]["id"], "gift").json()
    assert asked["n_needed"] == 2
    assert answer(desk, asked["number"], "lea").json()["state"] == "waiting"
    assert answer(desk, asked["number"], "lea").json()["code"] == "other_eyes"
    assert answer(desk, asked["number"], "leo").json()["state"] == "granted"


def test_a_request_expires_and_can_be_refused(desk: Desk) -> None:
    first, second = open_cases(desk)[:2]
    refused = ask(desk, decide(desk, first)["decision"]["id"], "credit").json()
    assert answer(desk, refused["number"], "lea", granted=False).json()["state"] == "refused"
    late = ask(desk, decide(desk, second)["decision"]["id"], "credit").json()
    desk.now_us += 31 * 60_000_000
    assert answer(desk, late["number"], "lea").json()["code"] == "expired"


# ---- people, levels, stops


def test_finishing_a_course_gives_the_authority(desk: Desk) -> None:
    (one,) = desk.get("/api/v1/classes", "agent")
    assert (one["level"], one["seats_left"]) == ("professional", 1)
    place = f"/api/v1/classes/{one['number']}"
    assert desk.ask("POST", f"{place}/finished", "analyst", json={"person": "agent's"}).status_code == 404
    assert desk.ask("POST", f"{place}/bookings", "agent", json={"person": "agent's"}).status_code == 204
    assert desk.ask("POST", f"{place}/bookings", "analyst", json={"person": "bo"}).status_code == 409
    own, other = {"person": "agent's"}, {"person": "bo"}
    assert desk.ask("DELETE", f"{place}/bookings", "agent", params=other).status_code == 403
    assert desk.ask("DELETE", f"{place}/bookings", "agent", params=own).status_code == 204
    assert desk.ask("DELETE", f"{place}/bookings", "agent", params=own).json()["code"] == "unknown_booking"
    assert desk.ask("POST", f"{place}/bookings", "analyst", json=other).status_code == 204  # the seat is free again
    assert desk.ask("DELETE", f"{place}/bookings", "analyst", params=other).status_code == 204
    assert desk.ask("POST", f"{place}/bookings", "agent", json=own).status_code == 204
    assert stages(decide(desk, open_cases(desk)[0]))["credit"] == "authority"
    reached = desk.ask("POST", f"{place}/finished", "analyst", json={"person": "agent's"}).json()
    assert reached["level"] == "professional"
    assert stages(decide(desk, open_cases(desk)[1]))["credit"] is None
    desk.now_us += 731 * DAY_US
    levels = {one["id"]: one["levels"] for one in desk.get("/api/v1/staff")}
    assert levels["agent's"] == []


def test_a_people_file_tells_all_its_problems(desk: Desk) -> None:
    bad = "teams: {a: {role: [x]}}\npeople: [{name: x}, {id: bo}]\ncourses: [{name: c, level: 1 2}]"
    problems = desk.ask("PUT", "/api/v1/staff", content=bad).json()["problems"]
    assert [one["path"] for one in problems] == ["$.teams.a.role", "$.people[0].id", "$.courses[0].level"]
    strange = "teams: {first: {}}\npeople: [{id: bo, teams: [frist]}]"
    (problem,) = desk.ask("PUT", "/api/v1/staff", content=strange).json()["problems"]
    assert (problem["path"], problem["hint"]) == ("$.people[0].teams", "did you mean 'first'?")


def test_what_is_stopped_is_not_proposed(desk: Desk) -> None:
    stop = {"journey": "*", "action": "*", "reason": "prices are wrong"}
    assert desk.ask("PUT", "/api/v1/stops", "agent", json=stop).status_code == 403
    assert desk.ask("PUT", "/api/v1/stops", "analyst", json=stop).json()["by"] == "analyst's"
    made = decide(desk, open_cases(desk)[0])
    assert made["decision"]["chosen"] == "do_nothing"
    assert "all actions are stopped" in made["reasons"][1]
    assert len(desk.get("/api/v1/stops", "agent")) == 1
    assert desk.ask("DELETE", "/api/v1/stops", "analyst", params={"journey": "*", "action": "*"}).status_code == 204
    assert decide(desk, open_cases(desk)[0])["decision"]["chosen"] == "call_back_now"


# ---- many at once


def test_sixty_four_who_ask_at_once_get_what_there_is(tmp_path: Path) -> None:
    few = ACTIONS.replace("    cost: 12\n", "    cost: 12\n    capacity: 3/day\n")
    with acting_desk(tmp_path, actions=few) as desk:
        acting, cases = desk.app.state.context.acting, open_cases(desk)
        assert len(cases) > 3

        def ask(number: int) -> str:
            asker = acting.asker("bo" if number % 2 else "agent's")
            return str(acting.decide("support", cases[number % len(cases)], asker).decision.chosen)

        with ThreadPoolExecutor(16) as pool:
            chosen = list(pool.map(ask, range(64)))
        assert chosen.count("call_back_now") == 3


# ---- contact policy from events


@pytest.mark.parametrize(
    ("contact", "stage"),
    [
        ("never_after: type = 'Contact'", "contact"),
        ("never_after: type = 'Moved to the moon'", None),
        ("consent: type = 'Agreed'", "eligibility"),
        ("consent: type = 'Contact'", None),
        ("{consent: type = 'Contact', refusal: type in ('Contact')}", "eligibility"),
        ("at_most: 0/1d", "contact"),
        ("at_most: {web: 0/1d}", None),
    ],
)
def test_the_contact_policy_looks_at_events(tmp_path: Path, contact: str, stage: str | None) -> None:
    text = contact if contact.startswith("{") else f"{{{contact}}}"
    with acting_desk(tmp_path, actions=f"{ACTIONS}contact: {text}\n") as desk:
        assert stages(decide(desk, open_cases(desk)[0]))["call_back_now"] == stage


# ---- proposals


def test_a_broken_promise_is_proposed_to_the_queue_of_its_team(desk: Desk) -> None:
    told: list[int] = []
    proposer = Proposer(desk.store, desk.app.state.context.acting, lambda: told.append(1))
    case = open_cases(desk)[0]
    signals = [NewSignal(case=case, kind=kind, time_us=NOW_US, body=b"{}") for kind in ("kept", "broken", "broken")]
    progress = desk.store.results.progress("support")
    desk.store.results.write("support", Judged(progress=progress, signals=signals), n_erasures=0)
    assert proposer.step() == 3
    (waiting,) = pending(desk)
    assert (waiting["case"], waiting["origin"], waiting["asker"]) == (case, "proposed", "team:first_line")
    assert desk.get("/api/v1/signals", limit=1000)["items"][-1]["kind"] == "proposed"
    assert react(desk, waiting["id"], "accepted").json()["state"] == "accepted"
    assert pending(desk) == []
    assert told
    assert proposer.step() == 1  # its own signal proposes nothing


# ---- erasure


def test_decisions_go_on_without_the_person(desk: Desk) -> None:
    case = open_cases(desk)[0]
    made = decide(desk, case)["decision"]
    react(desk, made["id"], "declined", reason="Mrs Bianchi has moved")
    customer = made["customer"]
    held = desk.get(f"/api/v1/customers/{customer}")["held"]["decision"]
    assert [one["id"] for one in held] == [made["id"]]
    assert desk.ask("DELETE", f"/api/v1/customers/{customer}").json()["counts"]["decision"] == 1
    row = desk.store.decisions.find(made["id"])
    assert row is not None
    assert (row.customer, row.case) == (None, f"erased-{made['id']}")
    assert case.encode() not in row.record
    assert is_reproduced(row.record)
    assert desk.store.decisions.reactions()[0].reason is None
