"""One leader at a time; a standby takes over when the leader dies, however it dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from truenorth.store.database import Database
from truenorth.store.leadership import has_leader, leading, lock_file, take_lead
from truenorth.store.ports import StoreUnavailable

RUNNER = """
import sys
from threading import Event
from truenorth.store.database import Database
from truenorth.store.leadership import leading

def say(word):
    print(word, flush=True)

with leading(Database(sys.argv[1]), Event(), on_standby=lambda: say("standby")) as lease:
    say("leading")
    while lease.is_leading() and sys.stdin.readline():
        say("still leading" if lease.is_leading() else "led")
"""


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def runner(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUNNER, url]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def asked(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return said(process)


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(how)
    process.wait(20)
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_standby_takes_over_from_a_dead_leader(url: str, how: signal.Signals) -> None:
    first = runner(url)
    assert said(first) == "leading"
    second = runner(url)
    try:
        assert said(second) == "standby"
        assert asked(first) == "still leading"
        end(first, how)
        assert said(second) == "leading"
        assert asked(second) == "still leading"
    finally:
        end(second)


def test_only_one_leads(database: Database, url: str) -> None:
    other = Database(url)
    assert not has_leader(database)
    lease = take_lead(database)
    assert lease is not None
    assert has_leader(other)
    assert take_lead(other) is None
    assert lease.is_leading()
    lease.release()
    assert not lease.is_leading()
    with leading(other, Flag()) as second:
        assert second.is_leading()
        assert take_lead(database) is None
    assert not second.is_leading()
    assert not has_leader(database)
    other.close()


def test_a_standby_can_be_stopped(database: Database) -> None:
    stopped, waited, led = Flag(), Flag(), []

    def stand_by() -> None:
        with leading(database, stopped, on_standby=waited.set) as lease:
            led.append(lease.is_leading())

    with leading(database, Flag()):
        thread = Thread(target=stand_by)
        thread.start()
        assert waited.wait(20)
        stopped.set()
        thread.join(20)
    assert led == [False]


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_leader_whose_session_the_server_ended_leads_no_more(database: Database, url: str) -> None:
    other = Database(url)
    lease = take_lead(database)
    assert lease is not None
    assert lease.is_leading()
    other.run_alone(
        "select pg_terminate_backend(pid, 5000) from pg_locks join pg_database on pg_database.oid = database"
        " where locktype = 'advisory' and datname = current_database()"
    )
    taken = take_lead(other)
    assert taken is not None
    assert not lease.is_leading()
    assert not lease.is_leading()
    taken.release()
    other.close()


def test_a_leader_whose_lock_file_was_removed_leads_no_more(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/truenorth.db")
    lease = take_lead(database)
    assert lease is not None
    lock_file(database).unlink()
    taken = take_lead(database)
    assert taken is not None
    assert not lease.is_leading()
    assert taken.is_leading()
    taken.release()


def test_a_database_that_does_not_answer_has_no_leader_that_could_be_told() -> None:
    with pytest.raises(StoreUnavailable, match="answers"), leading(Database("postgresql://u@127.0.0.1:1/none"), Flag()):
        pass
