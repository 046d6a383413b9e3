"""Without the libraries that learn a service says at its start what is missing, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.foreseeing.shop import Clock, publish
from truenorth.server.service import Settings
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import open_store
from truenorth.wiring import learning
from truenorth.wiring.service import foreseer_command, open_service, pace_of, run_foreseer


@pytest.fixture(autouse=True)
def without_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "find_spec", lambda _name: None)


def service(path: Path, *, foresight: bool) -> None:
    with open_service(f"sqlite:///{path}", Settings(), clock=Clock(1), foresight=foresight):
        pass


def test_a_store_with_models_is_served_only_without_foresight(own_file: Path) -> None:
    with pytest.raises(TruenorthError, match=r"journey shop.*models of foresight.*truenorth\[learn\].*--no-foresight"):
        service(own_file, foresight=True)
    service(own_file, foresight=False)
    assert foreseer_command(pace_of("5s")) == ()


def test_a_store_with_learnt_effects_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "truenorth.db"
    with open_store(f"sqlite:///{path}") as store:
        publish(store)
    service(path, foresight=True)
    with open_store(f"sqlite:///{path}") as store:
        store.effects.add("shop", b"learnt", n_decisions=1, now_us=1)
    with pytest.raises(TruenorthError, match=r"journey shop.*learnt of its actions.*truenorth\[learn\]"):
        service(path, foresight=False)


def test_a_foreseer_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(TruenorthError, match=r"foreseer.*truenorth\[learn\]"):
        run_foreseer(f"sqlite:///{tmp_path / 'none.db'}", pace_of("5s"), linked=False)
    assert not (tmp_path / "none.db").exists()
