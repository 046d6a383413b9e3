"""Sixty-four people decide over HTTP while the service is killed: no limit is exceeded by a cent, nothing is lost."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from process.service_process import ServiceProcess, within
from truenorth.action.accounts import BUDGET, Account, Whose, capacity_of
from truenorth.action.record import is_reproduced
from truenorth.server.runner import now_us
from truenorth.spec.durations import DAY_US
from truenorth.store.decisions import DecisionRow
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import CaseRow, Judged, Progress
from truenorth.store.staff import StaffMember

N_ASKERS, N_EACH = 64, 4
CREDIT_CENTS, DONE_CENTS = 3_713, 2_999
BUDGET_CENTS, PERSON_CENTS, N_A_DAY = 150_000, 7_500, 45
JOURNEY = f"""\
truenorth: 1
journey: help
currency: EUR
outcome: {{achieved: type = 'Closed', value: {{achieved: 90, failed: -240}}}}
actions:
  - name: credit
    cost: {CREDIT_CENTS / 100}
    needs: {{goodwill: {CREDIT_CENTS / 100}}}
    prior: {{recovers: 0.9, strength: 1000}}
    capacity: {N_A_DAY}/day
authority: {{roles: {{agent: {{goodwill: {PERSON_CENTS / 100}/day}}}}}}
budget: {BUDGET_CENTS / 100}/day
explore: 0%
"""
GOODWILL = Account("person", "goodwill", "money", "day")


def prepared(url: str) -> tuple[str, list[str]]:
    """A store with open cases and people who may act; an administrator's token, and one of each person."""
    with open_store(url) as store:
        at_us = now_us()
        store.journeys.publish("help", JOURNEY, now_us=at_us)
        people = [f"p{n}" for n in range(N_ASKERS)]
        store.staff.put([StaffMember(id=id, name=id, roles=("agent",), added_us=at_us) for id in people])  # noqa: A001
        cases = [CaseRow(case=f"T{n}", customer=f"C{n}", opened_us=at_us) for n in range(N_ASKERS * N_EACH)]
        ended = [
            CaseRow(
                case=f"E{n}", customer="E", opened_us=at_us, closed_us=at_us, outcome="failed", outcome_time_us=at_us
            )
            for n in range(3)
        ]
        store.results.write("help", Judged(progress=Progress(1), cases=[*cases, *ended]), n_erasures=0)
        tokens = [store.access.add_token(one, "agent", now_us=at_us) for one in people]
        return store.access.add_token("boss", "admin", now_us=at_us), tokens


class Askers:
    """What they asked, and what they were told."""

    def __init__(self, service: ServiceProcess, tokens: list[str]) -> None:
        self._service, self._tokens, self._lock = service, tokens, Lock()
        self.told: dict[str, str] = {}
        """What was chosen, by the id of each decision that an answer came of."""
        self.statuses: Counter[int] = Counter()

    def work(self, asker: int) -> None:
        """Ask for one case after another; decline some of what is proposed, finish some."""
        for n in range(N_EACH):
            asked = {"journey": "help", "case": f"T{asker * N_EACH + n}"}
            made = self._until_answered(asker, "/api/v1/decide", asked)["decision"]
            with self._lock:
                self.told[made["id"]] = made["chosen"]
            if made["chosen"] == "credit" and asker % 3 < 2:
                for kind in ({"kind": "declined", "reason": "no need"},) if asker % 3 else DONE:
                    self._until_answered(asker, f"/api/v1/decisions/{made['id']}/reaction", kind)

    def _until_answered(self, asker: int, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens[asker]}", "Content-Type": "application/json"}
        while True:
            answer = self._service.ask(path, json.dumps(body).encode(), headers)
            with self._lock:
                self.statuses[answer.status] += 1
            if answer.status in {200, 409}:  # 409: an attempt whose answer was lost had come through
                return json.loads(answer.body)
            assert answer.status in {0, 429, 503}, answer
            time.sleep(0.2)


DONE = ({"kind": "accepted"}, {"kind": "done", "cost_cents": DONE_CENTS})


def held_cents(row: DecisionRow) -> int:
    """What a decision still takes."""
    if row.state == "done":
        return int(row.actual_cents or 0)
    return CREDIT_CENTS if row.state in {"proposed", "accepted"} else 0


def used(store: Store, row: DecisionRow, account: Account) -> int:
    """What the books say is taken of an account of a decision."""
    whose = Whose(journey=row.journey, case=row.case, customer=row.customer, who=row.asker, at_us=row.at_us)
    key = whose.key(account)
    with store.decisions.taking(now_us()) as taking:
        return taking.used([key]).get(key, 0)


def assert_books_balance(store: Store, rows: list[DecisionRow]) -> None:
    """By day, and by person and day: the books are the sum of what decisions hold, and within the limits."""
    for day in {row.at_us // DAY_US for row in rows}:
        of_day = [row for row in rows if row.at_us // DAY_US == day]
        spent = sum(map(held_cents, of_day))
        assert used(store, of_day[0], BUDGET) == spent <= BUDGET_CENTS
        assert used(store, of_day[0], capacity_of("credit")) == sum(held_cents(row) > 0 for row in of_day) <= N_A_DAY
        for person in {row.asker for row in of_day}:
            own = [row for row in of_day if row.asker == person]
            assert used(store, own[0], GOODWILL) == sum(map(held_cents, own)) <= PERSON_CENTS


def test_people_decide_while_the_service_is_killed(url: str, tmp_path: Path) -> None:
    boss, tokens = prepared(url)
    with ServiceProcess(url, tmp_path / "service.log", boss, lateness=None) as service:
        askers = Askers(service, tokens)
        with ThreadPoolExecutor(N_ASKERS) as pool:
            done = [pool.submit(askers.work, asker) for asker in range(N_ASKERS)]
            for n in (20, 60, 120):
                within(60, lambda n=n: len(askers.told) >= n, f"{n} decisions")
                service.kill(signal.SIGKILL)
                service.start()
            for one in done:
                one.result()
    assert askers.statuses[0] > 0  # some requests were under way
    assert "credit" in askers.told.values()
    with open_store(url) as store:
        rows = list(store.decisions.since(0))
        kept = {row.id: row.chosen for row in rows}
        assert askers.told.items() <= kept.items()
        assert all(is_reproduced(row.record) for row in rows)
        assert_books_balance(store, rows)
