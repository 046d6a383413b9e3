"""What to take up first: the order of the queue, whose it is, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.acting_desk import ACTIONS, acting_desk, decide, open_cases
from server.desk import HOUR_US, NOW_US, Desk, desk_in
from truenorth.action.holdout import is_held_out
from truenorth.action.priority import LEAST_HOURS, Avoidable, hours_left, priority
from truenorth.server.acting.queueing import STALE_S
from truenorth.spec.instants import microseconds
from truenorth.store.rows import Judged

CHANCES = st.floats(0, 1)
MONEY = st.floats(0, 1e6)
HOURS = st.floats(0, 1e4)
UNDECIDED = "{truenorth: 1, journey: quiet, need: type = 'Contact', outcome: {achieved: type = 'Never'}}"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with acting_desk(tmp_path) as opened:
        yield opened


@given(loss=MONEY, more=MONEY, hours=HOURS, longer=HOURS)
def test_more_loss_never_waits_longer_and_more_time_never_comes_first(
    loss: float, more: float, hours: float, longer: float
) -> None:
    assert priority(loss + more, hours) >= priority(loss, hours)
    assert priority(loss, hours + longer) <= priority(loss, hours)


@given(risk=CHANCES, after=CHANCES, stake=MONEY)
def test_what_can_be_avoided_is_no_more_than_what_is_at_risk(risk: float, after: float, stake: float) -> None:
    assert 0 <= Avoidable(risk, after, stake, "model").loss <= risk * stake


@given(due_us=st.integers(-(10**12), 10**12), days=st.none() | st.floats(0, 100))
def test_the_next_due_promise_says_what_time_is_left(due_us: int, days: float | None) -> None:
    assert hours_left(due_us, days, None, 0) == max(due_us / HOUR_US, LEAST_HOURS)


def test_places_are_in_the_order_of_the_stated_formula(desk: Desk) -> None:
    said = desk.get("/api/v1/queue", "agent")
    assert said["n"] == len(said["items"]) == len(open_cases(desk)) > 3
    for one in said["items"]:
        assert one["avoidable"] == pytest.approx((one["risk"] - one["risk_after"]) * one["at_stake"], abs=0.02)
        assert one["priority"] == pytest.approx(one["avoidable"] / one["hours_left"], rel=0.01, abs=0.02)
    priorities = [one["priority"] for one in said["items"]]
    assert priorities == sorted(priorities, reverse=True)
    assert {one["basis"] for one in said["items"]} == {"model"}
    assert [one["case"] for one in desk.get("/api/v1/queue", "agent", limit=2)["items"]] == [
        one["case"] for one in said["items"][:2]
    ]


def test_a_decision_says_what_can_be_avoided_and_what_is_accepted_comes_last(desk: Desk) -> None:
    case = open_cases(desk)[-1]
    made = decide(desk, case)
    (place,) = [one for one in desk.get("/api/v1/queue", "agent")["items"] if one["case"] == case]
    assert place["basis"] == "decision"
    chosen = next(one for one in made["candidates"] if one["action"] == made["decision"]["chosen"])
    assert place["avoidable"] == pytest.approx(chosen["dp"] * 330, abs=0.02)
    desk.ask("POST", f"/api/v1/decisions/{made['decision']['id']}/reaction", "agent", json={"kind": "accepted"})
    said = desk.get("/api/v1/queue", "agent")
    assert said["items"][-1]["case"] == case
    assert said["n_under_way"] == 1


def test_what_is_proposed_comes_before_what_is_undecided_and_what_is_settled_waits_a_day(desk: Desk) -> None:
    undecided = [one["case"] for one in desk.get("/api/v1/queue", "agent")["items"]]
    proposed, declined, *rest = reversed(undecided)
    for case in (proposed, declined):
        assert decide(desk, case)["decision"]["state"] == "proposed"
    (made,) = desk.get("/api/v1/decisions", "agent", journey="support", case=declined)
    no = {"kind": "declined", "reason": "called already"}
    assert desk.ask("POST", f"/api/v1/decisions/{made['id']}/reaction", "agent", json=no).status_code == 200
    said = desk.get("/api/v1/queue", "agent")
    assert [one["case"] for one in said["items"]] == [proposed, *reversed(rest), declined]
    assert [one["case"] for one in said["items"] if one["settled"]] == [declined]
    assert (said["n_settled"], said["n_under_way"]) == (1, 0)
    assert desk.store.decisions.settled(made_us(made) + 1) == frozenset()


def made_us(made: dict[str, str]) -> int:
    return microseconds(datetime.fromisoformat(made["at"]))


def test_somebody_of_a_team_has_its_journeys_and_somebody_of_none_has_all(desk: Desk) -> None:
    assert desk.get("/api/v1/queue", "agent")["team"] == "first_line"
    assert desk.get("/api/v1/queue", "analyst")["team"] is None
    other = desk.get("/api/v1/queue", "agent", team="other")
    assert (other["team"], other["items"], other["n"]) == ("other", [], 0)


def test_cases_that_are_held_out_are_not_in_it(tmp_path: Path) -> None:
    with acting_desk(tmp_path, actions=f"{ACTIONS}holdout: 50%\n") as desk:
        shown = {one["case"] for one in desk.get("/api/v1/queue", "agent")["items"]}
        assert shown == {case for case in open_cases(desk) if not is_held_out("support", case, 0.5)}
        assert shown != set(open_cases(desk))


def test_without_a_model_the_share_that_failed_stands_for_the_risk(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        desk.store.models.retire("support", "m0")
        said = desk.get("/api/v1/queue")
        outcome = desk.get("/api/v1/summary", journey="support")["outcome"]
        lost = outcome["failed"] + outcome["abandoned"]
        base = lost / (lost + outcome["achieved"])
        assert {one["risk"] for one in said["items"]} == {round(base, 4)}
        assert {one["basis"] for one in said["items"]} == {"belief"}


def test_a_risk_that_nothing_says_is_null_and_nothing_of_it_can_be_avoided(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        desk.store.journeys.publish("quiet", UNDECIDED, now_us=NOW_US)
        desk.judge()
        quiet = [one for one in desk.get("/api/v1/queue")["items"] if one["journey"] == "quiet"]
        assert len(quiet) > 3
        assert {(one["risk"], one["risk_after"], one["avoidable"], one["basis"]) for one in quiet} == {
            (None, None, 0.0, "belief")
        }


def test_a_case_that_the_model_has_not_looked_at_is_in_it_with_the_base_risk(desk: Desk) -> None:
    row = desk.store.results.cases("support", outcome="open")[0]
    new = msgspec.structs.replace(row, case="T900", customer="C900", opened_us=NOW_US)
    progress = desk.store.results.progress("support")
    desk.store.results.write("support", Judged(progress=progress, cases=[new]), n_erasures=0)
    said = desk.get("/api/v1/queue", "agent")["items"]
    (place,) = [one for one in said if one["case"] == "T900"]
    assert (place["basis"], place["customer"]) == ("belief", "C900")
    assert {one["basis"] for one in said if one["case"] != "T900"} == {"model"}


def test_a_promise_in_one_line_about_a_case_is_due_in_it(desk: Desk) -> None:
    (*_, last) = desk.get("/api/v1/queue", "agent")["items"]
    about = {"text": "call back within 1h", "journey": "support", "case": last["case"]}
    desk.ask("POST", f"/api/v1/customers/{last['customer']}/promises", "agent", json=about)
    desk.judge()
    said = desk.get("/api/v1/queue", "agent")["items"]
    (place,) = [one for one in said if one["case"] == last["case"]]
    assert (place["due_promise"], place["hours_left"]) == ("call back", 1.0)
    assert {one["journey"] for one in desk.get("/api/v1/queue", "analyst")["items"]} == {"support"}


def test_what_there_is_is_answered_with_while_the_next_one_is_made(desk: Desk) -> None:
    clock = [0.0]
    queues = desk.app.state.context.queues
    queues._elapsed_s = lambda: clock[0]  # time that a test lets pass
    whose = queues.whose("agent's")
    first = queues.of(whose)
    assert first.signal == desk.store.signals.last_number()
    assert queues.of(whose) is first  # and the next one is being made
    queues._worker.submit(int).result()  # after it
    clock[0] = 1.0
    second = queues._made[whose]
    assert second is not first
    assert second.places == first.places


def test_a_queue_that_is_too_old_or_forgotten_is_waited_for(desk: Desk) -> None:
    clock = [0.0]
    queues = desk.app.state.context.queues
    queues._elapsed_s = lambda: clock[0]  # time that a test lets pass
    whose = queues.whose("agent's")
    first = queues.of(whose)
    clock[0] = STALE_S + 1.0
    second = queues.of(whose)
    assert second is not first
    queues.forget()
    assert queues.of(whose) is not second
