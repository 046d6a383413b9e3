"""Somebody is erased while events, also theirs, keep arriving: nothing of them is left, nothing brings them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from conftest import new_database
from process.checking import assert_all_is_right
from process.service_process import Secrets, ServiceProcess, prepared, within
from process.test_crash import primed, settled
from process.traffic import JOURNEY, PAUSE_S, Clients, instant
from truenorth.server.runner import now_us
from truenorth.store.columns import METADATA
from truenorth.store.opening import Store, open_store

MARK = "ann7f3e"
"""Stands in every id, case and text of Ann, and nowhere else."""
N_EVENTS = 1_500


def anns(number: int) -> list[dict[str, Any]]:
    """A message of hers, one of a browser she signs in with, and one that is no event."""
    at = instant(now_us())
    properties = {"case": f"{MARK} case {number // 4}", "cost": 0.25, "team": "team 0", "text": f"{MARK} says so"}
    hers = {"type": "track", "timestamp": at, "properties": properties}
    kind = ("asked", "taken", "told", "served")[number % 4]
    return [
        {**hers, "event": kind, "messageId": f"{MARK} {number}", "userId": MARK, "anonymousId": f"{MARK} browser"},
        {**hers, "event": "told", "messageId": f"{MARK} {number} browser", "anonymousId": f"{MARK} browser"},
        {**hers, "messageId": f"{MARK} {number} without a type", "userId": MARK},
    ]


class Ann:
    """Sends without end: what is new, and everything of before once more."""

    def __init__(self, service: ServiceProcess, secrets: Secrets) -> None:
        self.n_taken = 0
        self._service, self._key = service, secrets.write_key
        self._stopped = Flag()
        self._sent: list[dict[str, Any]] = []

    @contextmanager
    def sending(self) -> Iterator[Ann]:
        thread = Thread(target=self._send, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            thread.join(60)

    def _send(self) -> None:
        number = 0
        while not self._stopped.wait(PAUSE_S):
            self._sent += anns(number)
            number += 1
            body = json.dumps({"batch": self._sent[-200:]}).encode()
            self.n_taken += self._service.ask("/v1/batch", body, {"X-Write-Key": self._key}).status == 200


def rows_with_mark(store: Store) -> list[str]:
    """Tables that say anything of her."""
    found = []
    with store.database.reading() as connection:
        for table in METADATA.sorted_tables:
            texts = [str(value) for row in connection.execute(select(table)) for value in row]
            found += [table.name for text in texts if MARK in text]
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/truenorth.db"
    return new_database(request.getfixturevalue("postgres"))


def test_erased_while_events_arrive(url: str, tmp_path: Path) -> None:
    secrets = prepared(url, JOURNEY)
    with ServiceProcess(url, tmp_path / "service.log", secrets.token) as service:
        primed(service, secrets)
        clients = Clients([service.port], secrets.write_key, n_events=N_EVENTS, seed=5, batch=5, pause_s=0.02)
        with clients.sending(2), Ann(service, secrets).sending() as ann:
            clients.wait_for(N_EVENTS // 2)
            held = json.loads(service.ask(f"/api/v1/customers/{MARK}").body)
            assert held["ids"] == [MARK, f"{MARK} browser"]
            assert all(held["held"][table] for table in ("event", "refused", "case_row", "promise_row", "signal"))
            answer = service.ask(f"/api/v1/customers/{MARK}%20browser", method="DELETE")
            assert (answer.status, json.loads(answer.body)["scrubbed"] is not None) == (200, True), answer
            n_taken = ann.n_taken
            within(20, lambda: ann.n_taken > n_taken + 5, "events of hers after her erasure")
        last_us = settled(service)
        service.kill()
        assert_gone(url, tmp_path)
        service.start()
        settled(service)
    assert_gone(url, tmp_path)
    assert_all_is_right(url, clients, last_us, tmp_path)


def assert_gone(url: str, folder: Path) -> None:
    """No row, and on SQLite no byte of any file; the log of the service neither."""
    with open_store(url) as store:
        assert rows_with_mark(store) == []
    assert [path.name for path in folder.iterdir() if path.is_file() and MARK.encode() in path.read_bytes()] == []
