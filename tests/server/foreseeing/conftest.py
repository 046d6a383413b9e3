"""A shop that has learnt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.foreseeing.shop import HOUR_US, Clock, publish, runner_of, settle, story, teach
from truenorth.store.opening import open_store


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a shop that has learnt, up to its last three days."""
    path = tmp_path_factory.mktemp("learnt") / "truenorth.db"
    with open_store(f"sqlite:///{path}") as store:
        publish(store)
        events = story()
        until_us = events[-1].time_us - 72 * HOUR_US
        store.events.append([event for event in events if event.time_us <= until_us])
        settle(runner_of(store, Clock(until_us)))
        teach(store, until_us)
    return path


@pytest.fixture
def own_file(learnt: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(learnt, tmp_path / "truenorth.db"))
