"""Desks to test: one that is only read from, and one of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.desk import Desk, desk_in


@pytest.fixture(scope="session")
def read_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_in(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def fuzzed_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_in(tmp_path_factory.mktemp("desk")) as opened:
        yield opened
