"""The runner beside the service: it judges, says so, comes back when it dies, and ends with its parent."""

from __future__ import annotations

import subprocess
from pathlib import Path
from threading import Event as Flag

import pytest

from process.service_process import within
from server.test_live_equals_replay import publish
from server.test_signals import TEA, asked
from truenorth.server.runner import now_us
from truenorth.server.runner_process import RunnerProcess, Status
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import open_store
from truenorth.wiring.service import pace_of, runner_command

SOON_S = 60.0


def test_a_runner_beside_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/truenorth.db"
    monkeypatch.setenv("TRUENORTH_DB", url)
    told = Flag()
    with open_store(url) as store:
        publish(store, TEA)
        beside = RunnerProcess(runner_command(pace_of("1s")), told.set)
        beside.start()
        try:
            within(SOON_S, lambda: beside.status.position is not None, "runner that leads")
            store.events.append([asked("1", "asked", now_us())])
            beside.wake()
            within(SOON_S, told.is_set, "signal")
            assert [signal.kind for signal in store.signals.read()] == ["opened"]
            child = beside._child
            assert child is not None
            child.kill()
            within(SOON_S, lambda: beside._child not in (None, child), "other child")
            within(SOON_S, lambda: beside.status.position is not None, "runner that leads again")
            store.events.append([asked("2", "served", now_us())])
            beside.wake()
            within(SOON_S, lambda: len(store.signals.read()) == 3, "signals of the second event")
            assert {signal.kind for signal in store.signals.read()} == {"opened", "kept", "achieved"}
            within(SOON_S, lambda: beside.status.n_cases == 1, "word of the case")
        finally:
            beside.stop()
        assert beside.status == Status()
        _, chunks, _ = store.results.state("tea")
        assert chunks, "the state was not written at the end"


def test_a_runner_whose_parent_is_gone_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUENORTH_DB", f"sqlite:///{tmp_path}/truenorth.db")
    with subprocess.Popen(runner_command(pace_of("1s")), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(SOON_S) == 0


def test_a_lateness_that_is_none() -> None:
    with pytest.raises(TruenorthError, match=r"--lateness: expected a duration .*found '5 secs'"):
        pace_of("5 secs")
