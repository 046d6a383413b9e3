"""The demo: its history is that of the company, it lives on, and it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import psutil
import pytest

from process.live_demo import COMPANY
from process.service_process import within
from truenorth.simulate import ACTIONS
from truenorth.spec.instants import microseconds
from truenorth.store.opening import Store, open_store
from truenorth.wiring.demo import STORE, UNFINISHED, Plan, copied, digest_of, interrupted_once, prepared
from truenorth.wiring.demo_life import Done, done_in, fate_of, live_again

SCRIPT = Path(__file__).with_name("live_demo.py")
PLAN = Plan(
    n_customers=250,
    start=date(2026, 3, 9),
    told_from=datetime(2026, 4, 1, tzinfo=UTC),
    live_from=datetime(2026, 4, 7, 8, tzinfo=UTC),
)
WITHIN_S = 90.0
AGAIN_S = 0.3
"""Between two signals, so that each is heard; by then it has hardly ended."""
TEAMS = ("first_line", "billing", "orders")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    prepared(folder, COMPANY, PLAN, lambda *_: None)
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{folder / STORE}") as store:
        yield store


def test_what_is_prepared_is_kept(folder: Path) -> None:
    stages: list[str] = []
    again = prepared(folder, COMPANY, PLAN, lambda stage, _: stages.append(stage))
    assert again.digest == digest_of(PLAN, COMPANY)
    assert stages == []
    assert sorted(path.name for path in folder.iterdir() if STORE not in path.name) == ["prepared.json"]


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    plan = msgspec.structs.replace(PLAN, n_customers=120, told_from=datetime(2026, 4, 4, tzinfo=UTC))
    made = []
    for name in ("one", "another"):
        prepared(tmp_path / name, COMPANY, plan, lambda *_: None)
        with open_store(f"sqlite:///{tmp_path / name / STORE}") as store:
            made.append((store.decisions.since(0), store.decisions.reactions(), store.signals.read(0, limit=10_000)))
    assert made[0] == made[1]
    assert all(made[0])


def test_another_journey_file_makes_it_anew(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(COMPANY, tmp_path / "company"))
    assert digest_of(PLAN, copy) == digest_of(PLAN, COMPANY)
    (copy / "help.yaml").write_text((copy / "help.yaml").read_text() + "# another word\n")
    assert digest_of(PLAN, copy) != digest_of(PLAN, COMPANY)


def test_the_company_lived_again_is_the_history(store: Store) -> None:
    events = live_again(PLAN.company(), done_in(store), microseconds(PLAN.live_from))
    stored = [one.event for one in store.events.read(0, limit=100_000)]
    assert [one.id for one in stored] == events["id"].to_list()
    assert [one.type for one in stored] == events["type"].cast(str).to_list()


def test_what_was_accepted_happened(store: Store) -> None:
    names = {"call_back_now": "Called back at once", "apology_letter": "Apology posted"}
    happened = {(one.event.case, one.event.type) for one in store.events.read(0, limit=100_000)}
    done = [Done(*one) for one in done_in(store)]
    assert {one.action for one in done} & set(names)
    assert all((one.case, names[one.action]) in happened for one in done if one.action in names)


def test_enough_is_left_to_do(store: Store) -> None:
    states = [row.state for row in store.decisions.since(0)]
    assert {"proposed", "done", "declined", "nothing"} <= set(states)


def test_fates_come_in_their_shares() -> None:
    kinds = [fate_of(f"{n:04x}" + "80" * 10).kind for n in range(65_536)]
    shares = [kinds.count(kind) / len(kinds) for kind in ("accepted", "declined", "left")]
    assert shares == pytest.approx([0.5, 0.12, 0.38], abs=1e-4)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Starts the demo of a folder, in a session of its own; it is gone in the end, whatever happens."""
    begun = []

    def begin(folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, str(SCRIPT), str(folder), msgspec.json.encode(PLAN).decode()]
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=environment, stdout=pipe, text=True, start_new_session=True)
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def _said(process: subprocess.Popen[str], word: str) -> str:
    """The first line that begins with a word."""
    assert process.stdout is not None
    return next(line.strip() for line in process.stdout if line.startswith(word))


def _stopped(process: subprocess.Popen[str], *ways: signal.Signals) -> None:
    """Stop it by Ctrl-C or by SIGTERM, or several times in a row; whatever it had started has ended before it."""
    children = psutil.Process(process.pid).children(recursive=True)
    for way in ways:
        if process.poll() is not None:
            break
        (os.killpg if way is signal.SIGINT else os.kill)(process.pid, way)
        sleep(AGAIN_S)
    rest, _ = process.communicate(timeout=WITHIN_S)
    assert rest.splitlines()[-1] == "ended"  # said when all is gone: a signal after that finds nothing to spoil
    assert psutil.wait_procs(children, timeout=0)[1] == []


def test_it_lives_and_leaves_nothing(
    folder: Path, tmp_path: Path, demo: Callable[[Path], subprocess.Popen[str]]
) -> None:
    process = demo(folder)
    address = _said(process, "http")
    first = _summary(address, at_least=1)
    _summary(address, at_least=first + 10)  # ten minutes of the company pass in a second
    _accept_one(address)
    assert psutil.Process(process.pid).children()
    _stopped(process, signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "ways"),
    [
        ("letting a company live", (signal.SIGTERM,)),
        ("working through", (signal.SIGINT, signal.SIGINT)),
    ],
)
def test_stopped_while_it_prepares(
    tmp_path: Path, demo: Callable[[Path], subprocess.Popen[str]], word: str, ways: tuple[signal.Signals, ...]
) -> None:
    process = demo(tmp_path / "demo")
    _said(process, word)
    _stopped(process, *ways)
    assert [path.name for path in tmp_path.rglob("*")] == ["demo"]


def test_what_a_killed_one_has_left_goes_at_the_next_start(
    folder: Path, tmp_path: Path, demo: Callable[[Path], subprocess.Popen[str]]
) -> None:
    process = demo(tmp_path / "demo")
    _said(process, "working through")
    process.kill()
    process.wait(WITHIN_S)
    assert (tmp_path / "demo" / UNFINISHED).exists()
    for file in folder.iterdir():
        shutil.copy(file, tmp_path / "demo")
    prepared(tmp_path / "demo", COMPANY, PLAN, lambda *_: None)
    assert not (tmp_path / "demo" / UNFINISHED).exists()


def test_what_a_killed_one_has_served_goes_at_the_next_start(
    folder: Path, tmp_path: Path, demo: Callable[[Path], subprocess.Popen[str]]
) -> None:
    killed, other = demo(folder), demo(folder)
    for one in (killed, other):
        _said(one, "http")
    children = psutil.Process(killed.pid).children(recursive=True)
    left = set(tmp_path.iterdir())
    killed.kill()
    killed.wait(WITHIN_S)
    assert psutil.wait_procs(children, timeout=WITHIN_S)[1] == []
    third = demo(folder)
    _said(third, "http")
    assert len(left) == 2
    assert len(left & set(tmp_path.iterdir())) == 1  # that of the other one, which goes on
    _stopped(third, signal.SIGINT)
    _stopped(other, signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_two_that_prepare_at_once_make_it_once(tmp_path: Path, demo: Callable[[Path], subprocess.Popen[str]]) -> None:
    first = demo(tmp_path / "demo")
    _said(first, "working through")
    stages: list[str] = []
    prepared(tmp_path / "demo", COMPANY, PLAN, lambda stage, _: stages.append(stage))
    assert stages == []
    assert _said(first, "prepared")


@pytest.mark.parametrize("word", ["prepared", "http"])
def test_stopped_twice_while_it_serves(
    folder: Path, tmp_path: Path, demo: Callable[[Path], subprocess.Popen[str]], word: str
) -> None:
    kept = sorted(folder.iterdir())
    process = demo(folder)
    _said(process, word)
    _stopped(process, signal.SIGINT, signal.SIGTERM, signal.SIGINT)
    assert list(tmp_path.iterdir()) == []
    assert sorted(folder.iterdir()) == kept


@pytest.mark.parametrize("made_by", ["open", "mkdir"])
def test_interrupted_while_its_folder_is_made(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by: str
) -> None:
    make = getattr(os, made_by)

    def interrupted(*args: Any) -> Any:
        made = make(*args)
        signal.raise_signal(signal.SIGINT)
        return made

    monkeypatch.setattr(tempfile, "tempdir", None)  # as in a process that has asked for none yet
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(os, made_by, interrupted)
    with pytest.raises(KeyboardInterrupt), interrupted_once(), copied(folder):
        pytest.fail("it went on")
    assert list(tmp_path.iterdir()) == []


def _summary(address: str, *, at_least: int) -> int:
    """How many events the summary counts, once there are enough."""
    until = monotonic() + WITHIN_S
    while monotonic() < until:
        n_events = httpx.get(f"{address}/api/v1/summary", params={"journey": "help"}, timeout=WITHIN_S).json()["events"]
        if n_events >= at_least:
            return int(n_events)
        sleep(0.2)
    raise AssertionError(f"fewer than {at_least} events")


def _accept_one(address: str) -> None:
    """Accept what waits for a visitor: it is carried out, and its event is that of the case."""
    names = {action.name: action.event for action in ACTIONS}
    with httpx.Client(base_url=f"{address}/api/v1", timeout=WITHIN_S) as client:

        def left() -> list[Any]:
            places = [one for team in TEAMS for one in client.get("/queue", params={"team": team}).json()["items"]]
            waiting = [one["decision"] for one in places if one["decision"] and one["decision"]["state"] == "proposed"]
            return [row for row in waiting if fate_of(row["id"]).kind == "left"]

        one = max(within(WITHIN_S, left, "a proposal that is left"), key=lambda row: row["at"])  # the last to expire
        asked = client.post(f"/decisions/{one['id']}/reaction", json={"kind": "accepted", "who": "anna"})
        assert asked.status_code == 200, asked.text
        within(WITHIN_S, lambda: client.get(f"/decisions/{one['id']}").json()["decision"]["state"] == "done")
        path, journey = f"/cases/{quote(one['case'], safe='')}", {"journey": one["journey"]}
        within(
            WITHIN_S,
            lambda: names[one["chosen"]] in {it["type"] for it in client.get(path, params=journey).json()["events"]},
        )
