"""Actions, authority and contact policy in journey files: what loads, and every problem with its place."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.spec.acting import EXPLORE, Action, Authority, ContactPolicy, Frequency, Grant, Limit, Need, Prior
from truenorth.spec.lint import check_journey
from truenorth.spec.load import load_journey, parse_journey
from truenorth.spec.situations import CASE_FIELDS, PROMISE_FUNCTIONS, parse_situation
from truenorth.spec.tokens import ConditionError

HEAD = "truenorth: 1\njourney: a\n"
DAY_US = 86_400_000_000
REFERENCE = (
    HEAD
    + """\
promises:
  - {name: looked_at, after: type = 'a', expect: type = 'b', within: 4h}
actions:
  - name: call_back_now
    when: risk >= 0.4 or promise_broken('looked_at')
    cost: 12
    needs: call_back             # permission; an amount may be asked for: needs: {goodwill: 50}
    prior: {recovers: 0.25}      # belief before data: share of failing cases it turns
    cooldown: 3d
    capacity: 40/day
authority:
  roles:     {agent: {call_back: true, goodwill: 20/case}, lead: {goodwill: 200/day}}
  accredited: {professional: {goodwill: 50/case}, master: {goodwill: 500/day}}
holdout: 10%                     # of cases, by stable hash: never acted upon, always measured
"""
)


def test_the_example_of_the_reference() -> None:
    journey = parse_journey(REFERENCE)
    assert journey.actions == (
        Action(
            name="call_back_now",
            when=parse_situation("risk >= 0.4 or promise_broken('looked_at')"),
            cost_cents=1200,
            needs=(Need("call_back"),),
            prior=Prior(0.25),
            cooldown_us=3 * DAY_US,
            capacity=40,
        ),
    )
    assert journey.authority == Authority(
        roles={
            "agent": (Grant("call_back"), Grant("goodwill", (Limit(2000, "money", "case"),))),
            "lead": (Grant("goodwill", (Limit(20_000, "money", "day"),)),),
        },
        accredited={
            "professional": (Grant("goodwill", (Limit(5000, "money", "case"),)),),
            "master": (Grant("goodwill", (Limit(50_000, "money", "day"),)),),
        },
    )
    assert (journey.holdout, journey.explore) == (0.1, EXPLORE)


def test_a_contact_policy() -> None:
    calendars = "calendars: {day: {hours: {mon-fri: '09:00-18:00'}}}\n"
    policy = "contact: {at_most: {all: 3/7d, phone: 1/1d}, calendar: day}"
    assert parse_journey(HEAD + calendars + policy).contact == ContactPolicy(
        at_most=(Frequency(3, 7 * DAY_US), Frequency(1, DAY_US, "phone")), calendar="day"
    )


def one(text: str) -> str:
    return f"{HEAD}actions: [{{name: call, {text}}}]"


PROBLEMS = [
    (one("whn: risk > 1"), "$.actions[0].whn", "did you mean 'when'?"),
    (one("when: handover"), "$.actions[0].when", "did you mean 'handovers'?"),
    (one("when: type = 'Call'"), "$.actions[0].when", "a case has risk"),
    (one("when: risk = 'high'"), "$.actions[0].when", ""),
    (one("when: promise_broken('lookd_at')"), "$.actions[0].when", ""),
    (one("when: promise_brokn('x')"), "$.actions[0].when", "did you mean 'promise_broken'?"),
    (one("when: promise_broken(risk)"), "$.actions[0].when", ""),
    (one("cost: -3"), "$.actions[0].cost", "no currency, no sign"),
    (one("cost: 1.005"), "$.actions[0].cost", "at most two decimals"),
    (one("cost: 12 EUR"), "$.actions[0].cost", "no currency"),
    (one("capacity: 40"), "$.actions[0].capacity", "write 40/day"),
    (one("prior: {recovers: 25}"), "$.actions[0].prior.recovers", ""),
    (one("prior: {strength: 3}"), "$.actions[0].prior.recovers", "add 'recovers: ...'"),
    (one("prior: {recovers: 0.2, strength: 0}"), "$.actions[0].prior.strength", ""),
    (one("exempt: leagl"), "$.actions[0].exempt", "did you mean 'legal'?"),
    (HEAD + "actions: [{name: do_nothing}]", "$.actions[0].name", "doing nothing is always a candidate"),
    (HEAD + "actions: [{name: a}, {name: a}]", "$.actions[1].name", "$.actions[0] has it already"),
    (HEAD + "actions: [{cost: 2}]", "$.actions[0].name", ""),
    (HEAD + "actions: {a: 1}", "$.actions", ""),
    (HEAD + "holdout: 0.1", "$.holdout", "write 10%"),
    (HEAD + "holdout: 100%", "$.holdout", ""),
    (HEAD + "explore: 0.05", "$.explore", "write 5%"),
    (HEAD + "budget: 2000", "$.budget", "write 2000/day"),
    (HEAD + "contact: {at_most: 3}", "$.contact.at_most", ""),
    (HEAD + "contact: {calendar: night}", "$.contact.calendar", ""),
    (HEAD + "authority: {roles: {agent: {goodwill: 20}}}", "$.authority.roles.agent.goodwill", "/case"),
    (HEAD + "authority: {roles: {agent: {goodwill: false}}}", "$.authority.roles.agent.goodwill", "leave the"),
    (HEAD + "authority: {roles: {agent: {goodwill: 1.5 times/day}}}", "$.authority.roles.agent.goodwill", ""),
    (HEAD + "authority: {approval: {within: soon}}", "$.authority.approval.within", ""),
    (
        HEAD + "actions: [{name: a, needs: {goodwill: 5}}]\nauthority: {roles: {agent: {goodwill: true}}}",
        "$.authority.roles.agent.goodwill",
        "an action asks for an amount",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("source", "path", "hint"), PROBLEMS)
def test_each_problem_is_told_with_its_place(source: str, path: str, hint: str) -> None:
    loaded = load_journey(source)
    assert loaded.journey is None
    found = [problem for problem in loaded.errors if problem.path == path]
    assert found, loaded.errors
    assert found[0].line
    assert hint in found[0].hint


def test_all_problems_at_once() -> None:
    text = "actions: [{name: a, cost: x, when: nonsense}]\nholdout: lots\nauthority: {roles: {b: {c: 1}}}"
    paths = {problem.path for problem in load_journey(HEAD + text).errors}
    assert paths == {"$.actions[0].cost", "$.actions[0].when", "$.holdout", "$.authority.roles.b.c"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("actions: [{name: a, prior: {recovers: 0.1}}]", "$.holdout"),
        ("actions: [{name: a, prior: {recovers: 0.1}}]\nholdout: 5%", "$.outcome.value"),
        ("actions: [{name: a, needs: x, prior: {recovers: 0.1}}]\nholdout: 5%", "$.actions[0].needs"),
        ("actions: [{name: a}]\nholdout: 5%", "$.actions[0].prior"),
        ("actions: [{name: a, when: risk > 1 and risk < 0}]", "$.actions[0].when"),
    ],
)
def test_warnings(text: str, path: str) -> None:
    warnings = check_journey(HEAD + text, today=date(2026, 1, 1)).warnings
    assert path in {problem.path for problem in warnings}


@given(st.integers(0, 10**12))
@settings(deadline=None)
def test_money_is_read_to_the_cent(cents: int) -> None:
    written = f"{cents // 100}.{cents % 100:02}"
    assert parse_journey(one(f"cost: {written}")).actions[0].cost_cents == cents


@given(st.text(max_size=30))
@settings(deadline=None)
def test_whatever_stands_there_is_a_situation_or_a_condition_error(text: str) -> None:
    try:
        found = parse_situation(text)
    except ConditionError:
        return
    assert found.text == text


def test_every_measure_and_function_can_be_asked_for() -> None:
    for name in CASE_FIELDS:
        assert parse_situation(f"{name} is not null")
    for function in PROMISE_FUNCTIONS:
        assert parse_situation(f"not {function}('a b')")
