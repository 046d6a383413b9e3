"""A running console seen from outside: over HTTP, with or without a session, and in a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import httpx

from console.story_model import MODEL
from process.service_process import free_port
from server.desk import NOW_US, desk_in
from truenorth.console.door import COOKIE
from truenorth.console.pages import registry
from truenorth.console.registry import Page
from truenorth.server import passwords
from truenorth.server.acting.acting import Asker
from truenorth.store.opening import open_store
from truenorth.store.rows import Role

HERE = Path(__file__).parent
START_S = 60
PASSWORD = "correct horse battery staple"
NAMES: dict[Role, str] = {"viewer": "lea", "agent": "agnes", "analyst": "anton", "admin": "adam"}
CHROMIUM = shutil.which("chromium")

_SESSIONS: dict[tuple[str, Role], str] = {}

DECISION = f"{1:024x}"
"""The id of the story's only decision."""
FILTERS: dict[str, dict[str, str]] = {
    "/panel/{customer}": {"customer": "C11"},
    "/decisions/{id}": {"id": DECISION},
    "/decisions/ledger": {"journey": "support", "per": "year"},
    "/decisions/what-if": {"journey": "support"},
    "/journey/point": {"journey": "support", "kind": "event", "target": "Passed on"},
    "/design": {"journey": "support"},
    "/foresight": {"journey": "support"},
    "/desk/people": {"customer": "C11"},
    "/cases": {"journey": "support", "outcome": "open"},
    "/outside-in": {"journey": "support", "subject": "feel"},
}
"""Filters with which a page shows something of the story, by its path; without them it is opened as it is."""


class Running(NamedTuple):
    """A console that listens."""

    address: str
    folder: Path

    @contextmanager
    def client(self, role: Role | None = None, *, anew: bool = False) -> Iterator[httpx.Client]:
        """A client that has signed in as somebody of a role, once for all or ``anew``; it follows no redirects."""
        with httpx.Client(base_url=self.address, timeout=30) as client:
            if role is not None:
                client.cookies[COOKIE] = self.sign_in(role) if anew else self.session(role)
            yield client

    def session(self, role: Role) -> str:
        """The secret of a session of somebody of a role, the same each time."""
        if (self.address, role) not in _SESSIONS:
            _SESSIONS[self.address, role] = self.sign_in(role)
        return _SESSIONS[self.address, role]

    def sign_in(self, role: Role) -> str:
        """The secret of a new session."""
        form = {"name": NAMES[role], "password": PASSWORD, "next": "/"}
        answer = httpx.post(f"{self.address}/sign-in", data=form, timeout=30)
        assert answer.status_code == 303, answer.text
        return answer.cookies[COOKIE]

    def log(self) -> str:
        """What the process has said."""
        return (self.folder / "log").read_text()


def address_in_story(page: Page) -> str:
    """An address of a page with something to show."""
    return page.address(**FILTERS.get(page.path, {}))


def twin_in_story(page: Page) -> str | None:
    """The address of the same as JSON; None where nothing is asked yet."""
    assert page.twin is not None
    return page.twin(page.read({"journey": "support", **FILTERS.get(page.path, {})}))


PAGES = tuple(registry())


def prepare(folder: Path, *, with_accounts: bool = True) -> None:
    """A store with the story, a decision, and an account for each role."""
    with desk_in(folder, entropy=lambda n_bytes: (1).to_bytes(n_bytes, "big")) as desk:
        case = desk.store.results.cases("support", outcome="open")[0].case
        made = desk.app.state.context.acting.decide("support", case, Asker(NAMES["agent"], ()))
        assert made.decision.id == DECISION
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        store.models.add(MODEL, b"")
        store.models.promote(MODEL.journey, MODEL.version, now_us=NOW_US)
        keep = passwords.kept(PASSWORD)
        for role, name in NAMES.items() if with_accounts else ():
            secret = store.accounts.invite(name, role, by="test", now_us=NOW_US, expires_us=NOW_US + 1)
            assert store.accounts.accept(secret, name, keep, now_us=NOW_US)


@contextmanager
def running(
    folder: Path, *, is_open: bool = False, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Running]:
    """The console of a store that was prepared, with further variables."""
    command = [sys.executable, "-W", "error", str(HERE / "serve.py"), str(folder), str(free_port())]
    given = {**os.environ, "PYTHONPATH": str(HERE.parent), **environment}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "open" if is_open else "closed"], stdout=log, stderr=log, env=given, cwd=folder
        )
    try:
        until_s = time.monotonic() + START_S
        while not (folder / "address").exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until_s, (folder / "log").read_text()
            time.sleep(0.1)
        yield Running((folder / "address").read_text(), folder)
    finally:
        process.terminate()
        process.wait(30)
