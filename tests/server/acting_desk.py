"""A desk whose journey may act, with people who may and a case of which a promise was broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random  # noqa: TID251  # with a seed
from typing import Any

from server.desk import JOURNEY, NOW_US, Desk, desk_in
from truenorth.server.acting.acting import Knowing, Risk

ACTIONS = """\
explore: 0%
actions:
  - name: call_back_now
    when: promise_broken('taken_up')
    cost: 12
    needs: call_back
    prior: {recovers: 0.4, strength: 400}
    channel: phone
    cooldown: 3d
  - {name: credit, cost: 50, needs: {goodwill: 50}, prior: {recovers: 0.35}}
  - {name: gift, cost: 300, needs: {goodwill: 300}, prior: {recovers: 0.9, strength: 100}}
authority:
  roles:
    agent: {call_back: true, goodwill: 20/case}
    lead: {call_back: true, goodwill: [400/action, 1000/day]}
  accredited: {professional: {goodwill: 60/case}}
  approval: {within: 30m, four_eyes_above: 200}
budget: 2000/day
"""
PEOPLE = """\
teams:
  first_line: {roles: [agent], journeys: [support]}
people:
  - {id: agent's, name: Anna, teams: [first_line], roles: [agent]}
  - {id: bo, roles: [agent]}
  - {id: lea, roles: [lead]}
  - {id: leo, roles: [lead]}
courses:
  - name: service_pro
    level: professional
    title: Service professional
    format: online
    lasts: 2d
    valid: 730d
    classes: [{starts: 2026-02-01T09:00:00Z, seats: 1}]
"""


@contextmanager
def acting_desk(folder: Path, risk: float | None = 0.6, actions: str = ACTIONS) -> Iterator[Desk]:
    entropy = Random(3).randbytes
    said = None if risk is None else Risk(risk, "risk/1")
    knowing = Knowing(risk_of=lambda _journey, _case: said)
    with desk_in(folder, knowing=knowing, entropy=entropy) as desk:
        desk.store.journeys.publish("support", JOURNEY + actions, now_us=NOW_US)
        loaded = desk.ask("PUT", "/api/v1/staff", content=PEOPLE)
        assert loaded.status_code == 200, loaded.text
        yield desk


def decide(desk: Desk, case: str, role: str = "agent", **more: Any) -> Any:
    answer = desk.ask("POST", "/api/v1/decide", role, json={"journey": "support", "case": case, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def open_cases(desk: Desk) -> list[str]:
    return [row.case for row in desk.store.results.cases("support", outcome="open")]
